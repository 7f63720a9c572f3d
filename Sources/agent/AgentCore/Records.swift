public import Formats
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

extension AgentRecord {
    public var frame: Frame {
        var writer = ByteWriter()
        switch self {
        case .context(let sweep, let context):
            writer.put(sweep)
            writer.put(context.enginePath) { $0.put($1) }
            writer.put(context.setup) { $0.put($1) }
            writer.put(context.slots) { $0.put($1) }
            writer.put(context.memoryBytes) { $0.put($1) }
            return Frame(kind: 1, payload: writer.bytes)
        case .accepted(let sweep, let lease, let entry):
            writer.put(sweep)
            writer.put(lease)
            writer.put(entry)
            return Frame(kind: 2, payload: writer.bytes)
        case .cancelled(let sweep, let runs):
            writer.put(sweep)
            writer.put(list: runs) { $0.put($1) }
            return Frame(kind: 3, payload: writer.bytes)
        case .acknowledged(let sweep, let attempts):
            writer.put(sweep)
            writer.put(list: attempts) { $0.put($1) }
            return Frame(kind: 4, payload: writer.bytes)
        case .revoked(let sweep, let leases):
            writer.put(sweep)
            writer.put(list: leases) { $0.put($1) }
            return Frame(kind: 5, payload: writer.bytes)
        case .over(let sweep, let attempts):
            writer.put(sweep)
            writer.put(list: attempts) { $0.put($1) }
            return Frame(kind: 6, payload: writer.bytes)
        case .released(let sweep):
            writer.put(sweep)
            return Frame(kind: 7, payload: writer.bytes)
        }
    }

    public init(_ frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        let sweep = try reader.string()
        switch frame.kind {
        case 1:
            self = .context(
                sweep: sweep,
                SweepContext(
                    enginePath: try reader.optional { reader throws(WireError) in try reader.string() },
                    setup: try reader.optional { reader throws(WireError) in try reader.string() },
                    slots: try reader.optional { reader throws(WireError) in try reader.integer() },
                    memoryBytes: try reader.optional { reader throws(WireError) in try reader.signed() }))
        case 2: self = .accepted(sweep: sweep, lease: try reader.integer(), try reader.shardEntry())
        case 3: self = .cancelled(sweep: sweep, try reader.list { reader throws(WireError) in try reader.integer() })
        case 4:
            self = .acknowledged(
                sweep: sweep, try reader.list { reader throws(WireError) in try reader.acknowledged() })
        case 5: self = .revoked(sweep: sweep, try reader.list { reader throws(WireError) in try reader.integer() })
        case 6: self = .over(sweep: sweep, try reader.list { reader throws(WireError) in try reader.acknowledged() })
        case 7: self = .released(sweep: sweep)
        default: throw WireError("a record of unknown kind \(frame.kind)")
        }
        try reader.end()
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ acknowledged: Acknowledged) {
        put(acknowledged.id)
        put(acknowledged.isLast)
    }

    mutating func put(_ key: AttemptKey) {
        put(key.sweep)
        put(key.id)
    }
}

extension ByteReader {
    fileprivate mutating func acknowledged() throws(WireError) -> Acknowledged {
        Acknowledged(id: try attemptID(), isLast: try bool())
    }

    mutating func attemptKey() throws(WireError) -> AttemptKey {
        AttemptKey(sweep: try string(), id: try attemptID())
    }
}
