import Foundation
import Testing

@Suite("Scripts of users' own, with a stand-in for gem5", .serialized)
struct Gem5ScriptTests {
    private static let sweep = """
        sweep: own
        engine: gem5
        system:
          script: my.py
          arguments:
            - --mode
            - evaluation
            - --kernel
            - '{kernel}'
            - --disk
            - '{disk}'
            - --restore
            - '{checkpoint}'
            - --set
            - l2.size={l2.size}
            - --set
            - branch-predictor=tage
            - --set
            - core.rob={core.rob}
          setup: [--mode, setup, --kernel, '{kernel}', --disk, '{disk}', --save, '{checkpoint}']
          blocks: 3
          line: Measuring done
        guest: {kernel: vmlinux, disk: disk.img}
        workloads: [fibonacci-python]
        axes: {l2.size: [256KiB, 1MiB], core.rob: [64, 224]}
        metrics: [cpi, l2.mpki]
        retry: {attempts: 1}

        """

    /// No checkpoint, two points.
    private static let small = sweep.replacing("    - --restore\n    - '{checkpoint}'\n", with: "")
        .split(separator: "\n").filter { !$0.hasPrefix("  setup:") }.joined(separator: "\n")
        .replacing("[256KiB, 1MiB]", with: "[1MiB]")

    private func prepare(_ faults: String = "[]") throws -> Study {
        let study = try Study.gem5(faults)
        try study.write("my.py", "import m5")
        return study
    }

    private static let fault = #"[{"if": {"core.rob": "64"}, "do": "WHAT", "times": 9}]"#

    @Test("A setup of its own makes the checkpoint, from which all points start")
    func checkpoint() throws {
        let study = try prepare()
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        let expected = Gem5SweepTests.points.filter { $0.predictor == "tage" }
        #expect(try study.column("cpi") == expected.map(\.cpi))
        #expect(try study.column("l2.mpki") == expected.map(\.mpki))
        #expect(Set(try study.column("checkpoint_digest", of: "runs")).filter { !$0.isEmpty }.count == 1)
    }

    @Test(
        "Without a checkpoint; one that fails, and one that does not say its line, leave the other alone",
        arguments: [
            ("silent", "contract-broken", "no line has 'Measuring done'"), ("fatal", "simulator-fatal", "fatal"),
        ])
    func failing(_ fault: String, _ failure: String, _ evidence: String) throws {
        let study = try prepare(Self.fault.replacing("WHAT", with: fault))
        let launched = try study.launch(Self.small)
        #expect(launched.status == 3, "\(launched.errors)")
        #expect(try study.column("class") == [failure, ""])
        #expect(try study.column("cpi").filter { !$0.isEmpty }.count == 1)
        let told = try study.run("explain", "1").output
        #expect(told.contains(evidence), "\(told)")
    }

    @Test("Another number of blocks than was asked for")
    func blocks() throws {
        let study = try prepare()
        #expect(try study.launch(Self.small.replacing("blocks: 3", with: "blocks: 2")).status == 3)
        #expect(try study.column("class") == ["contract-broken", "contract-broken"])
        let told = try study.run("explain", "1").output
        #expect(told.contains("3 statistics blocks, 2 were asked for"), "\(told)")
    }

    @Test("Without workloads; a core that is not there, and naming another one, which judges again")
    func core() throws {
        let study = try prepare()
        let text = Self.small.replacing("workloads: [fibonacci-python]", with: "measure: {core: 7}")
        let launched = try study.launch(text)
        #expect(launched.status == 3, "\(launched.errors)")
        let told = try study.run("explain", "1").output
        #expect(told.contains("the statistics contain nothing about core 7"), "\(told)")
        #expect(told.contains("name the one under test, as in measure: {core: 'system.cpu0'}"), "\(told)")
        let again = try study.launch(text.replacing("core: 7", with: "core: system.cpu1"))
        #expect(again.status == 0, "\(again.errors)")
        #expect(try study.column("attempts", of: "runs") == ["1", "1"])
        #expect(try study.column("workload") == ["my", "my"])
        let core = try study.run("explain", "1").output
        #expect(core.contains("the numbers are those of system.cpu1 and its caches"), "\(core)")
    }

    @Test("doctor tries gem5 under KVM where there is one, and says what it lacks")
    func kvm() throws {
        let study = try Study.gem5("[]", #", "kvm": "PerfKvmCounter::attach failed (13)""#, hosts: 1)
        let told = try study.run("doctor", "-i", "inventory.yaml")
        let hasKVM = FileManager.default.isWritableFile(atPath: "/dev/kvm")
        let expected = hasKVM
            ? "gem5 cannot use this host's KVM: PerfKvmCounter::attach failed (13); performance events may be forbidden"
            : "no KVM for this account"
        #expect(told.output.contains(expected), "\(told.output)\(told.errors)")
    }

    @Test("What is wrong in the sweep file is said before anything starts")
    func wrong() throws {
        let study = try prepare()
        for (old, new, status, word) in [
            ("{l2.size}", "{l2.sise}", 65, "write {l2.size}"), ("{kernel}", "{kernal}", 65, "write {kernel}"),
            ("my.py", "mine.py", 66, "mine.py"), ("blocks: 3", "blocks: 0", 65, "blocks"),
            ("blocks: 3", "block: 3", 65, "blocks"),
        ] as [(String, String, Int32, String)] {
            try study.write("sweep.yaml", Self.small.replacing(old, with: new))
            let planned = try study.run("plan", "sweep.yaml")
            #expect(planned.status == status, "\(planned.errors)")
            #expect(planned.errors.contains(word), "\(planned.errors)")
        }
    }
}
