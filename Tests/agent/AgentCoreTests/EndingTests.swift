import Formats
import Model
import Ports
import Testing
@testable import AgentCore


/// Where an attempt can stand when somebody wants it gone.
enum Stand: CaseIterable, Sendable {
    case waiting, preparing, queued, running, collecting, done

    /// A rig with run 1 of lease 1, two attempts allowed, standing there.
    func rig() -> Rig {
        var rig = Rig(connected: false)
        rig.hello(1)
        if self == .waiting {
            rig.grant(1, entry(1, attempts: 2))
            return rig
        }
        rig.tell(.supervisorReady([]))
        rig.grant(1, entry(1, attempts: 2))
        if self == .preparing { return rig }
        rig.queue(key(1))
        if self == .queued { return rig }
        rig.tell(.started([key(1)]))
        if self == .running { return rig }
        rig.end(key(1))
        if self == .collecting { return rig }
        rig.collect(key(1))
        return rig
    }
}

@Suite("Cancelling and revoking, wherever an attempt stands")
struct EndingTests {
    @Test("Cancelled: reported, never tried again", arguments: Stand.allCases)
    func cancelled(stand: Stand) {
        var rig = stand.rig()
        let durable = rig.journal.count
        var effects = rig.say(.cancel([1]))
        #expect(Array(rig.journal.dropFirst(durable)) == [AgentRecord.cancelled(sweep: "s1", [1])])
        #expect(rig.say(.cancel([1])).isEmpty && rig.journal.count == durable + 1, "once is enough")
        switch stand {
        case .waiting: effects = rig.tell(.supervisorReady([]))
        case .preparing: effects = rig.tell(.prepared(key(1)))
        case .queued, .running:
            #expect(effects.contains(.supervise(.kill(key(1), .cancelled))))
            rig.end(key(1), .signal(15))
            effects = rig.collect(key(1), .cancelled)
        case .collecting: effects = rig.collect(key(1), .exitNonzero)
        case .done: effects = rig.hello(2)
        }
        let expected: FailureClass? =
            switch stand {
            case .waiting, .preparing, .queued, .running: .cancelled
            case .collecting: .exitNonzero
            case .done: nil
            }
        #expect(effects.outcomes.map(\.failure) == [expected])
        #expect(effects.prepared.isEmpty && effects.started.isEmpty)
        rig.say(.acknowledge([key(1).id]), on: stand == .done ? 2 : 1)
        #expect(rig.core.isIdle && rig.core.inFlight == 0)
    }

