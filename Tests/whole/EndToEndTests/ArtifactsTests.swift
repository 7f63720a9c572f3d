import Foundation
import Model
import Testing

@Suite("Which files of runs come back over SSH", .serialized)
struct ArtifactsTests {
    private func sweep(_ artifacts: String, _ values: String = "1, 2") -> String {
        """
        sweep: chosen
        engine: command
        command: [/bin/sh, -c, 'echo $USWEEP_X > small.txt; head -c $((USWEEP_X * 1000000)) /dev/zero > trace.bin; \
        echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [\(values)]}
        results: results.json
        metrics: [value]
        artifacts: \(artifacts)

        """
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("Chosen files come back; another choice runs nothing again; too much ends a run with the reason")
    func chosen() throws {
        let study = try Study(hosts: 1)
        let first = try study.launch(sweep("{keep: ['*.txt', '*.bin'], leave: ['*.bin']}"))
        #expect(first.status == 0, "\(first.errors)")
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        let pulled = try names("\(study.folder)/pulled/2-x=2")
        #expect(pulled.contains("small.txt") && pulled.contains("results.json"), "\(pulled)")
        #expect(!pulled.contains("trace.bin"), "\(pulled)")
        let attempts = try study.column("attempts", of: "runs")
        // Nothing of it is another point; what is new goes by the new rule.
        try study.write("sweep.yaml", sweep("{most: 3MB}", "1, 2, 4"))
        let plan = try study.run("plan", "sweep.yaml", "--output", "json").output
        #expect(plan.contains(#""kept":2,"new":1,"back":0,"gone":0"#), "\(plan)")
        let second = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml")
        #expect(second.status == 3, "\(second.errors)")
        #expect(try study.column("outcome") == ["succeeded", "succeeded", "failed"])
        #expect(try study.column("attempts", of: "runs") == attempts + ["1"])
        let why = try study.run("explain", "3").output
        for part in ["too-much-output", "artifacts: most", "trace.bin 3.8 MiB", "artifacts.most"] {
            #expect(why.contains(part), "\(part): \(why)")
        }
        // What the class advises, as it says.
        try study.write("sweep.yaml", sweep("{most: 5MB}", "1, 2, 4"))
        let third = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--retry")
        #expect(third.status == 0, "\(third.errors)")
    }

    @Test("A pull writes and removes nothing through symbolic links")
    func linked() throws {
        let study = try Study(hosts: 1)
        #expect(try study.launch(sweep("{keep: ['*']}")).status == 0)
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        let (folder, other) = ("\(study.folder)/pulled/2-x=2", "\(study.folder)/other")
        try FileManager.default.moveItem(atPath: folder, toPath: other)
        try FileManager.default.createSymbolicLink(atPath: folder, withDestinationPath: other)
        try study.write("other/small.txt", "mine")
        let linked = try study.run("pull", "--to", "pulled")
        #expect(linked.status == 74 && linked.errors.contains("pulled/2-x=2 is a symbolic link"), "\(linked.errors)")
        #expect(study.text("other/small.txt") == "mine")
        // What an earlier pull left, and this one does not have.
        try study.write("sweep.yaml", sweep("{keep: ['*']}", "1"))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        #expect(study.text("other/small.txt") == "mine" && study.exists("other/results.json"))
    }

    @Test("An object that is lost costs a pull its file, and no other")
    func lost() throws {
        let study = try Study(hosts: 1)
        #expect(try study.launch(sweep("{keep: ['*']}", "1, 2, 3")).status == 0)
        let digest = SHA256.digest("2\n").hex
        let object = "\(study.folder)/artifacts/objects/\(digest.prefix(2))/\(digest)"
        try FileManager.default.removeItem(atPath: object)
        let pulled = try study.run("pull", "--to", "pulled")
        #expect(pulled.status == 74, "\(pulled.errors)")
        #expect(pulled.errors.contains("2-x=2/small.txt is damaged or incomplete"), "\(pulled.errors)")
        #expect(!study.exists("pulled/2-x=2/small.txt") && study.exists("pulled/2-x=2/results.json"))
        #expect(study.text("pulled/3-x=3/small.txt") == "3\n" && study.exists("pulled/runs.csv"))
    }

    @Test("Results that are a folder or a pipe are told as that, and not as missing")
    func notFiles() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            """
            sweep: odd
            engine: command
            command: [/bin/sh, -c, '$USWEEP_HOW results.json']
            axes: {how: [mkdir, mkfifo, rm -f]}
            results: results.json
            metrics: [value]

            """)
        #expect(launched.status == 3, "\(launched.errors)")
        for (run, part) in [
            ("1", "results.json cannot be read; not collected: \"results.json\" (a folder, not a file)"),
            ("2", "results.json cannot be read; not collected: \"results.json\" (a pipe, a socket or a device"),
            ("3", "results.json is missing: the run ended without leaving it"),
        ] {
            let why = try study.run("explain", run).output
            #expect(why.contains(part), "\(why)")
        }
    }

    @Test("Outputs that name a file of the artifacts, a file for a folder, or `-` are refused with what to write")
    func places() throws {
        let study = try Study(hosts: 1)
        #expect(try study.launch(sweep("{keep: ['*.txt']}")).status == 0)
        try study.write("file", "mine")
        let before = try names("\(study.folder)/artifacts")
        for (words, part) in [
            (["pull", "--to", "artifacts"], "in the artifacts folder"),
            (["pull", "--to", "artifacts/objects/x"], "name a folder outside of it"),
            (["pull", "--to", "file"], "file is a file; name a folder"), (["pull", "--to", "-"], "write ./-"),
            (["results", "--to", "-"], "leave out --to to write to standard output"),
        ] {
            let refused = try study.start(words).wait()
            #expect(refused.status == 64 && refused.errors.contains(part), "\(words): \(refused.errors)")
        }
        #expect(try names("\(study.folder)/artifacts") == before && !study.exists("-"))
        // Below a file nothing can be made, and the reason is the system's own.
        let below = try study.run("pull", "--to", "file/x")
        #expect(below.status == 74 && below.errors.contains("Not a directory"), "\(below.errors)")
        #expect(study.text("file") == "mine")
    }

    @Test("Of an axis with very many values, plan shows the first and the last")
    func longAxes() throws {
        let study = try Study(hosts: 0)
        try study.write("sweep.yaml", sweep("{keep: ['*.txt']}").replacing("[1, 2]", with: "1..5000"))
        let plan = try study.run("plan", "sweep.yaml")
        let line = "axis        x: 1, 2, 3, 4, 5, 6, 7, 8, ..., 5000 (5000 values)\n"
        #expect(plan.output.contains(line), "\(plan.output)")
    }

    @Test("Commands whose outputs are closed do their work; in a folder that was deleted they end")
    func oddSurroundings() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", sweep("{keep: ['*.txt']}"))
        let closed = "exec \"$0\" launch sweep.yaml -i inventory.yaml >&- 2>&-"
        #expect(try study.start(["-c", closed, Study.program], program: "/bin/sh").wait().status == 0)
        #expect(try study.column("outcome") == ["succeeded", "succeeded"])
        let deleted = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" status"
        #expect(try study.start(["-c", deleted, Study.program], program: "/bin/sh").wait().status == 66)
    }
}
