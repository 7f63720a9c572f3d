public import Model
public import Ports
import Synchronization

/// Streams to child processes: the `ssh` program for `transport: ssh`, `/bin/sh` for `address: local`.
///
/// One thread moves all bytes, with `poll(2)`; each child has one more that waits for its end.
public final class ProgramTransport: Transport {
    private let thread: ProgramThread
    private let nextStream = Atomic<UInt64>(1)

    public init(settings: ProgramSettings) {
        thread = ProgramThread(PollThread.start { ProgramDriver(settings: settings, mailbox: $0) })
    }

    public func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let stream = nextStream.wrappingAdd(1, ordering: .relaxed).oldValue
        thread.mailbox.post(.open(stream, target, command: command, observer))
        return ProgramConnection(stream: stream, thread: thread)
    }
}

/// Where the programs are and what they are told.
public struct ProgramSettings: Sendable {
    /// Passed as `ssh -F`; nil: `ssh` reads its own.
    public var configFile: String?
    /// Passed as `UserKnownHostsFile`; nil: `ssh` decides.
    public var knownHostsFiles: [String]?
    /// Passed as `-i`, each.
    public var identityFiles: [String]
    /// The environment of the children; `PATH` says where `ssh` is.
    public var environment: [String: String]
    /// Passed as `ConnectTimeout`, in whole seconds.
    public var connectTimeout: Duration
    /// How long `ssh` may take until the command is started, everything included.
    public var openTimeout: Duration
    /// Passed as `ServerAliveInterval`, in whole seconds; three unanswered ones are the end.
    public var keepaliveInterval: Duration

    public init(
        configFile: String? = nil, knownHostsFiles: [String]? = nil, identityFiles: [String] = [],
        environment: [String: String], connectTimeout: Duration = .seconds(10), openTimeout: Duration = .seconds(60),
        keepaliveInterval: Duration = .seconds(15)
    ) {
        self.configFile = configFile
        self.knownHostsFiles = knownHostsFiles
        self.identityFiles = identityFiles
        self.environment = environment
        self.connectTimeout = connectTimeout
        self.openTimeout = openTimeout
        self.keepaliveInterval = keepaliveInterval
    }
}

private final class ProgramThread: Sendable {
    let mailbox: Mailbox<ProgramMessage>
    init(_ mailbox: Mailbox<ProgramMessage>) { self.mailbox = mailbox }
    deinit { mailbox.post(.stop) }
}

private final class ProgramConnection: Connection {
    private let stream: UInt64
    private let thread: ProgramThread

    init(stream: UInt64, thread: ProgramThread) {
        self.stream = stream
        self.thread = thread
    }

    func send(_ bytes: [UInt8]) { thread.mailbox.post(.send(stream, bytes)) }
    func close() { thread.mailbox.post(.close(stream)) }
}

/// What other threads tell the driver.
enum ProgramMessage: Sendable {
    case open(UInt64, HostTarget, command: String, @Sendable (StreamEvent) -> Void)
    case send(UInt64, [UInt8])
    case close(UInt64)
    case exited(UInt64, ExitCode)
    case stop
}
