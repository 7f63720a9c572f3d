import Model
import Results
import Testing

private let point = SHA256.digest("point")
private let hex = point.hex
private let hostile = "$(touch x); 'a b', \"c\"\nd"

private func write(
    _ format: TableWriter.Format, _ columns: [String], _ rows: [[Cell]], name: String = "results"
) throws -> String {
    // The sink is a closure that escapes, so what it gathers stands in an object.
    final class Gathered { var bytes: [UInt8] = [] }
    let gathered = Gathered()
    var writer = TableWriter(format, name: name, columns: columns) { gathered.bytes += $0 }
    for row in rows { try writer.add(row) }
    try writer.finish()
    return String(decoding: gathered.bytes, as: UTF8.self)
}

private func blocks(_ values: [[(String, String)]]) -> Blocks {
    Blocks(values.map { Block($0.map { Metric($0.0, $0.1) }) })
}

private func row(
    _ x: String = "1", workload: String? = "aes", state: RunState? = .succeeded, failure: FailureClass? = nil,
    blocks: Blocks? = nil
) -> DatasetRow {
    DatasetRow(
        point: point, workload: workload, values: [x], repetition: 1, state: state, failure: failure, blocks: blocks)
}

@Suite struct ColumnListTests {
    @Test func namesAreSeparatedAsInCSV() throws {
        #expect(try ColumnList.names("run, l2.mpki,,cpi") == ["run", "l2.mpki", "cpi"])
        #expect(try ColumnList.names("\"a,b\",\"say \"\"x\"\"\"") == ["a,b", "say \"x\""])
        #expect(try ColumnList.names("") == [])
        for text in ["\"a,b", "a\"b,c"] {
            let found = #expect(throws: Failure.self) { try ColumnList.names(text) }
            #expect(found?.code == .usage && found?.message.hasPrefix("--columns ") == true)
        }
    }
}

@Suite struct TableWriterTests {
    @Test func csvQuotesWhatNeedsIt() throws {
        let text = try write(
            .csv, ["a", "b,c", hostile],
            [[.text("plain"), .empty, .number("1.50")], [.text("=1+1"), .text("a\rb"), .digest(point)]])
        let quoted = "\"$(touch x); 'a b', \"\"c\"\"\nd\""
        #expect(text == "a,\"b,c\",\(quoted)\nplain,,1.50\n=1+1,\"a\rb\",\(hex)\n")
    }

    @Test func aLoneEmptyFieldIsNoEmptyLine() throws {
        #expect(try write(.csv, ["a"], [[.empty]]) == "a\n\"\"\n")
    }

    @Test func jsonIsOneVersionedDocument() throws {
        let text = try write(.json, ["a", hostile], [[.number("1.50"), .text("x\u{1b}")], [.empty, .digest(point)]])
        let name = #""$(touch x); 'a b', \"c\"\nd""#
        #expect(
            text == """
                {"version":1,"table":"results","columns":["a",\(name)],"rows":[
                {"a":1.50,\(name):"x\\u001b"},
                {"a":null,\(name):"\(hex)"}
                ]}

                """)
        #expect(try JSON(parsing: text)["rows"]?.elements?.count == 2)
        #expect(try JSON(parsing: write(.json, ["a"], []))["rows"]?.elements?.isEmpty == true)
    }

    @Test func textIsAlignedAndShowsHiddenCharacters() throws {
        let text = try write(
            .table, ["point", "name", "value"],
            [
                [.digest(point), .text("a\u{1b}[2J\nb\u{202e}"), .number("10")],
                [.digest(point), .text("\u{65e5}\u{672c}"), .number("9.5")], [.empty, .empty, .empty],
            ])
        #expect(
            text == """
                point         name                   value
                \(point.short)  a\\u{1b}[2J\\nb\\u{202e}   10
                \(point.short)  \u{65e5}\u{672c}                     9.5
                -             -                          -

                """)
    }

    @Test func aRowOfAnotherLengthIsRefused() {
        #expect(throws: Failure.self) { try write(.csv, ["a", "b"], [[.empty]]) }
    }

    @Test func bytesComeInPiecesOfBoundedSize() throws {
        final class Seen { var largest = 0, total = 0, pieces = 0 }
        let seen = Seen()
        var writer = TableWriter(.csv, name: "results", columns: ["a"]) {
            seen.largest = max(seen.largest, $0.count)
            seen.total += $0.count
            seen.pieces += 1
        }
        for index in 0..<50_000 { try writer.add([.integer(index)]) }
        try writer.finish()
        #expect(seen.total == 2 + 10 * 2 + 90 * 3 + 900 * 4 + 9_000 * 5 + 40_000 * 6)
        #expect(seen.largest < 70_000)
        #expect(seen.pieces == 5)
    }

    @Test func anErrorOfTheSinkComesOut() {
        var writer = TableWriter(.csv, name: "results", columns: ["a"]) { _ in throw Failure(.storage, "full") }
        #expect(throws: Failure(.storage, "full")) { try writer.finish() }
    }
}

