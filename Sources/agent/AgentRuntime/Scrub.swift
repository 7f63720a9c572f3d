import AgentCore
import Model
import Ports
import Storage

/// Reads the objects of a host again, as its plan says, and finds those whose bytes changed on the disk.
struct Scrub {
    private let files: any Files
    private let readings: Readings
    private var plan: ScrubPlan
    private var current: (digest: Digest, hash: FileHash)?
    private var notedAt: Nanoseconds
    /// When each was last read and found whole, in nanoseconds since 1970.
    private var wholeAt: [Digest: Nanoseconds]

    /// How often it is written down how far it is.
    private static let pause: Nanoseconds = 60_000_000_000

    /// - Parameter round: from one reading of an object to the next.
    init(_ store: ObjectStore, _ files: any Files, round: Nanoseconds, now: Nanoseconds) {
        self.files = files
        readings = Readings(file: WordLines(path: "\(store.root)/verified", files: files))
        let left = readings.content()
        plan = ScrubPlan(after: left.last, round: round, now: now)
        wholeAt = left.wholeAt
        notedAt = now
    }

    var due: Nanoseconds { plan.due }

    /// Reads a piece, if it is time. An object that cannot be read, or is not what its name says; nil: nothing new.
    ///
    /// - Parameter wall: nanoseconds since 1970.
    mutating func step(_ cache: ObjectCache, now: Nanoseconds, wall: Nanoseconds) -> ObjectDamage? {
        guard now >= plan.due else { return nil }
        guard let (digest, begun) = current ?? begin(cache, now) else { return nil }
        current = nil
        var hash = begun
        var budget = ScrubPlan.piece
        do throws(FilesError) {
            let found = try hash.step(budget: &budget)
            plan.read(Int64(ScrubPlan.piece - budget), now: now)
            guard let found else {
                current = (digest, hash)
                return nil
            }
            guard found.digest == digest else { return damage(digest, cache, wall) }
            wholeAt[digest] = wall
            writeDown(cache, now)
            return nil
        } catch {
            return damage(digest, cache, wall)
        }
    }

    private mutating func damage(_ digest: Digest, _ cache: ObjectCache, _ wall: Nanoseconds) -> ObjectDamage {
        let read = wholeAt.removeValue(forKey: digest)
        let known = max(read ?? 0, cache.cameAt(digest) ?? 0)
        // Where the clock was turned back meanwhile, nobody knows since when.
        return ObjectDamage(digest: digest, wholeAt: known > wall ? 0 : known, foundAt: wall)
    }

    private mutating func begin(_ cache: ObjectCache, _ now: Nanoseconds) -> (digest: Digest, hash: FileHash)? {
        // Some may have gone since the round began.
        while let digest = plan.next(among: { cache.digests }, now: now) {
            if let hash = try? FileHash(cache.store.path(digest), files) { return (digest, hash) }
        }
        return nil
    }

    /// Where it is lost, some are read again, and what is found then counts from an earlier time on.
    private mutating func writeDown(_ cache: ObjectCache, _ now: Nanoseconds) {
        guard now - notedAt >= Scrub.pause, let position = plan.position else { return }
        notedAt = now
        let kept = Set(cache.digests)
        wholeAt = wholeAt.filter { kept.contains($0.key) }
        readings.write(wholeAt, last: position)
    }

    /// When objects were last read, in a file: a line each with the digest, and the time in nanoseconds since 1970. The
    /// last line is of the one that was read last.
    private struct Readings {
        let file: WordLines

        private static let longest = 16 << 20

        func content() -> (last: Digest?, wholeAt: [Digest: Nanoseconds]) {
            var (last, wholeAt): (Digest?, [Digest: Nanoseconds]) = (nil, [:])
            for words in file.read(atMost: Readings.longest) {
                guard let digest = words.first.flatMap({ Digest(hex: $0) }) else { continue }
                last = digest
                if words.count == 2, let time = Nanoseconds(words[1]) { wholeAt[digest] = time }
            }
            return (last, wholeAt)
        }

        func write(_ wholeAt: [Digest: Nanoseconds], last: Digest) {
            var order = wholeAt.keys.filter { $0 != last }.sorted()
            order.append(last)
            try? file.replace(with: order.map { [$0.hex] + (wholeAt[$0].map { [String($0)] } ?? []) })
        }
    }
}
