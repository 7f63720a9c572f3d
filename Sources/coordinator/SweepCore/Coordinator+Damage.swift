import Model

/// Inputs that were found damaged on a host's disk: results that may have been made with the damaged bytes no longer
/// count. As after an audit, these runs are not run again unless somebody asks for it.
extension Coordinator {
    /// Level-triggered: the same damage is told whenever the host joins, and again after runs have ended that had
    /// begun before. What counts of it is what is news.
    mutating func note(_ found: DamagedInput, on host: Int, _ records: inout [Record]) {
        var news = found
        (news.runs, news.makers) = (RunList(), RunList())
        for run in found.runs where state.gave(plan.hosts[host], resultOf: run) { news.runs.append(run) }
        for run in found.makers where state.gave(plan.hosts[host], resultOf: run) {
            if !state.doubtfulMakers.contains(run) { news.makers.append(run) }
        }
        guard !news.runs.isEmpty || !news.makers.isEmpty else { return }
        decide(.inputDamaged(news), &records)
    }
}

extension SweepState {
    /// Whether the result of a run that has succeeded is of this host.
    func gave(_ host: String, resultOf run: RunNumber) -> Bool {
        1...runs.count ~= run && countedHost(of: run) == host
    }

    mutating func note(_ found: DamagedInput) {
        quarantine(found.runs, .inputDamaged)
        doubtfulMakers.formUnion(found.makers)
    }

    /// Results that count no more.
    mutating func quarantine(_ results: RunList, _ failure: FailureClass) {
        for run in results {
            guard case .ended(.succeeded, _) = self[run].phase else { continue }
            count(run, ended: -1, .succeeded)
            runs[run - 1].phase = .ended(.quarantined, failure)
            runs[run - 1].result = nil
            count(run, ended: 1, .quarantined)
            noteAudit(of: run)
        }
    }
}
