import Foundation
import Testing

@Suite("A working folder of vSwarm-u is taken over", .serialized)
struct Gem5ImportTests {
    @Test("List, kernel, disk and checkpoint: the sweep plans, and runs from that checkpoint without a setup")
    func whole() throws {
        let study = try Study.gem5()
        try study.vswarm(
            "\u{feff}# all functions\r\nfibonacci-python   # the first\r\n\r\n  #aes-go\r\nfibonacci-python\r\n",
            checkpoints: ["fibonacci-python"])
        let before = try study.listing("wkdir")
        let imported = try study.run("import", "vswarm", "wkdir", "--to", "study")
        #expect(imported.status == 0, "\(imported.errors)")
        #expect(imported.errors.contains("1 of 1 functions, 1 checkpoint"))
        #expect(imported.errors.contains("not taken over: run_sim.py"))
        #expect(try study.listing("wkdir") == before)
        #expect(study.exists("study/checkpoints/fibonacci-python/cpt.warm/record.json"))
        #expect(try study.run("plan", "study/sweep.yaml").status == 0)

        let text = study.text("study/sweep.yaml")
            .replacing("warm: 10, invocations: 10", with: "warm: 2, invocations: 3")
            .replacing("[1MiB]", with: "[1MiB]\n  branch-predictor: [tage]\n  core.rob: [224]")
        try study.write("study/sweep.yaml", text)
        let launched = try study.run("launch", "study/sweep.yaml", "-i", "inventory.yaml")
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("cpi") == ["0.8002202699258248"])
        #expect(try study.column("attempts", of: "runs") == ["1"], "there is no setup")
        try checkMisfits(study, text)
    }

    /// gem5 would restore the one and the other without a word, or hang.
    private func checkMisfits(_ study: Study, _ text: String) throws {
        for (options, word) in [("memory: 512MiB", "memory"), ("cores: 4", "cores")] {
            let system = "system: {name: skylake, \(options)} # "
            try study.write("study/other.yaml", text.replacing("system: skylake", with: system))
            let refused = try study.run("plan", "study/other.yaml")
            #expect(refused.status == 65)
            #expect(refused.errors.contains(word), "\(refused.errors)")
        }
        try study.write("wkdir/kernel", "another kernel")
        let refused = try study.run("plan", "study/sweep.yaml")
        #expect(refused.status == 65)
        #expect(refused.errors.contains("kernel"), "\(refused.errors)")
    }

    @Test("What cannot be taken over is said, function by function, and the sweep makes its checkpoints itself")
    func partly() throws {
        let study = try Study(hosts: 0)
        try study.vswarm("a-go\nb-go\nc-go\nd-go\ne-go\n", checkpoints: ["a-go", "c-go", "d-go", "e-go"])
        let state = study.text("wkdir/cpt_1m/c-go/cpt.warm/m5.cpt")
        try study.write("wkdir/cpt_1m/c-go/cpt.warm/m5.cpt", String(state.dropLast(700)))
        try FileManager.default.removeItem(
            atPath: "\(study.folder)/wkdir/cpt_1m/d-go/cpt.warm/system.physmem.store0.pmem")
        try study.write("wkdir/cpt_1m/e-go/cpt.warm/m5.cpt", state.replacing("[system.", with: "[board."))
        let imported = try study.run("import", "vswarm", "wkdir", "--to", "study")
        #expect(imported.status == 0, "\(imported.errors)")
        for text in [
            "5 functions, 1 checkpoint", "there is no checkpoint cpt.warm of b-go: no folder ",
            "of c-go: it is cut short",
            "of e-go: it is a checkpoint of board, which only the script that made it can restore",
            "of d-go: its memory system.physmem.store0.pmem is missing", "makes all checkpoints itself",
        ] {
            #expect(imported.errors.contains(text), "\(imported.errors)")
        }
        #expect(study.text("study/sweep.yaml").contains("\ncheckpoint: setup\n"))
        #expect(!study.exists("study/checkpoints/c-go"))
        #expect(try study.run("plan", "study/sweep.yaml").status == 0)
    }

    @Test("Checkpoints are found whatever their folder is called; of several none is chosen")
    func otherFolders() throws {
        let study = try Study(hosts: 0)
        try study.vswarm("a-go\nb-go\nc-go\n", checkpoints: ["a-go", "b-go", "c-go"])
        let (files, folder) = (FileManager.default, "\(study.folder)/wkdir")
        try files.moveItem(atPath: "\(folder)/cpt_1m", toPath: "\(folder)/cpt_5k")
        try files.moveItem(atPath: "\(folder)/cpt_5k/b-go/cpt.warm", toPath: "\(folder)/cpt_5k/b-go/cpt.123456")
        try files.moveItem(atPath: "\(folder)/cpt_5k/c-go/cpt.warm", toPath: "\(folder)/cpt_5k/c-go/cpt.7")
        try files.copyItem(atPath: "\(folder)/cpt_5k/c-go/cpt.7", toPath: "\(folder)/cpt_5k/c-go/cpt.8")
        let imported = try study.run("import", "vswarm", "wkdir", "--to", "study")
        #expect(imported.status == 0 && imported.errors.contains("3 functions, 2 checkpoints"), "\(imported.errors)")
        #expect(imported.errors.contains("not taken over: c-go has several checkpoints, "), "\(imported.errors)")
        #expect(study.exists("study/checkpoints/a-go/cpt.warm/record.json"))
        #expect(study.exists("study/checkpoints/b-go/cpt.warm/record.json"))
    }

    @Test("Symbolic links are followed; what an import that was broken off left is replaced")
    func links() throws {
        let study = try Study(hosts: 0)
        try study.vswarm("a-go\n", checkpoints: ["a-go"])
        let folder = "\(study.folder)/wkdir"
        for name in ["kernel", "cpt_1m/a-go/cpt.warm/m5.cpt"] {
            try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: "\(folder)/\(name).real")
            let target = URL(filePath: "\(name).real").lastPathComponent
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: target)
        }
        let half = "study/checkpoints/a-go/cpt.warm"
        try FileManager.default.createDirectory(atPath: "\(study.folder)/\(half)", withIntermediateDirectories: true)
        try study.write("\(half)/m5.cpt", "half")
        #expect(try study.run("import", "vswarm", "wkdir", "--to", "study").status == 0)
        #expect(study.text("\(half)/m5.cpt") == study.text("wkdir/cpt_1m/a-go/cpt.warm/m5.cpt.real"))
        let planned = try study.run("plan", "study/sweep.yaml")
        #expect(planned.status == 0, "\(planned.errors)")
    }

    @Test(
        "Folders that are none",
        arguments: [
            ("functions.list", nil, 66, "functions.list"), ("functions.list", "# a-go\n", 65, "names no function"),
            ("functions.list", "../../a\n", 65, "functions.list:1:1: '../../a' is not a function's name"),
            ("functions.list", "a\u{0}-\u{0}", 65, "save it as UTF-8"),
            ("functions.list", "a; rm -rf b\n", 65, "is not a function's name"), ("kernel", nil, 66, "kernel"),
            ("disk.img", nil, 66, "disk.img"),
        ] as [(String, String?, Int32, String)])
    func wrong(_ file: String, _ text: String?, _ status: Int32, _ word: String) throws {
        let study = try Study(hosts: 0)
        try study.vswarm("a-go\n", checkpoints: [])
        try FileManager.default.removeItem(atPath: "\(study.folder)/wkdir/\(file)")
        if let text { try study.write("wkdir/\(file)", text) }
        let refused = try study.run("import", "vswarm", "wkdir", "--to", "study")
        #expect(refused.status == status, "\(refused.errors)")
        #expect(refused.errors.contains(word), "\(refused.errors)")
        #expect(!study.exists("study"))
    }

    @Test("A target that exists is left alone; one that cannot be written is said")
    func targets() throws {
        let study = try Study(hosts: 0)
        try study.vswarm("a-go\n", checkpoints: ["a-go"])
        try FileManager.default.createDirectory(atPath: "\(study.folder)/mine", withIntermediateDirectories: true)
        try study.write("mine/sweep.yaml", "mine")
        let existing = try study.run("import", "vswarm", "wkdir", "--to", "mine")
        #expect(existing.status == 74)
        #expect(existing.errors.contains("exists already"))
        #expect(try study.listing("mine") == ["sweep.yaml 4"])
        try study.mount("ro", as: "locked")
        let locked = try study.run("import", "vswarm", "wkdir", "--to", "locked/study")
        #expect(locked.status == 74, "\(locked.errors)")
        #expect(locked.errors.contains("locked/study"))
    }
}
