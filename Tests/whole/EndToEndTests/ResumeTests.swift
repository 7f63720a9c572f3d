import Foundation
import Model
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
        #expect(second.errors.contains("1 new run"))
        #expect(try study.column("value") == ["16", "9", "1"])
        #expect(marks() == ["1", "2", "3", "4"])
        let edited = try study.text(of: "results.csv")
        #expect(try study.run("status", "--output", "json").output.contains(#""runs":3"#))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new").status == 0)
        #expect(try study.text(of: "results.csv") == edited)
    }

    @Test("A plan says why runs are done again, and how long it takes by what runs took")
    func planned() throws {
        let study = try Study(hosts: 1)
        let sweep = { (values: String) in
            """
            sweep: timed
            engine: command
            command: [/bin/sh, -c, 'sleep 1; cat data.txt']
            inputs: [data.txt]
            axes: {x: [\(values)]}

            """
        }
        try study.write("data.txt", "one")
        try study.write("sweep.yaml", sweep("1, 2"))
        let plan = { try study.run("plan", "sweep.yaml", "-i", "inventory.yaml").output }
        #expect(try plan().contains("time        unknown, because no such run has ended yet"))
        #expect(try study.launch(sweep("1, 2")).status == 0)
        #expect(try !plan().contains("time "), "nothing is left to do")
        try study.write("data.txt", "two")
        try study.write("sweep.yaml", sweep("1, 2, 3, 4"))
        let text = try plan()
        #expect(
            text.contains(
                "again       2 runs with the same parameters will run again, because input data.txt changed; "),
            "\(text)")
        // Four of a second or a little more, two at a time.
        let time = /about [2-9].* s \(.* to .* s\), 2 runs at a time: 4 runs of [1-4].* s on average, as in timed-/
        #expect(text.firstMatch(of: time) != nil, "\(text)")
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
        #expect(study.text("began").split(separator: "\n").count == 5, "nothing ran again")
        #expect(try study.run("doctor", "--ledger").status == 0)
    }

    @Test("Other metrics and definitions judge again from what was kept; only what is lost runs again")
    func judgedAgain() throws {
        let study = try Study(hosts: 1)
        let begun = { study.text("began").split(separator: "\n").count }
        let sweep = Self.squares(study.folder, "1, 2, 3, 4")
        let wrong = try study.launch(sweep + "define: {rate: 10 / valeu}\n")
        #expect(wrong.status == 3)
        #expect(try study.column("outcome") == Array(repeating: "quarantined", count: 4))
        let why = try study.run("explain", "1").output
        #expect(why.contains("'rate' (10 / valeu) cannot be computed: the metric 'valeu' is missing"), "\(why)")
        // The object of the third run's results.
        let digest = SHA256.digest("{\"value\": 9}\n").hex
        let object = "\(study.folder)/artifacts/objects/\(digest.prefix(2))/\(digest)"
        try FileManager.default.removeItem(atPath: object)
        try study.write("sweep.yaml", sweep + "define: {rate: 10 / value}\n")
        let plan = try study.run("plan", "sweep.yaml")
        let expected = "3 runs are judged again, 1 run is run again: its artifact results.json is missing"
        #expect(plan.output.contains(expected), "\(plan.output)")
        #expect(begun() == 4)
        let fixed = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml")
        #expect(fixed.status == 0, "\(fixed.errors)")
        #expect(fixed.errors.contains("\(expected); 3 now succeeded"), "\(fixed.errors)")
        #expect(begun() == 5)
        #expect(try study.column("rate") == ["10", "2.5", "1.1111111111111112", "0.625"])
        #expect(try study.run("doctor", "--ledger").status == 0)
        // Numbers that were accepted tell it without any file.
        try study.write("sweep.yaml", sweep + "define: {twice: 2 * value}\n")
        #expect(try study.run("plan", "sweep.yaml").output.contains("4 runs are judged again\n"))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        #expect(try study.column("twice") == ["2", "8", "18", "32"])
        #expect(begun() == 5)
        // A mistake says what it costs, and that it costs nothing once it is corrected.
        try study.write("sweep.yaml", sweep + "define: {twice: 2 * valeu}\n")
        let mistaken = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").errors
        #expect(mistaken.contains("4 now quarantined, which had succeeded (run 1: "), "\(mistaken)")
        #expect(!mistaken.contains("failed before"), "\(mistaken)")
        try study.write("sweep.yaml", sweep + "define: {twice: 2 * value}\n")
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        #expect(try study.column("twice") == ["2", "8", "18", "32"])
        #expect(begun() == 5)
        // It is what a fresh launch gives.
        let edited = try study.text(of: "results.csv")
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new").status == 0)
        #expect(try study.text(of: "results.csv") == edited)
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
        #expect(study.eventually { !Study.isAlive(processes[0]) && study.exists("pid-3") })
        #expect(Study.isAlive(processes[1]))
        try study.write("go", "")
        let ended = second.wait()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(pid_t(study.text("pid-2").dropLast()) == processes[1], "it was adopted, not started again")
        #expect(try study.column("value") == ["2", "3"])
    }

    @Test("What failed is explained, and tried again when it is asked for")
    func retry() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            """
            sweep: fixed
            engine: command
            command: [/bin/sh, -c, 'test -e \(study.folder)/fixed || { echo no good >&2; exit 7; }; \
            echo "{\\"value\\": $USWEEP_X}" > results.json']
            axes: {x: [1, 2]}
            results: results.json
            retry: {attempts: 1}

            """)
        #expect(launched.status == 3)
        let why = try study.run("explain", "1").output
        #expect(why.contains("failed (exit-nonzero) after 1 attempt.") && why.contains("no good"), "\(why)")
        #expect(why.contains("attempt 1 on h0 began 20") && why.contains("usweep retry"))
        #expect(try study.run("explain", "fixed/h0").output.contains("2 attempts ended on it: 2 exit-nonzero."))
        #expect(try study.run("explain", "nowhere").status == 66)
        try study.write("fixed", "")
        #expect(try study.run("retry", "--class", "timeout").errors.contains("no failed or quarantined run matches"))
        #expect(try study.column("outcome") == ["failed", "failed"])
        let first = try study.run("retry", "fixed/2", "--detach")
        #expect(first.errors.contains("runs again: run 2"), "\(first.errors)")
        #expect(try study.run("follow").status == 3)
        #expect(try study.column("value") == ["", "2"])
        #expect(try study.run("retry", "2").status == 64)
        #expect(try study.run("retry", "fixed").status == 0)
        #expect(try study.column("value") == ["1", "2"])
        #expect(try study.run("explain", "1").output.contains("It was run again: asked for with 'usweep retry'."))
    }

    @Test("Another engine or guest is refused with both digests; --repin begins anew with it")
    func pins() throws {
        let study = try Study(hosts: 1)
        try study.makeGuest("first")
        try study.makeWorkload("w")
        let old = try study.makeEngine("old")
        try study.write("inventory.yaml", study.text("inventory.yaml").replacingOccurrences(
            of: "slots: 2", with: "slots: 2, engines: {qemu: \(study.folder)/engine}"))
        try study.write(
            "sweep.yaml",
            """
            sweep: pinned
            engine: qemu
            guest: guest
            workloads: [w]
            axes: {l2.size: [1MiB]}

            """)
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-old") })
        running.signal(SIGTERM)
        #expect(running.wait().status == 130)

        let new = try study.makeEngine("new")
        let refused = try study.run("resume")
        #expect(refused.status == 75)
        #expect(refused.errors.contains(old.short) && refused.errors.contains(new.short))
        #expect(refused.errors.contains("--repin"))
        #expect(!study.exists("began-new"))

        let guests = try [study.makeGuest("first"), study.makeGuest("second")]
        let changed = try study.run("resume")
        #expect(changed.status == 65)
        for guest in guests { #expect(changed.errors.contains(guest.hex)) }
        #expect(try study.run("plan", "sweep.yaml").output.contains("refused"))

        let again = try study.start(["resume", "--repin"])
        #expect(study.eventually { study.exists("began-new") })
        let process = pid_t(study.text("began-old").dropLast()) ?? 0
        #expect(process > 0 && study.eventually { !Study.isAlive(process) }, "what ran under the old pins is ended")
        #expect(try study.run("cancel").status == 0)
        #expect(again.wait().status == 3)
        #expect(try study.run("doctor", "--ledger").status == 0)
    }
}

