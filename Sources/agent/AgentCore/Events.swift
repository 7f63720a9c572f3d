public import Formats
public import Model
public import Ports

/// What an agent is told.
public enum AgentEvent: Sendable, Hashable {
    case connected(Int)
    case disconnected(Int)
    case message(Int, CoordinatorMessage)
    /// The supervisor answers, and holds these attempts.
    case supervisorReady([SupervisedAttempt])
    case supervisorGone
    case started([AttemptKey])
    case ended([SupervisedAttempt])
    /// An attempt's folder stands, with all inputs.
    case prepared(AttemptKey)
    case notPrepared(AttemptKey, FailureClass, evidence: String)
    /// The object cache has lost an input.
    case inputMissing(AttemptKey, Digest)
    /// What an ended attempt left was listed and judged.
    case collected(AttemptKey, AttemptReport)
    /// What the object cache has of an object.
    case object(Digest, ObjectPresence)
    /// What the packs of an object are, by its map, which is here; without paths.
    case mapped(Digest, [Job.Input])
    /// A host's setup text was tried; nil: it works.
    case setupTried(sweep: String, problem: String?)
    /// What a list of inputs, which is here, says.
    case listed(Digest, [Job.Input])
    /// The object cache made room: these are not here any more.
    case evicted([Digest])
    /// What came of ``AgentEffect/listen(sweep:_:address:)``; nil: it is not possible, because of `problem`.
    case listening(sweep: String, SharingPlace?, problem: String)
    /// Bytes of an object, from another host.
    case peerBytes(SharingPlace, ObjectBytes)
    /// An object does not come from another host.
    case unreached(SourceFailure)
    /// What other people use of this machine, looked at every few seconds while that matters.
    case surroundings(Surroundings)
    /// An object was found damaged on this host's disk, now or by an earlier agent.
    case damaged(ObjectDamage)
    case timer
}

/// How much of an object is here.
public enum ObjectPresence: Sendable, Hashable {
    case complete
    /// The first so many bytes.
    case partial(Int64)
    /// It cannot be stored.
    case impossible(FailureClass, String)
    /// All of it came, and it is another.
    case damaged(String)
}

/// What an agent has to do.
public enum AgentEffect: Sendable, Hashable {
    /// ``AgentMessage/hello(_:)`` with what the shell knows of the host.
    case greet(Int, leases: [HeldLease])
    case send(Int, AgentMessage)
    /// Runs the setup text of a sweep's inventory once, alone; answered by ``AgentEvent/setupTried(sweep:problem:)``.
    case trySetup(sweep: String, String)
    case heartbeat(Int, running: Int, waiting: Int, HostOffer?)
    case drop(Int, reason: String)
    /// Looks an object up in the cache; answered by ``AgentEvent/object(_:_:)``.
    case locate(Digest)
    /// Adds a piece to the cache; answered by ``AgentEvent/object(_:_:)`` when the object is complete or impossible.
    case store(ObjectBytes, size: Int64)
    /// Reads a list of inputs that is here; answered by ``AgentEvent/listed(_:_:)``.
    case list(Digest)
    /// Reads an object's map, which is here; answered by ``AgentEvent/mapped(_:_:)``, or that the object is impossible.
    case readMap(object: Digest, map: Digest)
    /// Makes an object of its packs, all of which are here; answered by ``AgentEvent/object(_:_:)``.
    case unpack(object: Digest, map: Digest)
    /// Makes the folder, and answers.
    case prepare(AttemptKey, Job)
    case supervise(SupervisorCommand)
    /// Lists, judges and answers.
    case collect(AttemptKey, ProcessExit, Job)
    case discard(AttemptKey)
    /// Deletes the folder of a sweep's attempts.
    case discardSweep(String)
    /// Deletes all folders of attempts but these.
    case keepOnly([AttemptKey])
    case read(Int, ObjectRange)
    /// Listens for the other hosts of a sweep: at an address, or at the one that a connection came in on.
    case listen(sweep: String, Int, address: String?)
    /// Fetches an object from another host, in place of what is fetched of it from any; answered by
    /// ``AgentEvent/peerBytes(_:_:)`` and ``AgentEvent/unreached(_:)``.
    case fetch(PeerFetch)
    /// What objects kept here may take from now on, in bytes; nil: what is usual.
    case limitCache(Int64?)
    case probe(Int, path: String)
    case tail(Int, AttemptKey, TailRequest)
}
