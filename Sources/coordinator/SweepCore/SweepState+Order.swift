public import Model

/// The order in which waiting runs are handed out, by their predicted times.
extension SweepState {
    /// Puts the waiting runs into their order anew where that is worth it: when half more runs than the last time
    /// tell how long they take, or twice as many where so many wait that it takes long. Runs that became possible since
    /// are put where they belong among the others.
    mutating func order() {
        if times.refit(), times.evidence >= nextOrder {
            let evidence = times.evidence
            nextOrder = evidence + max(1, evidence / 2, min(evidence, runCount / SweepState.runsPerOrder))
            ready = ReadyRuns()
            for index in runs.indices { runs[index].isQueued = false }
            shown = ShownFirst()
            unordered = Array(plan.groups.indices)
        }
        guard !unordered.isEmpty else { return }
        // Apart, as long as it looks at the rest.
        var shown = ShownFirst()
        swap(&shown, &self.shown)
        shown.update(self)
        for index in unordered {
            for run in plan.groups[index].runs { place(run, &shown) }
        }
        unordered = []
        swap(&shown, &self.shown)
    }

    /// One run that ended is worth another look at so many that wait.
    private static let runsPerOrder = 256

    private mutating func place(_ run: RunNumber, _ shown: inout ShownFirst) {
        switch self[run].phase {
        case .ended: break
        case .leased: _ = shown.isFirst(run, self)
        case .waiting:
            guard !self[run].isQueued, let group = group(of: run), isPossible(group), !isSuspect(run) else { return }
            runs[run - 1].isQueued = true
            let rank = rank(run, &shown)
            ready.append(CollectionOfOne(run), rank: rank)
        }
    }

    private func rank(_ run: RunNumber, _ shown: inout ShownFirst) -> Int {
        let group = Int(self[run].group)
        if plan.groups[group].provides != nil { return ReadyRuns.Rank.setup }
        if self[run].failures + self[run].losses > 0 { return ReadyRuns.Rank.again }
        if shown.isFirst(run, self) { return ReadyRuns.Rank.first }
        return times.octaves(run, group: group).map(ReadyRuns.Rank.of) ?? 0
    }

    /// How long a run takes on a host; nil: nothing is known.
    public func prediction(_ run: RunNumber, host: Int) -> RunPrediction? {
        times.prediction(run, group: Int(self[run].group), host: host)
    }
}

/// The values of axes, and the groups, for which a run has ended, is running or is among the first to be handed out.
struct ShownFirst: Sendable {
    private var hasLevel: [Bool] = []
    private var hasGroup: [Bool] = []
    private var looksForFirsts = false

    /// Takes in what has ended.
    mutating func update(_ state: SweepState) {
        if hasLevel.isEmpty { hasLevel = Array(repeating: false, count: state.times.levelCount) }
        let ended = state.plan.groups.indices.map { state.times.hasEnded(group: $0) }
        hasGroup = hasGroup.isEmpty ? ended : zip(hasGroup, ended).map { $0 || $1 }
        looksForFirsts = state.plan.traits != nil && (state.times.hasUnseenLevels || hasGroup.contains(false))
    }

    /// Whether the run shows a value, or a workload, that no run before it does.
    mutating func isFirst(_ run: RunNumber, _ state: SweepState) -> Bool {
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
