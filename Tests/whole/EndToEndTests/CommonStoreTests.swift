import Foundation
import TestKit
import Testing

/// A store of checkpoints on another machine, which the inventories of several users name.
@Suite("A common store of checkpoints by SSH", .serialized)
struct CommonStoreTests {
    private static let sweep = """
        sweep: one
        engine: gem5
        system: {name: skylake, memory: 256MiB}
        guest: guest
        workloads: [fibonacci-python]
        axes: {l2.size: [1MiB], branch-predictor: [tournament], core.rob: [64]}
        measure: {warm: 2, invocations: 3}
        metrics: [cpi]

        """

    /// A study whose inventory names a store on its first host.
    private func study() throws -> Study {
        let study = try Study.gem5()
        try study.makeGuest()
        try study.makeWorkload("fibonacci-python", disk: "the disk of it")
        try study.write("inventory.yaml", study.text("inventory.yaml") + "store: h0:\(study.folder)/lab\n")
        #expect(mkdir("\(study.folder)/lab", 0o700) == 0 && chmod("\(study.folder)/lab", 0o2770) == 0)
        return study
    }

    /// As another user would, who has nothing of the first one's.
    private func launchAsAnother(_ study: Study, _ name: String) throws -> Study.Ended {
        try FileManager.default.removeItem(atPath: "\(study.folder)/cache/usweep/checkpoints")
        return try study.launch(Self.sweep.replacing("sweep: one", with: "sweep: \(name)"))
    }

    private func maker(_ study: Study) throws -> String {
        let listed = try study.run("checkpoint", "list").output
        let line = listed.split(separator: "\n").first { $0.contains("fibonacci-python") } ?? ""
        return try study.run("checkpoint", "show", String(line.prefix { $0 != " " })).output
    }

    private func objects(_ study: Study) throws -> [String] {
        try study.listing("lab/objects").compactMap { line in
            let path = line.prefix { $0 != " " }
            return path.split(separator: "/").last?.count == 64 && !path.hasPrefix("maps/") ? String(path) : nil
        }
    }

    /// Looks at the common store as somebody does who is logged in there.
    private func environment(_ study: Study) -> [String: String] { ["USWEEP_CHECKPOINTS": "\(study.folder)/lab"] }

    @Test("What one user set up, another finds: the setup is not run again; the folder is an ordinary store of a group")
    func shared() throws {
        let study = try study()
        let first = try study.launch(Self.sweep)
        #expect(first.status == 0 && !first.errors.contains("is not used for now"), "\(first.errors)")
        let second = try launchAsAnother(study, "two")
        #expect(second.status == 0, "\(second.errors)")
        #expect(try maker(study).contains("of one-"), "it is that of the first sweep")
        let verified = try study.run("checkpoint", "verify", environment: environment(study))
        #expect(verified.status == 0, "\(verified.errors)")
        let script = "find '\(study.folder)/lab' -type f ! -perm -040 ; find '\(study.folder)/lab' -type d ! -perm -070"
        #expect(try RealSSHD.run("sh", ["-c", script]) == "", "the group may read all, and write to all folders")

        // Nobody has to make it again to give it: whoever has it does.
        try RealSSHD.run("sh", ["-c", "rm -rf '\(study.folder)/lab/'*"])
        #expect(try study.launch(Self.sweep.replacing("sweep: one", with: "sweep: three")).status == 0)
        #expect(try !objects(study).isEmpty)
    }

