import Foundation
import Model
import TestKit
import Testing

/// Runs that are done again from what is on record, here and by somebody else.
@Suite("Reproducing runs", .serialized)
struct ReproduceTests {
    private static let sweep = """
        sweep: one
        engine: gem5
        system: {name: skylake, memory: 256MiB}
        guest: guest
        workloads: [fibonacci-python, aes-python]
        axes: {l2.size: [1MiB], branch-predictor: [tournament], core.rob: [64]}
        measure: {warm: 2, invocations: 3}
        metrics: [cpi]

        """

    @Test("A run of gem5, after all files that it was made from are gone: every statistic is the same; elsewhere, too")
    func gem5() throws {
        let study = try Study.gem5()
        try study.makeGuest()
        for name in ["fibonacci-python", "aes-python"] { try study.makeWorkload(name, disk: "the disk of \(name)") }
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        try FileManager.default.removeItem(atPath: "\(study.folder)/guest")
        try FileManager.default.removeItem(atPath: "\(study.folder)/cache")

        let again = try study.run("reproduce", "2", "--host", "h1")
        #expect(again.status == 0, "\(again.output)\(again.errors)")
        #expect(again.output.contains(/stats\.txt: \d{3,} statistics identical/), "\(again.output)")
        let shown = try #require(try ManualPage("Reproducing").shown.first)
        #expect(Shape.lines(again.output) == Shape.lines(shown), "\(again.output)")
        #expect(again.errors.contains("1 of 1 run left") && !again.errors.contains("setup"), "\(again.errors)")
        #expect(again.errors.contains("1 of 1 run succeeded"), "\(again.errors)")
        // Nothing was set up, and the last sweep is still the one that was launched.
        let runs = try study.run("results", "--table", "runs", "--format", "csv", "--artifacts", "artifacts/reproduced")
        #expect(runs.output.split(separator: "\n").count == 2, "\(runs.output)")
        #expect(try study.column("host", of: "runs").count == 2)

        let written = try study.run("reproduce", "2", "--capsule", "run2.tar")
        #expect(written.status == 0, "\(written.errors)")
        #expect(written.errors.contains("the engine's binary is not in it; its SHA-256 is"))
        try lostStatistics(study)
        try FileManager.default.removeItem(atPath: "\(study.folder)/artifacts")
        let elsewhere = try study.run("reproduce", "run2.tar", "-i", "inventory.yaml", "--artifacts", "other")
        #expect(elsewhere.status == 0, "\(elsewhere.output)\(elsewhere.errors)")
        #expect(elsewhere.output.contains("run 2 of one-"))

        // Another build of the engine: refused, with both digests, unless somebody asks for it.
        let binary = "\(study.folder)/gem5/gem5.opt"
        let text = try String(contentsOfFile: binary, encoding: .utf8)
        try (text + "\n# another build\n").write(toFile: binary, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: binary)
        let refused = try study.run("reproduce", "run2.tar", "-i", "inventory.yaml", "--artifacts", "other")
        #expect(refused.status == 75, "\(refused.output)\(refused.errors)")
        let asked = try study.run(
            "reproduce", "run2.tar", "-i", "inventory.yaml", "--artifacts", "other", "--any-engine")
        #expect(asked.status == 0, "\(asked.output)\(asked.errors)")
    }

    /// Of a run whose statistics are gone nobody can say that they are identical.
    private func lostStatistics(_ study: Study) throws {
        // The stand-in leaves the same bytes again, so that the object itself would be there again.
        try study.write("lose.py", """
            import glob, sqlite3
            ledger = sqlite3.connect(glob.glob("\(study.folder)/artifacts/one-*/ledger.sqlite")[0])
            changed = ledger.execute("UPDATE artifacts SET digest = randomblob(32) WHERE path LIKE '%stats.txt'")
            assert changed.rowcount > 0
            ledger.commit()
            """)
        _ = try RealSSHD.run("python3", ["\(study.folder)/lose.py"])
        let lost = try study.run("reproduce", "2", "--output", "json")
        #expect(lost.status == 74, "\(lost.output)\(lost.errors)")
        #expect(lost.output.contains(#""verdict":"result-identical""#), "\(lost.output)")
        #expect(lost.output.contains("stats.txt: not compared, because the original's is lost"), "\(lost.output)")
    }

