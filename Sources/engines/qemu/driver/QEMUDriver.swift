import CSystem
import Glibc

/// Runs one machine under QEMU in the current folder, from boot to checkpoint or from checkpoint to statistics.
public enum QEMUDriver {
    /// - Parameter arguments: `boot`, `setup` or `evaluate` and its options; see `Request.usage`.
    /// - Returns: the exit status: 0 only when the checkpoint or all statistics are there and QEMU ended properly;
    ///   3 guest panic, 4 wrong answer, 5 the guest gave up, 6 QEMU failed, 7 checkpoint not written or not readable,
    ///   8 statistics incomplete, 9 a checkpoint of something else, 10 failing status, 11 no answer in time, 64 usage,
    ///   74 a file of the run cannot be read or written, 128 and a signal.
    public static func main(_ arguments: [String]) -> Int32 {
        let request: Request
        do {
            request = try resolve(Request(arguments))
        } catch {
            complain("\(error.message)\n\(Request.usage)")
            return 64
        }
        let signals = sys_signal_descriptor()
        guard signals >= 0 else {
            complain(SystemError("cannot receive signals").message)
            return 71
        }
        do {
            for file in [RunFiles.statistics, RunFiles.marks, RunFiles.partialCheckpoint] { unlink(file) }
            let ending = try Run(request, signals: signals).finish()
            if let message = ending.message { complain(message) }
            return ending.exitStatus
        } catch {
            complain(error.message)
            return 74
        }
    }

    /// QEMU by its name is looked for as a shell would.
    private static func resolve(_ request: Request) throws(UsageError) -> Request {
        let name = request.machine.qemu
        guard !name.utf8.contains(UInt8(ascii: "/")) else { return request }
        guard let path = EvidenceCheck.find(name) else {
            throw UsageError("there is no program \(quoted(name)): install qemu-system-x86, or give its path")
        }
        switch request {
        case .boot(var boot):
            boot.machine.qemu = path
            return .boot(boot)
        case .setup(var setup):
            setup.machine.qemu = path
            return .setup(setup)
        case .evaluate(var evaluation):
            evaluation.machine.qemu = path
            return .evaluate(evaluation)
        }
    }

    private static func complain(_ message: String) {
        let bytes = Array("qemu: \(message)\n".utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
