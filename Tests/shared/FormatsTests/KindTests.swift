import Formats
import Foundation
import Model
import TestKit
import Testing

/// Each kind of message and record: its golden bytes, and its row in the manual's page Formats.
@Suite("Kinds of messages and records")
struct KindTests {
    private static let digest = SHA256.digest("x")
    private static let id = AttemptID(run: 3, lease: 2, attempt: 1)
    private static let place = SharingPlace(address: "192.0.2.1", port: 7_001)
    private static let report = AttemptReport(
        id: id, failure: .timeout, evidence: "it took 2 h", wallNanoseconds: 7_200_000_000_000, peakMemoryBytes: 4_096,
        artifacts: [Artifact(path: "out/stats.txt", digest: digest, size: 300)], startedAt: 1_700_000_000_000_000_000)

    /// Everything that a job can say.
    private static let job = {
        var job = Job(
            arguments: [.engine, .agent, .text("a b"), .joined([.text("x"), .run, .attempt])],
            environment: [EnvironmentVariable("A", "1")],
            joinedEnvironment: [Job.JoinedVariable("B", [.run, .text("!")])], pointDocument: "{\"x\":1}",
            inputs: [Job.Input(path: "run.sh", digest: digest, size: 9, isExecutable: true)],
            inputList: InputListName(digest: digest, size: 90_000),
            limits: JobLimits(time: 1, stall: 2, memoryBytes: 3, output: 4), maximumFailures: 3)
        job.artifacts = ArtifactRule(keep: ["*.txt"], leave: ["*.log"], most: 1 << 30, evidence: ["results.json"])
        job.slots = 2
        job.shares = [ResourceShare(name: "kvm", count: 1, capacity: 4)]
        return job
    }()

    private static let terms = {
        var terms = HostTerms()
        (terms.priority, terms.nice, terms.others, terms.binding) = (5, 10, .yield, .numa)
        return terms
    }()

    private static let coordinator: [CoordinatorMessage] = [
        .hello(
            CoordinatorHello(
                oldest: 1, current: 5, sweep: "study-7f3a9c21", leaseTerm: 30_000_000_000, slots: 4,
                memoryBytes: 1 << 30, enginePath: "/opt/gem5.opt", setup: "module load gcc")),
        .grant(Shard(lease: 2, entries: [.init(run: 3, firstAttempt: 1, attempts: 2, job: job)])),
        .revoke([1, 2]), .cancel([3, 4]), .acknowledge([id]),
        .read(ObjectRange(digest: digest, offset: 64, length: 32)),
        .bytes(ObjectBytes(digest: digest, offset: 64, bytes: [0, 1, 255])), .probe(path: "/opt/gem5.opt"),
        .tail(TailRequest(run: 3, path: "out/stats.txt", maximumLength: 4_096)), .heartbeat, .release,
        .holder("lab@login:/data/artifacts"), .packed(PackedObject(object: digest, map: digest, mapSize: 500)),
        .share(SharingTerms(key: digest.bytes, address: "192.0.2.1")),
        .elsewhere(ObjectSource(digest: digest, place: place)), .cacheLimit(1 << 34), .terms(terms),
    ]

    private static let agent: [AgentMessage] = [
        .hello(
            AgentHello(
                oldest: 1, current: 5, bootID: "0c3a3a04-c289-4e65-a4e0-c8dcaf3f3b91", hostName: "node01", slots: 8,
                processors: 16, memoryBytes: 1 << 36, freeBytes: 1 << 40, workdir: "/scratch/usweep",
                wallClock: 1_700_000_000_000_000_000, leases: [HeldLease(lease: 2, runs: [3, 4])])),
        .refused(reason: "this agent is about to end"), .started([id]), .outcome(report),
        .want(ObjectRange(digest: digest, offset: 0, length: 98_304)),
        .bytes(ObjectBytes(digest: digest, offset: 64, bytes: [0, 1, 255])), .missing(digest, reason: "it is gone"),
        .probed(EngineProbe(path: "/opt/gem5.opt", digest: digest, problem: "")),
        .tail(Tail(run: 3, path: "stats.txt", bytes: [10], collected: BytesDone(done: 1, total: 2))),
        .heartbeat(
            HostLoad(
                running: 2, waiting: 1, freeBytes: 1 << 40,
                offer: HostOffer(slots: 3, memoryBytes: 1 << 33, reason: "others have work"))),
        .released, .sharing(place, problem: ""), .holding([digest]),
        .unreached(SourceFailure(digest: digest, place: place, kind: .stalled, reason: "nothing came for 30 s")),
        .damaged(ObjectDamage(digest: digest, wholeAt: 5, foundAt: 9)),
    ]

    private static let grants = [Grant(run: 3, firstAttempt: 1, attempts: 2)]

