import Formats
import Model
import TestKit
import Testing

@Suite("Stored specifications and inventories")
struct DocumentTests {
    private var sweep: Sweep {
        var sweep = Sweep(
            name: "all", engine: "gem5",
            settings: settings(
                #"{"system":{"name":"skylake","memory":2147483648,"cores":2,"kvm":true},"#
                    + #""guest":{"disk":"/d","kernel":"/k"},"checkpoint":"base"}"#))
        sweep.workloads = ["aes-go"]
        sweep.axes = [Axis(name: "l2.size", values: ["1MiB", "010", "ü \"x\""])]
        sweep.zips = [[Axis(name: "a", values: ["1"]), Axis(name: "b", values: ["on"])]]
        sweep.exclude = [[Assignment(axis: "a", value: "1")]]
        sweep.include = [[Assignment(axis: "a", value: "2"), Assignment(axis: "b", value: "3")]]
        sweep.measure = Measure(warm: 2, invocations: 5, repeats: 3, setupInvocations: 20)
        sweep.limits = SweepLimits(job: JobLimits(time: 1, stall: 2, memoryBytes: 3), sweep: 4)
        sweep.inputs = [
            InputFile(path: "x", source: "/x", digest: SHA256.digest("x"), size: 1, isExecutable: true)
        ]
        sweep.attempts = 7
        sweep.metrics = ["cpi"]
        sweep.definitions = [MetricDefinition(name: "ipc", expression: "1 / cpi")]
        return sweep
    }

    @Test("Several checkpoints are kept, in their order; a sweep with one has no word of it")
    func checkpoints() throws {
        var several = sweep
        several.measure.checkpoints = [20, 30]
        #expect(try Sweep(document: several.document) == several)
        #expect(!sweep.document.contains("checkpoints"))
        for wrong in ["[30,20]", "[20,20]", "[-1,20]", "[\((1...65).map(String.init).joined(separator: ","))]"] {
            let document = several.document.replacing("[20,30]", with: wrong)
            #expect(document != several.document)
            #expect(throws: WireError.self) { try Sweep(document: document) }
        }
    }

    private func settings(_ text: String) -> JSON { (try? JSON(parsing: text)) ?? .null }

    private var others: [Sweep] {
        let script = Sweep(
            name: "script", engine: "gem5",
            settings: settings(
                #"{"system":{"script":"my.py","arguments":["{workload}"],"setup":[],"blocks":3,"line":"done","#
                    + #""aslr":false},"guest":"/guest","checkpoint":{"directory":"/cpt/{workload}"}}"#))
        let command = Sweep(
            name: "command", engine: "command",
            settings: settings(#"{"command":["/bin/true"],"results":"results.json"}"#))
        return [sweep, script, command]
    }

    private let inventory = Inventory(
        hosts: [
            Host(
                target: HostTarget(
                    name: "big", address: "big.lab", transport: "ssh",
                    values: ["port": "2222", "user": "lab", "jump": "gateway"]),
                workdir: "/scratch", slots: 32, memoryBytes: 1 << 38, labels: ["kvm"],
                engines: [EnvironmentVariable("gem5", "/opt/gem5.opt")], setup: "module load gcc"),
            Host(target: HostTarget(name: "here", transport: "local")),
        ], sshConfiguration: "/etc/lab.conf")

    @Test("Images of workloads come back, and nobody who has none writes any")
    func images() throws {
        var sweep = sweep
        #expect(!sweep.document.contains("images"))
        let disk = InputFile(path: "d", source: "/d", digest: SHA256.digest("d"), size: 5, isExecutable: false)
        sweep.images = [WorkloadImage(workload: "aes-go", disk: disk, memoryBytes: 1 << 28)]
        #expect(try Sweep(document: sweep.document) == sweep)
    }

    @Test("They come back as they were")
    func roundTrips() throws {
        var labelled = sweep
        labelled.hostLabels = ["kvm"]
        labelled.stopAfter = 3
        labelled.priority = -7
        labelled.forced = [
            ForcedCheckpoint(
                workload: "aes-go", differences: [CheckpointDifference("file m5.cpt", found: "a", expected: "b")])
        ]
        labelled.needs = RunNeeds(cores: 2, resources: [CountedResource("gpu", 1)])
        labelled.artifacts = ArtifactRule(keep: ["*.txt"], leave: ["a/*"], most: 1 << 30)
        labelled.measure.until = Precision(metric: "cpi", interval: 10_000, confidence: 990_000)
        var endless = sweep
        endless.stopAfter = nil
        for sweep in others + [labelled, endless] { #expect(try Sweep(document: sweep.document) == sweep) }
        #expect(try Inventory(document: inventory.document) == inventory)
        var equipped = inventory
        equipped.hosts[0].usesLoginShell = true
        equipped.hosts[0].resources = [CountedResource("gpu", 0)]
        equipped.hosts[0].nice = 10
        equipped.hosts[0].others = .yield
        equipped.hosts[0].binding = .numa
        #expect(try Inventory(document: equipped.document) == equipped)
    }

    @Test("Version 2 is as it was when it was new, byte for byte")
    func version2() throws {
        let text = (others.map(\.document) + [inventory.document]).map { $0 + "\n" }.joined()
        #expect(try Golden.recorded("version2/documents.jsonl", Array(text.utf8)) == Array(text.utf8))
    }

    @Test("Version 1, in all that it could say")
    func version1() throws {
        let texts = try Golden.text("version1/documents.jsonl").split(separator: "\n").map(String.init)
        #expect(try texts.dropLast().map { try Sweep(document: $0) } == others)
        #expect(try texts.last.map { try Inventory(document: $0) } == inventory)
    }

    @Test("A member that is not known, and a newer version, are refused by name")
    func newer() throws {
        let text = sweep.document
        let grown = text.replacing("\"engine\"", with: "\"env\":{},\"engine\"")
        #expect(throws: WireError("the unknown member 'env'", isNews: true)) { try Sweep(document: grown) }
        let inner = text.replacing("\"stall\"", with: "\"weight\":1,\"stall\"")
        #expect(throws: WireError("'limits': 'job': the unknown member 'weight'", isNews: true)) {
            try Sweep(document: inner)
        }
        let later = text.replacing("\"version\":2", with: "\"version\":3")
        #expect(throws: WireError("version 3 of it", isNews: true)) { try Sweep(document: later) }
    }

    @Test("Every cut is refused, and every changed byte is refused or read as what it then says")
    func damaged() throws {
        var (read, refused) = (0, 0)
        for text in others.map(\.document) + (try Golden.text("version1/documents.jsonl").split(separator: "\n")
            .map(String.init))
        {
            let bytes = Array(text.utf8)
            for index in bytes.indices {
                let cut = String(decoding: bytes[..<index], as: UTF8.self)
                #expect((try? Sweep(document: cut)) == nil && (try? Inventory(document: cut)) == nil)
                var changed = bytes
                changed[index] ^= 0x11
                let damaged = String(decoding: changed, as: UTF8.self)
                let (sweep, inventory) = (try? Sweep(document: damaged), try? Inventory(document: damaged))
                if let sweep { #expect(try Sweep(document: sweep.document) == sweep) }
                if let inventory { #expect(try Inventory(document: inventory.document) == inventory) }
                if sweep == nil, inventory == nil { refused += 1 } else { read += 1 }
            }
        }
        #expect(read > 500 && refused > 500, "\(read) were read, \(refused) refused")
    }
}
