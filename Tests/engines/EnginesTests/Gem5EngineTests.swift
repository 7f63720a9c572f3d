import Model
import Results
import Testing
@testable import Engines

private func file(_ path: String, _ text: String) -> InputFile {
    InputFile(
        path: path, source: "/lab/\(path)", digest: SHA256.digest(text), size: Int64(text.utf8.count),
        isExecutable: false)
}

private let guest = Gem5Engine.Guest(
    kernel: file("guest/vmlinux", "kernel"), disk: file("guest/disk.img", "disk"))

private let skylake = #"{"system": {"name": "skylake", "memory": 536870912}}"#

private func sweep(_ change: (inout Sweep) -> Void = { _ in }) -> Sweep {
    var sweep = Sweep(name: "s", engine: "gem5", settings: settings(skylake))
    sweep.workloads = ["fibonacci"]
    sweep.axes = [Axis(name: "l2.size", values: ["256KiB", "1MiB"])]
    sweep.measure = Measure(warm: 2, invocations: 3)
    change(&sweep)
    return sweep
}

private func engine(_ sweep: Sweep, _ checkpoints: [Gem5Engine.Checkpoint] = []) throws -> Gem5Engine {
    try Gem5Engine(sweep, guest: guest, scripts: [file("gem5/run.py", "run")], checkpoints: checkpoints)
}

extension Job {
    var words: [String] {
        arguments.map { argument in
            switch argument {
            case .text(let text): text
            case .engine: "<gem5>"
            case .agent: "<agent>"
            case .joined(let pieces): pieces == [.run] ? "<run>" : "<joined>"
            }
        }
    }
}

private let two = #"["drivesys", "testsys"]"#

/// A setup's record, as the configuration package writes it.
private func record(
    kernel: String = "kernel", disk: String = "disk", machines: String = #"["system"]"#, memory: Int64 = 1 << 29,
    files: String? = nil
) -> [UInt8] {
    let state = SHA256.digest("state")
    let files = files ?? #"[{"path":"m5.cpt","size":5,"sha256":"\#(state.hex)"}]"#
    return Array(
        """
        {"version":1,"kernel":"\(SHA256.digest(kernel).hex)","disk":"\(SHA256.digest(disk).hex)","system":"skylake",\
        "workload":"fibonacci","machines":\(machines),"memory_bytes":\(memory),"cores":2,"files":\(files)}
        """.utf8)
}

@Suite("Engine gem5")
struct Gem5EngineTests {
    private static let maker = EngineTask.setup(workload: "fibonacci")

    @Test("A point's command line")
    func evaluation() throws {
        let sweep = sweep()
        let points = try Points(sweep, recipe: sweep.recipe)
        let checkpoint = [Job.Input(path: "checkpoint/x", digest: SHA256.digest("c"), size: 1)]
        let job = try engine(sweep).job(
            for: .evaluation(point: 1, repetition: 1), points: points, checkpoint: checkpoint)
        let expected = """
            <gem5> --outdir=m5out gem5/run.py --system skylake --kernel guest/vmlinux --disk guest/disk.img \
            --function fibonacci --digest kernel=\(SHA256.digest("kernel").hex) \
            --digest disk=\(SHA256.digest("disk").hex) --memory 536870912B --mode evaluation \
            --checkpoint-dir checkpoint --atomic-warming 2 --num-invocations 3 --set l2.size=1MiB
            """
        #expect(job.words == expected.split(separator: " ").map(String.init))
        #expect(job.inputs.map(\.path) == ["guest/vmlinux", "guest/disk.img", "gem5/run.py", "checkpoint/x"])
    }

