import Model
import Ports
import SweepCore

/// Whether what people are promised about their runs is kept: healthy work is not thrown away, what is cancelled ends,
/// hosts are not given up, runs that kill their hosts are found, and nothing is counted twice.
final class Promises {
    let world: World
    let fail: (String) -> Void
    unowned(unsafe) var simulation: Simulation?
    /// What the ledger adds up to.
    var state: SweepState
    private var recorded: Set<[Int]> = []
    /// Per host, its last boot identifier.
    private var seen: [String: String] = [:]
    /// When somebody asked to cancel a run.
    private var askedAt: [RunNumber: Nanoseconds] = [:]
    /// How often each run killed a host.
    private var kills: [RunNumber: Int] = [:]
    var hadDeaths = false
    /// The last lease that was granted.
    private var lastLease: LeaseNumber = 0
    /// Per run, the last lease under which nobody wants it any more, because somebody has stopped the sweep or opened
    /// the run again: a host that was away may go on under it for a while.
    private var disowned: [RunNumber: LeaseNumber] = [:]
    /// Per run, when a lease on it last ended.
    private var leftAt: [RunNumber: Nanoseconds] = [:]
    /// Per lease, the boot identifier that its host was known by when it was granted. From a host that was started
    /// again, nobody can tell whether the lease was the cause.
    private var boots: [LeaseNumber: String] = [:]
    /// Leases of which their hosts have heard.
    private var delivered: Set<LeaseNumber> = []
    /// Leases by which runs are begun a second time on purpose.
    var secondStarts: Set<LeaseNumber> = []
    /// Runs of which an attempt failed last while another one that was begun on purpose went on, with that attempt.
    var halfFailed: [RunNumber: AttemptNumber] = [:]
    /// Hosts that were paused, and gave no result since, with the first lease that tells of that.
    var onTrial: [String: LeaseNumber] = [:]
    /// How long healthy attempts had run that were ended because another host went on with their run.
    private(set) var thrownAway: Nanoseconds = 0

    /// A host that nothing has troubled for so long is joined, whatever pauses there are between tries.
    private static let settled = 130 * Timing.second
    /// A cancelled run has ended by then, also where its host is away.
    private static let cancelled = 45 * Timing.second
    /// More deaths than it takes to find a run out; among them are those that an agent brings about by starting again,
    /// unasked, what it does not know to have begun.
    private static let mostKills = 14

    init(_ plan: Plan, world: World, fail: @escaping (String) -> Void) {
        state = SweepState(plan: plan)
        self.world = world
        self.fail = fail
    }

    // MARK: The ledger

    func committed(_ record: Record) {
        switch record {
        case .hostSeen(let host, let bootID, _, _, _, _): seen[host] = bootID
        case .leaseGranted(let lease, let host, let grants):
            lastLease = max(lastLease, lease)
            boots[lease] = seen[host]
            for grant in grants { granted(grant.run, to: host, secondStart: secondStarts.contains(lease)) }
            checkFence(host)
            checkTrial(host, grants.count)
        case .auditGranted(let lease, let host, let grants):
            lastLease = max(lastLease, lease)
            boots[lease] = seen[host]
            for grant in grants { auditGranted(grant.run, to: host) }
            checkFence(host)
        case .auditEnded(let report, let host, _, _, let comparison, _):
            auditEnded(report.id, host, comparison)
            note(report.id)
            leftAt[report.id.run] = world.now
        case .hostFenced(let host, _, _): fenced(host)
        case .leaseVoided(let lease, _): voided(lease)
        case .attemptEnded(let report, let host, let failure, _, _, _):
            if failure == nil { endTrial(host, report.id.lease) } else { noteHalf(report.id) }
            if failure == .hostLost || failure == .supervisorLost { hadDeaths = true }
            note(report.id)
            leftAt[report.id.run] = world.now
        case .attemptFenced(let report, _, _): note(report.id)
        case .runEnded(let run, let final, let failure, let attempt):
            ended(run, final)
            checkHalf(run, final, failure, by: attempt)
            leftAt[run] = world.now
        case .runAdopted(let run, _, _), .runWithdrawn(let run, _, _): leftAt[run] = world.now
        case .runReopened(let run, _):
            (askedAt[run], kills[run]) = (nil, 0)
            disowned[run] = lastLease
        case .secondStart(let run, let lease, _): begunAgain(run, lease)
        case .hostPaused(let host, _): onTrial[host] = state.nextLeaseNumber
        case .pinned, .inputDamaged, .leaseMoved, .runCancelAsked, .hostRefused, .hostReleased,
            .sweepStopped, .revised, .repinned, .restored, .judgedAgain:
            break
        }
        state.apply(record)
    }

    private func note(_ id: AttemptID) {
        if !recorded.insert([id.run, id.attempt]).inserted { fail("attempt \(Describe.id(id)) is on record twice") }
    }

