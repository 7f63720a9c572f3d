import DequeModule
import Formats
import Model
import Storage

/// What the object store has of an outcome's artifacts.
public struct StoredParts: Sendable {
    struct Part: Sendable {
        /// Of the whole object; nil: it is not here.
        var size: Int64?
        /// Up to where an earlier transfer came.
        var partial: Int64
    }

    var parts: [Digest: Part] = [:]

    /// Looks at the store, and puts what is empty into it.
    ///
    /// - Throws: ``Failure`` (`badMessage`) for an empty file under a digest that is another's; other errors come from
    ///   this disk.
    init(of report: AttemptReport, in store: ObjectStore) throws {
        for artifact in report.artifacts where parts[artifact.digest] == nil {
            var size = try store.holds(artifact.digest) ? store.size(artifact.digest) : nil
            if size == nil, artifact.size == 0 {
                guard artifact.digest == (try store.publish([UInt8]())) else {
                    throw Failure(.badMessage, "it reported an empty file with the digest of another file")
                }
                size = 0
            }
            parts[artifact.digest] = Part(size: size, partial: try store.partialSize(artifact.digest))
        }
    }

    init() {}
}

/// Fetches what attempts on one host left, and tells which attempts are complete.
///
/// An attempt counts as ended here only when every artifact that it names is in the object store. Bytes come by
/// ranges, several under way at a time; an object that broke off goes on where it stopped. The attempts of one run
/// are given on in the order in which they came: a later one would make an earlier one look like a repetition. Nothing
/// here touches the disk: what is to be written is handed out, and what came of it is told.
public struct Transfers {
    /// A piece that came, to be written.
    public struct Piece: Sendable {
        var digest: Digest
        var offset: Int64
        var length: Int
        /// The object's size, where this is its last piece.
        var completes: Int64?
    }

    /// What came of writing a piece.
    public enum Written: Sendable {
        /// There is more to come.
        case partly
        case whole
        /// All pieces are here, and are not the object.
        case damaged
    }

    /// An object that is being fetched.
    private struct Fetch {
        var size: Int64
        /// Up to where bytes have been asked for.
        var asked: Int64
        /// What was asked for and is not here, in order: a host answers every range once, and in turn.
        var due: Deque<ObjectRange> = []
        /// How often its bytes came and were not the object.
        var damages = 0
    }

    /// An attempt some of whose artifacts are not here yet.
    private struct Pending {
        var report: AttemptReport
        var missing: Set<Digest>
        /// Of the report as it came.
        let heldBytes: Int64
    }

    /// How often an object is fetched again on one stream whose bytes were not what its host had announced; and on how
    /// many streams one is asked for. An attempt may have taken weeks: it is redone only where its files cannot be had.
    static let mostDamages = 3
    static let mostStreams = 3

    private var order: [Digest] = []
    private var fetches: [Digest: Fetch] = [:]
    private var pending: [Pending] = []
    /// What `pending` takes in memory, about.
    private(set) var pendingBytes: Int64 = 0
    /// Bytes that were asked for and are not written yet.
    private var underWay: Int64 = 0
    /// Answers still to come for objects that were given up.
    private var stale: [Digest: Int] = [:]
    /// On how many streams an object could not be had, this one included.
    private var failedStreams: [Digest: Int] = [:]
    /// Objects that are left to the next stream, with what was wrong; and how many came since the first of them.
    private var postponed: [Digest: String] = [:]
    private var sincePostponed = 0

    init() {}

    /// What the next stream to the same host begins with.
    var forNextStream: Transfers {
        var next = Transfers()
        next.failedStreams = failedStreams
        return next
    }

    /// Why another stream is wanted, after this one has brought what it can; nil: it is not.
    var problem: String? {
        guard let digest = postponed.keys.min(), fetches.isEmpty || sincePostponed > 1_000 else { return nil }
        let path = pending.flatMap(\.report.artifacts).first { $0.digest == digest }?.path ?? digest.short
        return "the artifact '\(VisibleText.of(path))' is fetched again on a new connection: \(postponed[digest] ?? "")"
    }

    /// Attempts some of whose artifacts are not here yet.
    var pendingCount: Int { pending.count }

    /// The attempt of a run, the last one under a lease, some of whose artifacts are not here yet, and how much of them
    /// is.
    func arrival(of run: RunNumber, _ lease: LeaseNumber) -> (id: AttemptID, bytes: BytesDone)? {
        guard let entry = pending.last(where: { $0.report.id.run == run && $0.report.id.lease == lease }) else {
            return nil
        }
        var (here, all): (Int64, Int64) = (0, 0)
        var seen: Set<Digest> = []
        for artifact in entry.report.artifacts where seen.insert(artifact.digest).inserted {
            let part = entry.missing.contains(artifact.digest) ? received(artifact.digest) : artifact.size
            here = here.addingCapped(part)
            all = all.addingCapped(artifact.size)
        }
        return (entry.report.id, BytesDone(done: here, total: all))
    }

