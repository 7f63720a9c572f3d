import Model
import Testing
@testable import Engines

/// Workloads beside the function, as a run of the engine `qemu` gets them.
@Suite("Interleaved workloads of engine qemu")
struct QEMUInterleavingTests {
    private static func file(_ path: String, _ text: String) -> InputFile {
        InputFile(
            path: path, source: "/lab/\(text)", digest: SHA256.digest(text), size: Int64(text.utf8.count),
            isExecutable: false)
    }

    private static func image(_ workload: String, _ content: String) -> WorkloadImage {
        WorkloadImage(workload: workload, disk: file("workload.squashfs", content), memoryBytes: 256 << 20)
    }

    private static func sweep(_ others: [WorkloadImage]) -> Sweep {
        let list = others.map { other in
            #"{"workload": "\#(other.workload)", "disk": "\#(other.disk.digest.hex)", "memory": \#(other.memoryBytes)}"#
        }
        var sweep = Sweep(
            name: "s", engine: "qemu",
            settings: settings(#"{"guest": "/g", "measure.interleave": [\#(list.joined(separator: ", "))]}"#))
        sweep.workloads = ["fib"]
        sweep.images = [image("fib", "f")] + others
        sweep.axes = [Axis(name: "state", values: ["warm", "lukewarm"])]
        return sweep
    }

    private static func engine(_ sweep: Sweep) throws -> QEMUEngine {
        try QEMUEngine(
            sweep,
            guest: QEMUEngine.Guest(
                kernel: file("vmlinuz", "k"), initrd: file("initrd.img", "i"), plugin: file("model.so", "m")))
    }

    @Test("Setup and evaluation have their disks, under names of their own, and a guest with room for all")
    func disks() throws {
        let sweep = Self.sweep([Self.image("aes", "a"), Self.image("auth", "n")])
        #expect(QEMUDescriptor().problems(sweep).isEmpty)
        let points = try Points(sweep, recipe: sweep.recipe)
        let state = Job.Input(Self.file("checkpoint.zst", "c"))
        for task in [EngineTask.setup(workload: "fib"), .evaluation(point: 1, repetition: 1)] {
            let job = try Self.engine(sweep).job(for: task, points: points, checkpoint: [state])
            let words = job.arguments.compactMap { if case .text(let text) = $0 { text } else { nil } }
            let memory = try #require(words.firstIndex(of: "--memory"))
            #expect(Array(words[memory...].prefix(10)) == [
                "--memory", "768", "--workload", "fib", "--disk", "workload.squashfs", "--other",
                "interleaved-1.squashfs", "--other", "interleaved-2.squashfs",
            ])
            let disks = job.inputs.filter { $0.path.hasSuffix(".squashfs") }
            #expect(disks.map(\.path) == [
                "workload.squashfs", "interleaved-1.squashfs", "interleaved-2.squashfs",
            ])
            #expect(disks.map(\.digest) == ["f", "a", "n"].map { SHA256.digest($0) })
        }
    }

    @Test("What a call has in common with the one before it is refused where there is only one")
    func overlap() {
        var sweep = Sweep(name: "s", engine: "qemu", settings: settings(#"{"guest": "/g"}"#))
        sweep.metrics = ["instructions", "data.overlap"]
        sweep.measure = Measure(warm: 0, invocations: 1)
        #expect(QEMUDescriptor().problems(sweep).map(\.key) == ["metrics"])
        for measure in [Measure(warm: 1, invocations: 1), Measure(warm: 0, invocations: 2)] {
            sweep.measure = measure
            #expect(QEMUDescriptor().problems(sweep).isEmpty)
        }
    }

    @Test("Another image, or another order, makes other points and another checkpoint")
    func identity() throws {
        let (one, two) = (Self.image("aes", "a"), Self.image("auth", "n"))
        let sweeps = [[], [one], [one, two], [two, one], [Self.image("aes", "changed")]].map(Self.sweep)
        #expect(Set(try sweeps.map { try $0.recipe }).count == sweeps.count)
        #expect(Set(try sweeps.map { try Self.engine($0).key(ofMaker: .setup(workload: "fib")) }).count == sweeps.count)
        var plain = sweeps[0]
        plain.settings = settings(#"{"guest": "/g"}"#)
        #expect(try plain.recipe == sweeps[0].recipe)
        let keys = try [plain, sweeps[0]].map { try Self.engine($0).key(ofMaker: .setup(workload: "fib")) }
        #expect(keys[0] == keys[1])
    }
}
