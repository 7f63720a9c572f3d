/// The hosts that a sweep may use, after parsing, ranges expanded and defaults filled in.
public struct Inventory: Sendable, Hashable {
    public var hosts: [Host]
    /// An OpenSSH client configuration to read instead of the user's own, absolute; nil: the user's.
    public var sshConfiguration: String?
    /// Where the lab's checkpoints are; nil: it has no common store.
    public var store: CommonStore?

    public init(hosts: [Host], sshConfiguration: String? = nil) {
        self.hosts = hosts
        self.sshConfiguration = sshConfiguration
    }
}

/// A store of checkpoints that the users of a lab have in common.
public struct CommonStore: Sendable, Hashable, CustomStringConvertible {
    public var target: HostTarget
    /// On that machine, absolute.
    public var folder: String

    public init(target: HostTarget, folder: String) {
        self.target = target
        self.folder = folder
    }

    public var description: String { "\(target.name):\(folder)" }
}

/// A machine of the inventory.
public struct Host: Sendable, Hashable {
    public var target: HostTarget
    /// The agent's folder on the host; `~/` stands for the home there.
    public var workdir: String
    /// nil: as many as the host has physical cores.
    public var slots: Int?
    /// Memory that runs may use, in bytes; nil: what the host has.
    public var memoryBytes: Int64?
    public var labels: [String]
    /// Paths of engine binaries on the host, by engine name, sorted.
    public var engines: [EnvironmentVariable]
    /// Shell text sourced before an engine starts (`module load ...`); nil: none.
    public var setup: String?
    /// Whether engines are started by the account's login shell.
    public var usesLoginShell = false
    /// What it has a few of, by name.
    public var resources: [CountedResource] = []
    /// Which pilot of a Slurm cluster it is; its target is then the login node. nil: a machine that is always there.
    public var pilot: Pilot?
    /// When runs may be begun there; nil: always.
    public var hours: HostHours?
    /// Added to the priority of runs' processes, as by nice(1).
    public var nice = 0
    /// What becomes of its slots where other people use it, too.
    public var others = OtherUsers.share
    /// Which processors runs are kept on.
    public var binding = SlotBinding.unbound
    /// How it gives inputs of runs to the other hosts that have this, and gets them from these; nil: not at all.
    public var sharing: HostSharing?
    /// What objects kept on the host may take there, in bytes; nil: the agent's own limit.
    public var cacheBytes: Int64?

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

/// How a host gives and gets inputs of runs in its local network.
public struct HostSharing: Sendable, Hashable {
    /// The address of its own at which others reach it, in digits; nil: the one at which it is logged in to.
    public var address: String?

    public init(address: String? = nil) { self.address = address }
}

/// Where a host is and how it is reached, as the inventory has it.
public struct HostTarget: Sendable, Hashable {
    /// The name of the host in the inventory: for messages, and the alias that OpenSSH's configuration may have.
    public var name: String
    /// Host name, address or OpenSSH alias to connect to; nil: `name` is looked up.
    public var address: String?
    /// The transport by its name in inventories; nil: the one that is used where none is named.
    public var transport: String?
    /// What the inventory says to the transport, by the names of the keys that it takes.
    public var values: [String: String]
    /// Whether much is to go there, so that a transport does well to choose its fastest way.
    public var takesMuch = false

    public init(name: String, address: String? = nil, transport: String? = nil, values: [String: String] = [:]) {
        self.name = name
        self.address = address
        self.transport = transport
        self.values = values
    }
}

/// What an inventory can say of one transport. Each transport has such a description; none is known to a reader of
/// inventories otherwise.
public struct TransportFormat: Sendable, Hashable {
    /// As in `transport: NAME`.
    public var name: String
    /// For the manual and for messages, one sentence.
    public var meaning: String
    /// The address that selects it, without `transport`; nil: none does.
    public var address: String?
    /// The keys of a host that it takes besides `address`.
    public var keys: [Key]

    public struct Key: Sendable, Hashable {
        public var name: String
        public var shape: Shape
        public var meaning: String

        public init(_ name: String, _ shape: Shape, _ meaning: String) {
            self.name = name
            self.shape = shape
            self.meaning = meaning
        }
    }

    /// How a value is checked when an inventory is read.
    public enum Shape: Sendable, Hashable {
        /// The name of an account.
        case user
        /// A number from 1 to 65535.
        case port
        /// `[user@]host[:port]`, several with commas.
        case hosts
        /// Any line of text.
        case text
    }

    public init(name: String, meaning: String, address: String? = nil, keys: [Key] = []) {
        self.name = name
        self.meaning = meaning
        self.address = address
        self.keys = keys
    }
}
