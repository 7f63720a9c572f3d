/// The hosts that a sweep may use, after parsing, ranges expanded and defaults filled in.
public struct Inventory: Sendable, Hashable {
    public var hosts: [Host]
    /// An OpenSSH client configuration to read instead of the user's own, absolute; nil: the user's.
    public var sshConfiguration: String?

    public init(hosts: [Host], sshConfiguration: String? = nil) {
        self.hosts = hosts
        self.sshConfiguration = sshConfiguration
    }
}

/// A machine of the inventory.
public struct Host: Sendable, Hashable {
    public var target: HostTarget
    /// The agent's folder on the host; `~/` stands for the home there.
    public var workdir: String
    /// nil: as many as the host has processors.
    public var slots: Int?
    /// Memory that runs may use, in bytes; nil: what the host has.
    public var memoryBytes: Int64?
    public var labels: [String]
    /// Paths of engine binaries on the host, by engine name, sorted.
    public var engines: [EnvironmentVariable]
    /// Shell text sourced before an engine starts (`module load ...`); nil: none.
    public var setup: String?

    public var name: String { target.name }

    public init(
        target: HostTarget, workdir: String = "~/.usweep", slots: Int? = nil, memoryBytes: Int64? = nil,
        labels: [String] = [], engines: [EnvironmentVariable] = [], setup: String? = nil
    ) {
        self.target = target
        self.workdir = workdir
        self.slots = slots
        self.memoryBytes = memoryBytes
        self.labels = labels
        self.engines = engines
        self.setup = setup
    }
}

/// Where a host is and how it is reached, as the inventory has it.
public struct HostTarget: Sendable, Hashable {
    /// How bytes get there. The words are in ledgers.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        /// SSH through libssh2, in this process.
        case libssh2 = "libssh2"
        /// SSH through the `ssh` program.
        case ssh = "ssh"
        /// A child process on this machine (`address: local`).
        case local = "local"
    }

    /// The name of the host in the inventory: for messages, and the alias looked up in `~/.ssh/config`.
    public var name: String
    /// Host name, address or OpenSSH alias to connect to; nil: `name` is looked up.
    public var address: String?
    /// nil: from `~/.ssh/config`, else 22.
    public var port: UInt16?
    /// nil: from `~/.ssh/config`, else the user's own name.
    public var user: String?
    /// Jump host, as in `ProxyJump`; nil: from `~/.ssh/config`.
    public var jump: String?
    public var method: Method

    public init(
        name: String, address: String? = nil, port: UInt16? = nil, user: String? = nil, jump: String? = nil,
        method: Method = .libssh2
    ) {
        self.name = name
        self.address = address
        self.port = port
        self.user = user
        self.jump = jump
        self.method = method
    }
}