@Suite struct DatasetTests {
    private static let rows = [
        row("1", blocks: blocks([[("value", "1.50"), ("b", "2")]])),
        row("2", blocks: blocks([[("value", "1"), ("b", "2")], [("value", "2"), ("c", "7")]])),
        row("3", state: .failed, failure: .timeout, blocks: blocks([[("value", "9"), ("z", "9")]])),
        row("4", state: .quarantined, failure: .contractBroken), row("5", workload: nil, state: nil),
    ]

    private static func dataset() -> Dataset {
        var names = MetricNames(required: ["value"], formulas: [])
        for row in rows { names.add(row) }
        return Dataset(axes: ["x"], metrics: names.names, formulas: [])
    }

    @Test func resultsHaveARowWhateverTheOutcome() throws {
        let dataset = DatasetTests.dataset()
        let text = try write(.csv, dataset.resultColumns, DatasetTests.rows.map { dataset.result($0) })
        #expect(
            text == """
                point,workload,x,repeat,outcome,class,value,b,c
                \(hex),aes,1,1,succeeded,,1.50,2,
                \(hex),aes,2,1,succeeded,,1.5,,
                \(hex),aes,3,1,failed,timeout,,,
                \(hex),aes,4,1,quarantined,contract-broken,,,
                \(hex),,5,1,,,,,

                """)
    }

    @Test func invocationsAreThoseOfSuccesses() throws {
        let dataset = DatasetTests.dataset()
        let text = try write(.csv, dataset.invocationColumns, DatasetTests.rows.flatMap { dataset.invocations($0) })
        #expect(
            text == """
                point,workload,x,repeat,invocation,value,b,c
                \(hex),aes,1,1,1,1.50,2,
                \(hex),aes,2,1,1,1,2,
                \(hex),aes,2,1,2,2,,7

                """)
    }

    @Test("Where checkpoints were forced, each result says what does not fit of its own")
    func forced() throws {
        let dataset = Dataset(axes: ["x"], metrics: ["value"], formulas: [], forced: ["aes": "its kernel is a, not b"])
        let rows = [DatasetTests.rows[0], row("1", workload: "fib", blocks: blocks([[("value", "2")]]))]
        let results = try write(.csv, dataset.resultColumns, rows.map { dataset.result($0) })
        #expect(
            results == """
                point,workload,x,repeat,outcome,class,forced,value
                \(hex),aes,1,1,succeeded,,"its kernel is a, not b",1.50
                \(hex),fib,1,1,succeeded,,,2

                """)
        #expect(
            try write(.csv, dataset.invocationColumns, rows.flatMap { dataset.invocations($0) }) == """
                point,workload,x,repeat,invocation,forced,value
                \(hex),aes,1,1,1,"its kernel is a, not b",1.50
                \(hex),fib,1,1,1,,2

                """)
    }

    @Test func provenanceHasEverythingElse() throws {
        let ended = ProvenanceRow(
            run: 7, point: point, workload: "aes", repetition: 1, state: .failed, failure: .timeout, host: hostile,
            attempts: 3, lease: 2, engine: point, forced: "its kernel is a, not b",
            started: 951_827_696_789_000_000, wall: 1_500_000_001, peakMemoryBytes: 4096, evidence: "a, b")
        let open = ProvenanceRow(run: 8, point: nil, workload: nil, repetition: 1, state: nil)
        let rows = [ended.cells(["2"]), open.cells([""])]
        let text = try write(.csv, DatasetTests.dataset().columns(of: .runs), rows, name: "runs")
        #expect(
            text == """
                run,point,workload,x,repeat,outcome,class,host,attempts,lease,engine_digest,checkpoint_digest,forced,\
                started,wall_s,peak_memory_bytes,evidence
                7,\(hex),aes,2,1,failed,timeout,"$(touch x); 'a b', ""c""
                d",3,2,\(hex),,"its kernel is a, not b",2000-02-29T12:34:56.789Z,1.500000001,4096,"a, b"
                8,,,,1,,,,0,,,,,,,,

                """)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000Z"),
        (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
    ] as [(Nanoseconds, String)])
    func instants(_ time: Nanoseconds, _ expected: String) {
        let row = ProvenanceRow(run: 1, point: nil, workload: nil, repetition: 1, state: nil, started: time)
        #expect(row.cells([])[12] == .text(expected))
    }

    @Test func meansAreExactForWholeNumbers() {
        func mean(_ values: [String]) -> String? { blocks(values.map { [("v", $0)] }).metrics([]).first?.value }
        #expect(mean(["9007199254740993", "9007199254740993"]) == "9007199254740993")
        #expect(mean(["1", "2"]) == "1.5")
        #expect(mean(["9223372036854775807", "9223372036854775807"]) == "9223372036854775807")
        #expect(mean(["18446744073709551615", "18446744073709551613"]) == "18446744073709551614")
        #expect(mean(["0.1", "0.2", "0.3"]) == "0.20000000000000004")
        #expect(mean(["0.1"]) == "0.1")
        #expect(mean(["1e308", "1e308"]) == nil)
        #expect(mean(["-3", "3"]) == "0")
    }
}

