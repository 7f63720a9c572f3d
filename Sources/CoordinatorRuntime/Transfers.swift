import Model
import ObjectStore
import Wire

/// Fetches what attempts on one host left, and tells which attempts are complete.
///
/// An attempt counts as ended here only when every artifact that it names is in the object store. Bytes come by
/// ranges, several under way at a time; an object that broke off goes on where it stopped. The attempts of one run
/// are given on in the order in which they came: a later one would make an earlier one look like a repetition.
struct Transfers {
    /// An object that is being fetched.
    private struct Fetch {
        var size: Int64
        /// Up to where bytes have been asked for, and up to where they are here.
        var asked: Int64
        var received: Int64
    }

    /// An attempt some of whose artifacts are not here yet.
    private struct Pending {
        var report: AttemptReport
        var missing: Set<Digest>
    }

    /// Bytes asked for and not here yet, at most.
    private static let window: Int64 = 1 << 20

    private let store: ObjectStore
    private var order: [Digest] = []
    private var fetches: [Digest: Fetch] = [:]
    private var pending: [Pending] = []
    private var underWay: Int64 = 0

    init(store: ObjectStore) { self.store = store }

    /// Takes note of an outcome.
    ///
    /// - Returns: the report, if nothing has to be fetched for it.
    mutating func begin(_ report: AttemptReport) throws -> AttemptReport? {
        guard !pending.contains(where: { $0.report.id == report.id }) else { return nil }
        var missing: Set<Digest> = []
        for artifact in report.artifacts where try !store.holds(artifact.digest) {
            guard missing.insert(artifact.digest).inserted, fetches[artifact.digest] == nil else { continue }
            if artifact.size == 0 {
                _ = try store.publish([UInt8]())
                missing.remove(artifact.digest)
                continue
            }
            let start = min(try store.partialSize(artifact.digest), artifact.size)
            // The last byte is asked for again, so that a piece always ends a transfer.
            let resume = min(start, artifact.size - 1)
            fetches[artifact.digest] = Fetch(size: artifact.size, asked: resume, received: resume)
            order.append(artifact.digest)
        }
        if missing.isEmpty, !pending.contains(where: { $0.report.id.run == report.id.run }) { return report }
        pending.append(Pending(report: report, missing: missing))
        return nil
    }

    /// What to ask for now.
    mutating func requests() -> [ObjectRange] {
        var ranges: [ObjectRange] = []
        for digest in order {
            guard var fetch = fetches[digest] else { continue }
            while fetch.asked < fetch.size, underWay < Transfers.window {
                let length = min(Int64(ObjectRange.maximumLength), fetch.size - fetch.asked)
                ranges.append(ObjectRange(digest: digest, offset: fetch.asked, length: Int(length)))
                fetch.asked += length
                underWay += length
            }
            fetches[digest] = fetch
            if underWay >= Transfers.window { break }
        }
        return ranges
    }

    /// Takes in a piece.
    ///
    /// - Returns: the reports that are complete with it.
    /// - Throws: ``Failure`` (`badMessage`) for a piece that nobody asked for; other errors come from this disk.
    mutating func receive(_ piece: ObjectBytes) throws -> [AttemptReport] {
        let end = piece.offset + Int64(piece.bytes.count)
        guard var fetch = fetches[piece.digest],
            piece.offset == fetch.received, end <= fetch.asked, !piece.bytes.isEmpty
        else { throw Failure(.badMessage, "the host sent bytes that nobody asked for; the connection was dropped") }
        try store.write(piece.digest, at: piece.offset, piece.bytes)
        underWay -= Int64(piece.bytes.count)
        fetch.received = end
        fetches[piece.digest] = fetch
        guard end == fetch.size else { return [] }
        forget(piece.digest)
        do {
            try store.finish(piece.digest, size: fetch.size)
        } catch let failure as Failure where failure.code == .badArchive {
            return lose(piece.digest, reason: "its bytes arrived different from what its host had announced")
        }
        return complete(piece.digest)
    }

    /// The host cannot give the object: attempts that need it have lost their evidence, which is not their fault.
    mutating func lose(_ digest: Digest, reason: String) -> [AttemptReport] {
        forget(digest)
        for index in pending.indices where pending[index].missing.contains(digest) {
            let path = pending[index].report.artifacts.first { $0.digest == digest }?.path ?? digest.short
            pending[index].report.failure = .hostLost
            pending[index].report.evidence = "the artifact '\(path)' could not be fetched: \(reason)"
            pending[index].report.artifacts = []
            pending[index].missing = []
        }
        return release()
    }

    private mutating func forget(_ digest: Digest) {
        if let fetch = fetches.removeValue(forKey: digest) { underWay -= max(0, fetch.asked - fetch.received) }
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
            return true
        }
        return done
    }
}
