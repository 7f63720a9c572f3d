import Engines
import Formats
import Model
import SweepCore
import Testing
@testable import CoordinatorRuntime

/// What people are told of a run that a host is at.
@Suite struct LookingTests {
    private static let content = Array(
        ("{\"value\": 1, \"text\": \"" + String(repeating: "ab", count: 150_000) + "\"}").utf8)

    private func phase(_ bench: Bench) -> RunPhase? { bench.loop.work()[0].first?.stage?.phase }

    @Test("When its program has ended, a run's files are collected, fetched and checked: phases of their own")
    func phases() throws {
        let bench = try Bench()
        bench.loop.isWatched = true
        var attempt: AttemptID?
        var collected: BytesDone?
        bench.host.part = { host, message in
            if case .grant(let shard) = message {
                let id = AttemptID(run: 1, lease: shard.lease, attempt: 1)
                attempt = id
                host.say(.started([id]))
                return true
            }
            if case .tail(let request) = message {
                let bytes = collected == nil ? Array("busy\n".utf8) : nil
                host.say(.tail(Tail(run: request.run, path: request.path, bytes: bytes, collected: collected)))
            }
            if case .read(let range) = message { return range.offset > 0 }
            return false
        }
        try bench.run { phase(bench) != nil }
        #expect(phase(bench) == RunPhase("", detail: "busy"))
        collected = BytesDone(done: 0, total: nil)
        try bench.run { phase(bench)?.name == "collecting its files" }
        #expect(phase(bench)?.detail == "")
        collected = BytesDone(done: 1 << 20, total: 3 << 20)
        try bench.run { phase(bench)?.detail != "" }
        let (mib, all) = (PeopleText.size(1 << 20), PeopleText.size(3 << 20))
        #expect(phase(bench) == RunPhase("collecting its files", detail: "\(mib) of \(all)"))

        bench.host.succeed(try #require(attempt), Self.content)
        try bench.run { phase(bench)?.name == "fetching its files" }
        let (here, size) = (PeopleText.size(98_304), PeopleText.size(Int64(Self.content.count)))
        #expect(phase(bench)?.detail == "\(here) of \(size)", "all but the first piece is held back")
        let stage = bench.loop.work()[0].first?.stage
        #expect(try #require(stage).span < 6 * Timing.second, "it is a phase that has just begun")

        bench.workshop.isOpen = false
        for range in bench.host.reads.dropFirst() { bench.host.say(bench.host.answer(to: range)) }
        try bench.run {
            bench.workshop.finish { $0 != .run(1) }
            return phase(bench)?.name == "checking its results"
        }
        #expect(phase(bench) == RunPhase("checking its results"))
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.loop.work() == [[]])
    }

    @Test("The checkpoint that a setup made is being stored")
    func checkpoint() throws {
        let bench = try Bench(engine: SetupEngine())
        bench.loop.isWatched = true
        bench.workshop.isOpen = false
        bench.host.part = { host, message in
            guard case .grant(let shard) = message, shard.entries.map(\.run) == [2] else { return false }
            let id = AttemptID(run: 2, lease: shard.lease, attempt: 1)
            host.say(.started([id]))
            host.succeed(id, [1, 2, 3])
            return true
        }
        try bench.run {
            bench.workshop.finish { $0 != .run(2) || bench.host.reads.isEmpty }
            return phase(bench) != nil
        }
        #expect(phase(bench) == RunPhase("storing the checkpoint"))
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: true))
    }

    @Test("While the files of a failed attempt are fetched, the phase is that of the next attempt")
    func retried() throws {
        let bench = try Bench()
        bench.loop.isWatched = true
        let digest = SHA256.digest(Self.content)
        bench.host.part = { host, message in
            if case .grant(let shard) = message {
                let ids = (1...2).map { AttemptID(run: 1, lease: shard.lease, attempt: $0) }
                let core = Artifact(path: "core", digest: digest, size: Int64(Self.content.count))
                host.say(.started([ids[0]]))
                host.say(.outcome(AttemptReport(id: ids[0], failure: .exitNonzero, artifacts: [core])))
                host.say(.started([ids[1]]))
                return true
            }
            if case .tail(let request) = message {
                host.say(.tail(Tail(run: 1, path: request.path, bytes: Array("the second\n".utf8))))
            }
            if case .read = message { return true }
            return false
        }
        try bench.run { phase(bench) != nil }
        #expect(phase(bench)?.detail == "the second" && !bench.host.reads.isEmpty)
    }
}
