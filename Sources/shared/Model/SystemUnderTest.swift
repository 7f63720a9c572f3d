/// The modelled machine of a gem5 sweep.
public enum SystemUnderTest: Sendable, Hashable {
    /// One of this project's own: `simple`, `skylake`.
    case named(String, SystemOptions)
    /// The user's own configuration script.
    case script(SystemScript)

    /// gem5 runs without address space layout randomisation.
    public var fixesAddresses: Bool {
        switch self {
        case .named(_, let options): options.fixesAddresses
        case .script(let script): script.fixesAddresses
        }
    }
}

/// What is fixed for a system of this project's own, by the checkpoint at the latest.
public struct SystemOptions: Sendable, Hashable {
    /// The guest's memory in bytes; nil: the system's own.
    public var memoryBytes: Int64?
    /// nil: the system's own.
    public var cores: Int?
    /// The setup runs on the host's processor. Its checkpoints may fail to restore into other core models.
    public var usesKVM: Bool
    /// gem5 runs without address space layout randomisation: it makes gem5 fail now and then on some machines.
    public var fixesAddresses: Bool

    public init(
        memoryBytes: Int64? = nil, cores: Int? = nil, usesKVM: Bool = false, fixesAddresses: Bool = false
    ) {
        self.memoryBytes = memoryBytes
        self.cores = cores
        self.usesKVM = usesKVM
        self.fixesAddresses = fixesAddresses
    }
}

/// A configuration script of the user's own, with what its runs must show.
///
/// Arguments may name, in braces: an axis, `workload`, `checkpoint` (its folder), `kernel`, `disk`, `invocations`,
/// `warm`.
public struct SystemScript: Sendable, Hashable {
    /// Where it stands in an attempt's folder.
    public var path: String
    public var arguments: [String]
    /// Of the run that makes the checkpoint, into the folder `{checkpoint}`; nil: the sweep makes none.
    public var setupArguments: [String]?
    /// Statistics blocks that a run must leave; nil: one a measured invocation.
    public var blocks: Int?
    /// Text that a line of standard output must hold; nil: any.
    public var line: String?
    /// As in ``SystemOptions``.
    public var fixesAddresses: Bool

    public init(
        path: String, arguments: [String] = [], setupArguments: [String]? = nil, blocks: Int? = nil,
        line: String? = nil, fixesAddresses: Bool = false
    ) {
        self.path = path
        self.arguments = arguments
        self.setupArguments = setupArguments
        self.blocks = blocks
        self.line = line
        self.fixesAddresses = fixesAddresses
    }
}
