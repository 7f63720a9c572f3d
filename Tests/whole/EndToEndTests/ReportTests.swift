import Foundation
import Model
import TestKit
import Testing

@Suite("Reports and figures of real sweeps")
struct ReportTests {
    /// What `Browser/browse.py` found out about a page.
    private struct Page: Decodable {
        struct Filtered: Decodable {
            var shown: String
            var rows: [[String]]
        }

        var seconds: Double
        var title: String
        var sections: [String]
        var figures: Int
        var text: String
        var columns: [String]
        var shown: String
        var rows: [[String]]
        var scripts: Int?
        var ascending: [[String]]
        var descending: [[String]]
        var sort: String?
        var filters: [String: Filtered]
        var end: [[String]]
        var tip: String?
        var problems: [String: [String]]
        var overflow: [String: Int]
        var pages: Int
        var requests: [String]
        var complaints: [String]
    }

    private static let chromium = ["chromium-headless-shell", "chromium"].map { "/usr/bin/\($0)" }
        .first(where: FileManager.default.isExecutableFile)

    private func browse(_ page: String, filters: [String] = []) throws -> Page {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Browser/browse.py").path
        process.arguments = ["python3", script, try #require(Self.chromium), page]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["FILTERS": filters.joined(separator: ";")]) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try JSONDecoder().decode(Page.self, from: data)
    }

    /// One that has everything that a page must survive: names that look like markup, other directions of writing,
    /// failures, retries, quarantine.
    private static let sweep = """
        sweep: hostile
        engine: command
        command: [/bin/sh, -c, '[ "$USWEEP_SIZE" = 4MiB ] && { echo "<b>no</b>" >&2; exit 3; }; \
        [ "$USWEEP_SIZE" = 2MiB ] && [ "$USWEEP_NAME" = plain ] && exit 0; \
        echo "[{\\"v\\": ${#USWEEP_SIZE}.$USWEEP_REPEAT, \\"w\\": 2}, {\\"v\\": 7, \\"w\\": 3}]" > results.json']
        axes:
          name: ['<script>window.hacked=1</script>', 'a"b', "<img src=x onerror='window.hacked=1'>", עברית, plain]
          size: [1MiB, 256KiB, 2MiB, 4MiB]
        measure: {invocations: 2, repeat: 2}
        results: results.json
        retry: {attempts: 2}
        metrics: [v, w]

        """

    @Test(
        "The page works by mouse and keyboard, in light, dark and on paper, and lets nothing in",
        .enabled(if: chromium != nil, "apt-get install chromium-headless-shell"))
    func page() throws {
        let study = try Study(hosts: 2)
        #expect(try study.launch(Self.sweep).status == 3)
        #expect(try study.run("report", "--to", "report.html").status == 0)
        let filters = ["outcome=failed", "size<1MiB plain", "run>36 outcome=succeeded", "nothing-like-it"]
        let page = try browse("\(study.folder)/report.html", filters: filters)
        #expect(page.title == "hostile - usweep report")
        #expect(
            page.sections == [
                "Summary", "Before you use the numbers", "Figures", "Results", "How it went", "Failures",
                "Provenance",
            ])
        #expect(page.figures == 4, "two metrics, the timeline, the times")
        #expect(page.scripts == nil && !study.text("report.html").contains("<script>window"))
        #expect(page.text.contains("<script>window.hacked=1</script>") && page.text.contains("עברית"))
        #expect(page.text.contains("exit-nonzero") && page.text.contains("contract-broken"))
        #expect(page.shown == "40 of 40 rows")
        #expect(
            page.columns == [
                "run", "name", "size", "repeat", "outcome", "class", "v", "w", "host", "attempts", "wall_s",
            ])
        let walls = { (rows: [[String]]) in rows.map { Double($0[10]) ?? -1 } }
        #expect(walls(page.ascending) == walls(page.ascending).sorted() && !page.ascending.isEmpty)
        #expect(walls(page.descending) == walls(page.descending).sorted(by: >) && page.sort == "descending")
        #expect(page.filters["outcome=failed"]?.shown == "10 of 40 rows")
        #expect(page.filters["size<1MiB plain"]?.rows.map { $0[2] } == ["256KiB", "256KiB"])
        #expect(page.filters["run>36 outcome=succeeded"]?.rows.isEmpty == true)
        #expect(page.filters["nothing-like-it"]?.shown == "0 of 40 rows")
        #expect(page.tip?.contains(": ") == true)
        #expect(page.problems == ["light": [], "dark": []])
        #expect(page.overflow.allSatisfy { $0.value <= 0 }, "\(page.overflow)")
        #expect(page.pages >= 1)
        #expect(page.requests == [] && page.complaints == [])
    }

    @Test(
        "Of a sweep that is running the page says so; of one without results, too",
        .enabled(if: chromium != nil, "apt-get install chromium-headless-shell"))
    func running() throws {
        let study = try Study(hosts: 1, slots: 1)
        let fifo = "\(study.folder)/go"
        try #require(mkfifo(fifo, 0o600) == 0)
        try study.write(
            "sweep.yaml",
            """
            sweep: slow
            engine: command
            command: [/bin/sh, -c, '[ {x} = 2 ] && read -r line < \(fifo); echo "{\\"v\\": {x}}" > results.json']
            axes: {x: [1, 2]}
            results: results.json
            metrics: [v]

            """)
        let launch = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { (try? study.column("outcome").first) == "succeeded" })
        #expect(try study.run("report", "--to", "half.html").status == 0)
        let half = try browse("\(study.folder)/half.html")
        #expect(half.text.contains("The sweep is running: 1 of 2 runs had ended"))
        #expect(half.rows.map { $0[2] } == ["succeeded", "not ended"])
        #expect(half.complaints == [] && half.problems == ["light": [], "dark": []])
        try "go\n".write(toFile: fifo, atomically: false, encoding: .utf8)
        #expect(launch.wait().status == 0)
        #expect(try study.run("report").status == 0)
        #expect(try study.run("report", "--output", "json").output.contains("/report.html\"}"))
        let failing = "sweep: none\nengine: command\ncommand: ['false']\nretry: {attempts: 1}\n"
        #expect(try study.launch(failing).status == 3)
        #expect(try study.run("report", "--to", "none.html").status == 0)
        let none = try browse("\(study.folder)/none.html")
        #expect(none.text.contains("there is nothing to draw") && none.complaints == [])
        #expect(none.problems == ["light": [], "dark": []])
    }

    @Test("Figures are written as SVG, PDF and PNG, with their data; what is missing is named")
    func plot() throws {
        let study = try Study(hosts: 1, slots: 4)
        let sweep = """
            sweep: figures
            engine: command
            command: [/bin/sh, -c, 'echo "{\\"v\\": {x}{s}}" > results.json']
            axes: {x: [3, 1, 2], s: [1, 2]}
            results: results.json
            metrics: [v]

            """
        #expect(try study.launch(sweep).status == 0)
        let options = ["plot", "--x", "x", "--y", "v", "--series", "s"]
        for (name, magic) in [("f.svg", "<svg "), ("f.pdf", "%PDF-"), ("f.png", "\u{89}PNG")] {
            let ended = try study.start(options + ["--to", name]).wait()
            #expect(ended.status == 0, "\(ended.errors)")
            let bytes = try Data(contentsOf: URL(filePath: "\(study.folder)/\(name)"))
            #expect(bytes.starts(with: magic.unicodeScalars.map { UInt8($0.value) }), "\(name)")
        }
        #expect(study.text("f.svg.csv") == """
            x,s,v,low,high,n
            1,1,11,,,1
            2,1,21,,,1
            3,1,31,,,1
            1,2,12,,,1
            2,2,22,,,1
            3,2,32,,,1

            """)
        let description = try JSON(parsing: Array(study.text("f.svg.vl.json").utf8), file: "f.svg.vl.json")
        #expect(description["data"]?["url"]?.text == "f.svg.csv")
        let missing = try study.start(options + ["--to", "g.pdf"], environment: ["PATH": "/nowhere"]).wait()
        #expect(missing.status == 66 && missing.errors.contains("apt-get install librsvg2-bin"), "\(missing.errors)")
        #expect(!study.exists("g.pdf") && !study.exists("g.pdf.csv"))
        let wrong = try study.start(options + ["--to", "f.jpg"]).wait()
        #expect(wrong.status == 64 && wrong.errors.contains(".svg, .pdf or .png"))
        for name in ["x.pdf", "-"] {
            let page = try study.start(["report", "--to", name]).wait()
            #expect(page.status == 64 && page.errors.contains("ends with .html") && !study.exists(name))
        }
        let nothing = try study.start(options + ["--to", "g.svg", "--where", "repeat=9"]).wait()
        #expect(nothing.status == 66 && nothing.errors.contains("nothing to draw"), "\(nothing.errors)")
        let large = sweep.replacing("figures", with: "large").replacing("{x}{s}", with: "{x}{s}e306")
        #expect(try study.launch(large).status == 0)
        let beyond = try study.start(options + ["--to", "g.svg"]).wait()
        #expect(beyond.status == 66, "\(beyond.errors)")
        #expect(beyond.errors.contains("6 values beyond 10^299 are not drawn"), "\(beyond.errors)")
        let unknown = try study.start(options + ["--to", "g.svg", "--where", "x=9"]).wait()
        #expect(unknown.status == 64 && unknown.errors.contains("x has no value '9'"), "\(unknown.errors)")
    }

    private static let hasPandas = (try? RealSSHD.run("/usr/bin/python3", ["-c", "import pandas"])) != nil

    @Test(
        "pandas makes the same table of single invocations", .enabled(if: hasPandas, "apt-get install python3-pandas"))
    func pandas() throws {
        let study = try Study(hosts: 1, slots: 4)
        let sweep = """
            sweep: notebook
            engine: command
            command: [/bin/sh, -c, '[ {size} = 010 ] && exit 3; \
            echo "[{\\"l2.misses\\": 1{repeat}, \\"instructions\\": 900}, \
            {\\"l2.misses\\": 5, \\"instructions\\": 70{repeat}1}]" > results.json']
            axes: {size: ["010", 1MiB, 256KiB]}
            measure: {invocations: 2, repeat: 2}
            results: results.json
            retry: {attempts: 1}
            define: {l2.mpki: 1000 * l2.misses / instructions}

            """
        #expect(try study.launch(sweep).status == 3)
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../sweeps/table.py").standardized.path
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(study.folder)/artifacts")
        let folder = try #require(names.first { $0.hasPrefix("notebook-") })
        try RealSSHD.run(
            "/usr/bin/python3", [script, "\(study.folder)/artifacts/\(folder)", "\(study.folder)/pandas.csv"])
        let lines = { (text: String) in
            text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        }
        let (made, own) = (lines(study.text("pandas.csv")), lines(try study.table()))
        #expect(made.count == 7 && made.first == own.first)
        for (row, expected) in zip(made, own) {
            #expect(row.count == expected.count)
            for (cell, wanted) in zip(row, expected) {
                let isClose = Double(cell).flatMap { one in
                    Double(wanted).map { abs(one - $0) <= 1e-9 * max(abs(one), abs($0)) }
                }
                #expect(cell == wanted || isClose == true, "\(row), \(expected)")
            }
        }
    }
}
