public import Model

extension SweepState {
    /// What has to be opened again so that some runs can be done: of these, those that ended without a result; the
    /// setups and boots that they need and that gave none; and with such a one the runs that ended because of it,
    /// untried. A setup that was cancelled did not cause that: its points had been cancelled before, and those that
    /// nobody asks for stay so.
    ///
    /// - Returns: in the order of their numbers.
    public func reopening(_ wanted: [RunNumber]) -> [RunNumber] {
        var chosen = wanted.filter { isCurrent($0) && endedWithoutResult($0) }
        var isChosen = Set(chosen)
        func choose(_ run: RunNumber) {
            if endedWithoutResult(run), isChosen.insert(run).inserted { chosen.append(run) }
        }
        // What is required comes later in the plan: a run needs a setup, which needs a boot; and back.
        var pins = Set(chosen.compactMap { group(of: $0)?.requires })
        for maker in plan.groups {
            guard let pin = maker.provides, pins.contains(pin), self.pins[pin] == nil else { continue }
            maker.runs.forEach(choose)
            if let required = maker.requires { pins.insert(required) }
        }
        let asked = Set(wanted)
        let blamed = chosen.filter { !wasCancelled($0) || asked.contains($0) }
        var remade = Set(blamed.compactMap { group(of: $0)?.provides })
        for group in plan.groups.reversed() where group.requires.map(remade.contains) ?? false {
            for run in group.runs where self[run].lastAttempt == 0 { choose(run) }
            if let pin = group.provides, group.runs.contains(where: isChosen.contains) { remade.insert(pin) }
        }
        return chosen.sorted()
    }

    private func endedWithoutResult(_ run: RunNumber) -> Bool {
        guard case .ended(let state, _) = self[run].phase else { return false }
        return state != .succeeded
    }
}
