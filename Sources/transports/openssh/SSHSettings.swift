/// How the SSH transports find their configuration, keys and patience. All that they take from outside is here.
package struct SSHSettings: Sendable {
    /// Passed as `ssh -F`; nil: `ssh` reads its own files.
    package var configFile: String?
    /// `PATH` and `SSH_AUTH_SOCK` are read from here, and `ssh` gets it.
    package var environment: [String: String]
    package var timeouts: Timeouts
    /// Told what people should know about all hosts.
    package var note: @Sendable (String) -> Void

    /// How long each wait may last.
    package struct Timeouts: Sendable {
        /// Reading OpenSSH's configuration, which may run programs and ask name servers.
        package var configuration: Duration = .seconds(20)
        /// Looking the name up and connecting, or the gateway doing so.
        package var connect: Duration = .seconds(10)
        /// From the connection to the host's greeting, and again from the start of the key exchange to its end.
        package var handshake: Duration = .seconds(15)
        /// Logging in, an agent that asks for confirmation included.
        package var login: Duration = .seconds(30)
        /// Opening a channel and starting the command.
        package var open: Duration = .seconds(15)
        /// Whole seconds between two questions whether the host still answers; at least 2.
        package var keepaliveInterval: Duration = .seconds(15)
        /// So many intervals of silence are the end.
        package var keepaliveCount = 3
        /// How long a connection without any stream is kept for the next one.
        package var linger: Duration = .seconds(5)
        /// How long the `ssh` program may take until the command is started, everything included.
        package var program: Duration = .seconds(60)

        package init() {}
    }

    package init(
        configFile: String? = nil, environment: [String: String], timeouts: Timeouts = Timeouts(),
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.configFile = configFile
        self.environment = environment
        self.timeouts = timeouts
        self.note = note
    }
}
