public import Engines
public import Formats
public import Model
import Storage
public import SweepCore

/// Where work that takes long is done, beside the loop: reading and writing of files, hashing, judging.
///
/// Work of one lane is done in the order in which it was handed in, one piece at a time; lanes do not wait for one
/// another. What comes of it reaches the loop through its inbox. Work that was not done when the process died was never
/// begun, as far as anybody can tell: nothing is decided before its result was taken out of the inbox and committed.
public protocol Workshop: Sendable {
    /// Returns at once.
    func hand(in lane: Lane, _ work: @escaping @Sendable () throws -> Finished)
}

/// What must be done in order.
public enum Lane: Sendable, Hashable {
    /// The attempts of one run, of which a later one would make an earlier one look like a repetition.
    case run(RunNumber)
    /// Writing one object, which two hosts may send.
    case object(Digest)
    /// Reading objects for one host.
    case host(Int)
    case checkpoints
    /// Writing leases, which hosts get in the order in which they were decided.
    case grants
    case tables
    case ledgerCopy
    /// Giving checkpoints to the store that a lab has in common.
    case commonStore
    /// The agent's digest, and its compressed form for slow links.
    case agent
}

/// What came of a piece of work. `generation` tells for which stream to the host it was done.
public enum Finished: Sendable {
    /// What the object store has of the artifacts of an outcome.
    indirect case looked(host: Int, generation: Int, AttemptReport, StoredParts)
    /// What came of writing a piece of an object.
    case wrote(host: Int, generation: Int, Transfers.Piece, Transfers.Written)
    /// What an attempt came to, an audit in comparison; and why a checkpoint that it made is not kept for later sweeps.
    indirect case judged(host: Int, AttemptReport, EngineVerdict, AuditComparison?, problem: String?)
    /// The messages of a lease: the oldest one that the host has not got.
    case granted(host: Int, generation: Int, [Shard])
    /// The results that were made with an input which was found damaged; nil: there are none. Or why that is not known.
    indirect case doubted(host: Int, DamagedInput?, problem: String?)
    /// Ranges of objects that were asked for; nil: one is not here, or not as long.
    case read(host: Int, generation: Int, [(range: ObjectRange, supplied: Supplied?)])
    /// The checkpoints that earlier sweeps made with the engine of this digest, as events.
    case foundCheckpoints(host: Int, generation: Int, engine: Digest, [Event], problem: String?)
    /// An input is in the object store now.
    case staged(Digest)
    /// What the host sent makes no sense.
    case refused(host: Int, generation: Int, reason: String)
    /// What failed of work that changes nothing here.
    case said(problem: String)
    case nothing
}

/// What a host gets that asks for a range of an object.
public enum Supplied: Sendable {
    case bytes(ObjectBytes)
    /// Word of what it is made of.
    case packed(PackedObject)

    /// Reads an object that is here, whole or in packs.
    ///
    /// - Parameters:
    ///   - unstaged: the file that is being put into the store, if it is such an object.
    ///   - takesMaps: whether the host can put objects together; for one that cannot, it is done here.
    /// - Returns: nil: there is no such object, or it is not as long.
    init?(_ range: ObjectRange, _ store: ObjectStore, _ unstaged: InputFile? = nil, takesMaps: Bool) throws {
        if takesMaps, let found = try store.map(of: range.digest), let size = try store.size(found.digest) {
            self = .packed(PackedObject(object: range.digest, map: found.digest, mapSize: size))
            return
        }
        if try !store.contains(range.digest), let found = try store.map(of: range.digest) {
            try store.unpack(found.map)
        }
        if let unstaged, try !store.contains(range.digest) {
            guard range.offset < unstaged.size else { return nil }
            let bytes = try store.read(file: unstaged.source, at: range.offset, count: range.length)
            guard bytes.count == min(Int64(range.length), unstaged.size - range.offset) else {
                throw Failure(.badSpecification, "\(unstaged.source) changed while it was being read; launch again")
            }
            self = .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes))
            return
        }
        guard let size = try store.size(range.digest), range.offset < size else { return nil }
        let bytes = try store.read(range.digest, at: range.offset, count: range.length)
        self = .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes))
    }
}

/// What hosts may ask of the coordinator at most. Far above what an agent needs; what is beyond is no agent of ours.
enum HostLimits {
    /// Outcomes of one host that are not settled yet.
    static let outcomes = 50_000
    /// What these take in memory. One may be as long as a frame.
    static let outcomeBytes: Int64 = 256 << 20

    static func tooManyOutcomes(_ count: Int, bytes: Int64) -> Failure? {
        if count > outcomes { return Failure(.badMessage, "it reported more than \(outcomes) outcomes at once") }
        guard bytes > outcomeBytes else { return nil }
        return Failure(.badMessage, "it reported outcomes of more than \(PeopleText.size(outcomeBytes)) at once")
    }
    /// Ranges of objects that one host has asked for and not been sent.
    static let reads = 256
    static let tooManyReads = Failure(.badMessage, "it asked for more than \(reads) pieces of its inputs at once")
    /// Bytes of artifacts that are on their way from all hosts together, and at most from one.
    static let window: Int64 = 64 << 20
    static let windowOfHost: Int64 = 1 << 20
}
