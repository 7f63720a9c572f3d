/// How the SSH adapter finds its configuration, keys and patience. Everything it takes from the outside is here.
public struct SSHSettings: Sendable {
    /// Client configuration; nil: `~/.ssh/config`, then `/etc/ssh/ssh_config`. A file named here must exist and
    /// is the only one read, as with `ssh -F`.
    public var configFile: String?
    /// Files of known host keys; nil: what the configuration says, else `~/.ssh/known_hosts` and
    /// `/etc/ssh/ssh_known_hosts` (each with its `2` beside it).
    public var knownHostsFiles: [String]?
    /// Private keys to try before those of the configuration.
    public var identityFiles: [String]
    /// `HOME`, `USER` and `SSH_AUTH_SOCK` are read from here.
    public var environment: [String: String]
    public var timeouts: Timeouts

    /// How long each wait may last.
    public struct Timeouts: Sendable {
        /// Looking the name up and connecting, or the gateway doing so.
        public var connect: Duration = .seconds(10)
        /// From the connection to the host's greeting, and again from the start of the key exchange to its end.
        public var handshake: Duration = .seconds(15)
        /// Logging in, an agent that asks for confirmation included.
        public var login: Duration = .seconds(30)
        /// Opening a channel and starting the command.
        public var open: Duration = .seconds(15)
        /// Whole seconds between two questions whether the host still answers; at least 2.
        public var keepaliveInterval: Duration = .seconds(15)
        /// So many intervals of silence are the end.
        public var keepaliveCount = 3
        /// How long a connection without any stream is kept for the next one.
        public var linger: Duration = .seconds(5)

        public init() {}
    }

    public init(
        configFile: String? = nil, knownHostsFiles: [String]? = nil, identityFiles: [String] = [],
        environment: [String: String], timeouts: Timeouts = Timeouts()
    ) {
        self.configFile = configFile
        self.knownHostsFiles = knownHostsFiles
        self.identityFiles = identityFiles
        self.environment = environment
        self.timeouts = timeouts
    }
}
