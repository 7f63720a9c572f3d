import Formats
import Foundation
import Model
import Storage
import Testing
@testable import AgentRuntime


/// The objects that a host keeps, with real files.
@Suite(.serialized) struct CacheTests {
    private let scratch: Scratch
    private var root: String { "\(scratch.path)/objects" }

    init() throws { scratch = try Scratch() }

    private func cache(_ budget: Int64 = ObjectCache.budget) throws -> ObjectCache {
        try ObjectCache(root: root, files: LocalFiles(), budget: budget)
    }

    /// An object of 1,000 bytes, as if it had been fetched.
    private func fetch(_ byte: UInt8, into cache: inout ObjectCache) throws -> Digest {
        let bytes = [UInt8](repeating: byte, count: 1_000)
        let digest = SHA256.digest(bytes)
        #expect(try cache.write(ObjectBytes(digest: digest, offset: 0, bytes: bytes), size: 1_000) == .complete)
        return digest
    }

    private func exists(_ digests: [Digest]) -> [Bool] {
        digests.map { FileManager.default.fileExists(atPath: "\(root)/\($0.hex.prefix(2))/\($0.hex)") }
    }

    @Test("Beyond the budget the least recently used go, and nothing that is needed")
    func leastRecentlyUsed() throws {
        var cache = try cache(2_500)
        var digests: [Digest] = []
        for byte in 0..<5 as Range<UInt8> { digests.append(try fetch(byte, into: &cache)) }
        #expect(try cache.has(digests[0]))
        let gone = try cache.trim(keeping: { [digests[1]] }, now: 0)
        #expect(gone == [digests[2], digests[3], digests[4]])
        #expect(exists(digests) == [true, true, false, false, false])
        #expect(try !cache.has(digests[2]) && cache.has(digests[0]))
    }

    @Test("A transfer that begins again is judged by what came then, not by what came before")
    func beginsAgain() throws {
        var cache = try cache()
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        let digest = SHA256.digest(bytes)
        func piece(_ range: Range<Int>, _ bytes: [UInt8]) -> ObjectBytes {
            ObjectBytes(digest: digest, offset: Int64(range.lowerBound), bytes: Array(bytes[range]))
        }
        #expect(try cache.write(piece(0..<600, bytes), size: 1_000) == .more)
        try cache.store.removePartial(of: digest)
        let wrong = [UInt8](repeating: 7, count: 1_000)
        #expect(try cache.write(piece(0..<300, wrong), size: 1_000) == .more)
        #expect(try cache.write(piece(300..<600, wrong), size: 1_000) == .more)
        #expect(throws: Failure.self) { try cache.write(piece(600..<1_000, bytes), size: 1_000) }
        #expect(exists([digest]) == [false])
    }

    @Test("A lower limit holds at once, a higher one from then on")
    func otherLimit() throws {
        var cache = try cache(10_000)
        let digests = try (0..<4).map { try fetch($0, into: &cache) }
        #expect(try cache.trim(keeping: { [] }, now: 0).isEmpty)
        cache.limit(2_000)
        #expect(try cache.trim(keeping: { [] }, now: 1) == [digests[0], digests[1]])
        cache.limit(4_000)
        let more = try (4..<6).map { try fetch($0, into: &cache) }
        #expect(try cache.trim(keeping: { [] }, now: 1 << 40).isEmpty)
        #expect(exists(digests + more) == [false, false, true, true, true, true])
    }

    @Test("What is needed stays, however much it is; below the budget all stays")
    func needed() throws {
        var cache = try cache(1_000)
        let digests = try (0..<3).map { try fetch($0, into: &cache) }
        #expect(try cache.trim(keeping: { Set(digests) }, now: 0).isEmpty)
        #expect(try cache.clear(keeping: Set(digests)).isEmpty)
        #expect(exists(digests) == [true, true, true])
        #expect(try cache.clear(keeping: [digests[1]]) == [digests[0], digests[2]])
        var wide = try self.cache(1_000)
        #expect(try wide.trim(keeping: { [] }, now: 0).isEmpty)
        #expect(exists(digests) == [false, true, false])
    }

    @Test("The disk is looked at now and then, not at every step")
    func pauses() throws {
        var cache = try cache(500)
        #expect(try cache.trim(keeping: { [] }, now: 0).isEmpty)
        let digest = try fetch(1, into: &cache)
        #expect(try cache.trim(keeping: { [] }, now: 9_999_999_999).isEmpty)
        #expect(try cache.trim(keeping: { [] }, now: 10_000_000_000) == [digest])
    }

    @Test("After a restart the oldest go first")
    func restart() throws {
        var first = try cache()
        let digests = try (0..<3).map { try fetch($0, into: &first) }
        for (digest, time) in zip(digests, [300, 100, 200]) {
            let times = [timeval(tv_sec: time, tv_usec: 0), timeval(tv_sec: time, tv_usec: 0)]
            #expect(utimes("\(root)/\(digest.hex.prefix(2))/\(digest.hex)", times) == 0)
        }
        var second = try cache(1_500)
        #expect(try second.trim(keeping: { [] }, now: 0) == [digests[1], digests[2]])
    }

