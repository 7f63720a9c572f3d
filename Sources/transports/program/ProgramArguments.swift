import Model

/// How `ssh` is called for a route.
///
/// The last host is reached by its own name, so that all of the configuration counts for it. On the way to it, however,
/// `ProxyJump` would start an `ssh` of its own for each gateway, with none of the options that refuse unknown keys
/// here. So each gateway's command is written out, in an environment variable: nothing is quoted twice.
struct ProgramArguments: Equatable {
    var arguments: [String]
    /// More for the environment.
    var variables: [String: String] = [:]

    init(_ route: Route, command: String, settings: SSHSettings, marker: String) {
        for (index, hop) in route.hops.enumerated().dropLast() {
            let next = route.hops[index + 1]
            let host = next.host.contains(":") ? "[\(next.host)]" : next.host
            let words =
                ProgramArguments.common(settings) + ProgramArguments.proxy(index)
                + ["-W", "\(host):\(next.port)"] + ProgramArguments.name(hop.destination)
            variables[ProgramArguments.variable(index)] =
                "exec " + words.map(ShellWord.quoted).joined(separator: " ")
        }
        let local = ["PermitLocalCommand=yes", "LocalCommand=echo \(marker) >&2", "RemoteCommand=none"]
        arguments =
            ProgramArguments.common(settings) + ProgramArguments.proxy(route.hops.count - 1)
            + (local + (route.takesMuch ? ProgramArguments.ciphers(route.target) : [])).flatMap { ["-o", $0] }
            + ProgramArguments.name(route.target.destination) + [command]
    }

    /// AES-GCM, for which processors have instructions, encrypts and authenticates in one go: half the time of
    /// ChaCha20-Poly1305, which `ssh` asks for first. No cipher is added to those that the configuration allows.
    private static func ciphers(_ target: HostConfiguration) -> [String] {
        let allowed = (target["ciphers"] ?? "").split(separator: ",")
        let fast = allowed.filter { $0.contains("-gcm@") }
        guard !fast.isEmpty else { return [] }
        return ["Ciphers=" + (fast + allowed.filter { !$0.contains("-gcm@") }).joined(separator: ",")]
    }

    private static func variable(_ hop: Int) -> String { "USWEEP_GATEWAY_\(hop)" }

    /// The option that leads through the hop before this one.
    private static func proxy(_ hop: Int) -> [String] {
        hop == 0 ? [] : ["-o", "ProxyCommand=/bin/sh -c \"$\(variable(hop - 1))\""]
    }

    private static func name(_ destination: Destination) -> [String] {
        var words: [String] = []
        if let port = destination.port { words += ["-p", String(port)] }
        if let user = destination.user { words += ["-l", user] }
        return words + ["--", destination.host]
    }

    private static func common(_ settings: SSHSettings) -> [String] {
        var words = ["ssh", "-T"]
        if let file = settings.configFile { words += ["-F", file] }
        let values = [
            "BatchMode=yes",
            // Keys of hosts are looked at as usual, whatever the configuration says.
            "StrictHostKeyChecking=yes", "NoHostAuthenticationForLocalhost=no", "UpdateHostKeys=no",
            "ServerAliveInterval=\(max(1, settings.timeouts.keepaliveInterval.components.seconds))",
            "ServerAliveCountMax=\(settings.timeouts.keepaliveCount)",
            "ConnectTimeout=\(max(1, settings.timeouts.connect.components.seconds))",
            // A shared connection that the user has opened is welcome; one that outlives the child is not.
            "ControlMaster=no", "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "EscapeChar=none",
            "LogLevel=INFO",
        ]
        return words + values.flatMap { ["-o", $0] }
    }
}
