import Foundation
import TestKit
import Testing

/// Sweeps with a stand-in that replays what a real gem5 24.0 left, and goes wrong when it is told to.
@Suite("gem5 over SSH, with a stand-in", .serialized)
struct Gem5SweepTests {
    /// Twelve points; cycles per instruction and misses of the second-level cache per 1,000 instructions as computed
    /// from the recorded statistics by a script of ten lines, not by this project.
    static let points: [(l2: String, predictor: String, rob: String, cpi: String, mpki: String)] = [
        ("256KiB", "bimode", "64", "1.2923072292658884", "14.887308487196123"),
        ("256KiB", "bimode", "224", "0.9624250074876723", "15.635340578449707"),
        ("256KiB", "tournament", "64", "1.2840800899961593", "14.986583153194383"),
        ("256KiB", "tournament", "224", "0.9510763954646883", "15.833295593962799"),
        ("256KiB", "tage", "64", "1.2723514862056386", "14.715923679621536"),
        ("256KiB", "tage", "224", "0.949396683243843", "15.439752338169251"),
        ("1MiB", "bimode", "64", "1.1381046879360777", "2.722795049986868"),
        ("1MiB", "bimode", "224", "0.8169304389106363", "2.9869499987399006"),
        ("1MiB", "tournament", "64", "1.1315804962022662", "2.772128517173395"),
        ("1MiB", "tournament", "224", "0.8114656306009389", "3.078724141327609"),
        ("1MiB", "tage", "64", "1.1199885160252596", "2.6951870888046927"),
        ("1MiB", "tage", "224", "0.8002202699258248", "2.929044739949542"),
    ]

    static let sweep = """
        sweep: caches
        engine: gem5
        system: {name: skylake, memory: 256MiB}
        guest: {kernel: vmlinux, disk: disk.img}
        workloads: [fibonacci-python]
        axes:
          l2.size: [256KiB, 1MiB]
          branch-predictor: [bimode, tournament, tage]
          core.rob: [64, 224]
        measure: {warm: 2, invocations: 3}
        limits: {stall: 60s}
        define: {l2.latency: '"system.cpu1.l2cache.overallMissLatency::total" / l2.misses'}
        metrics: [cpi, l1i.mpki, l1d.mpki, l2.mpki]

        """

    /// Two of the points.
    static let small = sweep.replacing("[256KiB, 1MiB]", with: "[1MiB]")
        .replacing("[bimode, tournament, tage]", with: "[tournament, tage]").replacing("[64, 224]", with: "[64]")

    /// One point goes wrong, however often it is tried.
    static func always(_ fault: String) -> String {
        """
        [{"if": {"l2.size": "1MiB", "branch-predictor": "tage", "core.rob": "64"}, "do": "\(fault)", "times": 9}]
        """
    }

    @Test("Setup, checkpoint, 12 points, failures of two classes: the table is the one computed by hand")
    func whole() throws {
        let study = try Study.gem5(
            """
            [{"if": {"l2.size": "1MiB", "branch-predictor": "tage", "core.rob": "64"}, "do": "crash"},
             {"if": {"l2.size": "256KiB", "branch-predictor": "bimode", "core.rob": "224"}, "do": "out-of-memory"}]
            """)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("l2.size") == Self.points.map(\.l2))
        #expect(try study.column("branch-predictor") == Self.points.map(\.predictor))
        #expect(try study.column("core.rob") == Self.points.map(\.rob))
        #expect(try study.column("cpi") == Self.points.map(\.cpi))
        #expect(try study.column("l2.mpki") == Self.points.map(\.mpki))
        let attempts = try study.column("attempts", of: "runs").compactMap(Int.init)
        #expect(attempts.reduce(0, +) == 14, "each failure cost one attempt: \(attempts)")
        #expect(Set(try study.column("checkpoint_digest", of: "runs")).count == 1)

