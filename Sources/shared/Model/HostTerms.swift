/// How the slots of a host are divided if other people also use the machine.
public enum OtherUsers: String, Sendable, Hashable, CaseIterable {
    /// Users who run sweeps there have equal parts, and what is left of others' parts. With `slots: auto`, processors
    /// and memory that other programs of other people use are left to them.
    case share
    /// The same, but only what other users' sweeps leave free is used.
    case yield
    /// The slots are used as if nobody else were there.
    case ignore
}

/// Which processors a run is kept on.
public enum SlotBinding: String, Sendable, Hashable, CaseIterable {
    /// Any: the kernel moves its processes about.
    case unbound = "none"
    /// As many physical cores as it takes slots, each with all of its hyper-threads.
    case core
    /// Those of one memory node, or of as few as it takes.
    case numa
}

/// The terms on which a sweep uses a host: its priority, and the inventory's keys about sharing.
public struct HostTerms: Sendable, Hashable {
    /// Of the sweep, among those of the same user on the host: the highest is served first.
    public var priority = 0
    /// Of its programs, as for nice(1): 0 to 19.
    public var nice = 0
    public var others = OtherUsers.share
    public var binding = SlotBinding.unbound

    public init() {}

    public static let priorities = -1_000...1_000
    public static let niceValues = 0...19
}

/// How much of a host a sweep may use at the moment, because others use it, too.
public struct HostOffer: Sendable, Hashable {
    /// From 0.
    public var slots: Int
    /// For all of its runs together, in bytes.
    public var memoryBytes: Int64
    /// Why it is not more, for people.
    public var reason: String

    public init(slots: Int, memoryBytes: Int64, reason: String) {
        self.slots = slots
        self.memoryBytes = memoryBytes
        self.reason = reason
    }
}
