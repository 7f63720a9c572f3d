import Model
import Testing
@testable import Engines

private func file(_ path: String, _ text: String) -> InputFile {
    InputFile(
        path: path, source: "/lab/\(path)", digest: SHA256.digest(text), size: Int64(text.utf8.count),
        isExecutable: false)
}

private func image(_ workload: String, _ content: String, memory: Int64 = 1 << 28) -> WorkloadImage {
    WorkloadImage(workload: workload, disk: file("workload.squashfs", content), memoryBytes: memory)
}

private let folder = #"{"system": {"name": "skylake", "memory": 536870912}, "guest": "/lab/guest"}"#

/// Two workloads on the project's guest.
private func sweep(_ change: (inout Sweep) -> Void = { _ in }) -> Sweep {
    var sweep = Sweep(name: "s", engine: "gem5", settings: settings(folder))
    sweep.workloads = ["fibonacci", "aes"]
    sweep.images = [image("fibonacci", "f"), image("aes", "a")]
    sweep.axes = [Axis(name: "l2.size", values: ["256KiB"])]
    change(&sweep)
    return sweep
}

private func engine(_ sweep: Sweep, _ checkpoints: [Gem5Engine.Checkpoint] = []) throws -> Gem5Engine {
    let guest = Gem5Engine.Guest(kernel: file("guest/vmlinux", "kernel"), disk: file("guest/disk.img", "disk"))
    return try Gem5Engine(sweep, guest: guest, scripts: [file("gem5/run.py", "run")], checkpoints: checkpoints)
}

private func words(_ job: Job) -> [String] {
    job.arguments.compactMap { if case .text(let text) = $0 { text } else { nil } }
}