    private func command(_ text: String, more: String = "") throws -> Study {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            "sweep: c\nengine: command\ncommand: [/bin/sh, -c, '\(text)']\nresults: results.json\n"
                + "axes: {x: [1, 2]}\nmetrics: [value]\n\(more)")
        #expect(launched.status == 0, "\(launched.errors)")
        return study
    }

    @Test("A program that does not give the same twice: the first value that differs, with exit status 4")
    func differs() throws {
        let study = try command(#"echo "{\"same\": 1, \"value\": $(date +%s%N)}" > results.json"#)
        let again = try study.run("reproduce", "1")
        #expect(again.status == 4, "\(again.errors)")
        let said = /result: 1 of 2 values differ; the first is .*value: \d+, then \d+/
        #expect(again.output.contains(said), "\(again.output)")
        let json = try study.run("reproduce", "1", "--output", "json")
        #expect(json.output.contains(#""verdict":"differs""#), "\(json.output)")
        // Whoever resumes one that was interrupted learns it, too.
        let resumed = try study.run("resume", "--artifacts", "artifacts/reproduced")
        #expect(resumed.status == 4 && resumed.output.contains("values differ"), "\(resumed.output)")
    }

    @Test("A run that fails this time is no reproduction; one without a result, a setup or a missing run is refused")
    func failing() throws {
        let stop = "\(NSTemporaryDirectory())/usweep-fails-\(UInt32.random(in: 0 ... .max))"
        let study = try command(#"test -e \#(stop) && exit 1; echo "{\"value\": 1}" > results.json"#)
        #expect(try study.run("reproduce", "7").status == 66)
        let nobody = try study.run("reproduce", "1", "--host", "nobody")
        #expect(nobody.status == 64 && nobody.errors.contains("the last launch had the hosts"), "\(nobody.errors)")
        #expect(try study.run("reproduce", "1").status == 0)
        try Data().write(to: URL(filePath: stop))
        defer { try? FileManager.default.removeItem(atPath: stop) }
        let failed = try study.run("reproduce", "1")
        #expect(failed.status == 3 && !failed.output.contains("identical"), "\(failed.output)\(failed.errors)")
        #expect(failed.output.contains("it was not reproduced, because the run failed"), "\(failed.output)")
        let broken = try study.launch("sweep: d\nengine: command\ncommand: [/bin/false]\nretry: {attempts: 1}\n")
        #expect(broken.status == 3)
        let refused = try study.run("reproduce", "1")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("usweep explain"), "\(refused.errors)")
    }

    @Test("A capsule that was changed, is another archive, or not all there is refused, and nothing of it is kept")
    func changed() throws {
        let study = try command(#"cp in.txt out; echo "{\"value\": 1}" > results.json"#, more: "")
        try study.write("in.txt", "an input")
        let sweep = "sweep: e\nengine: command\ncommand: [/bin/cp, in.txt, out]\ninputs: [in.txt]\n"
        #expect(try study.launch(sweep).status == 0)
        #expect(try study.run("reproduce", "1", "--capsule", "good.tar").status == 0)
        let again = try study.run("reproduce", "1", "--capsule", "again.tar")
        #expect(again.status == 0)
        #expect(FileManager.default.contentsEqual(
            atPath: "\(study.folder)/good.tar", andPath: "\(study.folder)/again.tar"))
        func refuses(_ script: String, _ reason: String) throws {
            let made = try RealSSHD.run(
                "/bin/sh", ["-ec", "cd '\(study.folder)'; rm -rf t bad.tar; mkdir t; tar xf good.tar -C t; \(script)"])
            _ = made
            let read = try study.run("reproduce", "bad.tar", "-i", "inventory.yaml", "--artifacts", "other")
            #expect(read.status == 74 && read.errors.contains(reason), "\(script): \(read.errors)")
        }
        let pack = "tar --format=ustar -cf bad.tar -C t capsule.json README.txt maps objects"
        try refuses(
            "f=$(ls -S t/objects/* | head -1); chmod u+w $f; echo x >> $f; \(pack)", "does not match its digest")
        try refuses("rm $(ls -S t/objects/* | head -1); \(pack)", "missing, or does not have its recorded size")
        try refuses("sed -i 's/in.txt/..\\/x/' t/capsule.json; \(pack)", "cannot be used as a capsule")
        try refuses("sed -i 's/\"version\":1/\"version\":9/' t/capsule.json; \(pack)", "a newer usweep wrote it")
        try refuses("sed -i 's/\\/bin\\/cp/\\/bin\\/rm/' t/capsule.json; \(pack)", "is not that of the point")
        let named = "sed -i 's/\"name\":\"e\"/\"name\":\"..\\/..\\/pwn\"/' t/capsule.json"
        try refuses("\(named); \(pack)", "a name that is not valid")
        try refuses("sed -i 's/\"run\":1/\"run\":-1/' t/capsule.json; \(pack)", "cannot be used as a capsule")
        try refuses("echo x > t/objects/extra; \(pack)", "does not belong to a capsule")
        try refuses("rm t/capsule.json; tar --format=ustar -cf bad.tar -C t maps objects", "it has no capsule.json")
        let left = try? FileManager.default.contentsOfDirectory(atPath: "\(study.folder)/other/reproduced")
        #expect(left?.contains { $0.hasPrefix(".exchange") || $0.hasPrefix("e-") } == false)
    }
}
