import Formats
import Model
import Ports
import TestKit
import Testing
@testable import AgentCore


/// What journals and the socket to the supervisor carry.
@Suite("Records, commands and reports keep what they hold")
struct CodingTests {
    @Test(
        "They round-trip; cut short, they are refused or are what is there; with anything behind, they are refused",
        arguments: 0..<40 as Range<UInt64>)
    func roundTrips(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        for record in chance.agentRecords() { try check(record, \.frame) { try AgentRecord($0) } }
        for record in chance.supervisorRecords() { try check(record, \.frame) { try SupervisorRecord($0) } }
        for command in chance.commands() { try check(command, \.frame) { try SupervisorCommand($0) } }
        for report in chance.reports() { try check(report, \.frame) { try SupervisorReport($0) } }
    }

    private func check<Value: Equatable>(
        _ value: Value, _ write: (Value) -> Frame, _ read: (Frame) throws -> Value
    ) throws {
        let frame = write(value)
        #expect(try read(frame) == value)
        for count in frame.payload.indices {
            let cut = Frame(kind: frame.kind, payload: Array(frame.payload[..<count]))
            if let value = try? read(cut) { #expect(write(value) == cut) }
        }
        #expect((try? read(Frame(kind: frame.kind, payload: frame.payload + [0]))) == nil)
        #expect((try? read(Frame(kind: 200, payload: frame.payload))) == nil)
    }

    @Test("However much there is to say of each, so many attempts go into a frame as it holds, in order")
    func framefuls() throws {
        let notes = [0, 4_000, 100, 60_000, 0].map { String(repeating: "n", count: $0) }
        let attempts = (0..<500).map { number in
            SupervisedAttempt(
                key: AttemptKey(sweep: "s1", id: AttemptID(run: number + 1, lease: 1, attempt: 1)),
                state: .ended(ProcessExit(cause: .status(0), note: notes[number % notes.count])))
        }
        let parts = attempts.framefuls
        #expect(parts.flatMap { $0 } == attempts)
        for part in parts {
            _ = try SupervisorReport.inventory(part, isLast: true).frame.encoded
            _ = try SupervisorReport.ended(part).frame.encoded
        }
        #expect(parts.count < 100)
        #expect([SupervisedAttempt]().framefuls.isEmpty)
    }
}

extension Chance {
    mutating func name() -> String { pick(["s1", "größe", "", "two words"]) ?? "" }

    mutating func key() -> AttemptKey {
        let id = AttemptID(run: number(1...9_999), lease: number(0...99), attempt: number(1...9))
        return AttemptKey(sweep: name(), id: id)
    }

    mutating func exit() -> ProcessExit {
        let causes: [ProcessExit.Cause] = [
            .status(number(0...255)), .signal(number(1...64)), .notStarted(step: name(), reason: name()),
            .supervisorLost, .hostLost,
        ]
        return ProcessExit(
            cause: pick(causes) ?? .hostLost, kill: pick(ProcessExit.Kill.allCases) ?? .none,
            wallNanoseconds: Int64(number(0...1 << 50)), cpuNanoseconds: Int64(number(0...1 << 50)),
            peakMemoryBytes: Int64(number(0...1 << 40)), freeBytes: flip() ? .max : Int64(number(0...1 << 40)),
            memoryRanOut: flip(), note: name(), startedAt: optional { Int64($0.number(0...1 << 60)) })
    }

    mutating func supervised() -> SupervisedAttempt {
        SupervisedAttempt(key: key(), state: pick([.queued, .running, .ended(exit())]) ?? .queued)
    }

    mutating func acknowledged() -> Acknowledged { Acknowledged(id: key().id, isLast: flip()) }

    mutating func launch() -> Launch {
        Launch(
            arguments: list(3) { $0.name() }, environment: list(3) { EnvironmentVariable($0.name(), $0.name()) },
            folder: name(), timeLimit: optional { Int64($0.number(0...1 << 50)) },
            stallLimit: optional { Int64($0.number(0...1 << 50)) }, memoryBytes: Int64(number(0...1 << 40)),
            folderLimit: optional { Int64($0.number(0...1 << 50)) })
    }

    mutating func agentRecords() -> [AgentRecord] {
        let context = SweepContext(
            enginePath: optional { $0.name() }, setup: optional { $0.name() }, slots: optional { $0.number(1...64) },
            memoryBytes: optional { Int64($0.number(0...1 << 40)) })
        let job = Job(
            arguments: [.engine, .text(name())], environment: list(2) { EnvironmentVariable($0.name(), $0.name()) },
            inputs: list(2) { Job.Input(path: "a/b", digest: SHA256.digest($0.name()), size: 5) },
            limits: JobLimits(
                time: optional { Int64($0.number(1...99)) }, output: optional { Int64($0.number(1...99)) }))
        return [
            .context(sweep: name(), context),
            .accepted(
                sweep: name(), lease: number(1...99),
                Shard.Entry(run: number(1...99), firstAttempt: number(1...9), attempts: number(1...9), job: job)),
            .cancelled(sweep: name(), list(4) { $0.number(1...99) }),
            .acknowledged(sweep: name(), list(4) { $0.acknowledged() }),
            .revoked(sweep: name(), list(4) { $0.number(1...99) }),
            .over(sweep: name(), list(4) { $0.acknowledged() }), .released(sweep: name()),
        ]
    }

    mutating func supervisorRecords() -> [SupervisorRecord] {
        [
            .began(bootID: name()), .started(key(), at: optional { Int64($0.number(0...1 << 60)) }),
            .ended(key(), exit()), .forgotten(list(4) { $0.key() }),
        ]
    }

    mutating func commands() -> [SupervisorCommand] {
        [
            .capacity(
                slots: number(1...64), memoryBytes: Int64(number(0...1 << 40)),
                sweeps: list(3) { SweepSlots(sweep: $0.name(), slots: $0.number(1...64)) }),
            .start(key(), launch()),
            .kill(key(), pick([.timeout, .cancelled, .revoked]) ?? .none), .forget(list(4) { $0.key() }), .stop,
        ]
    }

    mutating func reports() -> [SupervisorReport] {
        [
            .inventory(list(4) { $0.supervised() }, isLast: flip()), .started(list(4) { $0.key() }),
            .ended(list(4) { $0.supervised() }),
        ]
    }
}
