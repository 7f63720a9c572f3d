import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentCore

/// Whatever stands in a journal or comes from a peer, it is refused or something comes of it: nothing traps.
@Suite("Numbers out of range on a host")
struct DamagedJournalTests {
    private func frames(_ name: String) throws -> [Frame] {
        var reader = FrameReader()
        let bytes = try Golden.bytes(name)
        reader.append(name.hasSuffix(".journal") ? bytes.dropFirst(12) : bytes[...])
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames.filter { $0.kind != 0 }
    }

    /// Each frame with what it could be.
    private func mutations(of frames: [Frame]) -> [(place: Int, frame: Frame)] {
        frames.enumerated().flatMap { place, frame in
            let payloads = frame.kind < 16
                ? ExtremeNumbers.byPlace(frame.payload) : ExtremeNumbers.inFields(frame.payload)
            return payloads.map { (place, Frame(kind: frame.kind, payload: $0)) }
        }
    }

    /// What an agent does that finds this.
    private func live(_ core: AgentCore) {
        var core = core
        _ = (core.snapshot, core.neededObjects, core.unreadLists, core.runningAttempts, core.isIdle, core.window)
        let held = core.snapshot.compactMap { record -> SupervisedAttempt? in
            guard case .accepted(let sweep, let lease, let entry) = record else { return nil }
            let id = AttemptID(run: entry.run, lease: lease, attempt: entry.firstAttempt)
            return SupervisedAttempt(key: AttemptKey(sweep: sweep, id: id), state: .running)
        }
        _ = core.handle(.supervisorReady(held), now: 1)
        for (connection, sweep) in core.order.enumerated() {
            let hello = CoordinatorHello(sweep: sweep, leaseTerm: .max, slots: 1)
            for event in [.connected(connection), .message(connection, .hello(hello))] as [AgentEvent] {
                _ = core.handle(event, now: 2)
            }
            _ = core.handle(.message(connection, .heartbeat), now: 3)
        }
        _ = (core.effects(now: 4), core.nextDeadline)
        _ = core.handle(.ended(held.map { SupervisedAttempt(key: $0.key, state: .ended(exit)) }), now: 5)
        for (connection, sweep) in core.order.enumerated() {
            let leases = core.sweeps[sweep]?.held.map(\.lease) ?? []
            _ = core.handle(.message(connection, .revoke(Array(leases.prefix(1)))), now: 6)
            _ = core.handle(.message(connection, .release), now: 7)
        }
        _ = core.effects(now: 1 << 62)
    }

    private let exit = ProcessExit(cause: .status(0))

    @Test("An agent's journal", arguments: ["version1/agent.journal", "version2/agent.records"])
    func agent(name: String) throws {
        let frames = try frames(name)
        let records = try frames.map { try AgentRecord($0) }
        var (refused, taken) = (0, 0)
        for (place, frame) in mutations(of: frames) {
            do {
                var core = AgentCore(host: Rig.host)
                for record in records[..<place] { core.apply(record) }
                core.apply(try AgentRecord(frame))
                for record in records[(place + 1)...] { core.apply(record) }
                live(core)
                taken += 1
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100 && taken > 100, "refused \(refused), taken \(taken)")
    }

    @Test("An attempt that its lease does not give is not acknowledged")
    func foreign() {
        var rig = Rig()
        rig.grant(1, Shard.Entry(run: 1, firstAttempt: 4, attempts: 2, job: Job(arguments: [.text("/bin/true")])))
        for attempt in [0, 3, 6, 1 << 40] {
            let id = AttemptID(run: 1, lease: 1, attempt: attempt)
            rig.core.apply(.acknowledged(sweep: "s1", [Acknowledged(id: id, isLast: true)]))
        }
        let work = rig.core.sweeps["s1"]?.works[WorkKey(lease: 1, run: 1)]
        #expect(work?.attempt == 4 && work?.acknowledged == [])
        rig.say(.revoke([1]))
        #expect(rig.core.isIdle || !rig.core.doomed.isEmpty)
    }

    @Test("A supervisor's journal", arguments: ["version1/supervisor.journal", "version2/supervisor.records"])
    func supervisor(name: String) throws {
        let frames = try frames(name)
        let records = try frames.map { try SupervisorRecord($0) }
        var (refused, taken) = (0, 0)
        for (place, frame) in mutations(of: frames) {
            do {
                var core = SupervisorCore()
                for record in records[..<place] { core.apply(record) }
                core.apply(try SupervisorRecord(frame))
                for record in records[(place + 1)...] { core.apply(record) }
                for key in core.running {
                    _ = core.ended(key, ProcessExit(cause: .supervisorLost), now: 9)
                }
                core.hostWasLost()
                _ = (core.snapshot(bootID: "b"), core.nextDeadline, core.signals(now: 10))
                for case .ended(let exit) in core.inventory.map(\.state) {
                    _ = Diagnosis(exit, errorTail: [], limits: JobLimits())
                }
                taken += 1
            } catch {
                refused += 1
            }
        }
        #expect(refused > 50 && taken > 50, "refused \(refused), taken \(taken)")
    }

    @Test("What a coordinator says", arguments: ["version1/coordinator.frames", "version2/coordinator.frames"])
    func coordinator(name: String) throws {
        var (refused, taken) = (0, 0)
        for (_, frame) in mutations(of: try frames(name)) {
            do {
                let message = try CoordinatorMessage(frame)
                var rig = Rig()
                rig.say(message)
                rig.now += 1_000_000_000
                rig.tell(.timer)
                live(rig.core)
                taken += 1
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100 && taken > 100, "refused \(refused), taken \(taken)")
    }
}
