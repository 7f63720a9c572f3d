public import Model

/// The order in which waiting runs are handed out, by what is known of how long they take.
extension SweepState {
    /// Puts the waiting runs into their order anew where that is worth it: when twice as many runs have ended as the
    /// last time, or more runs have become possible. Looks at all runs of the sweep.
    mutating func order() {
        let isDue = times.refit() && times.count >= nextOrder
        guard isDue || isOrderStale else { return }
        isOrderStale = false
        guard plan.traits != nil || times.fit != nil else { return }
        nextOrder = 2 * times.count + 1
        var order = HandingOrder(self)
        for group in plan.groups {
            for run in group.runs { runs[run - 1].isQueued = order.add(run, self) }
        }
        ready = order.ready
    }

    /// How long a run takes on a host; nil: nothing is known.
    public func prediction(_ run: RunNumber, host: Int) -> RunPrediction? {
        times.prediction(run, group: Int(self[run].group), host: host)
    }
}

/// Ranks waiting runs, one after the other.
private struct HandingOrder {
    private(set) var ready = ReadyRuns()
    /// Values of axes, and groups, that some run shows that has ended, is under way or comes first.
    private var hasLevel: [Bool]
    private var hasGroup: [Bool]
    private let looksForFirsts: Bool

    init(_ state: SweepState) {
        hasLevel = Array(repeating: false, count: state.times.levelCount)
        hasGroup = state.plan.groups.indices.map { state.times.hasEnded(group: $0) }
        looksForFirsts = state.plan.traits != nil && (state.times.hasUnseenLevels || hasGroup.contains(false))
    }

    /// - Returns: whether the run has an entry now.
    mutating func add(_ run: RunNumber, _ state: SweepState) -> Bool {
        switch state[run].phase {
        case .ended: return false
        case .leased:
            _ = isFirst(run, state)
            return false
        case .waiting:
            guard let group = state.group(of: run), state.isPossible(group), !state.isSuspect(run) else { return false }
            ready.append(CollectionOfOne(run), rank: rank(run, state))
            return true
        }
    }

    private mutating func rank(_ run: RunNumber, _ state: SweepState) -> Int {
        let group = Int(state[run].group)
        if state.plan.groups[group].provides != nil { return ReadyRuns.Rank.setup }
        if state[run].failures + state[run].losses > 0 { return ReadyRuns.Rank.again }
        if isFirst(run, state) { return ReadyRuns.Rank.first }
        return state.times.octaves(run, group: group).map(ReadyRuns.Rank.of) ?? 0
    }

    /// Whether the run shows a value, or a workload, that no run before it does.
    private mutating func isFirst(_ run: RunNumber, _ state: SweepState) -> Bool {
        guard looksForFirsts, let point = state.times.point(of: run) else { return false }
        let group = Int(state[run].group)
        var isFirst = !hasGroup[group]
        hasGroup[group] = true
        for level in state.times.unseenLevels(ofPoint: point) where !hasLevel[level] {
            (hasLevel[level], isFirst) = (true, true)
        }
        return isFirst
    }
}