    @Test("Changed bytes there are found, removed and told; the sweep makes its own, and gives it")
    func lying() throws {
        let study = try study()
        #expect(try study.launch(Self.sweep).status == 0)
        let largest = try #require(
            try objects(study).map { "\(study.folder)/lab/objects/\($0)" }.max { size($0) < size($1) })
        try RealSSHD.run(
            "sh", ["-c", "chmod u+w '\(largest)'; printf X | dd of='\(largest)' bs=1 seek=40 conv=notrunc status=none"])
        let second = try launchAsAnother(study, "two")
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.errors.contains("the store of checkpoints h0:\(study.folder)/lab is not used for now:"))
        #expect(second.errors.contains("is damaged or incomplete"), "\(second.errors)")
        #expect(try maker(study).contains("of two-"))
        let third = try launchAsAnother(study, "three")
        #expect(third.status == 0 && !third.errors.contains("is not used for now"), "\(third.errors)")
        #expect(try maker(study).contains("of two-"))
    }

    private func size(_ path: String) -> Int64 {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64) ?? 0
    }

    @Test("A store that is away, or not there, is told once with what to do, and the sweep goes on")
    func away() throws {
        let study = try study()
        let inventory = study.text("inventory.yaml")
        try study.write("inventory.yaml", inventory.replacing("store: h0:", with: "store: 127.0.0.1:"))
        let unreachable = try study.launch(Self.sweep)
        #expect(unreachable.status == 0, "\(unreachable.errors)")
        #expect(unreachable.errors.components(separatedBy: "is not used for now").count == 2, "\(unreachable.errors)")
        try study.write("inventory.yaml", inventory.replacing("/lab\n", with: "/nowhere\n"))
        let missing = try study.launch(Self.sweep.replacing("sweep: one", with: "sweep: two"))
        #expect(missing.status == 0, "\(missing.errors)")
        let advice = "there is no folder \(study.folder)/nowhere; make it there: install -d -m 2770 -g GROUP "
        #expect(missing.errors.contains(advice), "\(missing.errors)")
        for (text, problem) in [("/lab", "set USWEEP_CHECKPOINTS=/lab instead"), ("h0:lab", "begins with /")] {
            try study.write("inventory.yaml", inventory.split(separator: "store:")[0] + "store: \(text)\n")
            let refused = try study.launch(Self.sweep)
            #expect(refused.status == 65 && refused.errors.contains(problem), "\(refused.errors)")
        }
    }

    @Test("A full disk or a killed coordinator while it gives: nothing counts, and the next sweep gives the rest")
    func halfGiven() throws {
        let study = try study()
        try study.mount("size=200k,mode=2770", as: "lab")
        let full = try study.launch(Self.sweep)
        #expect(full.status == 0 && full.errors.contains("(disk or quota full?)"), "\(full.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(study.folder)/lab/index").isEmpty)
        try RealSSHD.run("mount", ["-o", "remount,size=64m", "\(study.folder)/lab"])
        try study.write("sweep.yaml", Self.sweep.replacing("sweep: one", with: "sweep: two"))
        let killed = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        let before = try objects(study).count
        #expect(study.eventually { ((try? objects(study).count) ?? 0) > before })
        killed.signal(SIGKILL)
        _ = killed.wait()
        // Where it was killed after its last run, nothing is left to resume, and the next sweep gives.
        #expect(try study.run("resume").status == 0)
        #expect(try study.launch(Self.sweep.replacing("sweep: one", with: "sweep: next")).status == 0)
        #expect(try study.run("checkpoint", "verify", environment: environment(study)).status == 0)
        let third = try launchAsAnother(study, "three")
        #expect(third.status == 0 && !third.errors.contains("is not used for now"), "\(third.errors)")
        #expect(try maker(study).contains("of one-"))
    }

    @Test("Two users who begin at the same moment: both end well, and what is there is whole")
    func two() throws {
        let study = try study()
        let running = try ["one", "two"].map { name in
            #expect(mkdir("\(study.folder)/of-\(name)", 0o700) == 0)
            try study.write("\(name).yaml", Self.sweep.replacing("sweep: one", with: "sweep: \(name)"))
            return try study.start(
                ["launch", "\(name).yaml", "-i", "inventory.yaml"],
                environment: ["USWEEP_CHECKPOINTS": "\(study.folder)/of-\(name)"])
        }
        for launch in running {
            let ended = launch.wait()
            #expect(ended.status == 0 && !ended.errors.contains("is not used for now"), "\(ended.errors)")
        }
        #expect(try study.run("checkpoint", "verify", environment: environment(study)).status == 0)
        let third = try study.launch(Self.sweep.replacing("sweep: one", with: "sweep: three"))
        #expect(third.status == 0, "\(third.errors)")
        #expect(try !maker(study).contains("of three-"))
    }
}