extension Study {
    /// What passes for a guest that `ops/guest/build` made.
    ///
    /// - Returns: the digest of its initrd.
    @discardableResult
    func makeGuest(_ content: String) throws -> Digest {
        try FileManager.default.createDirectory(atPath: "\(folder)/guest", withIntermediateDirectories: true)
        var files: [String] = []
        for name in ["vmlinuz", "initrd.img", "model.so"] {
            let text = name == "initrd.img" ? content : name
            try write("guest/\(name)", text)
            files.append("\"\(name)\": \"\(SHA256.digest(text).hex)\"")
        }
        try write("guest/manifest.json", "{\"files\": {\(files.joined(separator: ", "))}}")
        return SHA256.digest(content)
    }

    /// What passes for a workload that `usweep workload add` made.
    func makeWorkload(_ name: String) throws {
        let place = "artifacts/workloads/\(name)"
        try FileManager.default.createDirectory(atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
        try write("\(place)/disk.squashfs", name)
        let manifest = #"{"name":"\#(name)","port":1,"protocol":"grpc","memory":1,"requests":"calls"}"#
        let sizes = #""disk_bytes":1,"layer_bytes":1,"unpacked_bytes":1,"memory_bytes":268435456"#
        try write(
            "\(place)/workload.json",
            #"{"version":1,"manifest":\#(manifest),"disk":"\#(SHA256.digest(name).hex)",\#(sizes)}"#)
    }

    /// An engine that only says that it began, and then hangs.
    func makeEngine(_ name: String) throws -> Digest {
        let text = "#!/bin/sh\necho $$ > \(folder)/began-\(name)\nwhile :; do sleep 0.1; done\n"
        try write("engine", text)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/engine")
        return SHA256.digest(text)
    }
}

extension Study {
    /// A file in the folder of the last sweep.
    func text(of name: String) throws -> String {
        let status = try run("status", "--output", "json").output
        let folder = try #require(status.firstMatch(of: /"folder":"([^"]+)"/)?.1)
        return try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }

    @Test("A launch that has no room for its ledger leaves no folder behind, and nothing that gc would stop at")
    func noRoom() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", "sweep: large\nengine: command\ncommand: [/bin/true]\naxes: {x: [1, 2]}\n")
        let limit = "trap '' XFSZ; ulimit -f 8; exec \"$@\""
        let launched = try study.start(
            ["launch", "sweep.yaml", "-i", "inventory.yaml"], under: ["/bin/sh", "-c", limit, "sh"]).wait()
        #expect(launched.status == 74, "\(launched.errors)")
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(study.folder)/artifacts")
        #expect(!left.contains { $0.hasPrefix("large-") }, "\(left)")
        let collected = try study.run("gc")
        #expect(collected.status == 0, "\(collected.errors)")
    }
}
