import Foundation
import Testing

@Suite("Hosts are emptied over SSH", .serialized)
struct CleanTests {
    private func sweep(_ study: Study, name: String = "heavy", _ command: String) -> String {
        """
        sweep: \(name)
        engine: command
        command: [/bin/sh, -c, '\(command)']
        axes: {x: [1]}
        inputs: [big.bin]

        """
    }

    private func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    @Test("What nobody needs goes, nothing of a running sweep; at the end nothing is left")
    func cleaned() throws {
        let study = try Study(hosts: 2)
        try Data(count: 3_000_000).write(to: URL(filePath: "\(study.folder)/big.bin"))
        // On a busy machine one host could do all before the other is there.
        let places = [0, 1].map { "[ -e \(study.workdir($0))/objects ]" }.joined(separator: " && ")
        #expect(try study.launch(sweep(study, "until \(places); do sleep 0.1; done")).status == 0)
        // One that was killed by a power cut while it had something to do: nobody ever resumes it.
        let (attempts, bin) = ("\(study.workdir(0))/attempts", "\(study.workdir(0))/bin")
        try FileManager.default.createDirectory(
            atPath: "\(attempts)/other-aaaaaaaa/1.1-1", withIntermediateDirectories: true)
        try study.write("w0/bin/usweep-agent-0", String(repeating: "x", count: 100_000))
        try study.write("w0/mine", "of somebody else")
        let looked = try study.run("clean", "h0", "--dry-run")
        #expect(looked.status == 0, "\(looked.errors)")
        #expect(looked.errors.contains("agents of other versions (100 KiB)"), "\(looked.errors)")
        #expect(study.exists("w0/bin/usweep-agent-0"))
        let refused = try study.run("clean", "h0")
        #expect(refused.status == 64 && refused.errors.contains("add --yes"), "\(refused.errors)")
        let cleaned = try study.run("clean", "h0", "--yes")
        #expect(cleaned.status == 0, "\(cleaned.errors)")
        #expect(!study.exists("w0/bin/usweep-agent-0") && names(bin).count == 1, "this version's stays")
        #expect(names("\(study.workdir(0))/objects").isEmpty)
        #expect(names(attempts) == ["other-aaaaaaaa"] && study.exists("w0/mine"))
        #expect(study.exists("w1/objects"), "it was not named")
        #expect(try study.run("clean", "nowhere").errors.contains("'nowhere' is not a host of the inventory"))
        let use = try study.run("du", "-i", "inventory.yaml")
        #expect(use.status == 0 && use.output.contains("FREE THERE") && use.output.contains("\nh1 "), "\(use)")
        // A sweep is at work: all of it goes on.
        try study.write("slow.yaml", sweep(study, name: "slow", "until [ -e \(study.folder)/go ]; do sleep 0.1; done"))
        let running = try study.start(["launch", "slow.yaml", "-i", "inventory.yaml"])
        let hosts = [0, 1].map { study.workdir($0) }
        #expect(study.eventually { hosts.contains { self.names("\($0)/attempts").contains { $0.hasPrefix("slow-") } } })
        let busy = try study.run("clean", "h0", "h1", "--all", "--yes")
        #expect(busy.status == 75 && busy.errors.contains("an agent is working on"), "\(busy.errors)")
        try study.write("go", "")
        let ended = running.wait()
        #expect(ended.status == 0, "\(ended.errors)")
        // The agents have nothing to do, and leave when they are asked.
        let last = try study.run("clean", "h[0-1]", "--all", "--yes", "-i", "inventory.yaml")
        #expect(last.status == 0, "\(last.errors)")
        #expect(names(study.workdir(0)) == ["mine"] && !study.exists("w1"), "\(names(study.workdir(0)))")
    }

    @Test("Where another machine sees the folder, programs that were in use lately stay, whatever is asked")
    func seenByOthers() throws {
        let study = try Study(hosts: 1)
        try study.write("big.bin", "an input")
        #expect(try study.launch(sweep(study, "true")).status == 0)
        let old = "w0/bin/usweep-agent-0"
        for arguments in [["clean", "h0", "--yes"], ["clean", "h0", "--all", "--yes"]] {
            try study.write(old, "of another machine")
            try study.write("w0/.usweep-shared", "")
            let cleaned = try study.start(arguments + ["-i", "inventory.yaml"]).wait()
            #expect(cleaned.status == 0, "\(cleaned.errors)")
            #expect(study.exists(old), "\(arguments)")
        }
        try study.write("w0/.usweep-shared", "")
        try study.write("w0/agent.journal", "")
        let lastWeek = Date.now.addingTimeInterval(-8 * 86_400)
        try FileManager.default.setAttributes(
            [.modificationDate: lastWeek], ofItemAtPath: "\(study.folder)/\(old)")
        #expect(try study.run("clean", "h0", "--yes", "-i", "inventory.yaml").status == 0)
        #expect(!study.exists(old))
    }

    /// What `clean --all --yes` says of a folder in which an agent has worked, as far as can be seen.
    private func clean(_ study: Study, _ folder: String) throws -> Study.Ended {
        try study.write("odd.yaml", "hosts: [{name: odd, address: local, workdir: \(study.folder)/\(folder)}]\n")
        return try study.run("clean", "odd", "-i", "odd.yaml", "--all", "--yes")
    }

    @Test("Links that somebody planted lead nowhere, and folders that are no working folders stay as they are")
    func planted() throws {
        let study = try Study(hosts: 0)
        let files = FileManager.default
        let folders = [
            "victim/docs-aaaaaaaa", "linked/bin", "locked/attempts", "archive/objects/ab", "archive/s-aaaaaaaa",
        ]
        for folder in folders {
            try files.createDirectory(atPath: "\(study.folder)/\(folder)", withIntermediateDirectories: true)
        }
        try study.write("victim/docs-aaaaaaaa/thesis", "mine")
        try study.write("victim/rc", "mine")
        for folder in ["linked", "locked", "archive"] { try study.write("\(folder)/agent.journal", "") }
        try files.createSymbolicLink(
            atPath: "\(study.folder)/linked/attempts", withDestinationPath: "\(study.folder)/victim")
        try files.createSymbolicLink(
            atPath: "\(study.folder)/locked/start.lock", withDestinationPath: "\(study.folder)/victim/rc")
        for folder in ["linked", "locked"] {
            let ended = try clean(study, folder)
            #expect(ended.status == 75 && ended.errors.contains("is a symbolic link"), "\(ended.errors)")
        }
        #expect(study.text("victim/docs-aaaaaaaa/thesis") == "mine" && study.text("victim/rc") == "mine")
        try study.write("archive/s-aaaaaaaa/ledger.sqlite", "")
        try study.write("archive/objects/ab/cd", "a result")
        let archive = try clean(study, "archive")
        #expect(archive.status == 75 && archive.errors.contains("is an artifacts folder"), "\(archive.errors)")
        #expect(study.text("archive/objects/ab/cd") == "a result")
        let foreign = try clean(study, "victim")
        #expect(foreign.status == 0 && foreign.errors.contains("there is no working folder"), "\(foreign.errors)")
        #expect(study.exists("victim/docs-aaaaaaaa/thesis"))
    }
}
