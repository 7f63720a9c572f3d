import CSystem
import Glibc
import Ports
import Storage

/// A process that starts programs of attempts, one after the other, and watches over them: see `sys_keeper_start`.
final class Keeper {
    private let keeper: OpaquePointer
    /// Whether it was found to be gone when it was to start a program.
    private(set) var isGone = false
    /// Whether its process has ended.
    var hasEnded: Bool { sys_keeper_has_ended(keeper) != 0 }

    init() throws(SpawnProblem) {
        guard let keeper = sys_keeper_start() else {
            throw SpawnProblem(step: "keep", reason: SystemText.of(errno))
        }
        self.keeper = keeper
    }

    deinit { sys_keeper_free(keeper) }

    /// Its process number.
    var process: Int32 { sys_keeper_process(keeper) }

    /// Whether nothing runs any more of what it kept.
    var isComplete: Bool { sys_keeper_is_complete(keeper) != 0 }

    /// What it says of the program that it keeps, or kept last.
    var kept: sys_kept { sys_keeper_kept(keeper).pointee }

    /// Whether a program's start was not waited for, as it took long, and how it went is not known yet.
    private(set) var isStarting = false
    /// What was last started, with which variables, and where.
    private var program = ""
    private var environment: [String] = []
    private var folder = ""

    /// Looks how such a start went; what went wrong, if it did.
    func takeProblem() -> SpawnProblem? {
        guard isStarting else { return nil }
        var step: UnsafePointer<CChar>?
        let state = sys_keeper_has_started(keeper, &step)
        let number = errno
        isStarting = state == 0
        guard state < 0 else { return nil }
        return Spawn.problem(step, number, program, environment: environment, folder: folder)
    }

    /// Starts a program. One whose file does not answer, as on a file server that is away, is under way when this
    /// returns: ``isStarting``.
    ///
    /// - Parameters:
    ///   - environment: `NAME=value`, all of it.
    ///   - title: what ps(1) shows of the keeper.
    ///   - processors: those that it is kept on; empty: any.
    func run(
        _ launch: Launch, environment: [String], title: String, on processors: [Int]
    ) throws(SpawnProblem) {
        (program, folder) = (launch.arguments.first ?? "", launch.folder)
        self.environment = environment
        try Spawn.start(
            launch.arguments, environment: environment, folder: launch.folder, output: "\(launch.folder)/stdout.txt",
            errorOutput: "\(launch.folder)/stderr.txt"
        ) { start, step in
            start.pointee.nice = Int32(launch.nice)
            for processor in processors { sys_keep_on(start, Int32(clamping: processor)) }
            let result = title.withCString { sys_keeper_run(keeper, start, $0, step) }
            if result < 0, errno == ECHILD { isGone = true }
            return result == 0 ? 1 : -1
        }
        isStarting = kept.leader <= 0
    }
}
