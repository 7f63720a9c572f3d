package import AgentCore
package import Formats
package import Model
package import Ports

// What the agent's and the supervisor's steps need of the processes around them. The programs stand on sockets,
// threads and the process table; the simulation has its own, under a clock of its own.

/// The near end of a stream of frames, which never waits.
package protocol FrameStream: AnyObject {
    /// Bytes that the other side has not taken yet.
    var unsentCount: Int { get }
    var isBroken: Bool { get }
    func send(_ frame: Frame)
    /// Writes what the other side takes.
    func flush()
    /// Reads what is there, up to a bound, and cuts it into frames.
    ///
    /// - Throws: ``WireError`` for bytes that are no frames; the stream is of no use after that.
    func receive() throws(WireError) -> [Frame]
    func close()
}

/// The near end of a connection with another host's agent: bytes, which never waits.
package protocol PeerStream: AnyObject {
    /// Bytes that the other side has not taken yet.
    var unsentCount: Int { get }
    /// The other side has closed it, or it broke.
    var isBroken: Bool { get }
    func send(_ bytes: [UInt8])
    /// Writes what the other side takes.
    func flush()
    /// Reads what is there, up to so many bytes.
    func receive(atMost count: Int) -> [UInt8]
    func close()
}

/// The network between the hosts, and chance for what is said on it.
package protocol PeerNetwork {
    /// Listens at an address in digits, if it does not yet; the port. Who connects comes to ``AgentServer/meet(_:)``.
    func listen(_ address: String) throws(Failure) -> Int
    func stopListening()
    /// A connection that begins; nil: that is not possible.
    func connect(_ place: SharingPlace) -> (any PeerStream)?
    func nonce() -> [UInt8]
}

/// Runs setup texts, each alone, to see whether they work.
package protocol SetupTrials {
    func begin(_ sweep: String, _ text: String, now: Nanoseconds)
    /// Those that ended since this was asked last; nil: it works.
    func ended(now: Nanoseconds) -> [(sweep: String, problem: String?)]
    /// When ``ended(now:)`` is to be called though no child ended.
    var nextDeadline: Nanoseconds? { get }
}

/// The host: its clocks, its names, its size, and the log.
package protocol HostSystem {
    /// Nanoseconds on the monotonic clock.
    var now: Nanoseconds { get }
    /// Nanoseconds since 1970.
    var wallClock: Nanoseconds { get }
    var bootID: String { get }
    var hostName: String { get }
    /// Those that this process may use, hyper-threads counted.
    var processors: Int { get }
    /// The physical cores of these.
    var cores: [ProcessorCore] { get }
    /// How long each processor has been busy since the host began.
    var processorTimes: [Int: Nanoseconds] { get }
    var memoryBytes: Int64 { get }
    /// How often the kernel killed something for want of memory since the host began.
    var memoryKills: Int64 { get }
    func log(_ message: StaticString, _ values: String...)
}

/// Other people who use this machine.
package protocol Neighbours: AnyObject {
    /// Tells their agents what this one has, and looks what they and their programs use.
    func look(_ own: SlotClaim) -> Surroundings
    /// It has nothing any more.
    func leave()
    /// Before it the first look tells nothing.
    var firstLook: Nanoseconds { get }
    /// As others are told of this one's user.
    var user: String { get }
}

/// Programs as the supervisor starts, signals and reaps them.
package protocol ProgramTree {
    /// When ``reap(now:)`` is to be called though no child ended.
    var nextDeadline: Nanoseconds? { get }
    /// - Parameter processors: those that it is kept on; empty: any.
    mutating func start(_ key: AttemptKey, _ launch: Launch, on processors: [Int]) throws(SpawnProblem)
    mutating func signal(_ key: AttemptKey, isFinal: Bool, now: Nanoseconds)
    /// Takes all processes that ended; the attempts of which nothing runs any more.
    mutating func reap(now: Nanoseconds) -> [ProgramEnd]
    /// Kills every process of this user whose point file is below a folder.
    func killAll(below folder: String)
    /// Looks at how much memory the processes of an attempt share out among them, for its peak.
    mutating func measureMemory(of key: AttemptKey)
    /// No program is to start for a while: ends what only waits for one.
    mutating func rest()
    /// What the files of an attempt's folder look like now.
    func mark(of folder: String) -> FolderMark
    /// CPU time of all processes of an attempt and of those that they have waited for.
    func cpuNanoseconds(of key: AttemptKey) -> Int64
    /// One line on what the processes of an attempt do.
    func report(of key: AttemptKey) -> String
}

/// How progress is seen from outside: another mark, and something was written.
package struct FolderMark: Sendable, Hashable {
    /// Another one if a name came or went, or if a size or a time of modification changed.
    package var value: UInt64
    /// The file that was changed last, from the folder on; empty: there is none.
    package var newest: String
    /// What all files take on the disk, in bytes, and the one that takes most.
    package var bytes: Int64
    package var largest: String

    package init(value: UInt64, newest: String, bytes: Int64 = 0, largest: String = "") {
        self.bytes = bytes
        self.largest = largest
        self.value = value
        self.newest = newest
    }
}

/// Why a program did not start.
package struct SpawnProblem: Error {
    package var step: String
    package var reason: String

    package init(step: String, reason: String) {
        self.step = step
        self.reason = reason
    }
}

/// An attempt of which nothing runs any more.
package struct ProgramEnd: Sendable {
    package var key: AttemptKey
    package var folder: String
    package var cause: ProcessExit.Cause
    package var cpuNanoseconds: Int64
    package var peakMemoryBytes: Int64
    /// What is worth telling of this end, as text; empty: nothing.
    package var note: String

    package init(
        key: AttemptKey, folder: String, cause: ProcessExit.Cause, cpuNanoseconds: Int64, peakMemoryBytes: Int64,
        note: String = ""
    ) {
        self.note = note
        self.key = key
        self.folder = folder
        self.cause = cause
        self.cpuNanoseconds = cpuNanoseconds
        self.peakMemoryBytes = peakMemoryBytes
    }
}

/// Makes a file durable while its owner goes on.
package protocol BackgroundSync {
    /// Asks that all written to `file` so far be durable; `ticket` grows from request to request.
    func request(_ file: FileHandle, ticket: UInt64)
    /// The last ticket served, and the errno of a failure since this was asked last, or 0.
    func served() -> (ticket: UInt64, errorNumber: Int32)
    /// Returns when no request is under way.
    func settle()
}
