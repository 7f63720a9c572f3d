import Foundation
import TestKit
import Testing

/// Sweeps that are taken up again after something about them changed.
@Suite("Resuming over SSH", .serialized)
struct ResumeTests {
    /// Squares; every attempt leaves a mark.
    private static func squares(
        _ folder: String, _ values: String, metrics: String = "value", repeats: Int = 1
    ) -> String {
        """
        sweep: edited
        engine: command
        command: [/bin/sh, -c, 'echo $USWEEP_X >> \(folder)/began; \
        echo "{\\"value\\": $((USWEEP_X * USWEEP_X))}" > results.json']
        axes: {x: [\(values)]}
        results: results.json
        metrics: [\(metrics)]
        measure: {repeat: \(repeats)}

        """
    }

    @Test("An edited file: new points run, gone ones leave the tables and come back, the bytes are a fresh launch's")
    func edited() throws {
        let study = try Study(hosts: 1)
        let marks = { study.text("began").split(separator: "\n").map(String.init).sorted() }
        #expect(try study.launch(Self.squares(study.folder, "1, 2, 3")).status == 0)
        try study.write("sweep.yaml", Self.squares(study.folder, "4, 3, 1"))
        let plan = try study.run("plan", "sweep.yaml", "--output", "json").output
        #expect(plan.contains(#""kept":2,"new":1,"back":0,"gone":1,"succeeded":2"#), "\(plan)")
        let second = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml")
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.errors.contains("1 runs are new"))
        #expect(try study.column("value") == ["16", "9", "1"])
        #expect(marks() == ["1", "2", "3", "4"])
        let edited = try study.text(of: "results.csv")
        #expect(try study.run("status", "--output", "json").output.contains(#""runs":3"#))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new").status == 0)
        #expect(try study.text(of: "results.csv") == edited)
    }

    @Test("What comes back has its results; repeats are added; other metrics are asked of old results, too")
    func comesBack() throws {
        let study = try Study(hosts: 1)
        #expect(try study.launch(Self.squares(study.folder, "1, 2")).status == 0)
        #expect(try study.launch(Self.squares(study.folder, "3")).status == 0)
        try study.write("sweep.yaml", Self.squares(study.folder, "2, 1", repeats: 2))
        let resumed = try study.run("resume", "edited", "--sweep", "sweep.yaml")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try study.column("value") == ["4", "4", "1", "1"])
        #expect(study.text("began").split(separator: "\n").sorted() == ["1", "1", "2", "2", "3"])
        #expect(try study.launch(Self.squares(study.folder, "1, 2", metrics: "value, speed")).status == 3)
        #expect(try study.column("outcome") == ["quarantined", "quarantined"])
        #expect(try study.launch(Self.squares(study.folder, "1, 2")).status == 0)
        #expect(try study.column("value") == ["1", "4"])
        #expect(try study.run("doctor", "--ledger").status == 0)
    }

    @Test("What still runs for a point that is gone is ended; what runs for the others is adopted")
    func revoked() throws {
        let study = try Study(hosts: 1)
        let waiting = { (values: String) in
            """
            sweep: edited
            engine: command
            command: [/bin/sh, -c, 'echo $$ > \(study.folder)/pid-$USWEEP_X; \
            while [ ! -e \(study.folder)/go ]; do sleep 0.05; done; echo "{\\"value\\": $USWEEP_X}" > results.json']
            axes: {x: [\(values)]}
            results: results.json

            """
        }
        try study.write("sweep.yaml", waiting("1, 2"))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { !study.text("pid-1").isEmpty && !study.text("pid-2").isEmpty })
        running.signal(SIGTERM)
        #expect(running.wait().status == 130)
        let processes = ["pid-1", "pid-2"].compactMap { pid_t(study.text($0).dropLast()) }
        try #require(processes.count == 2)
        try study.write("sweep.yaml", waiting("2, 3"))
        let second = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { kill(processes[0], 0) != 0 && study.exists("pid-3") })
        #expect(kill(processes[1], 0) == 0)
        try study.write("go", "")
        let ended = second.wait()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(pid_t(study.text("pid-2").dropLast()) == processes[1], "it was adopted, not started again")
        #expect(try study.column("value") == ["2", "3"])
    }
}

extension Study {
    /// A file in the folder of the last sweep.
    func text(of name: String) throws -> String {
        let status = try run("status", "--output", "json").output
        let folder = try #require(status.firstMatch(of: /"folder":"([^"]+)"/)?.1)
        return try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }
}
