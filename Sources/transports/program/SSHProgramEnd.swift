import Glibc
import Ports

/// Tells from `ssh`'s exit status and messages why a stream ended: 255 is its own, the rest the command's.
enum SSHProgramEnd {
    static func ssh(_ ending: ChildEnding, limit: Duration, label: String) -> StreamEnd {
        let said = lastLines(ending.messages)
        switch ending.cause {
        case .notStarted(ENOENT):
            return StreamEnd(
                kind: .misconfigured,
                message: "\(label): the program ssh is not installed (on Debian: apt-get install openssh-client).")
        case .notStarted(let code):
            return StreamEnd(kind: .unreachable, message: "\(label): ssh cannot be started: \(errorText(code)).")
        case .late:
            return StreamEnd(
                kind: .unreachable, message: "\(label): ssh did not log in within \(limit). ssh says: \(said)")
        case .ended(let exit):
            if let status = exit.status, status != 255 { return .command(exit, label: label) }
            guard exit.status == 255 else {
                return StreamEnd(
                    kind: .unreachable, message: "\(label): ssh was ended by signal \(exit.signal ?? 0).")
            }
            return own(ending, exit, label)
        }
    }

    private static func own(_ ending: ChildEnding, _ exit: ExitCode, _ label: String) -> StreamEnd {
        let (messages, isOpen) = (ending.messages, ending.wasOpen)
        let said = lastLines(messages)
        if isOpen {
            let isLost = lossMessages.contains { messages.contains($0) }
            return isLost
                ? StreamEnd(kind: .unreachable, message: "\(label): the connection broke. ssh says: \(said)")
                : .command(exit, label: label)
        }
        for (kind, text, advice) in causes where messages.contains(text) {
            return StreamEnd(kind: kind, message: "\(label): \(advice) ssh says: \(said)")
        }
        return StreamEnd(kind: .unreachable, message: "\(label): cannot be reached. ssh says: \(said)")
    }

    private static let changed = "its key HAS CHANGED and is refused; see known_hosts."
    private static let unknown = "its key is not known; log in once with ssh by hand and compare the fingerprint "
        + "(where the ssh configuration has UserKnownHostsFile /dev/null, name a file there first)."
    private static let refused = "the login was refused; log in with ssh by hand to see what it asks for."
    private static let wrong = "ssh cannot work with its configuration."

    /// In this order: a host whose key is refused is told before what follows from it.
    private static let causes: [(StreamEnd.Kind, String, String)] = [
        (.hostKeyRefused, "REMOTE HOST IDENTIFICATION HAS CHANGED", changed),
        (.hostKeyRefused, "REVOKED HOST KEY", "its key is revoked."),
        (.hostKeyRefused, "revoked by file", "its key is revoked."),
        (.hostKeyRefused, "in revoked keys file", "its list of revoked keys cannot be read, so no key is accepted."),
        (.hostKeyRefused, "Certificate invalid", "its host certificate is not valid."),
        (.hostKeyUnknown, "host key is known for", unknown),
        (.hostKeyUnknown, "Host key verification failed", unknown),
        (.loginRefused, "Permission denied", refused),
        (.loginRefused, "Too many authentication failures", refused),
        (.misconfigured, Forwarding.prohibited, "its gateway \(Forwarding.advice)"),
        (.misconfigured, "Bad configuration option", wrong),
        (.misconfigured, "bad configuration options", wrong),
        (.misconfigured, "Bad owner or permissions", wrong),
        (.misconfigured, "Can't open user config file", wrong),
        (.misconfigured, "no argument after keyword", wrong),
        (.misconfigured, "contains invalid characters", wrong),
        (.misconfigured, "Unable to negotiate", "ssh and the host have no algorithm in common."),
    ]

    private static let lossMessages = [
        "closed by remote host", "Connection reset", "Broken pipe", "not responding", "send disconnect",
        "Connection closed", "Connection to ", "Connection timed out", "packet_write", "ssh_dispatch_run_fatal",
    ]

    static func lastLines(_ messages: String) -> String {
        let lines = messages.split { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }.map(String.init)
        return lines.isEmpty ? "(nothing)" : lines.suffix(4).joined(separator: " / ")
    }
}