    /// A run that another host has is given to this one as well.
    private func granted(_ run: RunNumber, to host: String, secondStart: Bool) {
        let claims = state.claims(on: run)
        guard !claims.isEmpty, !secondStart else { return }
        world.counts.note("given away")
        if !hadDeaths, state.readyCount > 0 { fail("run \(run) is given away to \(host) while others wait") }
        for claim in claims {
            guard let holder = state.hostName(of: claim.lease).flatMap(holder) else { continue }
            let since = max(holder.troubleUntil, simulation?.coordinatorSince ?? 0)
            if holder.isUp, !holder.isLocked, world.now - since > Promises.settled {
                fail("run \(run) is given away to \(host), and \(holder.name), which has it, could be reached")
            }
        }
    }

    private func voided(_ lease: LeaseNumber) {
        hadDeaths = true
        for run in 1...state.runs.count where !isUnwanted(run, lease) {
            leftAt[run] = world.now
            if state.stopReason != nil { disowned[run] = max(lease, disowned[run] ?? 0) }
        }
        guard state.stopReason == nil, let name = state.hostName(of: lease), let holder = holder(name) else { return }
        if !delivered.contains(lease), seen[name] == boots[lease], !holder.wasCleaned {
            fail("the runs of lease \(lease) pay for its end, and \(name) never heard of it")
        }
        let running = holder.programs.all.filter { $0.key.id.lease == lease && $0.leads && !$0.isOrphan }
        if let program = running.first, !holder.wasCleaned {
            fail("lease \(lease) has ended, and \(name) runs \(program.key) under it")
        }
    }

    private func ended(_ run: RunNumber, _ final: RunState) {
        guard final != .cancelled, let asked = askedAt[run] else { return }
        let since = max(asked, simulation?.coordinatorSince ?? 0, simulation?.coordinator?.standsUntil ?? 0)
        if world.now - since > Promises.cancelled { fail("run \(run) was cancelled, and ended \(final.rawValue)") }
    }

    func holder(_ name: String) -> SimulatedHost? {
        simulation?.network.hosts.first { $0.name == name }
    }

    /// An agent has taken this in.
    func hasHeard(of lease: LeaseNumber) { delivered.insert(lease) }

    /// A program came to its end by itself.
    func hasLeft(_ host: SimulatedHost, _ id: AttemptID) {
        guard isUnwanted(id), !state.isFinished, state.stopReason == nil, let coordinator = simulation?.coordinator
        else { return }
        let since = max(
            host.troubleUntil, simulation?.coordinatorSince ?? 0, coordinator.standsUntil, leftAt[id.run] ?? 0)
        guard world.now - since > Promises.settled else { return }
        fail("\(Describe.id(id)) has ended on \(host.name), which nobody has told that it need not go on")
    }

    /// Whether no lease is in force any more under which it was made.
    func isUnwanted(_ id: AttemptID) -> Bool { isUnwanted(id.run, id.lease) }

    private func isUnwanted(_ run: RunNumber, _ lease: LeaseNumber) -> Bool {
        !state.claims(on: run).contains { $0.lease == lease }
    }

    // MARK: People and hosts

    func cancelAsked(_ run: RunNumber) { if askedAt[run] == nil { askedAt[run] = world.now } }

    /// The coordinator that was asked may not have heard it, least of all one that stood still.
    func coordinatorEnded() {
        onTrial = [:]
        let stoodUntil = simulation?.coordinator?.standsUntil ?? 0
        askedAt = askedAt.filter { world.now - max($0.value, stoodUntil) > Timing.second }
    }

    func givenUp(_ host: String) {
        if seen[host] != nil { fail("\(host), which was in this sweep before, is given up") }
    }

    func hostKilled(by run: RunNumber) {
        kills[run, default: 0] += 1
        if kills[run] ?? 0 > Promises.mostKills { fail("run \(run) kills a host for the \(kills[run] ?? 0)th time") }
    }

    /// An agent ends an attempt that nobody wants any more, as it was told.
    func killAsked(_ host: SimulatedHost, _ key: AttemptKey, isCancelled: Bool) {
        let run = key.id.run
        guard let program = host.programs.all.first(where: { $0.key == key && $0.leads && !$0.isOrphan }),
            program.fate == .healthy, !host.isSick, !host.wasCleaned, !isCancelled, state.stopReason == nil,
            state.fencedHosts[host.name] == nil,
            !recorded.contains([run, key.id.attempt]), key.id.lease > disowned[run] ?? 0, !state.isSuspected(run)
        else { return }
        let spent = world.now - program.startedAt
        if case .ended(let final, _) = state[run].phase {
            if final == .succeeded { thrownAway += spent }
            return
        }
        let leases = Set(state.claims(on: run).map(\.lease))
        let rivals = (simulation?.network.hosts ?? []).flatMap(\.programs.all).filter {
            $0.key.id.run == run && $0.key != key && $0.leads && leases.contains($0.key.id.lease)
        }
        let seconds = spent / Timing.second
        guard let rival = rivals.min(by: { $0.startedAt < $1.startedAt }) else {
            return fail("\(key) on \(host.name) is ended after \(seconds) s, and nobody goes on with its run")
        }
        if rival.startedAt > program.startedAt, rival.key.id.lease > key.id.lease {
            fail("\(key) on \(host.name) is ended after \(seconds) s for \(rival.key), which began later")
        }
        thrownAway += spent
    }
}
