public import Model

/// Tells a program that makes no progress from one that is slow.
///
/// Progress is a change of the program's folder: a file or folder in it that came, went, or has another size or time
/// of modification. CPU time is none, as a program that spins uses it, too. The folder is looked at now and then, and
/// told here as a number that differs if anything changed; a program counts as stalled when all looks for the limit's
/// time gave the same number. So it is never stopped earlier than the limit after its last progress, and not much
/// later.
public struct StallWatch: Sendable {
    /// What a look showed.
    public enum Reading: Sendable, Hashable {
        /// Something changed since the last look.
        case progress
        case nothingNew
        /// Nothing new for half of the limit: the time to begin to ask what it does. Said once.
        case halfway
        /// Nothing new for all of it.
        case stalled
    }

    private static let shortestPause: Nanoseconds = 100_000_000
    private static let longestPause: Nanoseconds = 10_000_000_000

    private let limit: Nanoseconds
    /// When to look next.
    public private(set) var nextLook: Nanoseconds
    /// How long nothing changed.
    public private(set) var idle: Nanoseconds = 0
    private var mark: UInt64?
    private var lookedAt: Nanoseconds
    private var isPastHalf = false

    public init(limit: Nanoseconds, now: Nanoseconds) {
        self.limit = limit
        nextLook = now
        lookedAt = now
    }

    private var pause: Nanoseconds { min(max(limit / 8, StallWatch.shortestPause), StallWatch.longestPause) }

    public mutating func looked(_ mark: UInt64, now: Nanoseconds) -> Reading {
        // Where the machine, or this process, stood still, nobody could make progress: such a gap counts little.
        let passed = min(max(0, now - lookedAt), 2 * pause)
        lookedAt = now
        defer { nextLook = now + max(1, min(pause, limit - idle)) }
        guard mark == self.mark else {
            self.mark = mark
            idle = 0
            isPastHalf = false
            return .progress
        }
        idle += passed
        if idle >= limit { return .stalled }
        guard idle >= limit / 2, !isPastHalf else { return .nothingNew }
        isPastHalf = true
        return .halfway
    }
}
