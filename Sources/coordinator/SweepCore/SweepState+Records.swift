public import Model

extension SweepState {
    /// Adds a record of a ledger that anything may have happened to.
    ///
    /// - Throws: ``Failure`` (`badArchive`) for one about a run that the sweep does not have; nothing was changed.
    public mutating func replay(_ record: Record) throws(Failure) {
        if let run = record.runs.first(where: { $0 < 1 || $0 > runs.count }) {
            throw Failure(.badArchive, "it is about run \(run), and the sweep has runs 1 to \(runs.count)")
        }
        apply(record)
    }

    /// Adds a record about runs that the sweep has. Every record has one meaning, whenever it is read.
    public mutating func apply(_ record: Record) {
        switch record {
        case .hostPaused, .hostRefused: break
        case .hostSeen(let host, let bootID, _, _, _, _): see(host, bootID)
        case .pinned(let name, let digest): pin(name, digest)
        case .leaseGranted(let lease, let host, let grants): grant(lease, host: host, grants)
        case .auditGranted(let lease, let host, let grants): grantAudits(lease, host: host, grants)
        case .auditEnded(let report, let host, let failure, _, let comparison, _):
            recordAudit(report, host: host, failure, comparison)
        case .hostFenced(let host, let reason, let runs): fence(host, reason, runs)
        case .inputDamaged(let found): note(found)
        case .leaseMoved(let lease, let host): move(lease, to: host)
        case .leaseVoided(let lease, _): void(lease)
        case .attemptEnded(let report, let host, let failure, _, let blocks, _):
            recordAttempt(report, host: host, failure: failure, blocks: blocks)
        case .attemptFenced(let report, _, let agrees):
            fencedAttempts.insert(report.id)
            fencedCount += 1
            if agrees == false { disagreements += 1 }
        case .runAdopted(let run, let lease, _):
            for claim in claims(on: run) where claim.lease != lease { drop(claim.lease, on: run) }
        case .runWithdrawn(let run, let lease, _): drop(lease, on: run)
        case .secondStart(let run, let lease, _):
            secondStarts.insert(lease)
            startedTwice.insert(run)
        case .runCancelAsked(let run, _): if !isOver(run) { cancelsAsked.insert(run) }
        case .runEnded(let run, let state, let failure, let attempt):
            end(run, state, failure)
            noteAudit(of: run)
            // What ended without an attempt of its own says nothing of the sweep.
            if attempt > 0 { noteInRow(state, failure) }
        case .runReopened(let run, _): reopen(run)
        case .judgedAgain(let id, let failure, _, let blocks): judgeAgain(id.run, failure, blocks)
        case .hostReleased(let host): if let index = hostIndex[host] { isHolding[index] = false }
        case .sweepStopped(let reason): stopReason = reason
        case .revised(let revision): revise(revision)
        case .repinned: repin()
        case .restored: restore()
        }
    }

    func isOver(_ run: RunNumber) -> Bool { if case .ended = self[run].phase { true } else { false } }

    func wasCancelled(_ run: RunNumber) -> Bool {
        if case .ended(.cancelled, _) = self[run].phase { true } else { false }
    }

    private mutating func pin(_ name: String, _ digest: Digest) {
        let isNew = pins.updateValue(digest, forKey: name) == nil
        guard isNew else { return }
        for group in plan.groups.indices where plan.groups[group].requires == name { queue(group) }
    }

    // MARK: Hosts and leases

    private mutating func see(_ host: String, _ bootID: String) {
        guard let index = hostIndex[host] else { return }
        if !bootOfHost[index].isEmpty, bootOfHost[index] != bootID { noteReboot(of: index) }
        bootOfHost[index] = bootID
    }

    private mutating func grant(_ lease: LeaseNumber, host: String, _ grants: [Grant]) {
        open(lease, host: host, grants)
        for grant in grants {
            let attempts = grant.firstAttempt..<grant.firstAttempt + grant.attempts
            add(Claim(lease: lease, attempts: attempts), on: grant.run)
            runs[grant.run - 1].nextAttempt = attempts.upperBound
        }
    }

    /// A lease begins, on whatever runs.
    mutating func open(_ lease: LeaseNumber, host: String, _ grants: [Grant]) {
        nextLease = max(nextLease, lease + 1)
        // Whoever stops a sweep grants nothing more of it: it was launched again, and goes on as any other.
        stopReason = nil
        let index = hostIndex[host] ?? -1
        let bootID = index >= 0 ? bootOfHost[index] : ""
        leases[lease] = Lease(host: index, bootID: bootID, runs: grants.map(\.run), open: grants.count)
        place(lease, on: index)
    }

    private mutating func place(_ lease: LeaseNumber, on host: Int) {
        guard host >= 0 else { return strayLeases.append(lease) }
        leasesOfHost[host].append(lease)
        isHolding[host] = true
        openRuns[host] += leases[lease]?.open ?? 0
    }

