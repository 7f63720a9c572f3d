import Model

/// What the end of an attempt means for its run.
extension Coordinator {
    mutating func end(_ host: Int, _ judged: Judged, _ now: Nanoseconds, _ records: inout [Record]) {
        let id = judged.report.id
        guard state.runs.indices ~= id.run - 1 else {
            return refuse(host, "it reports a run that does not exist", &records)
        }
        links[host].joined?.underWay.remove(id)
        links[host].joined?.unacknowledged.append(id)
        // It did not hear that we have it.
        if state.isOnRecord(id), !faults.contains(.countsRepeats) { return takeBack(judged.report, host, &records) }
        guard isInForce(id, host) else { return fence(host, judged, &records) }
        if state.isAudit(id) { return endAudit(host, judged, &records) }
        let deaths = state.deathCount
        let wasDoubled = state.isDoubled(id.run)
        let prediction = state.prediction(id.run, host: host)
        decide(
            .attemptEnded(
                judged.report, host: plan.hosts[host], failure: judged.failure, evidence: story(of: judged, host),
                blocks: judged.blocks, endedAt: judged.endedAt), &records)
        begun[AttemptPlace(run: id.run, lease: id.lease)] = nil
        noteHealth(host, judged, isNews: state.deathCount != deaths, prediction, now, &records)
        settle(id, judged, wasDoubled: wasDoubled, &records)
    }

    /// A host whose power went with the end of its journal may report an attempt once more, with an end after which it
    /// does not go on with the run that it has: then another lease does.
    private mutating func takeBack(_ report: AttemptReport, _ host: Int, _ records: inout [Record]) {
        let id = report.id
        guard let claim = state.claim(of: id.lease, on: id.run), self.host(of: claim) == host,
            !report.agentGoesOn(in: claim), !faults.contains(.keepsDropped)
        else { return }
        let reason = "\(plan.hosts[host]) has lost its records of it since attempt \(id.attempt)"
        decide(.runWithdrawn(run: id.run, lease: id.lease, reason: reason), &records)
    }

    /// Whether a host may speak for this attempt: it holds a lease that is in force, and the attempt's number is the
    /// lease's.
    private func isInForce(_ id: AttemptID, _ host: Int) -> Bool {
        if let claim = state.claim(of: id.lease, on: id.run) {
            return claim.attempts.contains(id.attempt) && self.host(of: claim) == host
        }
        return faults.contains(.forgetsFencing) && !state.isOver(id.run)
    }

    /// The evidence, with what it means where a run's hosts die.
    private func story(of judged: Judged, _ host: Int) -> String {
        guard judged.failure?.isDeathOfHost ?? false else { return judged.evidence }
        let deaths = state[judged.report.id.run].deaths
        guard deaths.count > 0 else { return judged.evidence }
        // A death that showed by the host's new boot identifier is counted already.
        let isCounted = deaths.last == state.deathOfHost[host] && judged.report.id.lease < state.leaseOfDeath[host]
        let alone = deaths.alone + (!isCounted && state.openRuns[host] == 1 ? 1 : 0)
        return judged.evidence + "; hosts that died while they had this run: \(deaths.count + (isCounted ? 0 : 1))"
            + (alone > 0 ? ", \(alone) of them with no other run of this sweep" : "")
    }

    /// Decides what an attempt's end means for its run.
    ///
    /// - Parameter wasDoubled: the run was begun a second time: it is the other attempt that decides then.
    private mutating func settle(_ id: AttemptID, _ judged: Judged, wasDoubled: Bool, _ records: inout [Record]) {
        guard let failure = judged.failure else {
            decideEnd(id.run, .succeeded, nil, attempt: id.attempt, of: id.lease, &records)
            if let pin = state.group(of: id.run)?.provides, let digest = judged.provides {
                provide(pin, digest, attempt: id.attempt, &records)
            }
            return
        }
        let run = state[id.run]
        if wasDoubled, case .leased = run.phase, !isCancelled(id.run), !faults.contains(.countsSecondStarts) { return }
        let isFinal =
            switch failure.remedy {
            case .giveUp: true
            case .retryAnywhere, .retryElsewhere:
                run.failures >= plan.maximumFailures
                    || state.failedItselfOn[id.run, default: []].count >= SweepState.agreeingHosts
            case .retryUncounted: run.losses >= SweepState.maximumLosses || isGuilty(id.run)
            }
        if isFinal || isCancelled(id.run) {
            let final = isFinal ? failure : .cancelled
            decideEnd(id.run, final.finalState, final, attempt: id.attempt, &records)
        }
    }

    func isGuilty(_ run: RunNumber) -> Bool { state.isGuilty(run) && !faults.contains(.forgetsDeaths) }

    /// What comes under a lease that is not in force is compared and kept, never merged.
    private mutating func fence(_ host: Int, _ judged: Judged, _ records: inout [Record]) {
        let id = judged.report.id
        // The end of what was ended because nobody wants it any more is no evidence of anything.
        if judged.failure == .cancelled { return }
        var agrees: Bool?
        // Results of other pins may well differ.
        let isComparable = judged.failure == nil && id.lease >= state.firstLeaseOfPins
        if isComparable, let merged = state[id.run].result, let blocks = judged.blocks {
            agrees = blocks.digest.beginning == merged
        }
        decide(.attemptFenced(judged.report, host: plan.hosts[host], agrees: agrees), &records)
    }

    mutating func provide(_ pin: String, _ digest: Digest, attempt: AttemptNumber, _ records: inout [Record]) {
        if state.pins[pin] == nil { decide(.pinned(name: pin, digest: digest), &records) }
        for group in plan.groups where group.provides == pin {
            for run in group.runs where state[run].phase == .waiting {
                decideEnd(run, .succeeded, nil, attempt: attempt, &records)
            }
        }
    }

    /// Runs whose setup failed can never start, nor can setups whose boot did. A boot is begun only while a setup waits
    /// for it: those of earlier sweeps may be there.
    mutating func settleDependents(_ records: inout [Record]) {
        // A boot comes before its setups here: its failure goes through to the evaluations at once.
        for maker in state.makers where state.pins[maker.pin] == nil {
            switch state[maker.run].phase {
            case .leased: break
            case .waiting:
                if maker.isBoot, !isAwaited(maker) { decideEnd(maker.run, .succeeded, nil, &records) }
            case .ended(.succeeded, _) where maker.isBoot:
                guard isAwaited(maker) else { break }
                decide(.runReopened(run: maker.run, reason: "a setup needs the guest that it boots"), &records)
            case .ended(_, let failure): endDependents(of: maker, failure ?? .contractBroken, &records)
            }
        }
    }

    /// Whether a run waits for what another one makes.
    func isAwaited(_ maker: Maker) -> Bool { maker.dependents.contains { state.waitingCounts[$0] > 0 } }

    private mutating func endDependents(of maker: Maker, _ failure: FailureClass, _ records: inout [Record]) {
        // There may be millions, and this is asked in every step.
        for group in maker.dependents where state.waitingCounts[group] > 0 {
            for run in plan.groups[group].runs where state[run].phase == .waiting {
                decideEnd(run, failure.finalState, failure, &records)
            }
        }
    }
}