        let before = try study.table()
        #expect(try study.launch(Self.sweep).status == 0)
        #expect(try study.table() == before)
        try look(study)
    }

    @Test("Hosts without a path of gem5 are refused before anything runs, with what to write")
    func noPath() throws {
        let study = try Study.gem5()
        try study.write("bare.yaml", "hosts: [{name: here, address: local}]\n")
        try study.write("sweep.yaml", Self.small)
        for command in ["plan", "launch"] {
            let refused = try study.run(command, "sweep.yaml", "-i", "bare.yaml")
            #expect(refused.status == 65, "\(command)")
            #expect(refused.errors.contains("write 'engines: {gem5: PATH}'"), "\(refused.errors)")
        }
    }

    @Test("The states of a function, from one checkpoint: what a real gem5 left of each")
    func states() throws {
        let study = try Study.gem5()
        try study.makeGuest()
        try study.makeWorkload("fibonacci-go", disk: "a disk")
        let launched = try study.launch(
            """
            sweep: states
            engine: gem5
            system: skylake
            guest: guest
            workloads: [fibonacci-go]
            axes: {state: [warm, lukewarm, cold-caches]}
            measure: {warm: 2, invocations: 3, interleave: {stress: 8MiB}}
            metrics: [cpi, l2.mpki]

            """)
        #expect(launched.status == 0, "\(launched.errors)")
        let misses = try study.column("l2.mpki").compactMap(Double.init)
        #expect(misses.count == 3 && misses[1] > 4 * misses[0] && misses[2] > 4 * misses[0], "\(misses)")
        #expect(Set(try study.column("checkpoint_digest", of: "runs")).count == 1)
        try others(study)
    }

    /// A function with a store in a container of its own, and one of Node.js: what `launch` on two hosts gave with a
    /// real gem5.
    private func others(_ study: Study) throws {
        for name in ["hotel-geo", "aes-nodejs"] { try study.makeWorkload(name, disk: "the disk of \(name)") }
        let launched = try study.launch(
            """
            sweep: others
            engine: gem5
            system: skylake
            guest: guest
            workloads: [hotel-geo, aes-nodejs]
            axes: {state: [warm, lukewarm]}
            measure: {warm: 2, invocations: 3, interleave: {stress: 2MiB}}
            metrics: [cpi, l2.mpki]

            """)
        #expect(launched.status == 0, "\(launched.errors)")
        for (metric, real) in [("cpi", [1.604, 2.028, 1.203, 1.268]), ("l2.mpki", [6.666, 35.25, 11.09, 12.01])] {
            let found = try study.column(metric).compactMap(Double.init)
            let isReal = found.count == real.count && zip(found, real).allSatisfy { abs($0 / $1 - 1) < 0.001 }
            #expect(isReal, "\(metric) \(found)")
        }
    }

    @Test("Several checkpoints of one life: each is a setup of its own, and found again by what it was made from")
    func histories() throws {
        let fault = #"[{"mode": "setup", "warming": "25", "do": "fatal", "times": 9}]"#
        let study = try Study.gem5(fault)
        let text = Self.small.replacing("{warm: 2,", with: "{checkpoints: 3, apart: 5, warm: 2,")
        try study.write("sweep.yaml", text)
        let plan = try study.run("plan", "sweep.yaml").output
        #expect(plan.contains("points      6 (2 from each of 3 checkpoints, after invocation 20, 25 and 30)\n"))
        #expect(plan.contains("runs        6 and 3 setups\n"))
        #expect(try study.launch(text).status == 3)
        #expect(try study.column("checkpoint") == ["20", "20", "25", "25", "30", "30"])
        let outcomes = try study.column("outcome")
        #expect(outcomes == ["succeeded", "succeeded", "failed", "failed", "succeeded", "succeeded"])
        let digests = try study.column("checkpoint_digest", of: "runs")
        #expect(digests[0] == digests[1] && digests[4] == digests[5] && digests[0] != digests[4])
        #expect(try digests[2].isEmpty && Set(study.column("point")).count == 6)
        let explained = try study.run("explain", "8").output
        #expect(explained.contains("setup of fibonacci-python, checkpoint after 25 invocations"), "\(explained)")
        #expect(try study.run("explain", "3").output.contains("checkpoint=25"))
        let spread = try study.run(
            "results", "--spread", "--metric", "cpi", "--format", "csv", "--columns", "branch-predictor,runs,missing,n")
        #expect(spread.output == "branch-predictor,runs,missing,n\ntournament,3,1,3\ntage,3,1,3\n")
        #expect(spread.errors.contains("2 points: all runs gave the same numbers, and count as one run"))
        #expect(try study.run("results", "--by", "checkpoint", "--metric", "cpi").output.contains("\n30 "))
        #expect(try study.run("reproduce", "6", "-i", "inventory.yaml").status == 0)

        // As the only one it is the same checkpoint, and the first one's points are those of a sweep without others.
        let single = Self.small.replacing("{warm: 2,", with: "{setup: 30, warm: 2,")
        #expect(try study.launch(single.replacing("sweep: caches", with: "sweep: later")).status == 0)
        #expect(try study.column("checkpoint_digest", of: "runs") == [digests[4], digests[5]])
        #expect(try study.run("explain", "3").output.contains("its checkpoint existed already"))
        #expect(try study.launch(Self.small).status == 0)
        try study.write("sweep.yaml", Self.small)
        #expect(try study.run("plan", "sweep.yaml").output.contains("done        2 of 2 runs"))
    }

    /// What people do with such a sweep.
    private func look(_ study: Study) throws {
        let statistics = try study.run("results", "--stat", "system.cpu1.numCycles", "--format", "csv").output
        #expect(statistics.split(separator: "\n").count == 1 + 12 * 3)
        #expect(try study.run("results", "--metric", "l2.latency", "--format", "csv").output.contains("l2.latency"))
        #expect(try study.run("pull", "--to", "pulled", "--layout", "vswarm").status == 0)
        let place = "pulled/l2.size=1MiB,branch-predictor=tage,core.rob=224/fibonacci-python"
        for name in ["stats.txt", "config.ini", "gem5.log", "system.pc.com_1.device"] {
            #expect(study.exists("\(place)/\(name)"), "\(name)")
        }
        // Another run's may be as long.
        let whole = study.text("\(place)/stats.txt")
        try study.write("\(place)/stats.txt", whole.replacing("1", with: "2"))
        #expect(try study.run("pull", "--to", "pulled", "--layout", "vswarm").status == 0)
        #expect(study.text("\(place)/stats.txt") == whole)
        try pullLess(place, study)
        let own = try study.run("stats", "\(place)/stats.txt", "--stat", "simTicks", "--format", "csv").output
        #expect(own.split(separator: "\n").count == 1 + 3)
        try lose("\(place)/stats.txt", of: study)
    }

    /// Points that the sweep file no longer has take their files with them; what people put there stays.
    private func pullLess(_ place: String, _ study: Study) throws {
        let whole = study.text("\(place)/stats.txt")
        try study.write("\(place)/notes.txt", "mine")
        #expect(try study.launch(Self.sweep.replacing("[64, 224]", with: "[64]")).status == 0)
        #expect(try study.run("pull", "--to", "pulled", "--layout", "vswarm").status == 0)
        #expect(!study.exists("\(place)/stats.txt") && study.text("\(place)/notes.txt") == "mine")
        #expect(!study.exists("pulled/l2.size=1MiB,branch-predictor=bimode,core.rob=224"))
        #expect(study.exists(place.replacing("core.rob=224", with: "core.rob=64") + "/stats.txt"))
        #expect(try study.launch(Self.sweep).status == 0)
        #expect(try study.run("pull", "--to", "pulled", "--layout", "vswarm").status == 0)
        #expect(study.text("\(place)/stats.txt") == whole)
    }

    /// The object of a file that was pulled gets shorter: its run is named, and all others are still there.
    private func lose(_ file: String, of study: Study) throws {
        let digest = String(try RealSSHD.run("sha256sum", ["\(study.folder)/\(file)"]).prefix(64))
        try RealSSHD.run("truncate", ["-s", "-1", "\(study.folder)/artifacts/objects/\(digest.prefix(2))/\(digest)"])
        for form in ["csv", "json", "table"] {
            let found = try study.run("results", "--stat", "system.cpu1.numCycles", "--format", form)
            #expect(found.status == 74)
            #expect(found.errors.contains("run 12") && found.errors.contains(digest), "\(found.errors)")
            #expect(found.output.components(separatedBy: "system.cpu1.numCycles").count == 1 + 11 * 3)
        }
        let others = try study.run("results", "--stat", "system.cpu1.numCycles", "--where", "core.rob=64")
        #expect(others.status == 0, "\(others.errors)")
    }

    @Test(
        "Exit status 0, but the evidence does not hold: quarantined, not merged, the others go on",
        arguments: [("truncate", "contract-broken"), ("early-exit", "contract-broken"),
            ("other-configuration", "contract-broken"), ("disk-full", "disk-full"), ("garbage", "contract-broken"),
            ("empty", "contract-broken")])
    func silent(_ fault: String, _ failure: String) throws {
        let study = try Study.gem5(Self.always(fault))
        let launched = try study.launch(Self.small)
        #expect(launched.status == 3, "\(launched.errors)")
        let outcomes = try study.column("outcome")
        #expect(outcomes.filter { $0 == "succeeded" }.count == 1)
        #expect(try study.column("class").filter { !$0.isEmpty } == [failure])
        #expect(try study.column("cpi").filter(\.isEmpty).count == 1)
    }

    @Test(
        "Ends of the simulator and of the guest, by their classes",
        arguments: [
            ("fatal", "simulator-fatal"), ("panic", "simulator-fatal"), ("guest-panic", "guest-panic"),
            ("hang", "stalled-simulator"),
        ])
    func loud(_ fault: String, _ failure: String) throws {
        let study = try Study.gem5(Self.always(fault))
        let sweep = Self.small.replacing("stall: 60s", with: "stall: 3s") + "retry: {attempts: 1}\n"
        let launched = try study.launch(sweep)
        #expect(launched.status == 3, "\(launched.errors)")
        #expect(try study.column("class").filter { !$0.isEmpty } == [failure])
        #expect(try study.column("outcome").filter { $0 == "succeeded" }.count == 1)
    }

    @Test("Another image of one workload makes its checkpoint and points again, and those of no other")
    func images() throws {
        let study = try Study.gem5()
        try study.makeGuest()
        for name in ["fibonacci-python", "aes-go"] { try study.makeWorkload(name, disk: "disk of \(name)") }
        let sweep = Self.small.replacing("{kernel: vmlinux, disk: disk.img}", with: "guest")
            .replacing("[fibonacci-python]", with: "[fibonacci-python, aes-go]")
        let launched = try study.launch(sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        func found() throws -> [String: Set<String>] {
            let workloads = try study.column("workload", of: "runs")
            let runs = zip(try study.column("run", of: "runs"), try study.column("checkpoint_digest", of: "runs"))
            return Dictionary(zip(workloads, runs.map { [$0 + " of " + $1] }), uniquingKeysWith: { $0.union($1) })
        }
        let before = try found()
        #expect(before.mapValues(\.count) == ["fibonacci-python": 2, "aes-go": 2])
        #expect(try study.run("status").output.contains("setups  3 succeeded"), "two, and the boot for both")
        try study.makeWorkload("aes-go", disk: "another disk")
        let again = try study.launch(sweep)
        #expect(again.status == 0, "\(again.errors)")
        let after = try found()
        #expect(after["fibonacci-python"] == before["fibonacci-python"])
        #expect(after["aes-go"]?.isDisjoint(with: before["aes-go"] ?? []) == true, "\(before) \(after)")
        try FileManager.default.removeItem(atPath: "\(study.folder)/artifacts/workloads/aes-go")
        let gone = try study.run("plan", "sweep.yaml")
        #expect(gone.status == 65)
        #expect(gone.errors.contains("the workload 'aes-go' was not built yet"), "\(gone.errors)")
    }

    @Test("A guest that holds its functions itself is refused with what to do")
    func oldGuest() throws {
        let study = try Study.gem5(hosts: 0)
        try study.makeGuest()
        try study.makeWorkload("fibonacci-python", disk: "a disk")
        let manifest = study.text("guest/manifest.json")
        let old = manifest.replacing("{\"inputs\"", with: "{\"workloads\": [\"fibonacci-python\"], \"inputs\"")
        try study.write("guest/manifest.json", old)
        try study.write("sweep.yaml", Self.small.replacing("{kernel: vmlinux, disk: disk.img}", with: "guest"))
        let planned = try study.run("plan", "sweep.yaml")
        #expect(planned.status == 65)
        #expect(planned.errors.contains("contains the functions itself; build it again: ops/guest/build gem5"))
    }

    @Test("One host's gem5 is asked whether it takes every parameter and value")
    func bind() throws {
        let study = try Study.gem5()
        try study.write("sweep.yaml", Self.sweep)
        let good = try study.run("plan", "sweep.yaml", "-i", "inventory.yaml", "--bind")
        #expect(good.status == 0, "\(good.errors)")
        try study.write(
            "sweep.yaml", Self.sweep.replacing("tournament", with: "turnament").replacing("core.rob", with: "cpu.bor"))
        let bad = try study.run("plan", "sweep.yaml", "-i", "inventory.yaml", "--bind")
        #expect(bad.status == 65)
        for problem in ["branch-predictor: turnament: there is no", "cpu.bor: 64: there", "cpu.bor: 224: there"] {
            #expect(bad.errors.contains(problem), "\(bad.errors)")
        }
        #expect(!bad.errors.contains("l2.size"))
        try study.write("sweep.yaml", Self.sweep.replacing("core.rob", with: "core.bor"))
        let refused = try study.run("plan", "sweep.yaml")
        #expect(refused.status == 65)
        #expect(refused.errors.contains("key 'axes.core.bor': engine 'gem5' has no such parameter, and this cannot be"))
        #expect(refused.errors.contains("did you mean 'core.rob'?"), "\(refused.errors)")
        try study.write("sweep.yaml", Self.sweep.replacing("core.rob", with: "coer.rob"))
        let warned = try study.run("plan", "sweep.yaml")
        #expect(warned.status == 0 && warned.errors.contains("warning: the axis 'coer.rob' is taken for"))
        #expect(warned.errors.contains("did you mean 'core.rob'?"), "\(warned.errors)")
        #expect(!study.exists("artifacts"), "nothing was started")
    }

    @Test("The axes of one host's gem5: what it does not take is left out, and said")
    func axes() throws {
        let study = try Study.gem5()
        let all = try study.run("axes", "--engine", "gem5", "--system", "simple")
        let asked = ["axes", "--engine", "gem5", "--system", "simple", "--bind", "-i", "inventory.yaml"]
        let there = try study.start(asked + ["--host", "h1"]).wait()
        #expect(there.status == 0, "\(there.errors)")
        #expect(all.output.contains("tage-sc-l") && !there.output.contains("tage-sc-l"), "\(there.output)")
        #expect(there.output.contains("branch-predictor"), "\(there.output)")
        #expect(there.errors.contains("h1 does not take branch-predictor=tage-sc-l: there is no such thing"))
        #expect(try study.start(asked + ["--host", "h9"]).wait().errors.contains("'h9' is not a host"))
        #expect(try study.run("axes", "--engine", "qemu", "--bind", "-i", "inventory.yaml").status == 64)
    }

    @Test("No gem5 where the inventory says: no host is usable, and it says why")
    func missing() throws {
        let study = try Study.gem5()
        try FileManager.default.removeItem(atPath: "\(study.folder)/gem5/gem5.opt")
        let launched = try study.launch(Self.small)
        #expect(launched.status == 75, "\(launched.errors)")
        #expect(launched.errors.contains("gem5.opt"))
    }
}
