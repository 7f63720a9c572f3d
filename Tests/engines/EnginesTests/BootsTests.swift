import Model
import Results
import Testing
@testable import Engines

@Suite("Guests that are booted once for several setups")
struct BootsTests {
    private static func file(_ path: String, _ text: String) -> InputFile {
        InputFile(path: path, source: "/\(text)", digest: SHA256.digest(text), size: 1, isExecutable: false)
    }

    private static func sweep(_ engine: String, _ text: String, memory: [Int64]) -> Sweep {
        var sweep = Sweep(name: "s", engine: engine, settings: settings(text))
        sweep.workloads = memory.indices.map { "w\($0)" }
        sweep.images = memory.enumerated().map { number, memory in
            WorkloadImage(
                workload: "w\(number)", disk: file("workload.squashfs", "d\(number)"), memoryBytes: memory << 20)
        }
        return sweep
    }

    private static func qemu(_ memory: [Int64], isBootedOnce: Bool = true) throws -> QEMUEngine {
        try QEMUEngine(
            sweep("qemu", #"{"guest": "/g"}"#, memory: memory),
            guest: .init(
                kernel: file("vmlinuz", "k"), initrd: file("initrd.img", "i"), plugin: file("model.so", "m"),
                isBootedOnce: isBootedOnce))
    }

    private static func words(_ engine: any Engine, _ sweep: Sweep, _ task: EngineTask, _ checkpoint: [String]) throws
        -> [String]
    {
        let inputs = checkpoint.map { Job.Input(path: $0, digest: SHA256.digest($0), size: 1) }
        let points = try Points(sweep, recipe: sweep.recipe)
        return try engine.job(for: task, points: points, checkpoint: inputs).words
    }

    @Test("QEMU: a guest for each size of memory, with no workload in its key")
    func memories() throws {
        let engine = try Self.qemu([256, 320, 256])
        #expect(engine.boots.map(\.workloads) == [["w0", "w2"], ["w1"]])
        #expect(Set(engine.boots.map(\.key)).count == 2)
        #expect(try Self.qemu([320]).boots.map(\.key) == [engine.boots[1].key], "whatever else a sweep has")
        #expect(engine.key(ofMaker: .boot(1)) == engine.boots[1].key)
        let sweep = Self.sweep("qemu", #"{"guest": "/g"}"#, memory: [256, 320, 256])
        let boot = try Self.words(engine, sweep, .boot(1), [])
        #expect(boot.suffix(4) == ["--memory", "320", "--disks", "1"])
        let setup = try Self.words(engine, sweep, .setup(workload: "w1"), ["booted.zst"])
        #expect(setup.suffix(2) == ["--booted", "booted.zst"])
        let files = try engine.files(ofCheckpoint: SHA256.digest("c"), madeBy: .boot(1)) { _ in [] }
        #expect(files.map(\.path) == ["booted.zst"])
    }

    @Test("Several checkpoints of a workload: each is that of a sweep with as many invocations before its only one")
    func checkpoints() throws {
        func sweep(_ engine: String, _ change: (inout Measure) -> Void) -> Sweep {
            var sweep = Self.sweep(engine, #"{"guest": "/g"}"#, memory: [256])
            sweep.axes = [Axis(name: "l2.size", values: ["1MiB"])]
            change(&sweep.measure)
            return sweep
        }
        func qemu(_ sweep: Sweep) throws -> any Engine {
            try QEMUEngine(
                sweep, guest: .init(
                    kernel: Self.file("vmlinuz", "k"), initrd: Self.file("initrd.img", "i"),
                    plugin: Self.file("model.so", "m"), isBootedOnce: true))
        }
        func gem5(_ sweep: Sweep) throws -> any Engine {
            try Gem5Engine(
                sweep, guest: .init(kernel: Self.file("k", "k"), disk: Self.file("d", "d"), isBootedOnce: true),
                scripts: [])
        }
        for (name, option, engine) in [("qemu", "--warm", qemu), ("gem5", "--functional-warming", gem5)] {
            let several = sweep(name) { $0.checkpoints = [20, 50] }
            let made = try engine(several)
            for (number, age) in [20, 50].enumerated() {
                let task = EngineTask.setup(workload: "w0", checkpoint: number)
                let words = try Self.words(made, several, task, ["booted"])
                #expect(words.firstIndex(of: option).map { words[$0 + 1] } == "\(age)")
                let single = try engine(sweep(name) { $0.setupInvocations = age })
                #expect(made.key(ofMaker: task) == single.key(ofMaker: .setup(workload: "w0")))
            }
            // The checkpoint is no parameter of the simulated machine.
            let evaluation = try Self.words(made, several, .evaluation(point: 1, repetition: 1), ["checkpoint"])
            #expect(evaluation.contains { $0.hasPrefix("l2.size=") })
            #expect(!evaluation.contains { $0.hasPrefix("checkpoint=") })
        }
    }

    @Test("An older guest is booted by each setup, whose checkpoint is another than of one that was booted once")
    func older() throws {
        let (older, newer) = (try Self.qemu([256], isBootedOnce: false), try Self.qemu([256]))
        #expect(older.boots.isEmpty)
        #expect(older.key(ofMaker: .setup(workload: "w0")) != newer.key(ofMaker: .setup(workload: "w0")))
        let sweep = Self.sweep("qemu", #"{"guest": "/g"}"#, memory: [256])
        #expect(try !Self.words(older, sweep, .setup(workload: "w0"), []).contains("--booted"))
    }

    @Test("gem5: one guest for all workloads; none with a script of the user's own")
    func gem5() throws {
        let guest = Gem5Engine.Guest(
            kernel: Self.file("guest/vmlinux", "k"), disk: Self.file("guest/disk.img", "d"), isBootedOnce: true)
        let text = #"{"guest": "/g", "system": {"name": "simple", "memory": 536870912, "kvm": true}}"#
        let sweep = Self.sweep("gem5", text, memory: [256, 320])
        let engine = try Gem5Engine(sweep, guest: guest, scripts: [])
        #expect(engine.boots.map(\.workloads) == [["w0", "w1"]])
        let boot = try Self.words(engine, sweep, .boot(0), [])
        #expect(boot.suffix(8) == [
            "--memory", "536870912B", "--mode", "boot", "--checkpoint-dir", "m5out/checkpoint",
            "--for-workload-disks", "--kvm",
        ])
        #expect(!boot.contains("--function") && !boot.contains("--workload-disk"))
        let setup = try Self.words(engine, sweep, .setup(workload: "w1"), ["checkpoint/cpt.boot/m5.cpt"])
        #expect(setup.suffix(3) == ["--booted", "checkpoint/cpt.boot", "--kvm"])
        let script = Self.sweep(
            "gem5", #"{"system": {"script": "my.py", "setup": ["{checkpoint}"], "arguments": ["{checkpoint}"]}}"#,
            memory: [256])
        #expect(try Gem5Engine(script, guest: guest, scripts: []).boots.isEmpty)
    }
}
