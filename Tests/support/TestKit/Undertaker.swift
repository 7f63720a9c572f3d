import Glibc
import Transports

/// Tidies up for this process if it ends before it could: when somebody kills it, or it crashes.
///
/// A shell in a session of its own waits for the end of its standard input, which the kernel brings about.
public final class Undertaker {
    private let shell: pid_t
    private var input: Descriptor?

    /// - Parameters:
    ///   - script: what is to be done, for `/bin/sh`.
    ///   - arguments: `$1` and so on.
    public init(_ script: String, _ arguments: [String]) throws {
        let script = "exec > /dev/null 2>&1; read -r line; \(script)"
        let child = try Child(
            program: "/bin/sh", arguments: ["sh", "-c", script, "sh"] + arguments,
            environment: ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
        (shell, input) = (child.process, child.input)
    }

    /// Not needed any more.
    deinit {
        guard input != nil else { return }
        kill(shell, SIGKILL)
        waitpid(shell, nil, 0)
    }

    /// Does what the end of this process would, and returns when that is done.
    func act() {
        input = nil
        waitpid(shell, nil, 0)
    }
}