    private func received(_ digest: Digest) -> Int64 {
        fetches[digest].map { fetch in fetch.due.reduce(fetch.asked) { $0 - Int64($1.length) } } ?? 0
    }

    /// Takes note of an outcome.
    ///
    /// - Parameter stored: what is here already.
    /// - Returns: the report, if nothing has to be fetched for it.
    /// - Throws: ``Failure`` (`badMessage`) for an object that is here already and is not as long as the host says.
    mutating func begin(_ report: AttemptReport, _ stored: StoredParts) throws -> AttemptReport? {
        guard !pending.contains(where: { $0.report.id == report.id }) else { return nil }
        var missing: Set<Digest> = []
        for artifact in report.artifacts {
            let part = stored.parts[artifact.digest]
            if let size = part?.size ?? fetches[artifact.digest]?.size, size != artifact.size {
                throw Failure(
                    .badMessage, "it announced \(artifact.size) bytes as an object of \(size), and the connection was "
                        + "dropped")
            }
            if part?.size != nil { continue }
            guard missing.insert(artifact.digest).inserted, fetches[artifact.digest] == nil,
                postponed[artifact.digest] == nil
            else { continue }
            let start = min(part?.partial ?? 0, artifact.size)
            // The last byte is asked for again, so that a piece always ends a transfer.
            let resume = min(start, artifact.size - 1)
            fetches[artifact.digest] = Fetch(size: artifact.size, asked: resume)
            order.append(artifact.digest)
        }
        if missing.isEmpty, !pending.contains(where: { $0.report.id.run == report.id.run }) { return report }
        pending.append(Pending(report: report, missing: missing, heldBytes: report.heldBytes))
        pendingBytes += report.heldBytes
        return nil
    }

    /// What to ask for now.
    ///
    /// - Parameter window: bytes that may be under way.
    mutating func requests(window: Int64 = HostLimits.windowOfHost) -> [ObjectRange] {
        var ranges: [ObjectRange] = []
        for digest in order {
            guard var fetch = fetches[digest] else { continue }
            while fetch.asked < fetch.size, underWay < window {
                let length = min(Int64(ObjectRange.maximumLength), fetch.size - fetch.asked)
                let range = ObjectRange(digest: digest, offset: fetch.asked, length: Int(length))
                ranges.append(range)
                fetch.due.append(range)
                fetch.asked += length
                underWay += length
            }
            fetches[digest] = fetch
            if underWay >= window { break }
        }
        return ranges
    }

    /// Takes in a piece.
    ///
    /// - Returns: what to write, of which ``wrote(_:_:)`` is to be told; nil: nothing.
    /// - Throws: ``Failure`` (`badMessage`) for a piece that nobody asked for.
    mutating func receive(_ piece: ObjectBytes) throws -> (write: Piece?, done: [AttemptReport]) {
        if takeStale(piece.digest) { return (nil, []) }
        guard var fetch = fetches[piece.digest], let range = fetch.due.first, piece.offset == range.offset,
            piece.bytes.count <= range.length
        else { throw Failure(.badMessage, "it sent bytes that were not asked for, and the connection was dropped") }
        fetch.due.removeFirst()
        fetches[piece.digest] = fetch
        guard piece.bytes.count == range.length else {
            underWay -= Int64(range.length)
            return (nil, again(piece.digest, orGiveUp: "it became shorter after its host had announced it"))
        }
        let isLast = range.offset + Int64(range.length) == fetch.size
        return (
            Piece(
                digest: piece.digest, offset: range.offset, length: range.length,
                completes: isLast ? fetch.size : nil), []
        )
    }

    /// Writes a piece, off the loop.
    ///
    /// - Throws: errors of this disk.
    static func write(_ piece: Piece, _ bytes: [UInt8], _ store: ObjectStore) throws -> Written {
        // Another host had the same file, and was faster.
        if try store.holds(piece.digest) { return .whole }
        try store.write(piece.digest, at: piece.offset, bytes)
        guard let size = piece.completes else { return .partly }
        do {
            try store.finish(piece.digest, size: size)
            return .whole
        } catch let failure as Failure where failure.code == .badArchive {
            return .damaged
        }
    }

