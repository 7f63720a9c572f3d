import AgentCore
import Formats
import Foundation
import Model
import Ports
import Storage
import Testing
@testable import AgentRuntime

/// What the agent does in pieces, and what runs share.
@Suite struct ShellWorkTests {
    private let scratch: Scratch
    private var shell: AgentShell
    private var attempts: String { "\(scratch.path)/attempts" }

    init() throws {
        scratch = try Scratch()
        let attempts = "\(scratch.path)/attempts"
        try FileManager.default.createDirectory(atPath: attempts, withIntermediateDirectories: true)
        shell = try AgentShell(
            host: AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true"),
            root: scratch.path, files: AlteredFiles(clones: false), largeInput: 1_000)
    }

    /// Works until an event comes: how many pieces that took.
    private mutating func pieces(_ budget: Int = 1 << 20) -> (count: Int, events: [AgentEvent]) {
        var count = 0
        while shell.isBusy {
            count += 1
            let (events, _) = shell.goOn(budget: budget)
            if !events.isEmpty { return (count, events) }
        }
        return (count, [])
    }

    @Test("The last byte of an object that an earlier agent began is answered in pieces")
    mutating func largeObject() throws {
        let bytes = [UInt8](repeating: 7, count: 4 << 20)
        let digest = SHA256.digest(bytes)
        let store = try ObjectStore(root: "\(scratch.path)/objects", files: LocalFiles())
        try store.write(digest, at: 0, bytes.dropLast())
        let last = ObjectBytes(digest: digest, offset: Int64(bytes.count) - 1, bytes: [7])
        #expect(shell.store(last, size: Int64(bytes.count)) == nil)
        let (count, events) = pieces()
        #expect(count >= 4)
        #expect(events == [.object(digest, .complete)])
        #expect(try store.verify(digest))
    }

