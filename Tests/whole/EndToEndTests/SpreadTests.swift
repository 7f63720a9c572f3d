import Foundation
import TestKit
import Testing

@Suite("Results with their spread, ratios, and two sweeps side by side")
struct SpreadTests {
    /// Each run leaves four invocations, about `k` cycles for an instruction; the last point fails.
    private func sweep(
        _ name: String, _ k: String, size: String = "64KiB, 1MiB", define: String = "{cpi: cycles / instructions}"
    ) -> String {
        """
        sweep: \(name)
        engine: command
        command:
          - /bin/sh
          - -c
          - |
            [ "$USWEEP_SIZE $USWEEP_KIND" = "1MiB b" ] && exit 7
            case $USWEEP_SIZE in 64KiB) k=2 ;; *) k=1 ;; esac
            for n in 1000 1040 960 1000; do
                echo "{\\"cycles\\": $((n * k * \(k) + n / 7)), \\"instructions\\": $n}"
            done | paste -sd, | sed 's/.*/[&]/' > results.json
        axes: {size: [\(size)], kind: [a, b]}
        results: results.json
        retry: {attempts: 1}
        metrics: [cpi]
        define: \(define)

        """
    }

    @Test("A spread, a group and a baseline, in every format")
    func spread() throws {
        let study = try Study(hosts: 1, slots: 2)
        #expect(try study.launch(sweep("study", "10")).status == 3)
        let spread = try study.run("results", "--spread")
        let lines = spread.output.split(separator: "\n")
        #expect(lines[0].split(separator: " ") == [
            "size", "kind", "metric", "mean", "low", "high", "sd", "n", "varied", "min", "median", "max", "missing",
        ])
        #expect(lines.count == 5 && lines[1].contains("invocation"))
        #expect(spread.errors.contains("95% intervals"))
        #expect(spread.errors.contains("1 of 4 runs has no results: 1 failed"))
        let csv = try study.run(
            "results", "--by", "size", "--baseline", "size=64KiB", "--metric", "cpi", "--format", "csv", "--columns",
            "size,n,varied,ratio,pairs,unpaired,missing")
        let rows = csv.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(rows[1] == ["64KiB", "2", "kind", "1", "2", "0", "0"])
        #expect(rows[2][0...2] == ["1MiB", "1", ""] && rows[2][4...] == ["1", "1", "1"])
        let ratio = try #require(Double(rows[2][3]))
        #expect(abs(ratio - (10 * 4000 + 569) / (20 * 4000 + 569)) < 1e-9, "\(ratio)")
        // The mean is what `results` has.
        let words = ["results", "--format", "csv", "--metric", "cpi", "--columns"]
        let mean = try study.start(words + ["mean", "--spread"]).wait().output
        #expect(mean == (try study.start(words + ["cpi"]).wait().output)
            .replacing("cpi\n", with: "mean\n"))
        #expect(try study.run("results", "--confidence", "99%").status == 64)
        for words in [["--by", "sise"], ["--baseline", "size=3"], ["--baseline", "size"], ["--confidence", "5"]] {
            let refused = try study.start(["results", "--spread"] + words).wait()
            #expect(refused.status == 64 && refused.errors.contains(words[0]), "\(refused.errors)")
        }
        #expect(try study.run("results", "--spread", "--to", "all.sqlite").status == 0)
        #expect(try study.run("results", "--to", "all.jsonl").status == 0)
        try study.write("read.py", """
            import json, os, sqlite3, sys
            os.chdir(sys.argv[1])
            rows = [json.loads(line) for line in open("all.jsonl")]
            assert [row["size_bytes"] for row in rows] == [65536, 65536, 1048576, 1048576], rows
            assert rows[3]["cpi"] is None and rows[3]["size"] == "1MiB", rows
            tables = sqlite3.connect("all.sqlite")
            sizes = tables.execute("SELECT size, size_bytes FROM results_numbers").fetchall()
            assert sizes[0] == ("64KiB", 65536) and len(sizes) == 4, sizes
            numbers = tables.execute("SELECT n, mean FROM summary WHERE metric = 'cpi' AND missing = 0").fetchall()
            assert len(numbers) == 3 and all(n == 4 and mean > 10 for n, mean in numbers), numbers
            """)
        _ = try RealSSHD.run("python3", ["\(study.folder)/read.py", study.folder])
    }

    @Test("Two sweeps: identical, or what differs and by how much")
    func compare() throws {
        let study = try Study(hosts: 1, slots: 2)
        #expect(try study.launch(sweep("one", "10")).status == 3)
        #expect(try study.launch(sweep("same", "10")).status == 3)
        #expect(try study.launch(sweep("more", "12", size: "64KiB, 1MiB, 2MiB")).status == 3)
        let same = try study.run("compare", "one", "same", "--exact")
        #expect(same.status == 0 && same.output.contains("no result in either"), "\(same.errors)")
        let whole = try study.run("compare", "one", "same", "--where", "kind=a", "--exact")
        #expect(whole.status == 0 && whole.errors.contains("identical: 2 points"), "\(whole.errors)")
        let other = try study.run("compare", "one", "artifacts", "--format", "csv", "--metric", "cpi")
        #expect(other.status == 66, "a name without a slash is a sweep's")
        let found = try study.run("compare", "one", "./artifacts", "--format", "csv", "--metric", "cpi")
        #expect(found.status == 4, "\(found.errors)")
        let lines = found.output.split(separator: "\n")
        #expect(lines.count == 7)
        #expect(lines[1].hasPrefix("64KiB,a,cpi,20.14") && lines[1].contains(",4,higher,\"invocation 1, cycles: 20142"))
        #expect(lines[4] == "1MiB,b,,,,,,,,no result in either,")
        #expect(lines[5] == "2MiB,a,,,,,,,,only in second,")
        let none = try study.run("compare", "one", "more", "--where", "size=4KiB")
        let expected = "--where size=4KiB: size has no value '4KiB'; there are 64KiB, 1MiB and 2MiB"
        #expect(none.status == 64 && none.errors.contains(expected), "\(none.errors)")
        #expect(try study.run("compare", "one", "./nowhere").status == 66)
    }

    @Test("Metrics that two sweeps define differently are never compared, also where only what they need differs")
    func definitions() throws {
        let study = try Study(hosts: 1, slots: 2)
        let one = "{cpi: cycles / instructions, base: cycles, score: base / 10, twice: 2 * base}"
        let other = "{cpi: cycles/instructions, base: cycles, score: 2 * cycles, twice: base * 2, ipc: 1 / cpi}"
        let third = "{cpi: cycles / instructions, base: cycles + 1, score: base / 10, twice: 2 * base}"
        #expect(try study.launch(sweep("one", "10", define: one)).status == 3)
        #expect(try study.launch(sweep("other", "10", define: other)).status == 3)
        #expect(try study.launch(sweep("third", "10", define: third)).status == 3)
        let found = try study.run("compare", "one", "other", "--where", "kind=a", "--format", "csv")
        #expect(found.status == 0, "\(found.errors)")
        let metrics = Set(found.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[2] })
        #expect(metrics == ["cycles", "instructions", "cpi", "base"], "\(found.output)")
        let note = "not compared: score is base / 10 in the first sweep and 2 * cycles in the second"
        #expect(found.errors.contains(note), "\(found.errors)")
        let asked = try study.run("compare", "other", "one", "--metric", "score")
        #expect(asked.status == 64 && asked.errors.contains("--metric score is 2 * cycles in the first sweep"))
        let needed = try study.run("compare", "one", "third", "--metric", "score")
        let why = "score needs base, which is cycles in the first sweep and cycles + 1 in the second"
        #expect(needed.status == 64 && needed.errors.contains(why), "\(needed.errors)")
        #expect(try study.run("compare", "one", "third", "--metric", "cpi", "--where", "kind=a").status == 0)
    }
}