    /// - Returns: the reports that are complete with it.
    mutating func wrote(_ piece: Piece, _ written: Written) -> [AttemptReport] {
        underWay -= Int64(piece.length)
        guard fetches[piece.digest] != nil else { return [] }
        switch written {
        case .partly: return []
        case .whole:
            abandon(piece.digest)
            failedStreams[piece.digest] = nil
            sincePostponed += 1
            return complete(piece.digest)
        case .damaged:
            return again(piece.digest, orGiveUp: "its bytes are not those that its host announced")
        }
    }

    /// The host cannot give a piece of the object.
    mutating func lose(_ digest: Digest, reason: String) -> [AttemptReport] {
        if takeStale(digest) { return [] }
        guard let range = fetches[digest]?.due.first else { return [] }
        fetches[digest]?.due.removeFirst()
        underWay -= Int64(range.length)
        return postpone(digest, orGiveUp: reason)
    }

    /// Whether an answer that came is for an object that was given up since it was asked for.
    private mutating func takeStale(_ digest: Digest) -> Bool {
        guard let count = stale[digest] else { return false }
        stale[digest] = count > 1 ? count - 1 : nil
        return true
    }

    /// A disk or a link that errs once need not err again, and an attempt takes longer than its files: the object is
    /// fetched anew, a few times on this stream, then on others.
    private mutating func again(_ digest: Digest, orGiveUp reason: String) -> [AttemptReport] {
        guard var fetch = fetches[digest] else { return [] }
        guard fetch.damages < Transfers.mostDamages else {
            return postpone(digest, orGiveUp: "\(reason), \(Transfers.mostDamages + 1) times")
        }
        abandon(digest)
        fetch.damages += 1
        (fetch.asked, fetch.due) = (0, [])
        fetches[digest] = fetch
        order.append(digest)
        return []
    }

    /// The object is left to the next stream, by which its host may have been repaired.
    private mutating func postpone(_ digest: Digest, orGiveUp reason: String) -> [AttemptReport] {
        let streams = failedStreams[digest, default: 0] + 1
        guard streams < Transfers.mostStreams else {
            failedStreams[digest] = nil
            return giveUp(digest, reason: "\(reason), on \(PeopleText.count(streams, "connection")) in a row")
        }
        failedStreams[digest] = streams
        abandon(digest)
        if postponed.isEmpty { sincePostponed = 0 }
        postponed[digest] = reason
        return []
    }

    /// Attempts that need the object have lost their evidence, which is not their fault.
    private mutating func giveUp(_ digest: Digest, reason: String) -> [AttemptReport] {
        abandon(digest)
        for index in pending.indices where pending[index].missing.contains(digest) {
            let path = pending[index].report.artifacts.first { $0.digest == digest }?.path ?? digest.short
            pending[index].report.failure = .hostLost
            pending[index].report.evidence = "the artifact '\(path)' could not be fetched: \(reason)"
            pending[index].report.artifacts = []
            pending[index].missing = []
        }
        return release()
    }

    private mutating func abandon(_ digest: Digest) {
        guard let fetch = fetches.removeValue(forKey: digest) else { return }
        for range in fetch.due { underWay -= Int64(range.length) }
        if !fetch.due.isEmpty { stale[digest] = fetch.due.count }
        order.removeAll { $0 == digest }
    }

    private mutating func complete(_ digest: Digest) -> [AttemptReport] {
        for index in pending.indices { pending[index].missing.remove(digest) }
        return release()
    }

    private mutating func release() -> [AttemptReport] {
        var done: [AttemptReport] = []
        var waiting: Set<RunNumber> = []
        pending.removeAll { entry in
            guard entry.missing.isEmpty, !waiting.contains(entry.report.id.run) else {
                waiting.insert(entry.report.id.run)
                return false
            }
            done.append(entry.report)
            pendingBytes -= entry.heldBytes
            return true
        }
        return done
    }
}

extension AttemptReport {
    /// What it takes in memory, about.
    var heldBytes: Int64 { artifacts.reduce(256 + Int64(evidence.utf8.count)) { $0 + 128 + Int64($1.path.utf8.count) } }

    /// The same, failed and without its files where these take more than an attempt may leave: an agent that keeps to
    /// the limit reports no such thing, and the disk that they would fill here is everybody's.
    func within(_ limit: Int64) -> AttemptReport {
        var digests: Set<Digest> = []
        let bytes = artifacts.reduce(Int64(0)) { digests.insert($1.digest).inserted ? $0.addingCapped($1.size) : $0 }
        guard bytes > limit else { return self }
        var report = self
        let found = "its files take \(PeopleText.size(bytes)), more than limits.output "
            + "(\(PeopleText.size(limit))), and none was fetched"
        report.failure = failure ?? .tooMuchOutput
        report.evidence = [evidence, found].filter { !$0.isEmpty }.joined(separator: "; ")
        report.artifacts = []
        return report
    }
}