    private static let records: [(name: String, record: Record)] = [
        ("host-seen", .hostSeen(
            host: "lab1", bootID: "0c3a3a04", hostName: "node01", slots: 8, memoryBytes: 1 << 36, clockOffset: -5)),
        ("pinned", .pinned(name: "engine", digest: digest)),
        ("lease-granted", .leaseGranted(lease: 2, host: "lab1", grants: grants)),
        ("lease-voided", .leaseVoided(lease: 2, reason: "silent")),
        ("attempt-ended", .attemptEnded(
            report, host: "lab1", failure: .contractBroken, evidence: "one block is missing",
            blocks: ResultText("[{\"ipc\":1.50}]"), endedAt: 1_700_000_000_000_000_009)),
        ("attempt-fenced", .attemptFenced(report, host: "lab1", agrees: true)),
        ("run-ended", .runEnded(run: 3, state: .failed, failure: .timeout, attempt: 1)),
        ("run-reopened", .runReopened(run: 3, reason: "asked for")),
        ("host-rested", .hostPaused(host: "lab1", reason: "spawn")),
        ("host-refused", .hostRefused(host: "lab1", reason: "another engine")),
        ("sweep-stopped", .sweepStopped(reason: "the time limit")), ("host-released", .hostReleased(host: "lab1")),
        ("revised", .revised(
            Revision(number: 2, specification: "{}", runs: RunList(ranges: [7..<9, 2..<3]) ?? RunList(), madeAt: 9))),
        ("repinned", .repinned(reason: "--repin")), ("restored", .restored(reason: "it was damaged")),
        ("lease-moved", .leaseMoved(lease: 2, host: "lab2")),
        ("run-adopted", .runAdopted(run: 3, lease: 2, reason: "it ends first")),
        ("run-cancel-asked", .runCancelAsked(run: 3, reason: "usweep cancel")),
        ("judged-again", .judgedAgain(id, failure: .contractBroken, evidence: "", blocks: ResultText("[]"))),
        ("run-withdrawn", .runWithdrawn(run: 3, lease: 2, reason: "the job ended")),
        ("second-start", .secondStart(run: 3, lease: 4, reason: "it is predicted to end earlier")),
        ("audit-granted", .auditGranted(lease: 9, host: "lab2", grants: grants)),
        ("audit-ended", .auditEnded(
            report, host: "lab2", failure: .timeout, evidence: "1 of 9 values differs",
            comparison: AuditComparison(numbers: digest, counted: SHA256.digest("y")), endedAt: 9)),
        ("host-fenced", .hostFenced(host: "lab1", reason: "run 7", runs: RunList(3..<5))),
        ("input-damaged", .inputDamaged(
            DamagedInput(
                host: "lab1", path: "guest/disk.img", damage: ObjectDamage(digest: digest, wholeAt: 5, foundAt: 9),
                runs: RunList(3..<5), makers: RunList(12..<13)))),
    ]

    // MARK: Golden bytes