    /// The agent that holds the lease goes by another name in the inventory now.
    private mutating func move(_ lease: LeaseNumber, to host: String) {
        guard var entry = leases[lease] else { return }
        for run in entry.runs where claim(of: lease, on: run) != nil { count(run, limiting: -1) }
        defer { for run in entry.runs where claim(of: lease, on: run) != nil { count(run, limiting: 1) } }
        if entry.host >= 0 {
            leasesOfHost[entry.host].removeAll { $0 == lease }
            openRuns[entry.host] -= entry.open
        } else {
            strayLeases.removeAll { $0 == lease }
        }
        entry.host = hostIndex[host] ?? -1
        leases[lease] = entry
        place(lease, on: entry.host)
    }

    private mutating func void(_ lease: LeaseNumber) {
        guard let entry = leases[lease] else { return }
        for run in entry.runs where claim(of: lease, on: run) != nil {
            // What is lost of an audit costs its run nothing, and is not tried for ever.
            guard !isOver(run) else {
                audits[run, default: Audit()].losses += 1
                drop(lease, on: run)
                noteAudit(of: run)
                continue
            }
            runs[run - 1].losses += 1
            noteDeath(of: run, under: lease, host: entry.host)
            drop(lease, on: run)
        }
        close(lease)
    }

    // MARK: Attempts and runs

    private mutating func recordAttempt(
        _ report: AttemptReport, host: String, failure: FailureClass?, blocks: ResultText?
    ) {
        let (run, attempt) = (report.id.run, report.id.attempt)
        if self[run].lastAttempt > 0 {
            earlierAttempts[run, default: []].append(min(self[run].lastAttempt, attempt))
        }
        runs[run - 1].lastAttempt = max(self[run].lastAttempt, attempt)
        // What broke the contract may keep that of an edited sweep.
        if failure == nil || failure == .contractBroken { note(giver: host, of: run) }
        if group(of: run)?.provides == nil {
            evaluationPeak = max(evaluationPeak, report.peakMemoryBytes)
        } else {
            setupPeak = max(setupPeak, report.peakMemoryBytes)
        }
        let index = hostIndex[host] ?? -1
        let isDeath = failure?.isDeathOfHost ?? false
        guard let failure else {
            let wall = max(0, report.wallNanoseconds)
            meanWall = meanWall.map { $0 + (wall - $0) / 8 } ?? wall
            times.note(run, group: Int(self[run].group), host: index, wall: wall)
            runs[run - 1].result = blocks?.digest.beginning
            return
        }
        if isDoubled(run) {
            // The other attempt decides: what goes wrong with one of two costs the run nothing.
        } else if failure.remedy == .retryUncounted {
            runs[run - 1].losses += 1
        } else {
            runs[run - 1].failures += 1
        }
        if isDeath { noteDeath(of: run, under: report.id.lease, host: index) }
        if failure.remedy != .retryUncounted { noteFailure(of: run, on: index, failure) }
        guard let claim = claim(of: report.id.lease, on: run) else { return }
        if !report.agentGoesOn(in: claim) { drop(claim.lease, on: run) }
    }

    private mutating func noteFailure(of run: RunNumber, on host: Int, _ failure: FailureClass) {
        guard host >= 0 else { return }
        if !failedOn[run, default: []].contains(host) { failedOn[run, default: []].append(host) }
        // A full disk, or a program that is not there, lies in the host, however many of them have it.
        guard failure.remedy == .retryAnywhere || failure == .outOfMemory,
            !failedItselfOn[run, default: []].contains(host)
        else { return }
        failedItselfOn[run, default: []].append(host)
    }

    private mutating func end(_ run: RunNumber, _ state: RunState, _ failure: FailureClass?) {
        switch self[run].phase {
        case .ended: return
        case .waiting: stopWaiting(run)
        case .leased: dropAll(on: run)
        }
        runs[run - 1].phase = .ended(state, failure)
        cancelsAsked.remove(run)
        failedOn[run] = nil
        failedItselfOn[run] = nil
        startedTwice.remove(run)
        count(run, ended: 1, state)
        if failure?.isDeathOfHost ?? false { acquitCompany(of: run) }
    }

    private mutating func judgeAgain(_ run: RunNumber, _ failure: FailureClass?, _ blocks: ResultText?) {
        guard case .ended(let before, _) = self[run].phase else { return }
        let state = failure?.finalState ?? .succeeded
        count(run, ended: -1, before)
        runs[run - 1].phase = .ended(state, failure)
        runs[run - 1].result = failure == nil ? blocks?.digest.beginning : nil
        count(run, ended: 1, state)
        if failure == nil { failuresInRow = nil }
        noteAudit(of: run)
    }

