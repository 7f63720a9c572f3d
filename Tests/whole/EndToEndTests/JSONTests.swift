import Foundation
import Model
import TestKit
import Testing
@testable import usweep

/// What the real program prints with `--output json` is what the schemas say.
@Suite("Documents for programs", .serialized)
struct JSONTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../ops/schemas").standardized

    private static func schema(_ name: String) throws -> JSONSchema {
        try JSONSchema(String(contentsOf: folder.appending(path: "\(name).json"), encoding: .utf8), file: name)
    }

    static func expect(_ text: String, _ schema: String) throws {
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

    /// What a gem5 leaves, as short as can be.
    private static let statistics = """

        ---------- Begin Simulation Statistics ----------
        simTicks                                  1000                       # Number of ticks simulated (Tick)

        ---------- End Simulation Statistics   ----------

        """

    /// Commands whose documents are looked at elsewhere, or that have none.
    private static let others: [String: String] = [
        "launch": "above", "checkpoint list": "CheckpointTests", "checkpoint verify": "CheckpointTests",
        "checkpoint show": "CheckpointTests", "workload try": "needs a guest: WorkloadTrialTests",
        "init": "writes files", "pull": "writes files", "import vswarm": "writes files", "help": "a text",
        "rm": "says only what it did", "cancel": "says only what it did", "workload build": "says only what it did",
        "workload add": "says only what it did", "workload remove": "says only what it did",
        "checkpoint add": "says only what it did", "checkpoint export": "says only what it did",
        "checkpoint import": "says only what it did", "checkpoint remove": "says only what it did",
    ]

    @Test("Every command is among those whose documents are looked at, or there is a reason why not")
    func commands() throws {
        let words = (Self.commands + Self.streams).map(\.words)
        let tested = words.compactMap { words in
            Commands.leaves.filter { words.joined(separator: " ").hasPrefix($0) }.max { $0.count < $1.count }
        }
        #expect(tested.count == words.count)
        #expect(Set(tested).union(Self.others.keys).sorted() == Commands.leaves.sorted())
    }

    private static let commands: [(schema: String, words: [String])] = [
        ("status", ["status"]), ("top", ["top"]), ("status-all", ["status", "--all"]),
        ("plan", ["plan", "sweep.yaml", "-i", "inventory.yaml"]), ("plan", ["plan", "sweep.yaml", "--points"]),
        ("logs", ["logs", "1"]), ("logs", ["logs", "3", "--attempt", "1"]), ("explain", ["explain", "1"]),
        ("explain", ["explain", "3"]), ("explain", ["explain", "h0"]), ("table", ["results"]),
        ("table", ["results", "--table", "runs"]), ("table", ["results", "--table", "invocations"]),
        ("table", ["results", "--spread"]), ("table", ["compare", "simple", "simple"]),
        ("table", ["axes"]), ("table", ["metrics", "--engine", "qemu"]), ("du", ["du"]),
        ("table", ["stats", "stats.txt"]),
        ("du", ["du", "-i", "inventory.yaml"]), ("clean", ["clean", "h0", "--dry-run"]),
        ("clean", ["clean", "h0", "--yes"]),
        ("gc", ["gc", "--dry-run"]), ("gc", ["gc"]), ("doctor", ["doctor", "-i", "inventory.yaml"]),
        ("doctor-ledger", ["doctor", "--ledger"]), ("doctor-ledger", ["doctor", "--ledger", "--repair"]),
        ("workload-list", ["workload", "list"]),
        ("workload-list", ["workloads"]), ("workload", ["workload", "show", "own"]),
        ("report", ["report", "--to", "r.html"]),
        ("plot", ["plot", "--x", "x", "--y", "value", "--to", "f.svg"]),
    ]

    /// Those that write a document a line, with the schema of the last.
    private static let streams: [(schema: String, words: [String])] = [
        ("event", ["follow"]), ("event", ["resume"]), ("event", ["retry"]), ("reproduced", ["reproduce", "1"]),
    ]

    @Test("Every command's document fits its schema")
    func documents() throws {
        let study = try Study(hosts: 1)
        try study.makeWorkload("own", disk: "a disk")
        try study.write("stats.txt", Self.statistics)
        let launched = try study.launch(Self.sweep, options: ["--output", "json"])
        #expect(launched.status == 3, "\(launched.errors)")
        let events = launched.output.split(separator: "\n").map(String.init)
        for event in events { try Self.expect(event, "event") }
        for word in ["begin", "attempt", "run", "end"] {
            #expect(events.contains { $0.contains("\"event\":\"\(word)\"") }, "\(word)")
        }
        for command in Self.commands {
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
        for command in Self.streams {
            let ended = try study.start(command.words + ["--output", "json"]).wait()
            #expect(ended.status == (command.schema == "event" ? 3 : 0), "\(command.words): \(ended.errors)")
            let lines = ended.output.split(separator: "\n").map(String.init)
            for line in lines.dropLast() { try Self.expect(line, "event") }
            try Self.expect(lines.last ?? "", command.schema)
        }
    }

    @Test("A statistics file that is missing leaves the document whole, with what the others have")
    func missing() throws {
        let study = try Study(hosts: 0)
        try study.write("stats.txt", Self.statistics)
        let ended = try study.run("stats", "none.txt", "stats.txt", "--output", "json")
        #expect(ended.status == 66 && ended.errors.contains("none.txt cannot be read"), "\(ended.errors)")
        try Self.expect(ended.output, "table")
        #expect(ended.output.contains("simTicks"), "\(ended.output)")
    }

    @Test("Documents say nothing of what was not looked at, and quiet says nothing at all")
    func nothing() throws {
        let study = try Study(hosts: 1)
        #expect(try study.launch(Self.sweep).status == 3)
        let trial = try study.run("gc", "--dry-run", "--output", "json").output
        #expect(trial.contains(#""checkpoints_bytes":null"#), "\(trial)")
        #expect(try study.run("gc", "--output", "json").output.contains(#""checkpoints_bytes":0"#))
        for words in [["doctor", "--ledger"], ["doctor", "--ledger", "--repair"], ["checkpoint", "verify"]] {
            let ended = try study.start(words + ["--output", "quiet"]).wait()
            #expect(ended.status == 0 && ended.output.isEmpty, "\(words): \(ended.output)")
        }
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