    @Test("Parts of transfers that nobody goes on with are removed, others are gone on from")
    func parts() throws {
        var first = try cache()
        let digests = (0..<2).map { SHA256.digest("\($0)") }
        for digest in digests {
            #expect(try first.write(ObjectBytes(digest: digest, offset: 0, bytes: [1, 2, 3]), size: 10) == .more)
        }
        for now in [0, 20_000_000_000] as [Nanoseconds] {
            var second = try cache()
            #expect(try second.trim(keeping: { [digests[1]] }, now: now).isEmpty)
            #expect(try second.store.partialSize(digests[0]) == 0)
            #expect(try second.store.partialSize(digests[1]) == 3)
        }
    }

    @Test("An object that a program wrote to is not given to another")
    func damaged() throws {
        var cache = try cache()
        let digest = try fetch(1, into: &cache)
        let path = "\(root)/\(digest.hex.prefix(2))/\(digest.hex)"
        #expect(try cache.has(digest))
        #expect(chmod(path, 0o600) == 0)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: Data([9]))
        try file.close()
        #expect(try !cache.has(digest))
        #expect(exists([digest]) == [false])
        #expect(try fetch(1, into: &cache) == digest)
        #expect(try cache.store.verify(digest))
    }

    // MARK: With a real agent

    private func input(_ byte: UInt8, _ count: Int) -> (bytes: [UInt8], job: Job.Input) {
        let bytes = [UInt8](repeating: byte, count: count)
        return (bytes, Job.Input(path: "data", digest: SHA256.digest(bytes), size: Int64(count)))
    }

    @Test("A run that writes into its inputs harms nobody else")
    func writesIntoInputs() throws {
        let agent = try Attached(scratch.path)
        try agent.hello()
        let data = input(7, 5_000)
        agent.objects[data.job.digest] = data.bytes
        let writes = script("chmod u+w data; echo junk >> data; wc -c < data", inputs: [data.job])
        let reads = script("wc -c < data; cp data copy", inputs: [data.job])
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, writes), entry(2, reads)])))
        let reports = try agent.outcomes(2)
        #expect(reports.map(\.failure) == [nil, nil])
        #expect(try agent.fetch(reports[0], "stdout.txt") == Array("5005\n".utf8))
        #expect(reports[1].artifacts.first { $0.path == "copy" }?.digest == data.job.digest)
    }

    /// A small file system as the working folder, until the agent in it has ended.
    private func withSmallDisk(_ body: () throws -> Void) throws {
        try #require(mount("tmpfs", scratch.path, "tmpfs", 0, "size=6m") == 0)
        defer {
            _ = try? Attached.run(["stop", "--workdir", scratch.path])
            umount2(scratch.path, Int32(MNT_DETACH))
        }
        try body()
    }

    @Test(
        "On a full disk objects that nobody needs make room for those that are",
        .enabled(if: getuid() == 0, "needs root for a tmpfs"))
    func fullDisk() throws {
        try withSmallDisk {
            let agent = try Attached(scratch.path)
            try agent.hello()
            // Each fits once beside the copy that a run is given; no two of them do.
            for lease in 1...4 {
                let data = input(UInt8(lease), 2 << 20)
                agent.objects[data.job.digest] = data.bytes
                try agent.send(
                    .grant(Shard(lease: lease, entries: [entry(lease, script("cksum data", inputs: [data.job]))])))
                let report = try agent.outcome()
                #expect(report.failure == nil, "\(lease): \(report.evidence)")
                try agent.acknowledge([report])
            }
        }
    }

    @Test(
        "Objects that accepted runs refer to stay, though the disk is full: the class is disk-full",
        .enabled(if: getuid() == 0, "needs root for a tmpfs"))
    func fullDiskOfNeeded() throws {
        try withSmallDisk {
            let agent = try Attached(scratch.path)
            try agent.hello()
            let first = input(1, 2 << 20)
            let second = input(2, 3 << 20)
            for data in [first, second] { agent.objects[data.job.digest] = data.bytes }
            let gate = "\(scratch.path)/gate"
            let waits = script(
                "while [ ! -e \"$GATE\" ]; do sleep 0.05; done; cksum data", inputs: [first.job],
                environment: [EnvironmentVariable("GATE", gate)])
            try agent.send(.grant(Shard(lease: 1, entries: [entry(1, waits)])))
            try agent.started(1)
            try agent.send(.grant(Shard(lease: 2, entries: [entry(2, script("true", inputs: [second.job]))])))
            #expect(try agent.outcome().failure == .diskFull)
            #expect(FileManager.default.createFile(atPath: gate, contents: nil))
            let report = try agent.outcome()
            #expect(report.failure == nil, "\(report.evidence)")
        }
    }
}
