import ArgumentParser
import CSystem
import CoordinatorRuntime
import Foundation
import Model
import Sessions
import SweepCore
import Transports

/// A coordinator in the background: this program once more, as `resume`, in a session of its own, so that neither the
/// end of the terminal nor that of the one who launched it reaches it.
struct Detached {
    /// What is repeated of what it said before it ended, in bytes.
    private static let mostSaid = 1 << 20

    let entry: ArtifactsFolder.Entry
    let artifacts: ArtifactsFolder

    /// What it says, one launch after the other.
    var log: String { "\(entry.folder)/coordinator.log" }

    /// Starts it and returns when it holds the sweep.
    ///
    /// - Parameter options: for `resume`, beside those of all commands.
    /// - Returns: its process.
    /// - Throws: ``ExitCode``, its own, where it ended at once; ``Failure``.
    func start(_ common: CommonOptions, _ options: [String]) throws -> pid_t {
        var ends: [Int32] = [-1, -1]
        guard sys_pipe(&ends) == 0 else { throw failure("a pipe cannot be created", errno) }
        defer { close(ends[0]) }
        let start = (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? UInt64) ?? 0
        let pid: pid_t
        do {
            defer { close(ends[1]) }
            pid = try spawn(common, options, ready: ends[1])
        }
        var byte: UInt8 = 0
        while true {
            let count = read(ends[0], &byte, 1)
            if count == 1 { return pid }
            if count == 0 || errno != EINTR { break }
        }
        throw ended(pid, said: start)
    }

    /// Tells the one who waits in ``start(_:)`` that the sweep is held.
    static func sayReady(on descriptor: Int32) {
        var byte = UInt8(ascii: "+")
        _ = write(descriptor, &byte, 1)
        close(descriptor)
    }

    private func ended(_ pid: pid_t, said start: UInt64) -> any Error {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        let said = FileHandle(forReadingAtPath: log).flatMap { file -> Data? in
            try? file.seek(toOffset: start)
            return try? file.read(upToCount: Detached.mostSaid)
        }
        Console.complain(bytes: Array(said ?? Data()))
        if status & 0x7f == 0, status >> 8 & 0xff != 0 { return ExitCode(status >> 8 & 0xff) }
        return Failure(.internalError, "the coordinator in the background ended at once; see \(log)")
    }

    private func spawn(_ common: CommonOptions, _ options: [String], ready: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, ready, Detached.readyDescriptor)
        let words =
            [
                "usweep", "resume", entry.fullName, "--artifacts", artifacts.path,
                "--ready-descriptor", String(Detached.readyDescriptor),
            ] + options + (common.verbose ? ["--verbose"] : [])
            + (common.output == .quiet ? ["--output", "quiet"] : [])
        var pid: pid_t = 0
        let arguments = words.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        let code = SpawnAttributes.ownSession { attributes in
            posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments + [nil], environ)
        }
        guard code == 0 else { throw failure("the coordinator cannot be started in the background", code) }
        return pid
    }

    private func failure(_ message: String, _ number: Int32) -> Failure {
        Failure(.storage, message, cause: String(cString: strerror(number)))
    }

    /// The first one that no standard stream has.
    private static let readyDescriptor: Int32 = 3
}

/// Options of all commands that run a coordinator.
struct CoordinatorOptions: ParsableArguments {
    @Flag(name: .long, help: "Leave the coordinator running in the background; 'usweep follow' shows its progress.")
    var detach = false

    @Flag(
        name: .long,
        help: "Do not pause the sweep after many failures of one class in a row (key stop.after; default: 10).")
    var keepGoing = false

    @Option(
        name: .customLong("on-end"),
        help: ArgumentHelp(
            "A shell command to run when the coordinator ends, with success or not; see 'usweep help resuming'.",
            valueName: "command"))
    var onEnd: String?

    @Option(name: .customLong("ready-descriptor"), help: .hidden)
    var readyDescriptor: Int32?

    /// Runs what `open` gives: here, or in the background.
    func run(_ common: CommonOptions, open: () throws -> Session) throws {
        if detach { return try leaveInBackground(common, try prepare(open)) }
        let (ending, entry) = try Foreground.run(
            common, keepsGoing: keepGoing, readyDescriptor: readyDescriptor,
            tellEnd: { entry, status in
                if let onEnd { EndCommand(onEnd).run(entry, status: status, say: common.console.say) }
            }, open: open)
        // One that was interrupted is compared when it is resumed.
        if let capsule = try Reproduction.origin(of: entry) {
            return try ReproductionEnd.leave(capsule, ending, entry, common)
        }
        try Foreground.leave(ending, entry, common.console)
    }

    /// Does all that can be refused while somebody listens. The lock is free again when this returns.
    private func prepare(_ open: () throws -> Session) throws -> ArtifactsFolder.Entry { try open().entry }

    /// Those that the coordinator in the background has to know.
    private var options: [String] {
        (keepGoing ? ["--keep-going"] : []) + (onEnd.map { ["--on-end", $0] } ?? [])
    }

    private func leaveInBackground(_ common: CommonOptions, _ entry: ArtifactsFolder.Entry) throws {
        let detached = Detached(entry: entry, artifacts: common.artifactsFolder)
        let pid = try detached.start(common, options)
        if common.output == .json {
            return try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("event", .string("detached")),
                    JSON.Member("sweep", .string(entry.name)), JSON.Member("id", .string(entry.identifier)),
                    JSON.Member("pid", .integer(Int(pid))), JSON.Member("log", .string(detached.log)),
                ]).encoded)
        }
        try Console.print(entry.identifier)
        common.console.say("\(entry.fullName) is running in the background (pid \(pid)); its log: \(detached.log)")
        common.console.say("watch it:  \(entry.command("follow"))")
        common.console.say("cancel it: \(entry.command("cancel"))")
    }
}