    @Test("An evaluation that may end early asks the agent; with a script of the user's own there is no such thing")
    func until() throws {
        let sweep = sweep {
            $0.definitions = [MetricDefinition(name: "slow", expression: "cpi * 2")]
            $0.measure.until = Precision(metric: "slow", interval: 10_000)
        }
        let points = try Points(sweep, recipe: sweep.recipe)
        let (engine, input) = (try engine(sweep), Job.Input(path: "checkpoint/x", digest: SHA256.digest("c"), size: 1))
        let words = try engine.job(
            for: .evaluation(point: 1, repetition: 1), points: points, checkpoint: [input]
        ).words
        let rule = #"{"version":1,"metric":"slow","interval":10000,"confidence":950000,"formulas":["#
            + #"{"name":"cpi","formula":"cycles / instructions"},{"name":"slow","formula":"cpi * 2"}]}"#
        #expect(words.suffix(4) == ["--until", rule, "--until-by", "<agent>"])
        let setup = try engine.job(for: .setup(workload: "fibonacci"), points: points, checkpoint: [])
        #expect(!setup.words.contains("--until"))
        #expect(engine.descriptor.refusesUntil(sweep.settings) == nil)
        let script = settings(#"{"system": {"script": "my.py", "arguments": []}}"#)
        #expect(engine.descriptor.refusesUntil(script)?.contains("script of your own") == true)
    }

    @Test("What ends a run early is part of a point's identity, with what it is worked out from")
    func identity() throws {
        func digest(_ change: (inout Sweep) -> Void) throws -> Digest {
            let sweep = sweep(change)
            return try Points(sweep, recipe: sweep.recipe).digest(0)
        }
        func until(_ interval: Int64, _ expression: String) -> (inout Sweep) -> Void {
            return {
                $0.definitions = [MetricDefinition(name: "slow", expression: expression)]
                $0.measure.until = Precision(metric: "slow", interval: interval)
            }
        }
        let first = try digest(until(10_000, "cpi * 2"))
        #expect(try digest(until(10_000, "cpi * 2")) == first)
        #expect(try digest(until(10_000, "cpi * 3")) != first)
        #expect(try digest(until(20_000, "cpi * 2")) != first)
        #expect(try digest { $0.definitions = [MetricDefinition(name: "slow", expression: "cpi")] } == digest { _ in })
    }

    @Test("A setup's command line; addresses that stay")
    func setup() throws {
        let options = #"{"system": {"name": "simple", "memory": 536870912, "cores": 2, "kvm": true, "aslr": false}}"#
        let sweep = sweep { $0.settings = settings(options) }
        let points = try Points(sweep, recipe: sweep.recipe)
        let engine = try engine(sweep)
        #expect(engine.setups == ["fibonacci"])
        let words = try engine.job(for: .setup(workload: "fibonacci"), points: points, checkpoint: []).words
        #expect(words.prefix(4) == ["setarch", "-R", "<gem5>", "--outdir=m5out"])
        #expect(words.suffix(7) == [
            "--mode", "setup", "--checkpoint-dir", "m5out/checkpoint", "--functional-warming", "20", "--kvm",
        ])
    }

    @Test("A script of the user's own: axes, checkpoint and the rest in braces, nothing else")
    func script() throws {
        let script = #"""
            {"system": {"script": "my.py", "setup": ["--to", "{checkpoint}"], "arguments":
                ["--l2={l2.size}", "{checkpoint}", "{workload}:{invocations}", "{{other}}", "{repeat}", "${X}",
                "{run}"]}}
            """#
        let sweep = sweep { $0.settings = settings(script) }
        let points = try Points(sweep, recipe: sweep.recipe)
        let engine = try Gem5Engine(sweep, guest: guest, scripts: [])
        let words = try engine.job(
            for: .evaluation(point: 0, repetition: 1), points: points, checkpoint: []
        ).words
        #expect(words == [
            "<gem5>", "--outdir=m5out", "my.py", "--l2=256KiB", "checkpoint/fibonacci/cpt.warm", "fibonacci:3",
            "{other}", "1", "${X}", "<run>",
        ])
        let setup = try engine.job(for: .setup(workload: "fibonacci"), points: points, checkpoint: []).words
        #expect(setup.suffix(2) == ["--to", "m5out/checkpoint/fibonacci/cpt.warm"])
    }

    @Test("A setup of the user's own script provides a record of what came back, if that is whole")
    func ownSetup() throws {
        let folder = "m5out/checkpoint/fibonacci/cpt.warm"
        let whole = """
            [board.cpu0.xc.0]
            [board.cpu1.xc.0]
            [board.physmem.store0]
            filename=a.pmem
            range_size=268435456
            [root.globals]
            curTick=7

            """
        let script = #"{"system": {"script": "my.py", "arguments": ["{checkpoint}"], "setup": ["{checkpoint}"]}}"#
        let sweep = sweep { $0.settings = settings(script) }
        let engine = try engine(sweep)
        func verdict(_ files: [String: String]) throws -> EngineVerdict {
            let all = files.merging(["m5out/config.ini": "[root]\n", "stderr.txt": ""]) { $1 }
            let artifacts = all.map { Artifact(path: $0, digest: SHA256.digest($1), size: Int64($1.utf8.count)) }
            let report = AttemptReport(
                id: AttemptID(run: 1, lease: 1, attempt: 1), failure: nil, artifacts: artifacts)
            return try engine.judge(
                .setup(workload: "fibonacci"), try Points(sweep, recipe: sweep.recipe), report,
                EvidenceFiles { all[$0].map { Array($0.utf8) } })
        }
        let good = try verdict(["\(folder)/m5.cpt": whole, "\(folder)/a.pmem": "memory"])
        let record = try #require(good.record)
        #expect(good.failure == nil)
        #expect(good.provides == SHA256.digest(record))
        let files = try engine.files(ofCheckpoint: SHA256.digest(record), madeBy: Self.maker) { _ in record }
        let names = ["m5.cpt", "a.pmem", "record.json"].map { "checkpoint/fibonacci/cpt.warm/\($0)" }
        #expect(Set(files.map(\.path)) == Set(names))
        #expect(try Gem5CheckpointRecord(record).origin.cores == 2)
        let cut = String(whole.dropLast(20))
        for bad in [
            [:], ["\(folder)/m5.cpt": whole], ["\(folder)/m5.cpt": cut, "\(folder)/a.pmem": "memory"],
        ] {
            #expect(try verdict(bad).failure == .contractBroken)
        }
    }

    // MARK: Checkpoints

    @Test("The files of a checkpoint go where the package looks for them")
    func checkpointFiles() throws {
        let digest = SHA256.digest("record")
        let files = try engine(sweep()).files(ofCheckpoint: digest, madeBy: Self.maker) { _ in record() }
        #expect(files == [
            CheckpointFile(path: "checkpoint/fibonacci/cpt.warm/m5.cpt", digest: SHA256.digest("state")),
            CheckpointFile(path: "checkpoint/fibonacci/cpt.warm/record.json", digest: digest),
        ])
    }

    @Test(
        "Records that are none",
        arguments: [
            "", "{}", #"{"version":2}"#,
            String(decoding: record(files: "[]"), as: UTF8.self),
            String(decoding: record(files: #"[{"path":"../m5.cpt","size":1,"sha256":"00"}]"#), as: UTF8.self),
        ])
    func badRecord(_ text: String) {
        #expect(throws: Failure.self) { try Gem5CheckpointRecord(Array(text.utf8)) }
    }

    @Test("What does not fit of a checkpoint from elsewhere is told, and whether gem5 can restore it all the same")
    func misfit() throws {
        func bundle(_ bytes: [UInt8], state: String = "state") throws -> Gem5Engine.Checkpoint {
            Gem5Engine.Checkpoint(
                workload: "fibonacci", files: [file("checkpoint/fibonacci/cpt.warm/m5.cpt", state)],
                record: try Gem5CheckpointRecord(bytes))
        }
        let elsewhere = sweep {
            $0.settings = settings(
                #"{"system": {"name": "skylake", "memory": 536870912}, "checkpoint": {"directory": "/l/{workload}"}}"#)
        }
        let fitting = try engine(elsewhere, [try bundle(record())])
        #expect(fitting.setups.isEmpty)
        #expect(fitting.checkpointRemarks.map(\.decided) == [["2 cores"]])
        #expect(fitting.pinnedFiles.contains { $0.path == "checkpoint/fibonacci/cpt.warm/m5.cpt" })
        #expect(fitting.misfits.isEmpty)
        let lost = #"[{"path":"m5.cpt","size":5,"sha256":"\#(SHA256.digest("state").hex)"},"#
            + #"{"path":"a.pmem","size":5,"sha256":"\#(SHA256.digest("a").hex)"}]"#
        let digests = ["other", "kernel", "disk", "changed", "state", "a"].map { SHA256.digest($0).short }
        for (bad, sentence, arguments) in [
            (try bundle(record(kernel: "other")), "its kernel is \(digests[0]), not \(digests[1])", ["kernel"]),
            (try bundle(record(disk: "other")), "its disk is \(digests[0]), not \(digests[2])", ["disk"]),
            (try bundle(record(), state: "changed"), "its file m5.cpt is \(digests[3]), not \(digests[4])", ["files"]),
            (
                try bundle(record(kernel: "other", disk: "other")),
                "its kernel is \(digests[0]), not \(digests[1]); its disk is \(digests[0]), not \(digests[2])",
                ["kernel", "disk"]
            ),
            (try bundle(record(memory: 1 << 30)), "its memory is 1 GiB, not 512 MiB", nil),
            (try bundle(record(machines: two)), "its machines are drivesys and testsys, not system", nil),
            (try bundle(record(files: lost)), "its file a.pmem is none, not \(digests[5])", nil),
        ] as [(Gem5Engine.Checkpoint, String, [String]?)] {
            let engine = try engine(elsewhere, [bad])
            let misfit = try #require(engine.misfits.first)
            #expect(misfit.differences.sentence == sentence)
            #expect(misfit.canBeForced == (arguments != nil), "\(sentence)")
            let points = try Points(elsewhere, recipe: elsewhere.recipe)
            let words = try engine.job(for: .evaluation(point: 0, repetition: 1), points: points, checkpoint: []).words
            let forced = words.indices.filter { words[$0] == "--forced" }.map { words[$0 + 1] }
            if let arguments { #expect(forced == arguments) }
        }
    }

    @Test("A run says itself what it did not compare, and nothing else than what is forced")
    func forcedEvidence() throws {
        func verdict(_ status: String, _ forced: [String]) throws -> Verdict {
            var contract = Gem5Contract(invocations: nil, terminals: [])
            contract.forced = forced
            let files = EvidenceFiles { path in
                switch path {
                case "status.jsonl": Array((status + #"{"event":"end","cause":"workend"}"# + "\n").utf8)
                case "config.ini": Array("[root]\n".utf8)
                case "simerr.txt": []
                default: nil
                }
            }
            return try contract.judge(failure: nil, evidence: "", files: files)
        }
        let told = #"{"event":"forced","items":["kernel","files"],"differences":["its kernel is a, not b"]}"# + "\n"
        #expect(try verdict(told, ["kernel", "files"]).failure == nil)
        #expect(try verdict("", []).failure == nil)
        for (status, forced, words) in [
            (told, [], "kernel, files was not compared, where nothing is forced"),
            (told, ["kernel"], "where kernel is forced"), ("", ["kernel"], "were all compared, where kernel is forced"),
        ] as [(String, [String], String)] {
            let verdict = try verdict(status, forced)
            #expect(verdict.failure == .checkpointIncompatible)
            #expect(verdict.evidence.contains(words), "\(verdict.evidence)")
        }
    }

    @Test("A checkpoint of one machine is refused for two")
    func misfitOfOneMachine() throws {
        let sweep = sweep { $0.settings = settings(#"{"system": "two-machine"}"#) }
        let expected = try engine(sweep).expectation("fibonacci")
        let one = try Gem5CheckpointRecord(record()).origin
        #expect(one.misfit(with: expected) == "its machines are system, not drivesys and testsys")
        #expect(try Gem5CheckpointRecord(record(machines: two)).origin.misfit(with: expected) == nil)
    }

    @Test("What a checkpoint depends on is in its key")
    func key() throws {
        let changes: [(inout Sweep) -> Void] = [
            { _ in }, { $0.settings = settings(#"{"system": {"name": "simple", "memory": 536870912}}"#) },
            { $0.settings = settings(#"{"system": "skylake"}"#) },
            { $0.settings = settings(#"{"system": {"name": "two-machine", "memory": 536870912}}"#) },
            { $0.settings = settings(#"{"system": {"name": "skylake", "memory": 536870912, "cores": 4}}"#) },
            { $0.settings = settings(#"{"system": {"name": "skylake", "memory": 536870912, "kvm": true}}"#) },
            { $0.measure.setupInvocations = 7 }, { $0.inputs = [file("a", "a")] }, { $0.inputs = [file("a", "b")] },
        ]
        var keys = try changes.map { try engine(sweep($0)).key(ofMaker: .setup(workload: "fibonacci")) }
        keys.append(try engine(sweep()).key(ofMaker: .setup(workload: "aes")))
        #expect(Set(keys).count == changes.count + 1)
        let same = try engine(sweep { $0.axes = [Axis(name: "l2.size", values: ["2MiB"])] })
            .key(ofMaker: .setup(workload: "fibonacci"))
        #expect(same == keys[0])
    }

    @Test("What a script's setup is given of the measure is in the key; what only its runs are given is not")
    func keyOfScript() throws {
        func key(_ setup: String, warm: Int, invocations: Int) throws -> String? {
            try engine(sweep {
                $0.settings = settings(
                    #"{"system": {"script": "my.py", "arguments": ["{checkpoint}", "{warm}", "{invocations}"], "#
                        + #""setup": ["{checkpoint}", "\#(setup)"]}}"#)
                $0.measure = Measure(warm: warm, invocations: invocations)
            }).key(ofMaker: .setup(workload: "fibonacci"))
        }
        #expect(try key("--warm={warm}", warm: 5, invocations: 3) != key("--warm={warm}", warm: 50, invocations: 3))
        #expect(try key("{invocations}", warm: 5, invocations: 3) != key("{invocations}", warm: 5, invocations: 4))
        #expect(try key("--warm={warm}", warm: 5, invocations: 3) == key("--warm={warm}", warm: 5, invocations: 4))
        #expect(try key("{{warm}}", warm: 5, invocations: 3) == key("{{warm}}", warm: 50, invocations: 4))
    }

    // MARK: Verdicts

    private func verdictOfSetup(
        _ bytes: [UInt8]?, state: String? = "state", memory: String? = nil, system: String = "skylake",
        terminals: [String: String] = [:]
    ) throws -> EngineVerdict {
        let folder = "m5out/checkpoint/fibonacci/cpt.warm"
        var files: [String: [UInt8]] = [
            "m5out/status.jsonl": Array(#"{"event":"end","cause":"checkpoint","code":32,"begun":0,"ended":0}"#.utf8),
            "m5out/config.ini": Array("[root]\n".utf8), "m5out/system.pc.com_1.device": [], "stderr.txt": [],
        ]
        for (machine, text) in terminals { files["m5out/\(machine).pc.com_1.device"] = Array(text.utf8) }
        files["\(folder)/record.json"] = bytes
        files["\(folder)/m5.cpt"] = state.map { Array($0.utf8) }
        files["\(folder)/a.pmem"] = memory.map { Array($0.utf8) }
        let sweep = sweep {
            $0.settings = settings(#"{"system": {"name": "\#(system)", "memory": 536870912}}"#)
        }
        let artifacts = files.map { path, bytes in
            Artifact(path: path, digest: SHA256.digest(bytes), size: Int64(bytes.count))
        }
        let report = AttemptReport(
            id: AttemptID(run: 1, lease: 1, attempt: 1), failure: nil, artifacts: artifacts)
        return try engine(sweep).judge(
            .setup(workload: "fibonacci"), try Points(sweep, recipe: sweep.recipe), report,
            EvidenceFiles { [files] in files[$0] })
    }

    @Test("A setup provides its record, if the record tells the truth")
    func setupVerdict() throws {
        #expect(try verdictOfSetup(record()).provides == SHA256.digest(record()))
        for (bytes, state) in [
            (nil, "state"), (record(), nil), (record(), "cut"), (record(kernel: "other"), "state"),
            (record(memory: 1), "state"), (Array("{".utf8), "state"),
        ] as [([UInt8]?, String?)] {
            let verdict = try verdictOfSetup(bytes, state: state)
            #expect(verdict.failure == .contractBroken)
            #expect(verdict.provides == nil)
        }
    }

    @Test("What a setup's record does not name, or with another size, is no checkpoint")
    func setupRecord() throws {
        let state = SHA256.digest("state").hex
        let memory = SHA256.digest("memory").hex
        for (files, problem) in [
            (#"[{"path":"m5.cpt","size":5,"sha256":"\#(state)"}]"#, "record.json: it does not name "),
            (
                #"[{"path":"m5.cpt","size":6,"sha256":"\#(state)"},{"path":"a.pmem","size":6,"sha256":"\#(memory)"}]"#,
                "m5.cpt is not the one that was written"
            ),
        ] {
            let verdict = try verdictOfSetup(record(files: files), memory: "memory")
            #expect(verdict.failure == .contractBroken && verdict.evidence.contains(problem), "\(verdict.evidence)")
        }
        let whole = #"[{"path":"m5.cpt","size":5,"sha256":"\#(state)"},"#
            + #"{"path":"a.pmem","size":6,"sha256":"\#(memory)"}]"#
        #expect(try verdictOfSetup(record(files: whole), memory: "memory").provides != nil)
    }

    @Test("Of two machines both must have a terminal, and neither may have panicked")
    func setupOfTwoMachines() throws {
        func verdict(_ terminals: [String: String]) throws -> EngineVerdict {
            try verdictOfSetup(record(machines: two), system: "two-machine", terminals: terminals)
        }
        #expect(try verdict(["testsys": "", "drivesys": ""]).failure == nil)
        let alone = try verdict(["testsys": ""])
        #expect(alone.evidence == "m5out/drivesys.pc.com_1.device is missing")
        for machine in ["testsys", "drivesys"] {
            var terminals = ["testsys": "", "drivesys": ""]
            terminals[machine] = "Kernel panic - not syncing: no init\n"
            let dead = try verdict(terminals)
            #expect(dead.failure == .guestPanic)
            #expect(dead.evidence.contains(machine))
        }
        let other = try verdictOfSetup(
            record(), system: "two-machine", terminals: ["testsys": "", "drivesys": ""])
        #expect(other.failure == .contractBroken)
    }
}
