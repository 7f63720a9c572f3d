import Model
import Ports

/// The program to start for a target, with its arguments; nothing passes a shell on this machine.
struct CommandLine: Equatable {
    var program: String
    var arguments: [String]
    /// What `ssh` writes to its standard error once it is logged in; nil: started is as good as open.
    var marker: String?

    /// - Parameter token: not to be guessed by the host, whose messages go the same way.
    init(
        _ target: HostTarget, command: String, settings: ProgramSettings, token: String
    ) throws(StreamEnd) {
        switch target.method {
        case .local:
            program = "/bin/sh"
            arguments = ["sh", "-c", command]
        case .ssh, .libssh2:
            let marker = "usweep-\(token)"
            program = "ssh"
            self.marker = marker
            arguments = ["ssh"] + CommandLine.options(settings, marker: marker)
            if let port = target.port { arguments += ["-p", String(port)] }
            if let user = target.user { arguments += ["-l", try CommandLine.checked(user, "a user name", target)] }
            if let jump = target.jump { arguments += ["-J", try CommandLine.checked(jump, "a jump host", target)] }
            let host = try CommandLine.checked(target.address ?? target.name, "a host name", target)
            arguments += ["--", host, command]
        }
    }

    private static func options(_ settings: ProgramSettings, marker: String) -> [String] {
        var options: [String] = ["-T"]
        if let file = settings.configFile { options += ["-F", file] }
        for file in settings.identityFiles { options += ["-i", file] }
        var values = [
            "BatchMode=yes", "StrictHostKeyChecking=yes",
            "ServerAliveInterval=\(max(1, settings.keepaliveInterval.components.seconds))", "ServerAliveCountMax=3",
            "ConnectTimeout=\(max(1, settings.connectTimeout.components.seconds))",
            // A shared connection that the user has opened is welcome; one that outlives the child is not.
            "ControlMaster=no", "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "RemoteCommand=none",
            "EscapeChar=none", "LogLevel=INFO",
            "PermitLocalCommand=yes", "LocalCommand=echo \(marker) >&2",
        ]
        if let files = settings.knownHostsFiles {
            values.append("UserKnownHostsFile=" + files.map { "\"\($0)\"" }.joined(separator: " "))
        }
        return options + values.flatMap { ["-o", $0] }
    }

    /// Refuses what `ssh` or a shell behind it could take for something else than a name.
    private static func checked(_ text: String, _ what: String, _ target: HostTarget) throws(StreamEnd) -> String {
        let forbidden = Set("'\"`$\\;&<>|(){}*?!#".utf8)
        let isSafe =
            !text.isEmpty && !text.hasPrefix("-")
            && text.utf8.allSatisfy { $0 > 32 && $0 != 127 && !forbidden.contains($0) }
        if isSafe { return text }
        throw StreamEnd(
            kind: .misconfigured,
            message: "host \(target.name.debugDescription): \(text.debugDescription) is not \(what).")
    }
}