    @Test("Every kind of message has golden bytes, which are read and written as they are")
    func messages() throws {
        #expect(Set(Self.coordinator.map(\.frame.kind)) == Set(CoordinatorMessage.Kind.allCases.map(\.rawValue)))
        try compare("kinds/coordinator.txt", Self.coordinator.map { ("\($0.frame.kind)", $0.frame.payload, $0) }) {
            try CoordinatorMessage(Frame(kind: #require(UInt8($0)), payload: $1))
        }
        #expect(Set(Self.agent.map(\.frame.kind)) == Set(AgentMessage.Kind.allCases.map(\.rawValue)))
        try compare("kinds/agent.txt", Self.agent.map { ("\($0.frame.kind)", $0.frame.payload, $0) }) {
            try AgentMessage(Frame(kind: #require(UInt8($0)), payload: $1))
        }
    }

    @Test("Every kind of record has golden bytes, which are read and written as they are")
    func goldenRecords() throws {
        #expect(Set(Self.records.map { $0.record.encoded[1] }) == Set(Record.Kind.allCases.map { UInt8($0.rawValue) }))
        try compare("kinds/records.txt", Self.records.map { ($0.name, $0.record.encoded, $0.record) }) {
            try Record(encoded: $1)
        }
    }

    private func compare<Value: Equatable>(
        _ file: String, _ samples: [(name: String, bytes: [UInt8], value: Value)],
        read: (String, [UInt8]) throws -> Value
    ) throws {
        let golden = try Golden.recorded(file, lines: samples.map { ($0.name, $0.bytes) })
        #expect(Set(golden.keys) == Set(samples.map(\.name)))
        for (name, bytes, value) in samples {
            #expect(golden[name] == bytes, "\(name) is written otherwise than it was")
            if let old = golden[name] { #expect(try read(name, old) == value, "\(name) is read otherwise") }
        }
    }

    @Test("Recording adds to golden files, and changes nothing that is there")
    func recording() throws {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "golden-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        func text(_ name: String) throws -> String { try String(contentsOfFile: "\(scratch)/\(name)", encoding: .utf8) }
        try Golden.add([1], to: "\(scratch)/file")
        try Golden.add([2], to: "\(scratch)/file")
        #expect(try text("file") == "\u{1}")
        try Golden.add([("a", [1, 255])], to: "\(scratch)/lines")
        try Golden.add([("a", [2]), ("b", [])], to: "\(scratch)/lines")
        #expect(try text("lines") == "a 01ff\nb \n")
        #expect(try Golden.lines(text("lines")) == ["a": [1, 255], "b": []])
    }

    // MARK: The page

    @Test("The manual's page has a row for each kind of message, with its fields and the version that it is of")
    func pageOfMessages() throws {
        var (fields, versions): ([Int: Set<Int>], [Int: Int]) = ([:], [:])
        for message in Self.coordinator {
            note(message.frame, message.frame(for:), &fields, &versions)
        }
        #expect(try FormatsPage.kinds("from the coordinator") == fields)
        #expect(try since("from the coordinator") == versions)
        (fields, versions) = ([:], [:])
        for message in Self.agent { note(message.frame, message.frame(for:), &fields, &versions) }
        #expect(try FormatsPage.kinds("from the agent") == fields)
        #expect(try since("from the agent") == versions)
        #expect(try FormatsPage.version(of: "messages") == WireVersion.current)
        #expect(versions.values.max() ?? 0 <= WireVersion.current)
    }

    private func note(
        _ frame: Frame, _ sent: (Int) -> Frame?, _ fields: inout [Int: Set<Int>], _ versions: inout [Int: Int]
    ) {
        let kind = Int(frame.kind)
        let isByPlace = [1, 65, 74].contains(kind)
        fields[kind] = Set(isByPlace ? [] : FieldScan.numbers(frame.payload) ?? [])
        versions[kind] = (1...WireVersion.current).first { sent($0)?.kind == frame.kind }
    }

    private func since(_ side: String) throws -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: try FormatsPage.rows("kind", side, "since").map { row in
            (try #require(Int(row[0])), try #require(Int(row[2])))
        })
    }

    @Test("It has a row for each kind of record, with its fields")
    func pageOfRecords() throws {
        var fields: [Int: Set<Int>] = [:]
        for (_, record) in Self.records {
            // Version, kind and the fields' length come before.
            let bytes = record.encoded
            let start = bytes[2] < 0x80 ? 3 : 4
            fields[Int(bytes[1]), default: []].formUnion(FieldScan.numbers(Array(bytes[start...])) ?? [-1])
        }
        #expect(try FormatsPage.kinds("record") == fields)
        let names = Dictionary(grouping: Self.records) { Int($0.record.encoded[1]) }
            .mapValues { $0.map(\.name).joined(separator: ", ") }
        for row in try FormatsPage.rows("kind", "record") { #expect(names[Int(row[0]) ?? 0] == row[1]) }
        #expect(try FormatsPage.version(of: "records of its journal") == Int(Self.records[0].record.encoded[0]))
    }

    @Test("It has all fields of reports, and of what a job can say")
    func pageOfGroups() throws {
        func listed(_ group: String) throws -> [Int] {
            try FormatsPage.rows("field of \(group)").map { try #require(Int($0[0])) }
        }
        var writer = ByteWriter()
        Self.report.putFields(to: &writer)
        #expect(try listed("a report") == Set(FieldScan.numbers(writer.bytes) ?? []).sorted())
        writer = ByteWriter()
        Self.job.putFields(to: &writer)
        #expect(try listed("a job") == Set(FieldScan.numbers(writer.bytes) ?? []).sorted())
    }

    @Test("It has the versions of documents and objects")
    func pageOfVersions() throws {
        #expect(try FormatsPage.version(of: "capsule") == Capsule.version)
        #expect(try FormatsPage.version(of: "bundle of a checkpoint") == Int(CheckpointBundle.version))
        #expect(try FormatsPage.version(of: "list of inputs") == Int(InputList.encode([])[0]))
        let documents = try Golden.text("version2/documents.jsonl").split(separator: "\n")
        for (format, text) in [("stored specification", documents.first), ("stored inventory", documents.last)] {
            let document = try JSON(parsing: Array(try #require(text).utf8))
            #expect(try FormatsPage.version(of: format) == document["version"]?.integer.map { Int($0) }, "\(format)")
        }
        let machine = try JSON(parsing: Array(MachineRecord().document.utf8))
        #expect(try FormatsPage.version(of: "what an engine asked of the machine")
            == machine["version"]?.integer.map { Int($0) })
    }
}
