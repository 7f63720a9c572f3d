import Foundation
import Model
import TestKit
import Testing

/// Checkpoints that do not fit, and are used because somebody asked for it.
@Suite("Forced checkpoints, with a stand-in for gem5", .serialized)
struct ForceTests {
    private static let sweep = """
        sweep: forced
        engine: gem5
        system: skylake
        guest: {kernel: vmlinux, disk: disk.img}
        workloads: [fibonacci-python]
        checkpoint: vswarm
        axes: {l2.size: [1MiB], branch-predictor: [tournament, tage], core.rob: [64]}
        measure: {warm: 2, invocations: 3}
        metrics: [cpi]

        """

    /// A study whose sweep names a checkpoint that was made with another kernel.
    private func study(_ faults: String = "[]") throws -> Study {
        let study = try Study.gem5(faults)
        try study.vswarm("fibonacci-python\n", checkpoints: ["fibonacci-python"])
        try add(study)
        try study.write("vmlinux", "another kernel")
        try study.write("sweep.yaml", Self.sweep)
        return study
    }

    private func add(_ study: Study) throws {
        let added = try study.run(
            "checkpoint", "add", "\(study.folder)/wkdir/cpt_1m", "--name", "vswarm", "--kernel",
            "\(study.folder)/vmlinux", "--disk", "\(study.folder)/disk.img")
        #expect(added.status == 0, "\(added.errors)")
    }

    @Test("It is planned and run, every result says so, and none counts once the checkpoint fits")
    func forced() throws {
        let study = try study()
        let kernels = ["a kernel", "another kernel"].map { SHA256.digest($0).short }
        let difference = "its kernel is \(kernels[0]), not \(kernels[1])"
        let refused = try study.run("plan", "sweep.yaml")
        #expect(refused.status == 65 && refused.errors.contains("\(difference); let the sweep make its own"))
        #expect(try study.launch(Self.sweep).status == 65)
        let plan = try study.run("plan", "sweep.yaml", "--force")
        #expect(plan.status == 0 && plan.output.contains(", does not fit, and is forced: \(difference)"), "\(plan)")
        let document = try study.run("plan", "sweep.yaml", "--force", "--output", "json").output
        try JSONTests.expect(document, "plan")
        let told = try JSON(parsing: Array(document.utf8))["forced"]?.elements?.first
        #expect(told?["differences"]?.elements == [.string(difference)])

        let launched = try study.launch(Self.sweep, options: ["--force"])
        #expect(launched.status == 0, "\(launched.errors)")
        let points = try study.column("point")
        for table in ["results", "invocations", "runs"] {
            let lines = try study.table(table).split(separator: "\n").dropFirst()
            #expect(!lines.isEmpty && lines.allSatisfy { $0.contains(difference) }, "\(table)")
        }
        #expect(try study.run("explain", "1").output.contains("was forced: \(difference)"))
        #expect(try study.run("report", "--to", "report.html").status == 0)
        #expect(study.text("report.html").contains("was forced: \(difference)"))

        let digests = Set(try study.column("checkpoint_digest", of: "runs"))
        #expect(digests.count == 1)
        let shown = try study.run("checkpoint", "show", digests.first ?? "").output
        #expect(shown.contains("vswarm"), "\(digests): \(shown)")

        let without = try study.launch(Self.sweep)
        #expect(without.status == 65 && without.errors.contains("launch it with --force"), "\(without.errors)")
        #expect(try study.run("resume").status == 0)
        #expect(try study.column("point") == points)

        try add(study)
        let pinned = try study.launch(Self.sweep)
        #expect(pinned.status != 0 && pinned.errors.contains("--repin"), "\(pinned.errors)")
        let again = try study.launch(Self.sweep, options: ["--repin"])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try study.column("forced").isEmpty)
        let fitting = try study.column("point")
        #expect(fitting.count == points.count && Set(fitting).isDisjoint(with: points))
        #expect(try study.column("forced", of: "runs").allSatisfy(\.isEmpty))
    }

    @Test("A simulator that does not say what it did not compare is not believed")
    func unsaid() throws {
        let study = try study(#"[{"if": {"branch-predictor": "tage"}, "do": "compare", "times": 9}]"#)
        let launched = try study.launch(Self.sweep, options: ["--force"])
        #expect(launched.status == 3, "\(launched.errors)")
        #expect(try Set(study.column("class")) == ["", "checkpoint-incompatible"])
        #expect(try study.table("runs").contains("were all compared, where kernel is forced"))
    }

    @Test("What gem5 cannot restore is refused with --force, too")
    func impossible() throws {
        let study = try study()
        let sweep = Self.sweep.replacing("system: skylake", with: "system: {name: skylake, memory: 512MiB}")
        let launched = try study.launch(sweep, options: ["--force"])
        #expect(launched.status == 65 && launched.errors.contains("its memory is "), "\(launched.errors)")
        #expect(launched.errors.contains("--force does not change that"))
        let left = study.exists("artifacts") ? try study.listing("artifacts") : []
        #expect(left.allSatisfy { !$0.contains("forced-") })
    }
}
