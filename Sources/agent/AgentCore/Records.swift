package import Formats
public import Model
import Ports

/// What an agent must still know after it was killed. Ends of programs are not among it: the supervisor keeps them.
public enum AgentRecord: Sendable, Hashable {
    /// How the sweep's programs are started here.
    case context(sweep: String, SweepContext)
    /// A run that this agent is to do. Nothing of it starts before this is durable.
    case accepted(sweep: String, lease: LeaseNumber, Shard.Entry)
    case cancelled(sweep: String, [RunNumber])
    /// The coordinator has these outcomes. `isLast`: no further attempt follows under the lease.
    case acknowledged(sweep: String, [Acknowledged])
    case revoked(sweep: String, [LeaseNumber])
    /// The sweep has ended: nothing of it is known any more.
    case released(sweep: String)
    /// Up to which attempt each run is over, so that a repeated grant starts nothing again.
    case over(sweep: String, [Acknowledged])
}

/// What a sweep's coordinator said of this host.
public struct SweepContext: Sendable, Hashable {
    public var enginePath: String?
    public var setup: String?
    public var slots: Int?
    public var memoryBytes: Int64?

    public init(enginePath: String? = nil, setup: String? = nil, slots: Int? = nil, memoryBytes: Int64? = nil) {
        self.enginePath = enginePath
        self.setup = setup
        self.slots = slots
        self.memoryBytes = memoryBytes
    }
}

/// An attempt whose outcome the coordinator has.
public struct Acknowledged: Sendable, Hashable {
    public var id: AttemptID
    public var isLast: Bool

    public init(id: AttemptID, isLast: Bool) {
        self.id = id
        self.isLast = isLast
    }
}

// Kinds 1 to 7 are those of version 1; their like of version 2, with fields, have kinds that are 16 higher. They do not
// follow the cases' order: `over` is 6 and 22, `released` is 7 and 23.

extension AgentRecord {
    /// What a frame says that it is. The manual's page Formats has a row for each, and the golden files a frame.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case context = 17
        case accepted = 18
        case cancelled = 19
        case acknowledged = 20
        case revoked = 21
        case over = 22
        case released = 23
    }

    private var kind: Kind {
        switch self {
        case .context: .context
        case .accepted: .accepted
        case .cancelled: .cancelled
        case .acknowledged: .acknowledged
        case .revoked: .revoked
        case .over: .over
        case .released: .released
        }
    }

    package var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .context(let sweep, let context):
            fields.field(1, sweep)
            fields.field(2, context.enginePath)
            fields.field(3, context.setup)
            fields.field(4, context.slots)
            fields.field(5, context.memoryBytes)
        case .accepted(let sweep, let lease, let entry):
            fields.field(1, sweep)
            fields.field(2, lease)
            fields.field(3, entry)
        case .cancelled(let sweep, let runs):
            fields.field(1, sweep)
            fields.fields(2, runs)
        case .acknowledged(let sweep, let attempts):
            fields.field(1, sweep)
            fields.fields(2, attempts)
        case .revoked(let sweep, let leases):
            fields.field(1, sweep)
            fields.fields(2, leases)
        case .over(let sweep, let attempts):
            fields.field(1, sweep)
            fields.fields(2, attempts)
        case .released(let sweep): fields.field(1, sweep)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    package init(_ frame: Frame) throws(WireError) {
        if let known = try AgentRecord(version1: frame) {
            self = known
            return
        }
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a record of unknown kind \(frame.kind)", isNews: true)
        }
        var fields = try FieldDecoder(frame.payload[...])
        let sweep: String = try fields.take(1)
        switch kind {
        case .context:
            self = .context(
                sweep: sweep,
                SweepContext(
                    enginePath: try fields.take(ifAny: 2), setup: try fields.take(ifAny: 3),
                    slots: try fields.take(ifAny: 4, in: 0...WireLimits.slots), memoryBytes: try fields.take(ifAny: 5)))
        case .accepted: self = .accepted(sweep: sweep, lease: try fields.lease(2), try fields.take(3))
        case .cancelled: self = .cancelled(sweep: sweep, try fields.runs(2))
        case .acknowledged: self = .acknowledged(sweep: sweep, try fields.take(all: 2))
        case .revoked: self = .revoked(sweep: sweep, try fields.leases(2))
        case .over: self = .over(sweep: sweep, try fields.take(all: 2))
        case .released: self = .released(sweep: sweep)
        }
        try fields.end()
    }
}

extension Acknowledged: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, id)
        writer.field(2, isLast)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(id: try fields.take(1), isLast: try fields.take(2))
    }
}
