import Foundation
import Model
import TestKit
import Testing

/// What a run says of itself while it runs reaches whoever looks, in another process.
@Suite("Looking at what runs", .serialized)
struct LiveTests {
    private static let sweep = """
        sweep: live
        engine: command
        command: [/bin/sh, -c, 'echo "step 2 of 5 of {x}"; read line < GATE.{x}; echo "{\\"v\\": 1}" > results.json']
        axes: {x: [1, 2, 3]}
        results: results.json
        metrics: [v]

        """

    @Test("status, explain, top and follow say what runs where, and what it said last")
    func phases() throws {
        let study = try Study(hosts: 1, slots: 2)
        let gate = "\(study.folder)/gate"
        for run in 1...3 { try #require(mkfifo("\(gate).\(run)", 0o666) == 0) }
        try study.write("sweep.yaml", Self.sweep.replacing("GATE", with: gate))
        try study.write("inventory.yaml", study.text("inventory.yaml").replacing("- {", with: "- {slots: 2, "))
        let launch = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        // Runs are asked after some seconds, by the coordinator's clock.
        var (top, looks) = ("", 0)
        repeat { (top, looks) = (try study.run("top").output, looks + 1) }
        while !top.contains("step 2 of 5 of 2") && looks < 500
        #expect(top.contains("h0  2 of 2 slots busy") && top.contains("step 2 of 5 of 1"), "\(top)")
        let status = try study.run("status").output
        #expect(status.contains("run 1 x=1, running for ") && status.contains(": step 2 of 5 of 1"), "\(status)")
        #expect(status.contains("3 have not ended. See what runs: usweep top "), "\(status)")
        let explained = try study.run("explain", "2").output
        #expect(explained.contains("It has been running on h0 for "), "\(explained)")
        #expect(try study.run("explain", "3").output.contains("It waits for a free slot"))
        let document = try JSON(parsing: Array(try study.run("top", "--output", "json").output.utf8))
        #expect(document["hosts"]?.elements?.first?["runs"]?.elements?.count == 2)
        let follow = try study.start(["follow"])
        for run in 1...3 {
            let opened = try #require(FileHandle(forWritingAtPath: "\(gate).\(run)"))
            try opened.write(contentsOf: Data("go\n".utf8))
        }
        #expect(launch.wait().status == 0)
        #expect(follow.wait().status == 0)
        #expect(try study.run("top").output.contains("3 of 3 runs succeeded"))
    }

    @Test("A coordinator goes on when the reader of its JSON lines goes away, and ends with the sweep's status")
    func readerGone() throws {
        let study = try Study(hosts: 1)
        let (gate, gone) = ("\(study.folder)/gate", "\(study.folder)/gone")
        for path in [gate, gone] { try #require(mkfifo(path, 0o666) == 0) }
        try study.write("sweep.yaml", """
            sweep: unread
            engine: command
            command: [/bin/sh, -c, 'read line < \(gate); echo "{\\"v\\": 1}" > results.json; exit $(({x} / 2))']
            axes: {x: [1, 2]}
            results: results.json
            metrics: [v]
            retry: {attempts: 1}

            """)
        // The reader takes one line, closes its end of the pipe, and says so.
        let script = "{ \"$@\"; echo $? > status; } | { head -n 1; exec 0<&-; echo > \(gone); }"
        let launch = try study.start(
            ["launch", "sweep.yaml", "-i", "inventory.yaml", "--output", "json", "--on-end", "touch ended"],
            under: ["/bin/sh", "-c", script, "sh"])
        _ = FileHandle(forReadingAtPath: gone)?.readDataToEndOfFile()
        // One after the other, each opens the gate when it runs.
        let opened = try #require(FileHandle(forUpdatingAtPath: gate))
        try opened.write(contentsOf: Data("go\ngo\n".utf8))
        let ended = launch.wait()
        #expect(ended.output.hasPrefix("{") && ended.output.split(separator: "\n").count == 1, "\(ended.output)")
        #expect(study.text("status") == "3\n", "\(ended.errors)")
        #expect(study.exists("ended"))
        #expect(try study.column("outcome") == ["succeeded", "failed"])
    }
}
