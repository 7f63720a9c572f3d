import Foundation
import Model
import TestKit
import Testing

/// What the real program prints with `--output json` is what the schemas say.
@Suite("Documents for programs", .serialized)
struct JSONTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../ops/schemas").standardized

    private static func schema(_ name: String) throws -> JSONSchema {
        try JSONSchema(String(contentsOf: folder.appending(path: "\(name).json"), encoding: .utf8), file: name)
    }

    private static func expect(_ text: String, _ schema: String) throws {
        let problems = try self.schema(schema).problems(JSON(parsing: Array(text.utf8), file: schema))
        #expect(problems == [], "\(schema): \(text.prefix(2_000))")
    }

    private static let sweep = """
        sweep: simple
        engine: command
        command: [/bin/sh, -c, 'echo "{\\"value\\": $USWEEP_X}" > results.json; echo said; exit $((USWEEP_X / 3))']
        axes: {x: [1, 2, 3]}
        results: results.json
        metrics: [value]
        retry: {attempts: 2}

        """

    @Test("Every command's document fits its schema")
    func documents() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(Self.sweep, options: ["--output", "json"])
        #expect(launched.status == 3, "\(launched.errors)")
        let events = launched.output.split(separator: "\n").map(String.init)
        for event in events { try Self.expect(event, "event") }
        for word in ["begin", "attempt", "run", "end"] {
            #expect(events.contains { $0.contains("\"event\":\"\(word)\"") }, "\(word)")
        }
        let commands: [(schema: String, words: [String])] = [
            ("status", ["status"]), ("top", ["top"]), ("status-all", ["status", "--all"]),
            ("plan", ["plan", "sweep.yaml", "-i", "inventory.yaml"]), ("plan", ["plan", "sweep.yaml", "--points"]),
            ("logs", ["logs", "1"]), ("logs", ["logs", "3", "--attempt", "1"]), ("explain", ["explain", "1"]),
            ("explain", ["explain", "3"]), ("explain", ["explain", "h0"]), ("table", ["results"]),
            ("table", ["results", "--table", "runs"]), ("table", ["results", "--table", "invocations"]),
            ("table", ["results", "--spread"]), ("table", ["compare", "simple", "simple"]),
            ("table", ["axes"]), ("table", ["metrics", "--engine", "qemu"]), ("du", ["du"]),
            ("du", ["du", "-i", "inventory.yaml"]), ("clean", ["clean", "h0", "--dry-run"]),
            ("clean", ["clean", "h0", "--yes"]),
            ("gc", ["gc", "--dry-run"]), ("doctor", ["doctor", "-i", "inventory.yaml"]),
            ("doctor-ledger", ["doctor", "--ledger"]), ("workload-list", ["workload", "list"]),
            ("workload-list", ["workloads"]), ("report", ["report", "--to", "r.html"]),
            ("plot", ["plot", "--x", "x", "--y", "value", "--to", "f.svg"]),
        ]
        for command in commands {
            let ended = try study.start(command.words + ["--output", "json"]).wait()
            #expect(ended.status == 0, "\(command.words): \(ended.errors)")
            try Self.expect(ended.output, command.schema)
        }
        let logs = try JSON(parsing: Array(try study.run("logs", "3", "--output", "json").output.utf8), file: "logs")
        #expect(logs["class"]?.text == "exit-nonzero" && logs["attempts"]?.elements?.count == 2)
        #expect(logs["tails"]?.elements?.first?["text"]?.text == "said\n")
        let plan = try study.run("plan", "sweep.yaml", "--points", "--output", "json").output
        let points = try JSON(parsing: Array(plan.utf8), file: "plan")["point_list"]?.elements
        #expect(points?.map { $0["parameters"]?["x"]?.text } == ["1", "2", "3"])
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        try Self.expect(study.text("pulled/1-x=1/point.json"), "point")
    }

    @Test("A file is written in the form that its name says, or refused")
    func files() throws {
        let study = try Study(hosts: 1)
        #expect(try study.launch(Self.sweep).status == 3)
        for name in ["a.json", "a.csv", "a.sqlite", "a.txt", "plain"] {
            let ended = try study.run("results", "--to", name)
            #expect(ended.status == 0, "\(name): \(ended.errors)")
        }
        try Self.expect(study.text("a.json"), "table")
        #expect(study.text("a.csv").hasPrefix("point,x,") || study.text("a.csv").hasPrefix("point,workload,"))
        #expect(study.text("plain") == study.text("a.csv"))
        let bytes = FileManager.default.contents(atPath: "\(study.folder)/a.sqlite") ?? Data()
        #expect(bytes.starts(with: Array("SQLite format 3".utf8)))
        #expect(study.text("a.txt").hasPrefix("point "))
        let refused = [
            (["a.parquet"], ".parquet"), (["a.xyz"], ".xyz"), (["a.csv.gz"], ".gz"),
            (["b.json", "--format", "csv"], "--format is csv"), (["b.parquet", "--format", "csv"], ".parquet"),
        ]
        for (words, text) in refused {
            let ended = try study.start(["results", "--to"] + words).wait()
            #expect(ended.status == 64 && ended.errors.contains(text), "\(words): \(ended.errors)")
            #expect(!FileManager.default.fileExists(atPath: "\(study.folder)/\(words[0])"))
        }
        #expect(try study.run("results", "--to", "c.data", "--format", "csv").status == 0)
    }

    @Test("The manual has every schema in one table")
    func table() throws {
        let page = Self.folder.appending(path: "../../Sources/programs/usweep/Documentation.docc/JSON.md").standardized
        let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
        let cells = rows.map { $0.split(separator: "|").map { $0.trimmingCharacters(in: [" ", "`"]) } }
        let listed = cells.filter { $0.count == 3 }.map { $0[1].replacing(".json", with: "") }
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(listed.sorted() == files.map { $0.replacing(".json", with: "") }.sorted())
        for file in files { _ = try Self.schema(file.replacing(".json", with: "")) }
    }

    @Test("A document that is not as its schema says is found")
    func wrong() throws {
        let schema = try JSONSchema(
            #"{"type": "object", "required": ["a"], "properties": {"a": {"type": ["integer", "null"], "minimum": 0},"#
                + #" "b": {"enum": ["x", null]}, "c": {"type": "object", "additionalProperties": {"type": "string"}},"#
                + #" "d": {"type": "array", "items": {"pattern": "^[0-9a-f]{2}$"}}}}"#, file: "schema")
        func problems(_ text: String) throws -> [String] {
            schema.problems(try JSON(parsing: Array(text.utf8), file: "document"))
        }
        #expect(try problems(#"{"a": 1, "b": null, "c": {"z": "y"}, "d": ["0f"]}"#) == [])
        for text in [
            "[]", "{}", #"{"a": -1}"#, #"{"a": 1.5}"#, #"{"a": 1, "b": "y"}"#, #"{"a": 1, "c": {"z": 1}}"#,
            #"{"a": 1, "d": ["0g"]}"#, #"{"a": 1, "e": 1}"#,
        ] {
            #expect(try !problems(text).isEmpty, "\(text)")
        }
        #expect(throws: Failure.self) { try JSONSchema(#"{"maximum": 1}"#, file: "schema") }
    }
}
