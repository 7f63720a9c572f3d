import Model

/// How much memory is reserved for a run, as far as it is learned, and on each host for the runs that it has.
///
/// Runs of one workload take about as much as one another, setups apart from evaluations: they are of one kind. For a
/// run, a quarter more is reserved than the most that an attempt of its kind was seen to take; where none was, than the
/// most of any setup, or of any evaluation; where there was none of these either, a guess.
///
/// The runs that a host has are counted by kind, with what is known of their kinds now: a run for which too little was
/// reserved takes more all the same. What the agent was told when it got them it counts by itself.
struct ReservedMemory: Sendable {
    private struct Kind: Sendable {
        var isSetup: Bool
        /// Those of the plan.
        var groups: [Int] = []
        /// In bytes; 0: no attempt of it has shown any.
        var peak: Int64 = 0
        var reserved: Int64

        /// An agent may say anything: so many runs as a host may have add up.
        var counted: Int64 { ReservedMemory.counted(reserved) }
    }

    private let rule: MemoryRule
    private let kindOfGroup: [Int]
    /// The first one is for runs that the specification no longer has.
    private var kinds: [Kind]
    private var largestEvaluation: Int64 = 0
    private var largestSetup: Int64 = 0
    /// Per host, how many runs of each kind it has.
    private var open: [[Int]] = []
    /// Per host, what is reserved for the runs that it has, in bytes.
    private(set) var ofHost: [Int64] = []
    /// Of the kind that takes least, as it adds up.
    private(set) var least: Int64 = 0
    /// Grows whenever what is reserved for a kind changes.
    private(set) var revision = 0

    init(_ plan: Plan) {
        rule = plan.memory
        guard case .learned(let guess) = plan.memory else {
            (kindOfGroup, kinds) = ([], [Kind(isSetup: false, reserved: 0)])
            return
        }
        var kinds = [Kind(isSetup: false, reserved: guess)]
        var places: [[Int]: Int] = [:]
        kindOfGroup = plan.groups.indices.map { index in
            let isSetup = plan.groups[index].provides != nil
            let name = [plan.groups[index].workload, isSetup ? 1 : 0]
            let place = places[name] ?? kinds.count
            if place == kinds.count { kinds.append(Kind(isSetup: isSetup, reserved: guess)) }
            places[name] = place
            kinds[place].groups.append(index)
            return place
        }
        self.kinds = kinds
        least = ReservedMemory.counted(guess)
        open = plan.hosts.map { _ in Array(repeating: 0, count: kinds.count) }
        ofHost = Array(repeating: 0, count: plan.hosts.count)
    }

    /// Whether hosts get runs by what is reserved for each.
    var isLearned: Bool { !kindOfGroup.isEmpty }

    var kindCount: Int { kinds.count }

    /// The kind of a group's runs.
    ///
    /// - Parameter group: -1: the specification no longer has the run.
    func kind(ofGroup group: Int) -> Int { kindOfGroup.indices ~= group ? kindOfGroup[group] : 0 }

    func groups(of kind: Int) -> [Int] { kinds[kind].groups }

    /// For a run of that kind, in bytes; nil: memory is not counted.
    func bytes(_ kind: Int) -> Int64? {
        switch rule {
        case .uncounted: nil
        case .fixed(let bytes): bytes
        case .learned: kinds[kind].reserved
        }
    }

    /// The same as it adds up.
    func counted(_ kind: Int) -> Int64 { kinds[kind].counted }

    /// Of the kind that takes most, of those that a host has runs of.
    func largest(onHost host: Int) -> Int64 {
        kinds.indices.reduce(0) { open[host][$1] > 0 ? max($0, kinds[$1].counted) : $0 }
    }

    // MARK: Changes

    /// A host gets runs of a kind, or has them no longer.
    mutating func count(_ change: Int, of kind: Int, onHost host: Int) {
        guard isLearned, host >= 0 else { return }
        open[host][kind] += change
        ofHost[host] += Int64(change) * kinds[kind].counted
    }

    /// A host has no run any more.
    mutating func clear(host: Int) {
        guard isLearned else { return }
        for kind in open[host].indices { open[host][kind] = 0 }
        ofHost[host] = 0
    }

    /// An attempt has ended and took so much. One that failed may have ended long before it took what it needs: it
    /// raises what is reserved, and never lowers it.
    mutating func note(peak: Int64, of kind: Int, _ failure: FailureClass?) {
        guard isLearned else { return }
        let isSetup = kinds[kind].isSetup
        let before = (kinds[kind].peak, largestSetup, largestEvaluation)
        if failure == nil || ReservedMemory.withReserve(peak) > kinds[kind].reserved {
            kinds[kind].peak = max(kinds[kind].peak, peak)
            if isSetup { largestSetup = max(largestSetup, peak) }
            if !isSetup { largestEvaluation = max(largestEvaluation, peak) }
        }
        // What it would have taken is not known: as much as any that was seen, and more. Not more each time, as what
        // other programs take may be the reason.
        if failure == .outOfMemory { kinds[kind].peak = max(kinds[kind].peak, usual(isSetup: isSetup)) }
        if before != (kinds[kind].peak, largestSetup, largestEvaluation) { reserve() }
    }

    /// Where nothing is known of a workload.
    private func usual(isSetup: Bool) -> Int64 {
        let largest = isSetup ? largestSetup : largestEvaluation
        guard largest == 0, case .learned(let guess) = rule else { return ReservedMemory.withReserve(largest) }
        return guess
    }

    private mutating func reserve() {
        let before = kinds.map(\.reserved)
        for place in kinds.indices {
            let (peak, isSetup) = (kinds[place].peak, kinds[place].isSetup)
            kinds[place].reserved = peak == 0 ? usual(isSetup: isSetup) : ReservedMemory.withReserve(peak)
        }
        guard kinds.map(\.reserved) != before else { return }
        revision += 1
        least = kinds.dropFirst().map(\.counted).min() ?? 0
        for host in open.indices {
            ofHost[host] = zip(open[host], kinds).reduce(0) { $0 + Int64($1.0) * $1.1.counted }
        }
    }

    /// All that decides anything.
    var text: String { "\(kinds.map(\.reserved)) on hosts \(ofHost)" }

    private static func withReserve(_ peak: Int64) -> Int64 {
        let (sum, isOver) = peak.addingReportingOverflow(peak / 4)
        return isOver ? .max : sum
    }

    /// As the agents do.
    static func counted(_ bytes: Int64) -> Int64 { min(max(0, bytes), 1 << 46) }
}
