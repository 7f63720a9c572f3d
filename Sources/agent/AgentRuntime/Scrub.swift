import AgentCore
import Model
import Ports
import Storage

/// Reads the objects of a host again, as its plan says, and finds those whose bytes changed on the disk.
struct Scrub {
    private let files: any Files
    private let note: String
    private var plan: ScrubPlan
    private var current: (digest: Digest, hash: FileHash)?
    private var notedAt: Nanoseconds

    /// How often it is written down how far it is.
    private static let pause: Nanoseconds = 60_000_000_000

    init(_ store: ObjectStore, _ files: any Files, now: Nanoseconds) {
        self.files = files
        note = "\(store.root)/verified"
        let left = try? files.content(note, atMost: 64)
        plan = ScrubPlan(after: left.flatMap { Digest(hex: String(decoding: $0, as: UTF8.self)) }, now: now)
        notedAt = now
    }

    var due: Nanoseconds { plan.due }

    /// Reads a piece, if it is time. An object that cannot be read, or is not what its name says; nil: nothing new.
    mutating func step(_ cache: ObjectCache, now: Nanoseconds) -> Digest? {
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
            writeDown(now)
            return found.digest == digest ? nil : digest
        } catch {
            return digest
        }
    }

    private mutating func begin(_ cache: ObjectCache, _ now: Nanoseconds) -> (digest: Digest, hash: FileHash)? {
        // Some may have gone since the round began.
        while let digest = plan.next(among: { cache.digests }, now: now) {
            if let hash = try? FileHash(cache.store.path(digest), files) { return (digest, hash) }
        }
        return nil
    }

    /// Where it is lost, some are read again.
    private mutating func writeDown(_ now: Nanoseconds) {
        guard now - notedAt >= Scrub.pause, let position = plan.position else { return }
        notedAt = now
        try? files.replace(note, with: Array(position.hex.utf8), by: "\(note).\(files.processMark)")
    }
}
