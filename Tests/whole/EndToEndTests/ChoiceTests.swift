import Foundation
import Testing

@Suite("Runs are chosen by what they are, and a sweep that fails is paused")
struct ChoiceTests {
    /// Fails until there is a file `fixed`.
    private func broken(_ study: Study, _ values: String, more: String = "") -> String {
        """
        sweep: broken
        engine: command
        command: [/bin/sh, -c, 'test -e \(study.folder)/fixed || { echo no > failed.txt; exit 7; }; \
        echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [\(values)]}
        results: results.json
        retry: {attempts: 1}
        \(more)

        """
    }

    /// How many of the last sweep's runs ended so; "": those that have not ended.
    private func count(_ outcome: String, _ study: Study) throws -> Int {
        let csv = try study.run("results", "--format", "csv", "--columns", "outcome").output
        return csv.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().dropLast()
            .count { $0 == outcome || outcome.isEmpty && $0.allSatisfy { $0 == "\"" } }
    }

    @Test("After failures in a row nothing more is begun until somebody says so")
    func pause() throws {
        let study = try Study(hosts: 1, slots: 1)
        let launched = try study.launch(broken(study, "1..9", more: "stop: {after: 3}"))
        #expect(launched.status == 3)
        #expect(launched.errors.contains("paused: the last"), "\(launched.errors)")
        let left = try count("", study)
        #expect(left > 0 && left <= 6)
        #expect(try study.run("resume").status == 3)
        #expect(try count("", study) == left, "nothing of it was begun")
        // What was advised, as it was printed.
        let advice = launched.errors.split(separator: "\n").last { $0.contains("Run only the rest: usweep ") }
        let words = try #require(advice?.split(separator: ": usweep ").last).split(separator: " ").map(String.init)
        try study.write("fixed", "")
        #expect(try study.start(words).wait().status == 3, "what failed is not run again")
        #expect(try count("succeeded", study) == left)
        let digest = try study.run("results", "--format", "csv", "--columns", "point").output
            .split(separator: "\n").dropFirst().first.map(String.init) ?? ""
        #expect(try study.run("logs", String(digest.prefix(12))).output.contains("run 1: x=1, failed"))
        #expect(try study.run("explain", "--where", "x=2").output.contains("exit-nonzero"))
        let many = try study.run("logs", "--where", "outcome=failed")
        #expect(many.status == 64 && many.errors.contains("/1, usweep logs "), "\(many.errors)")
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        #expect(study.exists("pulled/1-x=1/failed.txt"))
        try study.write("pulled/1-x=1/notes.txt", "mine")
        let retried = try study.run("retry", "--where", "x<=2")
        #expect(retried.errors.contains("runs again: run 1 and run 2"), "\(retried.errors)")
        let again = try study.launch(broken(study, "1..10", more: "stop: {after: 3}"))
        #expect(again.status == 3 && again.errors.contains("failed before"), "\(again.errors)")
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--retry").status == 0)
        #expect(try count("succeeded", study) == 10)
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        #expect(study.exists("pulled/1-x=1/results.json") && !study.exists("pulled/1-x=1/failed.txt"))
        #expect(study.text("pulled/1-x=1/notes.txt") == "mine", "only what was pulled is taken away again")
        #expect(try study.run("cancel", "--where", "x=99").errors.contains("x has no value '99'; there are 1, 2"))
        #expect(try study.run("cancel", "--where", "x=3").status == 64, "it has ended")
    }

    @Test("A paused sweep says so of its runs, and is cancelled like any other")
    func cancelPaused() throws {
        let study = try Study(hosts: 1, slots: 1)
        #expect(try study.launch(broken(study, "1..9", more: "stop: {after: 3}")).status == 3)
        let left = try count("", study)
        let rows = try study.run("results", "--format", "csv", "--columns", "run,outcome").output.split(separator: "\n")
        let waiting = try #require(rows.dropFirst().first { !$0.contains("failed") }?.split(separator: ",").first)
        let story = try study.run("explain", String(waiting)).output
        #expect(story.contains("the sweep is paused") && story.contains("usweep resume --keep-going "), "\(story)")
        let cancelled = try study.run("cancel")
        #expect(cancelled.status == 0 && !cancelled.errors.contains("retry"), "\(cancelled.errors)")
        #expect(try count("cancelled", study) == left)
        #expect(try study.run("clean", "h0", "--all", "--yes").status == 0, "no agent holds anything of it")
    }

    @Test("A few points are tried first, spread over the sweep; the next launch does the rest")
    func dryRun() throws {
        let study = try Study(hosts: 1)
        try study.write("fixed", "")
        try study.write("sweep.yaml", broken(study, "1..9"))
        let said = #"echo "$USWEEP_SWEEP $USWEEP_EXIT_STATUS $USWEEP_CONCLUSION" > said; exit 4"#
        let tried = try study.run(
            "launch", "sweep.yaml", "-i", "inventory.yaml", "--try", "3", "--on-end", said)
        #expect(tried.errors.contains("the command of --on-end ended with status 4"), "\(tried.errors)")
        let words = study.text("said")
        #expect(words.hasPrefix("broken-") && words.contains(" 0 3 of 9 runs succeeded, 6 have not ended"), "\(words)")
        #expect(tried.status == 0, "\(tried.errors)")
        #expect(try study.column("value") == ["1", "", "", "4", "", "", "7", "", ""])
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        #expect(try study.column("value") == (1...9).map(String.init))
    }

    @Test("Tables and summaries are sorted by any of their columns, on a screen and in files")
    func sorted() throws {
        let study = try Study(hosts: 1)
        try study.write("fixed", "")
        #expect(try study.launch(broken(study, "9, 10, 1")).status == 0)
        func lines(_ arguments: [String]) throws -> [String] {
            let ended = try study.start(["results"] + arguments).wait()
            #expect(ended.status == 0, "\(ended.errors)")
            return ended.output.split(separator: "\n").dropFirst().map(String.init)
        }
        let columns = ["--format", "csv", "--columns", "x"]
        #expect(try lines(columns) == ["9", "10", "1"], "in the order of the sweep file")
        #expect(try lines(columns + ["--sort", "value"]) == ["1", "9", "10"])
        #expect(try lines(columns + ["--sort", "outcome,-value"]) == ["10", "9", "1"])
        #expect(try lines(["--sort=-x"]).compactMap { $0.split(separator: " ").first } == ["2", "1", "3"])
        #expect(try lines(columns + ["--table", "runs", "--sort", "-run"]) == ["1", "10", "9"])
        #expect(try lines(["--spread", "--sort", "-mean"] + columns) == ["10", "9", "1"])
        #expect(try study.run("results", "--sort", "x", "--to", "sorted.jsonl").status == 0)
        #expect(study.text("sorted.jsonl").matches(of: /"x":"(\d+)"/).map { String($0.1) } == ["1", "9", "10"])
        let unknown = try study.run("results", "--sort", "-valu")
        #expect(unknown.status == 64 && unknown.errors.contains("--sort -valu: no such column; did you mean 'value'?"))
        #expect(try study.run("results", "--sort", "x", "--to", "a.sqlite").status == 64)
    }
}
