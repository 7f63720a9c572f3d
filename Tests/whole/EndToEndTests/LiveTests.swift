import Foundation
import Model
import TestKit
import Testing
import Transports

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
        #expect(document["unanswered_s"] == .null)
        try stopped(launch, study)
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

    @Test("A terminal that takes nothing (Ctrl-S) stops no coordinator; what was said is told when it takes again")
    func nothingTaken() throws {
        let study = try Study(hosts: 1)
        let path = "\(study.folder)/full"
        try #require(mkfifo(path, 0o666) == 0)
        let pipe = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        try #require(pipe >= 0)
        defer { close(pipe) }
        for size in [4_096, 1] {
            let filling = [UInt8](repeating: UInt8(ascii: "."), count: size)
            while write(pipe, filling, size) > 0 {}
        }
        try study.write("sweep.yaml", """
            sweep: unread
            engine: command
            command: [/bin/sh, -c, 'echo "{\\"v\\": {x}}" > results.json']
            axes: {x: [1, 2, 3]}
            results: results.json
            metrics: [v]

            """)
        let launch = try study.start(
            ["launch", "sweep.yaml", "-i", "inventory.yaml"], under: ["/bin/sh", "-c", "exec \"$@\" 2> full", "sh"])
        let done = study.eventually {
            (try? study.run("status").output.contains("3 of 3 runs succeeded")) ?? false
        }
        #expect(done)
        #expect(Study.isAlive(launch.child.process), "what it said was not taken yet")
        var taken: [UInt8] = []
        let ended = study.eventually {
            var room = [UInt8](repeating: 0, count: 65_536)
            while case let count = read(pipe, &room, room.count), count > 0 { taken += room.prefix(count) }
            return !Study.isAlive(launch.child.process)
        }
        #expect(ended && launch.wait().status == 0)
        let said = String(decoding: taken.drop { $0 == UInt8(ascii: ".") }, as: UTF8.self)
        #expect(said.hasPrefix("launching unread (") && said.contains("\n3 of 3 runs succeeded\n"), "\(said)")
    }

    /// Nobody waits for long for a coordinator that is stopped, and what is said of it helps.
    private func stopped(_ launch: Study.Running, _ study: Study) throws {
        launch.signal(SIGSTOP)
        defer { launch.signal(SIGCONT) }
        let stat = "/proc/\(launch.child.process)/stat"
        #expect(study.eventually { (try? String(contentsOfFile: stat, encoding: .utf8))?.contains(") T ") == true })
        let silence = "the coordinator (pid \(launch.child.process)) has not answered for "
        let top = try study.run("top").output
        #expect(top.contains(silence) && top.contains("h0  2 of 2 slots busy"), "\(top)")
        let document = try JSON(parsing: Array(try study.run("top", "--output", "json").output.utf8))
        #expect((document["unanswered_s"]?.integer ?? 0) >= 2)
        let logs = try study.run("logs", "1")
        #expect(logs.status == 75 && logs.errors.contains(silence), "\(logs)")
        let status = try study.run("status").output
        #expect(status.contains(silence), "\(status)")
        let advice = try #require(status.firstMatch(of: /Continue it: (kill -CONT [0-9]+)/), "\(status)")
        try RealSSHD.run("/bin/sh", ["-c", String(advice.1)])
        #expect(try study.run("status").output.contains("run 1 x=1, running for "))
    }
}