@Suite("Workloads of engine gem5")
struct Gem5WorkloadTests {
    @Test("A run gets the disk of its own workload, and no other")
    func ownDisk() throws {
        let sweep = sweep()
        let points = try Points(sweep, recipe: sweep.recipe)
        let engine = try engine(sweep)
        for (workload, content) in [("fibonacci", "f"), ("aes", "a")] {
            let point = try #require((0..<points.count).first { points.workload($0) == workload })
            for task in [.setup(workload: workload), EngineTask.evaluation(point: point, repetition: 1)] {
                let job = try engine.job(for: task, points: points, checkpoint: [])
                let disks = job.inputs.filter { $0.path == "workload.squashfs" }
                #expect(disks.map(\.digest) == [SHA256.digest(content)])
                let words = words(job)
                let option = try #require(words.firstIndex(of: "--workload-disk"))
                #expect(Array(words[option...].prefix(4)) == [
                    "--workload-disk", "workload.squashfs", "--digest",
                    "workload-disk=\(SHA256.digest(content).hex)",
                ])
            }
        }
        #expect(engine.inputs.filter { $0.path == "workload.squashfs" }.count == 2)
        #expect(!engine.pinnedFiles.contains { $0.path == "workload.squashfs" })
    }

    @Test("States are told to the run script, which says so of each call; they are no parameters of the machine")
    func states() throws {
        let sweep = sweep {
            $0.axes.append(Axis(name: "state", values: ["warm", "lukewarm", "cold-caches"]))
            $0.settings = settings(
                #"{"system": "skylake", "guest": "/lab/guest", "measure.interleave": {"stress": 8388608}}"#)
        }
        #expect(Gem5Descriptor().problems(sweep).isEmpty)
        let points = try Points(sweep, recipe: sweep.recipe)
        let engine = try engine(sweep)
        let wanted = [[], ["--state", "lukewarm", "--stress", "8388608B"], ["--state", "cold-caches"]]
        for (point, wanted) in zip(0..., wanted) {
            let words = words(
                try engine.job(for: .evaluation(point: point, repetition: 1), points: points, checkpoint: []))
            let count = try #require(words.firstIndex(of: "--num-invocations"))
            #expect(Array(words[(count + 2)...]) == wanted + ["--set", "l2.size=256KiB"])
        }
        var other = sweep
        other.settings = settings(
            #"{"system": "skylake", "guest": "/lab/guest", "measure.interleave": {"stress": 4194304}}"#)
        #expect(try other.recipe != sweep.recipe)
    }

    @Test("Another image of a workload makes another checkpoint and other points of it, and of no other")
    func keys() throws {
        let (one, other) = (sweep(), sweep { $0.images[1] = image("aes", "changed") })
        func keys(_ workload: String) throws -> [String?] {
            try [one, other].map { try engine($0).key(ofMaker: .setup(workload: workload)) }
        }
        #expect(Set(try keys("aes")).count == 2)
        #expect(Set(try keys("fibonacci")).count == 1)
        let more = sweep {
            $0.workloads.append("auth")
            $0.images.append(image("auth", "n"))
        }
        func digests(_ sweep: Sweep) throws -> [String: Digest] {
            let points = try Points(sweep, recipe: sweep.recipe)
            return Dictionary(uniqueKeysWithValues: (0..<points.count).map {
                (points.workload($0) ?? "", points.digest($0))
            })
        }
        let before = try digests(one)
        #expect(try digests(other)["fibonacci"] == before["fibonacci"])
        #expect(try digests(other)["aes"] != before["aes"])
        #expect(try digests(more).filter { $0.key != "auth" } == before)
    }

    @Test("What a guest holds: this project's nothing, another's everything; a script says what it wants")
    func kinds() {
        func kind(_ text: String) -> EngineWorkloads { Gem5Descriptor().workloads(settings(text)) }
        #expect(kind(folder) == .images)
        #expect(kind(#"{"guest": {"kernel": "/k", "disk": "/d"}}"#) == .required)
        #expect(kind(#"{"guest": "/g", "system": {"script": "my.py", "arguments": ["{disk}"]}}"#) == .named("my"))
        #expect(kind(#"{"guest": "/g", "system": {"script": "my.py", "arguments": ["{workload-disk}"]}}"#) == .images)
        let atSetup = #"{"system": {"script": "my.py", "arguments": [], "setup": ["--w={workload-disk}"]}}"#
        #expect(kind(atSetup) == .images)
    }

    @Test("A sweep from before workloads had disks is refused with what to do")
    func withoutImages() throws {
        let failure = #expect(throws: Failure.self) { try engine(sweep { $0.images = [] }) }
        #expect(failure?.message == "the workload 'fibonacci' has no image: this engine's guest contains no functions; "
            + "launch the sweep file again, with --repin")
    }

    @Test("A script of the user's own is told where the workload's disk is")
    func script() throws {
        let script = #"{"system": {"script": "my.py", "arguments": ["--second={workload-disk}"]}}"#
        let sweep = sweep { $0.settings = settings(script) }
        let points = try Points(sweep, recipe: sweep.recipe)
        let job = try engine(sweep).job(for: .evaluation(point: 0, repetition: 1), points: points, checkpoint: [])
        #expect(words(job).suffix(2) == ["my.py", "--second=workload.squashfs"])
        #expect(job.inputs.contains { $0.path == "workload.squashfs" })
    }

    @Test("A checkpoint knows the disk of the workload that it was made with")
    func checkpoints() throws {
        func checkpoint(_ disk: String?) throws -> Gem5Engine.Checkpoint {
            let state = SHA256.digest("state")
            let own = disk.map { #""workload_disk":"\#(SHA256.digest($0).hex)","# } ?? ""
            let record = try Gem5CheckpointRecord(
                Array(
                    """
                    {"version":1,"kernel":"\(SHA256.digest("kernel").hex)","disk":"\(SHA256.digest("disk").hex)",\(own)\
                    "workload":"fibonacci","files":[{"path":"m5.cpt","size":5,"sha256":"\(state.hex)"}]}
                    """.utf8))
            #expect(try Gem5CheckpointRecord(Array(record.document.encoded.utf8)) == record)
            return Gem5Engine.Checkpoint(
                workload: "fibonacci", files: [file("checkpoint/fibonacci/cpt.warm/m5.cpt", "state")], record: record)
        }
        let disks = ["f", "a"].map { SHA256.digest($0) }
        #expect(try engine(sweep(), [try checkpoint("f")]).misfits.isEmpty)
        let before = try #require(try engine(sweep(), [try checkpoint(nil)]).misfits.first)
        #expect(before.differences.sentence == "its workload disk is none, not \(disks[0].short)")
        #expect(!before.canBeForced)
        let other = try #require(try engine(sweep(), [try checkpoint("a")]).misfits.first)
        #expect(other.differences.sentence == "its workload disk is \(disks[1].short), not \(disks[0].short)")
        #expect(other.canBeForced)
        let files = sweep {
            $0.settings = settings(#"{"guest": {"kernel": "/k", "disk": "/d"}}"#)
            $0.images = []
        }
        let none = try #require(try engine(files, [try checkpoint("f")]).misfits.first)
        #expect(none.differences.sentence.hasSuffix(", not none") && !none.canBeForced)
        #expect(try engine(files, [try checkpoint(nil)]).misfits.isEmpty)
    }

    @Test("The guest must have room for the workload's containers", arguments: [
        (#"{"guest": "/g"}"#, Int64(2 << 30), nil, ""),
        (
            #"{"guest": "/g"}"#, (2 << 30) + (64 << 20), "system",
            "the workload 'aes' needs a guest of 2.1 GiB, and this one has 2 GiB; write system: {name: simple, "
                + "memory: 2112MiB}"
        ),
        (
            #"{"guest": "/g", "system": {"name": "skylake", "memory": 268435456}}"#, 320 << 20, "system.memory",
            "the workload 'aes' needs a guest of 320 MiB, and this one has 256 MiB; write system: {name: skylake, "
                + "memory: 320MiB}"
        ),
        (
            #"{"guest": "/g"}"#, 4 << 30, "system",
            "the workload 'aes' needs a guest of 4 GiB, and this one has 2 GiB; gem5's PC has 3 GiB at most: "
                + "lower 'memory' in its workload.yaml"
        ),
    ] as [(String, Int64, String?, String)])
    func memory(_ text: String, _ needed: Int64, _ key: String?, _ message: String) {
        let sweep = sweep {
            $0.settings = settings(text)
            $0.images[1] = image("aes", "a", memory: needed)
        }
        let problems = Gem5Descriptor().problems(sweep)
        #expect(problems == (key.map { [KeyProblem($0, message)] } ?? []))
    }
}
