import CSystem
import Glibc

/// A child process in a session of its own, joined by three pipes.
public struct Child: Sendable {
    public let process: Int32
    public let input: Descriptor
    public let output: Descriptor
    public let errors: Descriptor

    /// `errno` of what went wrong.
    public struct SpawnFailure: Error {
        public var code: Int32
    }

    /// - Parameter program: a path, or a name that is looked up in `PATH`.
    public init(program: String, arguments: [String], environment: [String: String]) throws(SpawnFailure) {
        let input = try Child.pipe()
        let output = try Child.pipe()
        let errors = try Child.pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.reader.number, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writer.number, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.writer.number, 2)
        // The ends that the child gets must block, as programs expect.
        for descriptor in [input.reader, output.writer, errors.writer] {
            _ = fcntl(descriptor.number, F_SETFL, fcntl(descriptor.number, F_GETFL) & ~O_NONBLOCK)
        }
        // Without a terminal `ssh` cannot ask anybody, and Ctrl-C does not reach it.
        process = try SpawnAttributes.ownSession { (attributes) throws(SpawnFailure) in
            try Child.spawn(program, arguments, environment, &actions, &attributes)
        }
        (self.input, self.output, self.errors) = (input.writer, output.reader, errors.reader)
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String],
        _ actions: inout posix_spawn_file_actions_t, _ attributes: inout posix_spawnattr_t
    ) throws(SpawnFailure) -> pid_t {
        var process: pid_t = 0
        var code: Int32 = ENOENT
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        withStrings(arguments) { argv in
            withStrings(variables) { envp in
                // A process is not begun for each folder of a long `PATH` that does not have it.
                let found = found(program, environment)
                for path in found.isEmpty ? paths(program, environment) : found {
                    code = posix_spawn(&process, path, &actions, &attributes, argv, envp)
                    if code != ENOENT && code != EACCES { break }
                }
            }
        }
        if code != 0 { throw SpawnFailure(code: code) }
        return process
    }

    private static func paths(_ program: String, _ environment: [String: String]) -> [String] {
        if program.contains("/") { return [program] }
        let folders = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").map { "\($0)/\(program)" }
    }

    private static func found(_ program: String, _ environment: [String: String]) -> [String] {
        paths(program, environment).filter { access($0, X_OK) == 0 }
    }

    /// Whether a program is in `PATH`.
    static func canFind(_ program: String, environment: [String: String]) -> Bool {
        !found(program, environment).isEmpty
    }

    private static func withStrings(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Void) {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        body(copies + [nil])
    }

    private static func pipe() throws(SpawnFailure) -> (reader: Descriptor, writer: Descriptor) {
        var ends: [Int32] = [-1, -1]
        // Closed on `exec` from the beginning: other threads start programs at the same time, and a stranger that kept
        // an end open would keep this child's stream from ending.
        guard sys_pipe(&ends) == 0 else { throw SpawnFailure(code: errno) }
        return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    }

    /// Reaps the child; returns when it has ended.
    public func waitUntilEnded() -> ExitCode {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return ExitCode(waitStatus: status)
    }

    /// Waits for the end on a thread of its own, and reaps.
    public func whenEnded(_ body: @escaping @Sendable (ExitCode) -> Void) -> Bool {
        PollThread.startThread { body(waitUntilEnded()) }
    }
}

/// How a child process ended.
public struct ExitCode: Sendable, Equatable {
    /// Nil: by a signal.
    public var status: Int32?
    public var signal: Int32?

    /// - Parameter waitStatus: as `waitpid(2)` gives it.
    public init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        if signal == 0 { status = (waitStatus >> 8) & 0xff } else { self.signal = signal }
    }
}