    private mutating func noteInRow(_ state: RunState, _ failure: FailureClass?) {
        switch state {
        case .succeeded: failuresInRow = nil
        case .cancelled: break
        case .failed, .quarantined:
            guard let failure else { return }
            let before = failuresInRow.flatMap { $0.failure == failure ? $0.count : nil } ?? 0
            failuresInRow = FailureSeries(failure: failure, count: before + 1)
        }
    }

    private mutating func reopen(_ run: RunNumber) {
        guard case .ended(let state, _) = self[run].phase else { return }
        count(run, ended: -1, state)
        startAfresh(run)
        stopReason = nil
        failuresInRow = nil
        wait(run)
    }

    /// What was counted against it is forgotten.
    private mutating func startAfresh(_ run: RunNumber) {
        runs[run - 1].failures = 0
        runs[run - 1].losses = 0
        runs[run - 1].deaths = Deaths()
        runs[run - 1].result = nil
        forgetAudit(of: run)
    }

    mutating func count(_ run: RunNumber, ended change: Int, _ state: RunState) {
        guard isCurrent(run) else { return }
        endedCount += change
        if state != .succeeded { notSucceededCount += change }
    }

    // MARK: Records about all runs

    /// Takes from their leases the runs that the specification no longer has.
    private mutating func revise(_ revision: Revision) {
        // Whoever edits the file after failures means to do something about them.
        failuresInRow = nil
        let places = RunPlaces(revision.runs)
        for lease in leases.keys.sorted() {
            for run in leases[lease]?.runs ?? [] where places.place(of: run) == nil { drop(lease, on: run) }
        }
    }

    private mutating func repin() {
        voidAllLeases()
        forgetAudits()
        doubtfulMakers = []
        for index in runs.indices {
            runs[index].phase = .waiting
            startAfresh(index + 1)
        }
        (endedCount, notSucceededCount) = (0, 0)
        pins = [:]
        cancelsAsked = []
        stopReason = nil
        failuresInRow = nil
        firstLeaseOfPins = nextLease
        // A run that failed everywhere may do so because of what was pinned.
        (failedOn, failedItselfOn, startedTwice) = ([:], [:], [])
        queueEverything()
    }

    private mutating func restore() {
        voidAllLeases()
        nextLease += SweepState.skippedLeases
        // Which of them were granted something is among what may be lacking.
        for host in isHolding.indices { isHolding[host] = true }
        for index in runs.indices { runs[index].nextAttempt += SweepState.skippedAttempts }
    }

    private mutating func voidAllLeases() {
        for lease in leases.keys.sorted() {
            for run in leases[lease]?.runs ?? [] { drop(lease, on: run) }
            close(lease)
        }
    }
}

extension Record {
    /// The runs that it is about by number.
    fileprivate var runs: [RunNumber] {
        switch self {
        case .leaseGranted(_, _, let grants), .auditGranted(_, _, let grants): grants.map(\.run)
        case .attemptEnded(let report, _, _, _, _, _), .attemptFenced(let report, _, _),
            .auditEnded(let report, _, _, _, _, _):
            [report.id.run]
        case .hostFenced(_, _, let runs): runs.ends
        case .inputDamaged(let found): found.runs.ends + found.makers.ends
        case .runAdopted(let run, _, _), .runWithdrawn(let run, _, _), .runCancelAsked(let run, _),
            .runEnded(let run, _, _, _), .runReopened(let run, _):
            [run]
        case .secondStart(let run, _, _): [run]
        case .judgedAgain(let id, _, _, _): [id.run]
        case .hostSeen, .pinned, .leaseVoided, .leaseMoved, .hostPaused, .hostRefused, .hostReleased,
            .sweepStopped, .revised, .repinned, .restored:
            []
        }
    }
}

extension RunList {
    /// The first and the last of each of its ranges.
    fileprivate var ends: [RunNumber] { ranges.flatMap { [$0.lowerBound, $0.upperBound - 1] } }
}

/// Consecutive runs that failed with the same class, without a success in between.
public struct FailureSeries: Sendable, Hashable {
    public var failure: FailureClass
    public var count: Int
}

extension FailureClass {
    /// Whether the host died, or its supervisor, and the attempt with it.
    var isDeathOfHost: Bool { self == .hostLost || self == .supervisorLost }
}

extension SweepState {
    /// Losses through no fault of a run after which it is given up all the same: something is wrong everywhere.
    static let maximumLosses = 20

    /// On so many hosts a run has to fail to be given up whatever attempts are left: it is not the hosts.
    static let agreeingHosts = 3

    /// How far numbers jump after a ledger was repaired: beyond all that can have been given out by what was lost, so
    /// that an agent that still has such leases or attempts can be told from one that has new ones.
    static let skippedLeases = 1_000_000
    static let skippedAttempts = 1_000
}