@Suite struct SelectionTests {
    private static let axes = ["x", "a=b"]

    private static func matches(_ conditions: [String], _ row: DatasetRow) throws -> Bool {
        try Selection(where: conditions, axes: axes).matches(row)
    }

    private static let row = DatasetRow(
        point: point, workload: "aes", values: ["1", hostile], repetition: 2, state: .failed, failure: .timeout)

    @Test func conditionsMustAllHold() throws {
        let row = SelectionTests.row
        #expect(try SelectionTests.matches([], row))
        #expect(try SelectionTests.matches(["x=1", "a=b=\(hostile)", "workload=aes", "repeat=2"], row))
        #expect(try SelectionTests.matches(["outcome=failed", "class=timeout"], row))
        #expect(try !SelectionTests.matches(["x=1", "workload=fib"], row))
        #expect(try !SelectionTests.matches(["x=01"], row))
    }

    @Test func listsComparisonsAndPatterns() throws {
        let row = SelectionTests.row
        #expect(try SelectionTests.matches(["x=2,1", "workload!=fib,auth", "workload~a*", "x<1.5", "x>=1"], row))
        #expect(try !SelectionTests.matches(["x!=2,1"], row))
        #expect(try !SelectionTests.matches(["x>1"], row))
        #expect(try !SelectionTests.matches(["workload~*x"], row))
        #expect(throws: Failure.self) { try SelectionTests.matches(["x>many"], row) }
        let sized = DatasetRow(
            point: point, workload: nil, values: ["512KiB"], repetition: 1, state: .succeeded,
            blocks: Blocks([Block([Metric("cpi", "1.5")])]))
        func holds(_ text: String) throws -> Bool {
            try Selection(where: [text], axes: ["size"], among: { ["cpi", "mpki"] }).matches(sized)
        }
        #expect(try holds("size<1MiB") && holds("size>=524288") && holds("cpi>1") && holds("cpi=1.5"))
        #expect(try holds("cpi=1.50") && !holds("size<1m") && holds("size=1MiB, 512KiB"))
        #expect(throws: Failure.self) { try holds("cpi<0x20") }
        #expect(try !holds("size<1KiB") && !holds("cpi>2") && !holds("mpki>0") && !holds("mpki!=0"))
    }

    @Test("Whole numbers are compared to the last digit, where a Double has fewer")
    func largeNumbers() throws {
        func holds(_ value: String, _ text: String) throws -> Bool {
            let row = DatasetRow(
                point: point, workload: nil, values: [value], repetition: 1, state: .succeeded,
                blocks: Blocks([Block([Metric("v", value)])]))
            return try Selection(where: [text], axes: ["x"], among: { ["v"] }).matches(row)
        }
        let (odd, even) = ("9007199254740993", "9007199254740992")
        #expect(try holds(odd, "v=\(odd)") && !holds(odd, "v=\(even)") && holds(odd, "v!=\(even)"))
        #expect(try holds("18446744073709551616", "v!=18446744073709551617"))
        #expect(try holds("9223372036854775808", "v>9223372036854775807"))
        #expect(try !holds("9223372036854775807", "v>=9223372036854775808"))
        for comparison in ["v>\(even)", "x>\(even)", "x<=\(odd)", "x>=\(odd)"] {
            #expect(try holds(odd, comparison), "\(comparison)")
            #expect(try !holds(even, comparison) || comparison == "x<=\(odd)", "\(comparison)")
        }
        #expect(try holds("1e3", "v=1000") && holds("1000", "v<=1000.5"))
    }

