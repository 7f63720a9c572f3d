import Model

/// What other people use of this machine.
public struct Surroundings: Sendable, Hashable {
    /// What agents of other users have, a claim each, in an order that is the same for all agents of the machine.
    public var claims: [SlotClaim]
    /// How many of these come before this user's.
    public var place: Int
    /// How busy programs of other people kept the processors since the last look, in thousandths of a processor; runs
    /// of other users' sweeps are among them.
    public var busyThousandths: Int
    /// What such programs take of the memory, in bytes.
    public var memoryBytes: Int64

    public init(claims: [SlotClaim] = [], place: Int = 0, busyThousandths: Int = 0, memoryBytes: Int64 = 0) {
        self.claims = claims
        self.place = place
        self.busyThousandths = busyThousandths
        self.memoryBytes = memoryBytes
    }
}

/// What the agents of one user have of a machine, as they tell those of others.
public struct SlotClaim: Sendable, Hashable {
    /// Whose it is, for people.
    public var user: String
    /// Slots that runs take.
    public var running: Int
    /// Slots that these and the runs that wait take.
    public var wanted: Int

    public init(user: String, running: Int, wanted: Int) {
        self.user = user
        self.running = running
        self.wanted = wanted
    }
}

/// A measured amount that others have: given up when it was seen twice, or first of all, and taken back when less was
/// seen for a while. What comes and goes within seconds moves nothing, and what stays is not taken while it pauses.
struct YieldedAmount: Sendable {
    private(set) var value: Int64 = 0
    private var last: Int64?
    private var lowerSince: Nanoseconds?
    private var highest: Int64 = 0

    /// How long less must be seen.
    static let patience: Nanoseconds = 60_000_000_000

    mutating func note(_ measured: Int64, now: Nanoseconds) {
        let seen = min(measured, last ?? measured)
        last = measured
        guard measured < value else {
            value = max(value, seen)
            lowerSince = nil
            return
        }
        highest = lowerSince == nil ? measured : max(highest, measured)
        let since = lowerSince ?? now
        lowerSince = since
        guard now - since >= YieldedAmount.patience else { return }
        value = highest
        lowerSince = nil
    }
}

/// Equal parts of something that several want.
enum EqualParts {
    /// The part of one who takes as much as there is.
    ///
    /// - Parameters:
    ///   - others: what each of the others wants at most, in the common order.
    ///   - place: how many of the others come before this one in that order.
    ///   - turn: who gets what cannot be divided: another number, and it is the next one's turn.
    static func part(of whole: Int, others: [Int], place: Int, turn: Int) -> Int {
        var left = max(0, whole)
        // Those who want least have all that they want, as long as that is no more than an equal part.
        var greedy = others.indices.map { $0 }
        var isSettled = false
        while !isSettled {
            let fair = left / (greedy.count + 1)
            let modest = greedy.filter { others[$0] <= fair }
            isSettled = modest.isEmpty
            left -= modest.reduce(0) { $0 + max(0, others[$1]) }
            greedy.removeAll { others[$0] <= fair }
        }
        let count = greedy.count + 1
        let own = (greedy.count { $0 < place } + turn % count) % count
        return left / count + (own < left % count ? 1 : 0)
    }
}
