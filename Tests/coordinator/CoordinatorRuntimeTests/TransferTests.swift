import Formats
import Model
import Ports
import Storage
import SweepCore
import Testing
@testable import CoordinatorRuntime


@Suite("Files on their way, both ways")
struct TransferTests {
    /// A result of several ranges.
    private static let large: [UInt8] = Array(
        ("{\"value\": 1, \"text\": \"" + String(repeating: "ab", count: 150_000) + "\"}").utf8)

    /// A host that reports the large result, and answers reads as the test says.
    private func bench(
        _ content: [UInt8] = large, hosts: [String] = ["h0"],
        read: @escaping (FakeHost, ObjectRange) -> Bool = { _, _ in false }
    ) throws -> Bench {
        let bench = try Bench(hosts: hosts)
        for host in bench.hosts {
            host.part = { host, message in
                switch message {
                case .grant(let shard):
                    for entry in shard.entries {
                        host.leases = [HeldLease(lease: shard.lease, runs: [entry.run])]
                        host.succeed(
                            AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt), content)
                    }
                    return true
                case .read(let range): return read(host, range)
                case .hello, .revoke, .cancel, .acknowledge, .bytes, .packed, .probe, .tail, .heartbeat, .release,
                    .holder, .cacheLimit, .terms, .share, .elsewhere:
                    return false
                }
            }
        }
        return bench
    }

    private func refusal(_ bench: Bench) throws -> String {
        if case .noHost(let reason) = try bench.run() { return reason }
        return "it went on"
    }

    @Test("A large file comes in ranges, and is stored as it was")
    func whole() throws {
        let bench = try bench()
        #expect(try bench.run() == .complete(allSucceeded: true))
        let digest = SHA256.digest(Self.large)
        #expect(try bench.store.verify(digest))
        #expect(bench.host.reads.map(\.offset) == [0, 98_304, 196_608, 294_912])
        #expect(bench.host.acknowledged.map(\.run) == [1])
    }

    @Test("Broken off, it goes on where it stopped, on the next stream")
    func resumed() throws {
        let bench = try bench { host, range in
            guard host.streams == 1, range.offset > 98_304 else { return false }
            host.breakOff()
            return true
        }
        var before = 0
        try bench.run(until: {
            before = bench.host.reads.count
            return bench.host.streams == 2
        })
        let digest = SHA256.digest(Self.large)
        #expect(try bench.store.partialSize(digest) == 196_608)
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.host.reads.dropFirst(before).map(\.offset) == [196_608, 294_912])
        #expect(try bench.store.verify(digest))
        #expect(bench.ledger.ends.map(\.id.lease) == [1], "it is the same attempt")
    }

    @Test("Bytes that nobody asked for end the stream for good")
    func unasked() throws {
        let other = SHA256.digest("other")
        let lies: [(FakeHost, ObjectRange) -> AgentMessage] = [
            { _, range in .bytes(ObjectBytes(digest: other, offset: range.offset, bytes: [1])) },
            { _, range in .bytes(ObjectBytes(digest: range.digest, offset: range.offset + 1, bytes: [1])) },
            { _, range in
                let long = [UInt8](repeating: 1, count: range.length + 1)
                return .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: long))
            },
        ]
        for lie in lies {
            let bench = try bench { host, range in
                host.say(lie(host, range))
                return true
            }
            #expect(try refusal(bench).contains("bytes that were not asked for"))
            #expect(try !bench.store.contains(other))
            #expect(bench.ledger.ends.isEmpty)
        }
    }

    @Test("Bytes that arrive damaged, or break off, are asked for again: the attempt counts", arguments: 1...3)
    func damagedOnce(times: Int) throws {
        var damages = 0
        let bench = try bench { host, range in
            guard range.offset == 0, damages < times else { return false }
            damages += 1
            let count = times == 2 ? range.length : range.length - 1
            let bytes = [UInt8](repeating: 7, count: count)
            host.say(.bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes)))
            return true
        }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.map(\.failure) == [nil])
        #expect(damages == times)
        #expect(try bench.store.verify(SHA256.digest(Self.large)))
    }

    @Test("Bytes that one connection cannot bring come on the next: the attempt counts", arguments: [true, false])
    func damagedStream(isThere: Bool) throws {
        let bench = try bench { host, range in
            guard host.streams < Transfers.mostStreams else { return false }
            let bytes = [UInt8](repeating: 7, count: range.length)
            let piece = ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes)
            host.say(isThere ? .bytes(piece) : .missing(range.digest, reason: "Input/output error"))
            return true
        }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.map(\.failure) == [nil] && bench.host.streams == Transfers.mostStreams)
        #expect(try bench.store.verify(SHA256.digest(Self.large)))
    }

    @Test("What a connection cannot bring waits until it has brought the rest")
    func postponed() throws {
        let good: [UInt8] = Array("{\"value\": 1}".utf8)
        let bad: [UInt8] = Array("{\"value\": 2}".utf8)
        let digest = SHA256.digest(bad)
        var transfers = Transfers()
        var reports: [AttemptReport] = []
        for (run, content) in [(1, bad), (2, good)] {
            let artifact = Artifact(path: "results.json", digest: SHA256.digest(content), size: Int64(content.count))
            let id = AttemptID(run: run, lease: 1, attempt: 1)
            reports.append(AttemptReport(id: id, artifacts: [artifact]))
        }
        for _ in 1..<Transfers.mostStreams {
            for report in reports { #expect(try transfers.begin(report, StoredParts()) == nil) }
            #expect(transfers.requests().count == 2)
            #expect(transfers.lose(digest, reason: "Input/output error").isEmpty && transfers.problem == nil)
            let piece = try transfers.receive(ObjectBytes(digest: SHA256.digest(good), offset: 0, bytes: good)).write
            #expect(transfers.wrote(try #require(piece), .whole).map(\.id.run) == [2])
            #expect(transfers.problem?.contains("'results.json' is fetched again") ?? false)
            transfers = transfers.forNextStream
            #expect(transfers.problem == nil)
        }
        #expect(try transfers.begin(reports[0], StoredParts()) == nil)
        #expect(transfers.requests().count == 1)
        #expect(transfers.lose(digest, reason: "Input/output error").map(\.failure) == [.hostLost])
    }

    @Test("A file that is not what its digest says costs the run nothing: the attempt is lost, and made again")
    func wrongDigest() throws {
        let bench = try bench { host, range in
            guard host.grants.count == 1 else { return false }
            let bytes = [UInt8](repeating: 7, count: range.length)
            host.say(.bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes)))
            return true
        }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.map(\.failure) == [.hostLost, nil])
        let evidence = bench.ledger.evidence[0]
        #expect(evidence.contains("results.json") && evidence.contains("its bytes are not those"))
        #expect(bench.loop.state[1].failures == 0 && bench.loop.state[1].losses == 1)
        #expect(bench.host.acknowledged.map(\.attempt) == bench.ledger.ends.map(\.id.attempt))
        #expect(try bench.store.verify(SHA256.digest(Self.large)))
    }

    @Test("A file that shrank, or can be read no more, costs the run nothing; late answers do no harm")
    func unreadable() throws {
        let digest = SHA256.digest(Self.large)
        let failures: [(FakeHost, ObjectRange) -> AgentMessage] = [
            { _, _ in .missing(digest, reason: "input/output error") },
            { _, range in .bytes(ObjectBytes(digest: digest, offset: range.offset, bytes: [])) },
            { _, range in .bytes(ObjectBytes(digest: digest, offset: range.offset, bytes: [1, 2])) },
        ]
        for failure in failures {
            let bench = try bench { host, range in
                // The second range fails; those asked for behind it are answered as if nothing were.
                guard host.grants.count == 1, range.offset == 98_304 else { return false }
                host.say(failure(host, range))
                return true
            }
            #expect(try bench.run() == .complete(allSucceeded: true))
            #expect(bench.ledger.ends.map(\.failure) == [.hostLost, nil])
            #expect(bench.loop.state[1].failures == 0)
        }
    }

    @Test("Two hosts bring the same file at once: one of them is enough")
    func sameFile() throws {
        let digest = SHA256.digest(Self.large)
        let bench = try Bench(runs: 4, hosts: ["h0", "h1"])
        var held: [ObjectRange] = []
        for host in bench.hosts {
            host.part = { host, message in
                if case .grant(let shard) = message {
                    for entry in shard.entries {
                        host.succeed(
                            AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt), Self.large)
                    }
                    return true
                }
                // The first waits in the middle until the second has brought all of it.
                guard host.name == "h0", case .read(let range) = message, range.offset > 0 else { return false }
                held.append(range)
                return true
            }
        }
        try bench.run(until: { bench.ledger.ends.count == 2 })
        #expect(try bench.store.contains(digest) && held.count == 3)
        for range in held { bench.hosts[0].say(bench.hosts[0].answer(to: range)) }
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.ledger.ends.map(\.failure) == [nil, nil, nil, nil])
    }

    @Test(
        "Who gives a known object another size is dropped for good, and nothing is read for it",
        arguments: [0, 5, 1 << 32])
    func wrongSize(size: Int64) throws {
        let bench = try Bench()
        let known = try bench.store.publish(Array("{\"value\": 1}".utf8))
        bench.host.part = { host, message in
            guard case .grant(let shard) = message else { return false }
            let id = AttemptID(run: 1, lease: shard.lease, attempt: 1)
            let artifact = Artifact(path: "results.json", digest: known, size: size)
            host.say(.outcome(AttemptReport(id: id, artifacts: [artifact])))
            return true
        }
        #expect(try refusal(bench).contains("announced \(size) bytes as an object of 12"))
    }

    @Test("Who gives an unknown object no size is dropped for good")
    func wrongEmpty() throws {
        let bench = try Bench()
        bench.host.part = { host, message in
            guard case .grant(let shard) = message else { return false }
            let artifact = Artifact(path: "results.json", digest: SHA256.digest("unknown"), size: 0)
            let id = AttemptID(run: 1, lease: shard.lease, attempt: 1)
            host.say(.outcome(AttemptReport(id: id, artifacts: [artifact])))
            return true
        }
        #expect(try refusal(bench).contains("an empty file with the digest of another file"))
    }

    @Test("No more than a megabyte is asked for at a time")
    func window() throws {
        let content = [UInt8](repeating: 1, count: 3 << 20)
        let bench = try bench(content) { _, _ in true }
        try bench.run(until: { !bench.host.reads.isEmpty })
        let asked = bench.host.reads.reduce(0) { $0 + $1.length }
        #expect((1 << 20..<(1 << 20) + ObjectRange.maximumLength).contains(asked))
        bench.host.say(bench.host.answer(to: bench.host.reads[0]))
        let before = bench.host.reads.count
        try bench.run(until: { bench.host.reads.count > before })
        #expect(bench.host.reads.count == before + 1)
    }

    // MARK: To the host

    @Test("A host is given the bytes of its inputs, as it asks for them")
    func inputs() throws {
        let input = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let digest = SHA256.digest(input)
        let bench = try Bench(inputs: [("data", input)])
        let ranges = [(0, 98_304), (98_304, 98_304), (196_608, 3_392), (199_999, 500)].map {
            ObjectRange(digest: digest, offset: Int64($0.0), length: $0.1)
        }
        bench.host.part = { host, message in
            guard case .grant(let shard) = message, host.pieces.isEmpty else { return false }
            #expect(shard.entries[0].job.inputs == [Job.Input(path: "data", digest: digest, size: 200_000)])
            for range in ranges { host.say(.want(range)) }
            return true
        }
        try bench.run(until: { bench.host.pieces.count == ranges.count })
        #expect(bench.host.pieces.prefix(3).flatMap(\.bytes) == input)
        #expect(bench.host.pieces[3].bytes == [input[199_999]], "no more than there is")
    }

    @Test("Thousands of inputs go as an object of their own, the same for all runs")
    func manyInputs() throws {
        let inputs = (0..<3_000).map { ("folder/file-\($0)", [UInt8]("\($0)".utf8)) }
        let bench = try Bench(runs: 3, inputs: inputs)
        #expect(try bench.run() == .complete(allSucceeded: true))
        let jobs = bench.host.grants.flatMap(\.entries).map(\.job)
        let list = try #require(jobs.first?.inputList)
        #expect(jobs.count == 3 && jobs.allSatisfy { $0.inputs.isEmpty && $0.inputList == list })
        let bytes = try bench.store.read(list.digest, at: 0, count: Int(list.size))
        #expect(try InputList.decode(bytes).map(\.path) == inputs.map(\.0))
    }

    @Test("An agent that knows no lists of inputs is refused, by that reason")
    func manyInputsOfOld() throws {
        let bench = try Bench(inputs: (0..<3_000).map { ("folder/file-\($0)", [1]) })
        bench.host.versions = 1...1
        #expect(try refusal(bench).contains("cannot take so many inputs"))
        #expect(bench.host.grants.isEmpty)
    }

    @Test("A host that asks for what it was not given, or behind its end, is dropped for good")
    func wantsOthers() throws {
        let input: [UInt8] = [1, 2, 3]
        let wants = [
            ObjectRange(digest: SHA256.digest("secret"), offset: 0, length: 1),
            ObjectRange(digest: SHA256.digest(input), offset: 3, length: 1),
        ]
        for range in wants {
            let bench = try Bench(inputs: [("data", input)])
            bench.host.part = { host, message in
                guard case .grant = message else { return false }
                host.say(.want(range))
                return true
            }
            #expect(try refusal(bench).contains("an object that it was not given"))
            #expect(bench.host.pieces.isEmpty)
        }
    }
}