    /// What people type for two conditions, for a value that is not there, and for an equals sign.
    @Test(arguments: [
        ("x=1,y=2", "--where x=1,y=2: x has no value 'y=2'; there are 1, 2 and 1,5; several conditions: "
            + "--where x=1 --where y=2"),
        ("x=1 and y=2", "--where x=1 and y=2: x has no value '1 and y=2'; there are 1, 2 and 1,5; several conditions: "
            + "--where x=1 --where y=2"),
        ("x=1,2,banana", "--where x=1,2,banana: x has no value 'banana'; there are 1, 2 and 1,5"),
        ("x!=7", "--where x!=7: x has no value '7'; there are 1, 2 and 1,5"),
        ("p=LRU", "--where p=LRU: p has no value 'LRU'; did you mean 'lru'? (there are lru and fifo)"),
        ("workload=aes", "--where workload=aes: workload has no values in this sweep"),
        ("outcome=fialed", "--where outcome=fialed: outcome has no value 'fialed'; did you mean 'failed'? (there are "
            + "succeeded, failed, quarantined and cancelled)"),
        ("m=1,y=2", "--where m=1,y=2: 'y=2' is not a number, a size or a time, as 256KiB or 10ms; several conditions: "
            + "--where m=1 --where y=2"),
    ])
    func valuesThatThereAreNotAreRefused(_ text: String, _ message: String) {
        let values = [["1", "2", "1,5"], ["2"], ["lru", "fifo"]]
        let failure = #expect(throws: Failure.self) {
            try Selection(where: [text], axes: ["x", "y", "p"], values: values, workloads: [], among: { ["m"] })
        }
        #expect(failure?.code == .usage && failure?.message == message, "\(failure?.message ?? "")")
    }

    @Test func blanksAndTwoEqualsSignsMeanTheSame() throws {
        let row = DatasetRow(point: point, workload: nil, values: ["1,5", " 2"], repetition: 1, state: .failed)
        for text in ["x = 1,5", "x == 1,5", "x==1,5", "x= 1,5", "x!=1, 2", "x = 1, 1,5", "y= 2", "y = 2", "x ~ 1*"] {
            let values = [["1", "2", "1,5", "5"], ["2", " 2"]]
            let selection = try Selection(where: [text], axes: ["x", "y"], values: values, workloads: [])
            // A list has the values between its commas, and a value with a blank is meant where it is written so.
            #expect(selection.matches(row) == (text != "x = 1, 1,5"), "\(text)")
        }
    }

    @Test func aValueMayBeginWithAnEqualsSign() throws {
        let row = DatasetRow(point: point, workload: nil, values: ["=1+1"], repetition: 1, state: .failed)
        for text in ["x==1+1", "x= =1+1"] {
            let selection = try Selection(where: [text], axes: ["x"], values: [["=1+1", "2"]], workloads: [])
            #expect(selection.matches(row), "\(text)")
        }
    }

    @Test(arguments: ["x", "y=1", "=1", ""])
    func unknownConditionsAreRefused(_ text: String) {
        #expect { try Selection(where: [text], axes: SelectionTests.axes) } throws: { error in
            (error as? Failure)?.code == .usage
        }
    }

    @Test func metricsKeepTheOrderOfTheAsking() throws {
        let names = ["a", "b", "c"]
        #expect(try Selection(axes: []).columns(of: names) == names)
        #expect(try Selection(metrics: ["c", "a", "c"], axes: []).columns(of: names) == ["c", "a"])
        #expect(try Selection(metrics: ["c, a", "b"], axes: []).columns(of: names) == ["c", "a", "b"])
        #expect(try Selection(metrics: ["c,a"], axes: []).columns(of: ["a", "c", "c,a"]) == ["c,a"])
        #expect { try Selection(metrics: ["d"], axes: []).columns(of: names) } throws: { error in
            "\(error)" == "--metric d: no such metric; there are: a, b, c"
        }
        #expect { try Selection(metrics: ["cpii"], axes: []).columns(of: ["l2.mpki", "cpi"]) } throws: { error in
            "\(error)" == "--metric cpii: no such metric; did you mean 'cpi'?"
        }
        #expect { try Selection(where: ["cpii>2"], axes: ["x"], among: { ["l2.mpki", "cpi"] }) } throws: { error in
            "\(error)" == "--where cpii>2: no such axis or metric; did you mean 'cpi'?"
        }
    }
}
