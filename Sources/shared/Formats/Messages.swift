public import Model

/// The version of the messages. Raised when an older peer would misunderstand; each side names the range that it
/// speaks, the higher common one is used, and without one both refuse.
public enum WireVersion {
    public static let current = 6
    public static let oldest = 1
}

/// What the coordinator tells an agent.
///
/// Flow control is by demand, in both directions: a shard is permission to send that many outcomes, and bytes of
/// an object are sent only where the other side asked for that range. Nobody sends bulk that was not asked for, a
/// broken transfer goes on where it stopped, and a heartbeat waits for at most the ranges that are under way.
public enum CoordinatorMessage: Sendable, Hashable {
    case hello(CoordinatorHello)
    /// Runs to do. Repeating a lease that the agent has is harmless.
    case grant(Shard)
    /// These leases are void: end what runs under them, forget what waits, and report nothing more.
    case revoke([LeaseNumber])
    /// Somebody cancelled these runs: end them and report them as cancelled.
    case cancel([RunNumber])
    /// These outcomes are durable at the coordinator: what is kept of them can be deleted.
    case acknowledge([AttemptID])
    /// Asks for bytes of an object that the agent reported.
    case read(ObjectRange)
    /// Bytes of an object that the agent asked for.
    case bytes(ObjectBytes)
    /// Asks what an engine's binary is. Answered by ``AgentMessage/probed(_:)``.
    case probe(path: String)
    /// Asks for the last bytes of a file of a running attempt. Answered by ``AgentMessage/tail(_:)``.
    case tail(TailRequest)
    /// The coordinator is there. The first one follows what it has to say of the leases that the agent's hello named:
    /// an agent that has just started begins nothing of what it held before.
    case heartbeat
    /// Who works on the sweep, for people to read: user, machine and folder of the artifacts. Each ledger has one of
    /// its own, so that two copies of a ledger are told apart. Sent first after the agent's hello.
    case holder(String)
    /// An object that the agent asked for is to be made of others, which its map names; the map is to be asked for.
    /// Sent for at least one of the ranges that were asked for. Since version 3.
    case packed(PackedObject)
    /// The sweep has ended: end what still runs of it, delete what is kept of it, and forget it. Answered by
    /// ``AgentMessage/released`` when that is done.
    case release
    /// Asks to give objects of the sweep to other hosts of it. Answered by ``AgentMessage/sharing(_:problem:)``.
    case share(SharingTerms)
    /// The object that was asked for is to be had from another host: no more bytes of it come from here until
    /// ``AgentMessage/unreached(_:)`` says that it did not come.
    case elsewhere(ObjectSource)
    /// What objects kept on the host may take there, in bytes. Of the sweeps that a host works for, the smallest limit
    /// counts. Since version 4.
    case cacheLimit(Int64)
    /// On which terms the sweep uses the host; without it, on those of ``HostTerms/init()``. Since version 5.
    case terms(HostTerms)
}

/// What an agent tells the coordinator.
public enum AgentMessage: Sendable, Hashable {
    indirect case hello(AgentHello)
    /// These attempts started. From here on it is reckoned how long each has taken, by which it is decided how long a
    /// silent host is waited for, what is started a second time, and what had all of a job's time.
    case started([AttemptID])
    indirect case outcome(AttemptReport)
    /// Asks for bytes of an object that a shard needs.
    case want(ObjectRange)
    /// Bytes that the coordinator asked for.
    case bytes(ObjectBytes)
    /// The object cannot be read: the attempt's evidence is gone.
    case missing(Digest, reason: String)
    case probed(EngineProbe)
    case tail(Tail)
    case heartbeat(HostLoad)
    /// The agent cannot serve this coordinator; the stream ends after it.
    case refused(reason: String)
    /// Nothing of the sweep runs here any more, and nothing is kept.
    case released
    /// Where other hosts get objects of the sweep from here; nil: nowhere, because of `problem`.
    case sharing(SharingPlace?, problem: String)
    /// These objects are here, whole, and are given to other hosts of the sweep.
    case holding([Digest])
    /// What ``CoordinatorMessage/elsewhere(_:)`` named did not come from there; it is asked for again.
    case unreached(SourceFailure)
    /// This object was found damaged on the host's disk, by the host's clock; no run has it now. Told whenever a
    /// coordinator comes, too: only it knows which runs had it. Since version 6.
    case damaged(ObjectDamage)
}

/// The first message on a stream, from the coordinator.
public struct CoordinatorHello: Sendable, Hashable {
    public var oldest: Int
    public var current: Int
    /// The sweep's identifier: an agent serves several, and leases are numbered within one.
    public var sweep: String
    /// How long a lease outlives the last message from here.
    public var leaseTerm: Nanoseconds
    /// nil: as many as the host has physical cores.
    public var slots: Int?
    public var memoryBytes: Int64?
    /// Engine binary on this host, if the sweep's engine needs one.
    public var enginePath: String?
    /// Shell text sourced before an engine starts.
    public var setup: String?