    @Test("An engine is hashed in pieces, and a link to it is what it leads to")
    mutating func engine() throws {
        let bytes = [UInt8](repeating: 9, count: 3 << 20)
        let real = "\(scratch.path)/gem5.opt"
        try Data(bytes).write(to: URL(fileURLWithPath: real))
        #expect(chmod(real, 0o755) == 0)
        try FileManager.default.createSymbolicLink(atPath: "\(scratch.path)/gem5", withDestinationPath: "gem5.opt")
        #expect(shell.probe(5, "\(scratch.path)/gem5") == nil)
        var answers: [(Int, AgentMessage)] = []
        var count = 0
        while shell.isBusy {
            count += 1
            answers += shell.goOn(budget: 1 << 20).answers
        }
        #expect(count >= 3)
        #expect(answers.map(\.0) == [5])
        #expect(
            answers.first?.1
                == .probed(EngineProbe(path: "\(scratch.path)/gem5", digest: SHA256.digest(bytes))))
        #expect(chmod(real, 0o644) == 0)
        #expect(
            shell.probe(5, "\(scratch.path)/gem5")
                == .probed(
                    EngineProbe(
                        path: "\(scratch.path)/gem5", digest: nil, problem: "it cannot be executed: chmod +x")))
    }

    /// Runs that have the same large input, granted and prepared.
    private mutating func prepare(_ runs: [RunNumber], _ bytes: [UInt8]) throws -> [AttemptKey] {
        let digest = SHA256.digest(bytes)
        let input = Job.Input(path: "disk.img", digest: digest, size: Int64(bytes.count))
        let job = Job(arguments: [.text("/bin/true")], inputs: [input])
        let keys = runs.map { AttemptKey(sweep: "s1", id: AttemptID(run: $0, lease: 1, attempt: 1)) }
        if shell.locate(digest) != .object(digest, .complete) {
            let event = shell.store(
                ObjectBytes(digest: digest, offset: 0, bytes: bytes), size: Int64(bytes.count))
            #expect(event == .object(digest, .complete))
        }
        var events: [AgentEvent] = []
        for key in keys {
            #expect(shell.prepare(key, job) == .prepared(key))
            events.append(.prepared(key))
        }
        return keys
    }

    private func path(_ key: AttemptKey) -> String { "\(attempts)/\(key.folder)/disk.img" }

    @Test("A folder that nobody needs is deleted at once if it is large, else when nothing runs")
    mutating func discarding() throws {
        let keys = try prepare([1, 2], [1, 2, 3])
        let folders = keys.map { "\(attempts)/\($0.folder)" }
        try Data(count: 2 << 20).write(to: URL(fileURLWithPath: "\(folders[1])/large.bin"))
        for key in keys {
            shell.beginCollecting(key, ProcessExit(cause: .status(0)), Job(arguments: [.text("/bin/true")]))
        }
        #expect(pieces().events.count + pieces().events.count == 2)
        for key in keys { #expect(shell.discard(key) == nil) }
        #expect(folders.map { FileManager.default.fileExists(atPath: $0) } == [true, false])
        #expect(shell.isBusy, "nothing runs")
        #expect(shell.clear() == nil)
        #expect(!FileManager.default.fileExists(atPath: folders[0]) && !shell.isBusy)
    }

    @Test("Of an attempt whose files are being collected it is told how far that is, and nothing of what it wrote")
    mutating func collecting() throws {
        let key = try prepare([1], [1, 2, 3])[0]
        let request = TailRequest(run: 1, path: "stdout.txt", maximumLength: 10)
        func told() -> Tail? { if case .tail(let tail) = shell.tail(key, request) { tail } else { nil } }
        try Data("so far".utf8).write(to: URL(fileURLWithPath: "\(attempts)/\(key.folder)/stdout.txt"))
        #expect(told() == Tail(run: 1, path: "stdout.txt", bytes: Array("so far".utf8)))
        try Data(count: 4 << 20).write(to: URL(fileURLWithPath: "\(attempts)/\(key.folder)/large.bin"))
        let input = Job.Input(path: "disk.img", digest: SHA256.digest([1, 2, 3]), size: 3)
        let job = Job(arguments: [.text("/bin/true")], inputs: [input])
        shell.beginCollecting(key, ProcessExit(cause: .status(0)), job)
        #expect(told()?.collected == BytesDone(done: 0, total: nil), "it is not known yet what there is")
        var seen: [Int64] = []
        while shell.goOn(budget: 1 << 20).events.isEmpty {
            let tail = try #require(told())
            let collected = try #require(tail.collected)
            #expect(tail.bytes == nil && collected.total == (4 << 20) + 6)
            seen.append(collected.done)
        }
        #expect(seen.count >= 3 && seen == seen.sorted() && seen.last ?? 0 > 1 << 20)
        #expect(told() == Tail(run: 1, path: "stdout.txt", bytes: nil), "it is about to be reported")
    }

    /// A folder as a program leaves it that means harm: many files, deep, with names of all bytes, and closed.
    private func makeMess(_ folder: String, files: Int) throws {
        let script = #"""
            mkdir -p "$1/deep/er" && cd "$1/deep/er" && seq -f f%g 1 "$2" | xargs touch
            : > "$(printf 'a\377b')"; ln -s / root; mkfifo pipe; mkdir closed; : > closed/x
            chmod 0 closed; chmod 0500 "$1/deep" "$1"
            """#
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script, "sh", folder, String(files)]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    private static let key = AttemptKey(sweep: "s1", id: AttemptID(run: 1, lease: 1, attempt: 1))

    @Test(
        "However much is to be deleted, it is out of the way at once, and goes a piece at a time; also after a kill",
        arguments: ["keepOnly", "discard", "sweep", "prepare"])
    mutating func muchToDelete(_ way: String) throws {
        let removals = Removals()
        let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true")
        let root = scratch.path
        func start() throws -> AgentShell {
            try AgentShell(host: host, root: root, files: AlteredFiles(removals: removals))
        }
        let folder = "\(attempts)/\(Self.key.folder)"
        try makeMess(folder, files: 3_000)
        shell = try start()
        switch way {
        case "keepOnly": #expect(shell.keepOnly([]) == nil)
        case "discard": #expect(shell.discard(Self.key) == nil)
        case "sweep": #expect(shell.discardSweep("s1") == nil)
        default:
            let event = shell.prepare(Self.key, Job(arguments: [.text("/bin/true")]))
            #expect(event == .prepared(Self.key))
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/deep"))
        var pieces = 0
        while shell.isBusy {
            _ = shell.goOn(budget: 1 << 20)
            #expect(shell.clear() == nil)
            pieces += 1
            // Killed: the next one finds what is left.
            if pieces == 3 { shell = try start() }
        }
        #expect(pieces >= 3_000 / AgentShell.deletedAtOnce)
        #expect(removals.most(below: "\(attempts)/") == AgentShell.deletedAtOnce)
        let rest = try FileManager.default.subpathsOfDirectory(atPath: attempts).sorted()
        let expected = ["keepOnly": [], "sweep": [], "discard": ["s1"]]
        #expect(rest == expected[way] ?? ["s1", Self.key.folder, "\(Self.key.folder)/point.json"])
    }

    @Test("What cannot be deleted keeps nobody busy for ever, and goes once it can be")
    mutating func stuck() throws {
        try makeMess("\(attempts)/\(Self.key.folder)", files: 10)
        let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true")
        shell = try AgentShell(host: host, root: scratch.path, files: AlteredFiles(removes: false))
        _ = shell.keepOnly([])
        var problems: [String] = []
        while shell.isBusy {
            _ = shell.goOn(budget: 1 << 20)
            if let problem = shell.clear() { problems.append(problem) }
        }
        #expect(problems.count == 5 && problems[0].contains("cannot remove"))
        shell = try AgentShell(host: host, root: scratch.path, files: LocalFiles())
        #expect(shell.isBusy && shell.clear() == nil && !shell.isBusy)
        #expect(try FileManager.default.contentsOfDirectory(atPath: attempts) == [])
    }

    /// A bit of a file changes on the disk, which nobody did.
    private func flip(_ path: String) throws {
        let before = try #require(try LocalFiles().status(path))
        #expect(chmod(path, 0o600) == 0)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: 0)
        try file.write(contentsOf: Data([byte ^ 4]))
        try file.close()
        #expect(chmod(path, mode_t(before.mode)) == 0)
        try LocalFiles().setModified(path, before.modified)
    }

    /// A time that no file here is as new as.
    private static let wall: Nanoseconds = 4_000_000_000_000_000_000

    /// What is found until all was read once, and when that was.
    private mutating func scrub(
        from start: Nanoseconds
    ) -> (found: [(damage: ObjectDamage, users: [AttemptKey])], end: Nanoseconds) {
        var now = start
        var found: [(damage: ObjectDamage, users: [AttemptKey])] = []
        while let due = shell.nextScrub, due < start + 3_600_000_000_000 {
            now = max(now, due)
            if let damage = shell.goOnScrubbing(now: now, wall: Self.wall + now) { found.append(damage) }
        }
        return (found, now)
    }

    @Test("A flipped bit is found when objects are read again; who has it is set aside, and it is fetched again")
    mutating func flippedBit() throws {
        let (good, bad) = ([UInt8](repeating: 1, count: 3 << 20), [UInt8](repeating: 2, count: 3 << 20))
        let digests = [good, bad].map { SHA256.digest($0) }
        func job(_ place: Int) -> Job {
            Job(
                arguments: [.text("/bin/true")],
                inputs: [Job.Input(path: "disk.img", digest: digests[place], size: Int64(good.count))])
        }
        let hello = CoordinatorHello(sweep: "s1", leaseTerm: 40_000_000_000, slots: 4)
        let entries = (1...3).map { Shard.Entry(run: $0, firstAttempt: 1, attempts: 1, job: job($0 == 3 ? 0 : 1)) }
        _ = try shell.step(
            [
                .supervisorReady([]), .connected(1), .message(1, .hello(hello)),
                .message(1, .grant(Shard(lease: 1, entries: entries))), .object(digests[0], .complete),
                .object(digests[1], .complete),
            ], now: 1)
        _ = try shell.step([.timer], now: 2)
        let keys = try prepare([1, 2], bad) + prepare([3], good)
        shell.beginScrub(now: 10)
        #expect(scrub(from: 10).found.isEmpty)
        let path = "\(scratch.path)/objects/\(digests[1].hex.prefix(2))/\(digests[1].hex)"
        let came = try #require(try LocalFiles().status(path)?.modified)
        try flip(path)
        shell.beginScrub(now: 20)
        let (found, end) = scrub(from: 20)
        #expect(found.map(\.damage.digest) == [digests[1]] && found.first?.users == [keys[0], keys[1]])
        #expect(end - 20 > 1_000_000_000, "6 MiB at 4 MiB/s")
        let damage = try #require(found.first).damage
        #expect(damage.wholeAt == came, "that it was read was not written down yet")
        #expect(damage.foundAt > damage.wholeAt && damage.foundAt <= Self.wall + end)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(shell.locate(digests[1]) == .object(digests[1], .partial(0)))
        for key in keys { shell.beginCollecting(key, ProcessExit(cause: .status(0)), job(key.id.run == 3 ? 0 : 1)) }
        let reports = pieces().events.compactMap { if case .collected(_, let report) = $0 { report } else { nil } }
        #expect(reports.map(\.failure) == [.spawn, .spawn, nil])
        #expect(reports[0].evidence.contains("its input disk.img was found damaged on this host's disk"))
        // The next agent tells it to whoever comes.
        let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true")
        shell = try AgentShell(host: host, root: scratch.path, files: LocalFiles())
        let effects = try shell.step([.supervisorReady([]), .connected(1), .message(1, .hello(hello))], now: 30)
        #expect(effects.contains(.send(1, .damaged(damage))))
    }

    @Test("The next agent sets aside what was prepared before an input was found damaged, begun or not, nothing else")
    mutating func preparedBefore() throws {
        let bytes = [UInt8](repeating: 3, count: 5_000)
        let digest = SHA256.digest(bytes)
        let input = Job.Input(path: "disk.img", digest: digest, size: Int64(bytes.count))
        let job = Job(arguments: [.text("/bin/true")], inputs: [input])
        let entries = (1...3).map { Shard.Entry(run: $0, firstAttempt: 1, attempts: 1, job: job) }
        let hello = CoordinatorHello(sweep: "s1", leaseTerm: 40_000_000_000, slots: 4)
        let grant = AgentEvent.message(1, .grant(Shard(lease: 1, entries: entries)))
        _ = try shell.step([.supervisorReady([]), .connected(1), .message(1, .hello(hello)), grant], now: 1)
        let before = try prepare([1, 2], bytes)
        shell.beginScrub(now: 10)
        try flip("\(scratch.path)/objects/\(digest.hex.prefix(2))/\(digest.hex)")
        let damage = try #require(scrub(from: 10).found.first).damage
        let after = try prepare([3], bytes)
        try LocalFiles().setModified("\(attempts)/\(after[0].folder)/point.json", damage.foundAt + 1)
        let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true")
        shell = try AgentShell(host: host, root: scratch.path, files: LocalFiles())
        let adopted = zip(before + after, [SupervisedAttempt.State.queued, .running, .running])
        _ = try shell.step([.supervisorReady(adopted.map { SupervisedAttempt(key: $0, state: $1) })], now: 20)
        for key in before + after { shell.beginCollecting(key, ProcessExit(cause: .status(0)), job) }
        let reports = pieces().events.compactMap { if case .collected(_, let report) = $0 { report } else { nil } }
        #expect(reports.map(\.failure) == [.spawn, .spawn, nil])
    }

    @Test("Where the clock was turned back since an object came, nobody knows since when it is damaged")
    mutating func turnedBack() throws {
        let store = try ObjectStore(root: "\(scratch.path)/objects", files: LocalFiles())
        let digest = try store.publish([UInt8](repeating: 5, count: 5_000))
        try LocalFiles().setModified(store.path(digest), 3_000_000_000_000_000_000)
        let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true")
        shell = try AgentShell(host: host, root: scratch.path, files: LocalFiles())
        try flip(store.path(digest))
        shell.beginScrub(now: 0)
        let found = (0..<4).compactMap { shell.goOnScrubbing(now: $0 * 1_000_000_000, wall: 2_000_000_000_000_000_000) }
        #expect(found.map(\.damage.wholeAt) == [0])
        #expect(found.map(\.damage.foundAt) == [2_000_000_000_000_000_000])
    }

    @Test("The next agent goes on reading where the last one was")
    mutating func scrubPosition() throws {
        let store = try ObjectStore(root: "\(scratch.path)/objects", files: LocalFiles())
        let digests = try (0..<4).map { try store.publish([UInt8](repeating: UInt8($0), count: 1 << 20)) }.sorted()
        let host = AgentCore.Host(processors: 2, memoryBytes: 1 << 30, attempts: attempts, program: "/bin/true")
        shell = try AgentShell(host: host, root: scratch.path, files: AlteredFiles())
        shell.beginScrub(now: 0)
        // Each takes two steps: the second finds its end. They are long enough apart to be written down.
        for step in 0..<4 {
            #expect(shell.goOnScrubbing(now: Nanoseconds(step) * 100_000_000_000, wall: Self.wall) == nil)
        }
        try flip("\(scratch.path)/objects/\(digests[0].hex.prefix(2))/\(digests[0].hex)")
        shell = try AgentShell(host: host, root: scratch.path, files: AlteredFiles())
        shell.beginScrub(now: 0)
        var steps = 1
        func step() -> (damage: ObjectDamage, users: [AttemptKey])? {
            shell.goOnScrubbing(now: Nanoseconds(steps) * 1_000_000_000, wall: Self.wall + 9)
        }
        var found = step()
        while found == nil, steps < 20 {
            steps += 1
            found = step()
        }
        #expect(steps == 6, "after the third and the fourth")
        #expect(found?.damage == ObjectDamage(digest: digests[0], wholeAt: Self.wall, foundAt: Self.wall + 9))
    }

    @Test("Runs that share a large input, one of which writes to it: both are set aside, later ones get copies")
    mutating func sharedInput() throws {
        let bytes = [UInt8](repeating: 1, count: 5_000)
        let digest = SHA256.digest(bytes)
        let job = Job(
            arguments: [.text("/bin/true")],
            inputs: [Job.Input(path: "disk.img", digest: digest, size: Int64(bytes.count))])
        // The core knows the runs, so that it can be told who shares what.
        let hello = CoordinatorHello(sweep: "s1", leaseTerm: 40_000_000_000, slots: 4)
        let entries = (1...3).map { Shard.Entry(run: $0, firstAttempt: 1, attempts: 1, job: job) }
        _ = try shell.step(
            [
                .supervisorReady([]), .connected(1), .message(1, .hello(hello)),
                .message(1, .grant(Shard(lease: 1, entries: entries))), .object(digest, .complete),
            ], now: 1)
        _ = try shell.step([.timer], now: 2)
        let keys = try prepare([1, 2], bytes)
        let objectPath = "\(scratch.path)/objects/\(digest.hex.prefix(2))/\(digest.hex)"
        let object = try #require(try LocalFiles().status(objectPath))
        let first = try #require(try LocalFiles().status(path(keys[0])))
        #expect(first.identity == object.identity)
        #expect(chmod(path(keys[0]), 0o600) == 0)
        let file = try #require(FileHandle(forWritingAtPath: path(keys[0])))
        try file.write(contentsOf: Data([9]))
        try file.close()
        for key in keys { shell.beginCollecting(key, ProcessExit(cause: .status(0)), job) }
        let reports = pieces().events.compactMap { if case .collected(_, let report) = $0 { report } else { nil } }
        #expect(reports.map(\.failure) == [.spawn, .spawn])
        #expect(reports[0].evidence.contains("its input disk.img was changed while it ran, by one of the runs"))
        // From now on nobody shares it.
        let later = try prepare([3], bytes)
        let third = try #require(try LocalFiles().status(path(later[0])))
        let again = try LocalFiles().status(objectPath)
        #expect(third.identity != again?.identity)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path(later[0]))) == Data(bytes))
    }
}
