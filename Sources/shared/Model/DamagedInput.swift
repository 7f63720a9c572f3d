/// An object on a host's disk whose bytes no longer match its digest.
public struct ObjectDamage: Sendable, Hashable {
    public var digest: Digest
    /// When it was last known to be whole, in nanoseconds since 1970: when it was read again last, or came.
    public var wholeAt: Nanoseconds
    /// When it was found damaged, in nanoseconds since 1970.
    public var foundAt: Nanoseconds

    public init(digest: Digest, wholeAt: Nanoseconds, foundAt: Nanoseconds) {
        self.digest = digest
        self.wholeAt = wholeAt
        self.foundAt = foundAt
    }

    /// The same on a clock that is so much behind.
    public func on(clockBehind offset: Nanoseconds) -> ObjectDamage {
        ObjectDamage(
            digest: digest, wholeAt: wholeAt.subtractingCapped(offset), foundAt: foundAt.subtractingCapped(offset))
    }
}

/// An input that was found damaged on a host, and the runs that used it there while it may have been damaged.
public struct DamagedInput: Sendable, Hashable {
    public var host: String
    /// Relative to an attempt's folder.
    public var path: String
    /// On the coordinator's clock.
    public var damage: ObjectDamage
    /// Evaluations that had succeeded with it.
    public var runs: RunList
    /// Setups and boots that had: what was made from their checkpoints is in doubt, too.
    public var makers: RunList

    public init(host: String, path: String, damage: ObjectDamage, runs: RunList, makers: RunList) {
        self.host = host
        self.path = path
        self.damage = damage
        self.runs = runs
        self.makers = makers
    }
}