    public init(
        oldest: Int = WireVersion.oldest, current: Int = WireVersion.current, sweep: String,
        leaseTerm: Nanoseconds, slots: Int? = nil, memoryBytes: Int64? = nil, enginePath: String? = nil,
        setup: String? = nil
    ) {
        self.oldest = oldest
        self.current = current
        self.sweep = sweep
        self.leaseTerm = leaseTerm
        self.slots = slots
        self.memoryBytes = memoryBytes
        self.enginePath = enginePath
        self.setup = setup
    }
}

/// The agent's answer.
public struct AgentHello: Sendable, Hashable {
    public var oldest: Int
    public var current: Int
    /// `/proc/sys/kernel/random/boot_id` (random(4)): the same machine, not rebooted, has the same.
    public var bootID: String
    public var hostName: String
    /// The effective slots, cores and memory for runs, in bytes.
    public var slots: Int
    public var processors: Int
    public var memoryBytes: Int64
    /// Free space of the working folder, in bytes.
    public var freeBytes: Int64
    /// Where the agent works, absolute.
    public var workdir: String
    /// Nanoseconds since 1970 on the host's clock: recorded, never used to decide.
    public var wallClock: Nanoseconds
    /// The leases of this sweep that the agent holds, with what is left of each.
    public var leases: [HeldLease]

    public init(
        oldest: Int = WireVersion.oldest, current: Int = WireVersion.current, bootID: String, hostName: String,
        slots: Int, processors: Int, memoryBytes: Int64, freeBytes: Int64, workdir: String,
        wallClock: Nanoseconds, leases: [HeldLease]
    ) {
        self.oldest = oldest
        self.current = current
        self.bootID = bootID
        self.hostName = hostName
        self.slots = slots
        self.processors = processors
        self.memoryBytes = memoryBytes
        self.freeBytes = freeBytes
        self.workdir = workdir
        self.wallClock = wallClock
        self.leases = leases
    }
}

/// Where to find what a large object is made of: see ``ObjectMap``.
public struct PackedObject: Sendable, Hashable {
    public var object: Digest
    public var map: Digest
    /// In bytes.
    public var mapSize: Int64

    public init(object: Digest, map: Digest, mapSize: Int64) {
        self.object = object
        self.map = map
        self.mapSize = mapSize
    }
}

/// A piece of an object.
public struct ObjectRange: Sendable, Hashable {
    /// The most that may be asked for at once; and what a frame holds.
    public static let maximumLength = 96 * 1024

    public var digest: Digest
    public var offset: Int64
    public var length: Int

    public init(digest: Digest, offset: Int64, length: Int) {
        self.digest = digest
        self.offset = offset
        self.length = length
    }
}

/// The bytes of a piece, shorter than asked for only at the object's end.
public struct ObjectBytes: Sendable, Hashable {
    public var digest: Digest
    public var offset: Int64
    public var bytes: [UInt8]

    public init(digest: Digest, offset: Int64, bytes: [UInt8]) {
        self.digest = digest
        self.offset = offset
        self.bytes = bytes
    }
}

/// What an engine's binary is on a host.
public struct EngineProbe: Sendable, Hashable {
    public var path: String
    /// nil: it cannot be used, for the reason in `problem`.
    public var digest: Digest?
    public var problem: String

    public init(path: String, digest: Digest?, problem: String = "") {
        self.path = path
        self.digest = digest
        self.problem = problem
    }
}

/// Which end of which file.
public struct TailRequest: Sendable, Hashable {
    public var run: RunNumber
    /// Relative to the attempt's folder.
    public var path: String
    public var maximumLength: Int

    public init(run: RunNumber, path: String, maximumLength: Int) {
        self.run = run
        self.path = path
        self.maximumLength = maximumLength
    }
}

/// The end of a file of a running attempt.
public struct Tail: Sendable, Hashable {
    public var run: RunNumber
    public var path: String
    /// nil: there is no such run or file, or the attempt has ended.
    public var bytes: [UInt8]?
    /// How much of its files has been read of an attempt that has ended and is not reported yet; nil: it is not such a
    /// one, or its agent is older than this.
    public var collected: BytesDone?

    public init(run: RunNumber, path: String, bytes: [UInt8]?, collected: BytesDone? = nil) {
        self.run = run
        self.path = path
        self.bytes = bytes
        self.collected = collected
    }
}

/// How far something is that takes long, in bytes.
public struct BytesDone: Sendable, Hashable {
    public var done: Int64
    /// nil: not known yet.
    public var total: Int64?

    public init(done: Int64, total: Int64?) {
        self.done = done
        self.total = total
    }
}

/// How busy a host is, for showing, and what the sweep may use of it.
public struct HostLoad: Sendable, Hashable {
    public var running: Int
    public var waiting: Int
    /// Free space of the working folder, in bytes.
    public var freeBytes: Int64
    /// nil: all that the agent's hello said.
    public var offer: HostOffer?

    public init(running: Int, waiting: Int, freeBytes: Int64, offer: HostOffer? = nil) {
        self.running = running
        self.waiting = waiting
        self.freeBytes = freeBytes
        self.offer = offer
    }
}