    @Test("Cancelled, then the agent is killed: it is still cancelled", arguments: [Stand.waiting, .preparing, .queued])
    func cancelledAndRestarted(stand: Stand) {
        var rig = stand.rig()
        rig.say(.cancel([1]))
        let held = stand == .queued ? [SupervisedAttempt(key: key(1), state: .queued)] : []
        let effects = rig.restart(held)
        #expect(effects.prepared.isEmpty)
        #expect(effects.killed == (stand == .queued ? [key(1)] : []))
        if stand != .queued { #expect(rig.hello(2).outcomes.map(\.failure) == [.cancelled]) }
    }

    @Test("Revoked: ended, deleted, reported to nobody", arguments: Stand.allCases)
    func revoked(stand: Stand) {
        var rig = stand.rig()
        var effects = rig.say(.revoke([1]))
        #expect(rig.journal.last == .revoked(sweep: "s1", [1]))
        #expect(effects.outcomes.isEmpty)
        switch stand {
        case .waiting: effects = rig.tell(.supervisorReady([]))
        case .preparing: effects = rig.tell(.prepared(key(1)))
        case .queued, .running:
            #expect(effects.contains(.supervise(.kill(key(1), .revoked))))
            #expect(effects.discarded.isEmpty, "its program may still write")
            #expect(!rig.core.isIdle)
            effects = rig.end(key(1), .signal(15))
        case .collecting, .done: break
        }
        if stand == .collecting { #expect(rig.collect(key(1)).outcomes.isEmpty) }
        #expect(effects.discarded == (stand == .waiting ? [] : [key(1)]))
        #expect(effects.outcomes.isEmpty && effects.prepared.isEmpty && effects.started.isEmpty)
        #expect(rig.core.isIdle && rig.core.inFlight == 0)
        #expect(rig.hello(2).greetings == [[]])
    }

    @Test("Revoking what is not held is nothing; the same run under a newer lease is another matter")
    func revokedElsewhere() {
        var rig = Rig()
        rig.grant(1, entry(1))
        rig.grant(2, entry(1, first: 2))
        #expect(rig.say(.revoke([7])).isEmpty)
        rig.say(.revoke([1]))
        #expect(rig.complete(key(1, 2, lease: 2)).outcomes.map(\.id) == [key(1, 2, lease: 2).id])
    }

    @Test("What could not be prepared is reported as it is, and its folder goes at once")
    func notPrepared() {
        var rig = Rig()
        rig.grant(1, entry(1, attempts: 3))
        let effects = rig.tell(.notPrepared(key(1), .diskFull, evidence: "no space"))
        #expect(effects.outcomes.map(\.evidence) == ["no space"])
        #expect(effects.discarded == [key(1)] && effects.prepared.isEmpty)
        #expect(rig.core.inFlight == 0)
    }

    @Test("Words about attempts that nobody knows are let go of")
    func strangers() {
        var rig = Rig()
        #expect(rig.tell(.prepared(key(9))).discarded == [key(9)])
        #expect(rig.end(key(9)).forgotten == [key(9)])
        #expect(rig.collect(key(9)).outcomes.isEmpty)
        #expect(rig.tell(.started([key(9)])).isEmpty)
        #expect(rig.core.isIdle && rig.core.inFlight == 0)
    }
}

@Suite("The supervisor goes and comes back")
struct SupervisorLinkTests {
    @Test("It is told how much may run, each time")
    func capacity() {
        var rig = Rig(connected: false)
        let told = AgentEffect.supervise(.capacity(slots: 2, memoryBytes: 1 << 30))
        #expect(rig.tell(.supervisorReady([])).contains(told))
        rig.tell(.supervisorGone)
        #expect(rig.tell(.supervisorReady([])).contains(told))
        let shares = [SweepSlots(sweep: "s1", slots: 7)]
        let more = AgentEffect.supervise(.capacity(slots: 7, memoryBytes: 1 << 30, sweeps: shares))
        #expect(rig.hello(1, slots: 7).contains(more))
    }

    @Test("Each sweep has the slots of its own hello; a new hello of it changes them, another sweep does not")
    func shares() {
        var rig = Rig(connected: false)
        rig.tell(.supervisorReady([]))
        func told(_ effects: [AgentEffect]) -> SupervisorCommand? {
            effects.compactMap { if case .supervise(let command) = $0 { command } else { nil } }.last
        }
        let (first, second) = (SweepSlots(sweep: "s1", slots: 4), SweepSlots(sweep: "s2", slots: 1))
        #expect(told(rig.hello(1, "s1", slots: 4)) == .capacity(slots: 4, memoryBytes: 1 << 30, sweeps: [first]))
        #expect(
            told(rig.hello(2, "s2", slots: 1)) == .capacity(slots: 4, memoryBytes: 1 << 30, sweeps: [first, second]))
        #expect(rig.core.slots(of: "s1") == 4 && rig.core.slots(of: "s2") == 1)
        let released = rig.tell(.message(2, .release))
        #expect(told(released) == .capacity(slots: 4, memoryBytes: 1 << 30, sweeps: [first]))
        let changed = SweepSlots(sweep: "s1", slots: 3)
        #expect(told(rig.hello(3, "s1", slots: 3)) == .capacity(slots: 3, memoryBytes: 1 << 30, sweeps: [changed]))
    }

    @Test("While it is gone nothing is prepared; what it had queued is prepared again when it is back")
    func queuedAreLost() {
        var rig = Rig()
        rig.grant(1, entry(1), entry(2))
        rig.queue(key(1))
        rig.queue(key(2))
        rig.tell(.supervisorGone)
        #expect(rig.grant(1, entry(3)).prepared.isEmpty)
        let effects = rig.tell(.supervisorReady([SupervisedAttempt(key: key(2), state: .running)]))
        #expect(effects.prepared == [key(1), key(3)])
        #expect(rig.core.runningAttempts == [key(2)])
        #expect(effects.contains(.keepOnly([key(2)])))
        #expect(rig.core.inFlight == 3)
    }

    @Test("What ran under the last one is collected with the end that the new one found")
    func endsAreTaken() {
        var rig = Rig()
        rig.grant(1, entry(1))
        rig.run(key(1))
        rig.tell(.supervisorGone)
        let exit = ProcessExit(cause: .supervisorLost)
        let effects = rig.tell(.supervisorReady([SupervisedAttempt(key: key(1), state: .ended(exit))]))
        #expect(effects.contains(.collect(key(1), exit, job())))
        #expect(rig.collect(key(1), .supervisorLost).outcomes.map(\.failure) == [.supervisorLost])
    }

    @Test("The agent was killed: what runs is adopted, what ended is collected, what nobody wants is ended")
    func adopts() {
        var rig = Rig()
        rig.grant(1, entry(1), entry(2), entry(3))
        rig.grant(2, entry(4))
        rig.run(key(1))
        rig.run(key(2))
        rig.run(key(4, lease: 2))
        rig.say(.revoke([2]))
        let exit = ProcessExit(cause: .status(1))
        let effects = rig.restart([
            SupervisedAttempt(key: key(1), state: .running), SupervisedAttempt(key: key(2), state: .ended(exit)),
            SupervisedAttempt(key: key(4, lease: 2), state: .running),
            SupervisedAttempt(key: key(5, sweep: "other"), state: .ended(exit)),
        ])
        #expect(effects.prepared.isEmpty, "what never started waits until somebody says that it is still wanted")
        #expect(effects.contains(.collect(key(2), exit, job())))
        #expect(effects.killed == [key(4, lease: 2)])
        #expect(effects.discarded == [key(5, sweep: "other")] && effects.forgotten == [key(5, sweep: "other")])
        #expect(rig.core.runningAttempts == [key(1)])
        #expect(rig.end(key(4, lease: 2), .signal(15)).discarded == [key(4, lease: 2)])
        let greeted = rig.hello(2)
        #expect(greeted.greetings == [[HeldLease(lease: 1, runs: [1, 2, 3])]] && greeted.prepared.isEmpty)
        #expect(rig.say(.heartbeat, on: 2).prepared == [key(3)])
        #expect(rig.core.inFlight == 2)
    }

    @Test("After a start nothing begins of what was withdrawn or cancelled while the host was away; the rest does")
    func confirmed() {
        var rig = Rig()
        rig.grant(1, entry(1), entry(2), entry(3))
        rig.grant(2, entry(4))
        #expect(rig.restart().prepared.isEmpty)
        rig.hello(2)
        #expect(rig.say(.revoke([2]), on: 2).prepared.isEmpty)
        #expect(rig.say(.cancel([2]), on: 2).outcomes.map(\.id) == [key(2).id], "it is cancelled without a start")
        #expect(rig.say(.heartbeat, on: 2).prepared == [key(1), key(3)])
        rig.restart()
        rig.hello(3)
        #expect(rig.grant(5, entry(6), on: 3).prepared.contains(key(6, lease: 5)), "a grant comes behind what ends")
        rig.hello(4, "s2")
        #expect(rig.grant(1, entry(1), on: 4).prepared == [key(1, sweep: "s2")])
    }

    @Test("The word of one sweep's coordinator says nothing of another sweep's runs")
    func confirmedEach() {
        var rig = Rig()
        rig.grant(1, entry(1))
        rig.hello(2, "s2")
        rig.grant(1, entry(1), on: 2)
        rig.restart()
        rig.hello(3, "s2")
        #expect(rig.say(.heartbeat, on: 3).prepared == [key(1, sweep: "s2")])
    }

    @Test("An attempt that the agent began by itself before it was killed goes on, and the earlier one is reported too")
    func adoptsRetries() {
        var rig = Rig()
        rig.grant(1, entry(1, attempts: 3))
        rig.complete(key(1), .exitNonzero)
        rig.run(key(1, 2))
        let exit = ProcessExit(cause: .status(1))
        let effects = rig.restart([
            SupervisedAttempt(key: key(1), state: .ended(exit)), SupervisedAttempt(key: key(1, 2), state: .running),
        ])
        #expect(effects.contains(.collect(key(1), exit, job())))
        rig.collect(key(1), .exitNonzero)
        #expect(rig.hello(2).outcomes.map(\.id.attempt) == [1])
        rig.end(key(1, 2))
        #expect(rig.collect(key(1, 2)).outcomes.map(\.id.attempt) == [2])
        #expect(rig.say(.acknowledge([key(1).id, key(1, 2).id]), on: 2).discarded == [key(1), key(1, 2)])
        #expect(rig.core.isIdle)
    }

    @Test("Both that attempt and the earlier one ended meanwhile: both are collected")
    func adoptsEnds() {
        var rig = Rig()
        rig.grant(1, entry(1, attempts: 2))
        rig.complete(key(1), .exitNonzero)
        rig.run(key(1, 2))
        let exits = [ProcessExit(cause: .status(1)), ProcessExit(cause: .status(0))]
        let effects = rig.restart([
            SupervisedAttempt(key: key(1), state: .ended(exits[0])),
            SupervisedAttempt(key: key(1, 2), state: .ended(exits[1])),
        ])
        #expect(effects.contains(.collect(key(1), exits[0], job())))
        #expect(effects.contains(.collect(key(1, 2), exits[1], job())))
        rig.collect(key(1, 2))
        rig.collect(key(1), .exitNonzero)
        #expect(Set(rig.hello(2).outcomes.map(\.id.attempt)) == [1, 2])
    }

    @Test("Acknowledged before it was killed: the supervisor's copy is only forgotten")
    func acknowledgedBefore() {
        var rig = Rig()
        rig.grant(1, entry(1))
        rig.complete(key(1))
        rig.say(.acknowledge([key(1).id]))
        let effects = rig.restart([SupervisedAttempt(key: key(1), state: .ended(ProcessExit(cause: .status(0))))])
        #expect(effects.forgotten == [key(1)] && rig.core.isIdle)
        #expect(rig.hello(2).outcomes.isEmpty)
    }

    @Test("Attempts that are to be killed and went with the supervisor are not waited for")
    func doomedAreGone() {
        var rig = Rig()
        rig.grant(1, entry(1))
        rig.run(key(1))
        rig.say(.revoke([1]))
        #expect(!rig.core.isIdle)
        rig.tell(.supervisorGone)
        #expect(rig.tell(.supervisorReady([])).discarded == [key(1)])
        #expect(rig.core.isIdle)
    }
}
