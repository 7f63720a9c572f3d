public import Model

extension SweepState {
    /// What has to be opened again so that some runs can be done: of these, those that ended without a result; the
    /// setups that they need and that gave none; and with a setup the runs that ended because of it, untried.
    ///
    /// - Returns: in the order of their numbers.
    public func reopening(_ wanted: [RunNumber]) -> [RunNumber] {
        var chosen = wanted.filter { isCurrent($0) && endedWithoutResult($0) }
        var isChosen = Set(chosen)
        func choose(_ run: RunNumber) {
            if endedWithoutResult(run), isChosen.insert(run).inserted { chosen.append(run) }
        }
        let pins = Set(chosen.compactMap { group(of: $0)?.requires }).filter { self.pins[$0] == nil }
        for setup in plan.groups where setup.provides.map(pins.contains) ?? false { setup.runs.forEach(choose) }
        let remade = Set(chosen.compactMap { group(of: $0)?.provides })
        for group in plan.groups where group.requires.map(remade.contains) ?? false {
            for run in group.runs where self[run].lastAttempt == 0 { choose(run) }
        }
        return chosen.sorted()
    }

    private func endedWithoutResult(_ run: RunNumber) -> Bool {
        guard case .ended(let state, _) = self[run].phase else { return false }
        return state != .succeeded
    }
}
