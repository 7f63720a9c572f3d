import Engines
import Model
import Results
import Testing

/// Files that are at hand can always be read.
private func judge(_ contract: Contract, _ files: [String: [UInt8]]) -> Verdict {
    do { return try Judgement.judge(contract: contract, files: EvidenceFiles { files[$0] }) } catch {
        Issue.record("\(error)")
        return .broken(.spawn, evidence: "")
    }
}

private func judge(_ contract: Contract, _ files: [String: String]) -> Verdict {
    judge(contract, files.mapValues { Array($0.utf8) })
}

private func judge(json text: String?, metrics: [String] = ["value"]) -> Verdict {
    let contract = Contract.command(results: "results.json", requiredMetrics: metrics, axes: ["x"])
    return judge(contract, text.map { ["results.json": $0] } ?? [:])
}

private func judge(csv text: String, metrics: [String] = ["value"]) -> Verdict {
    let contract = Contract.command(results: "results.csv", requiredMetrics: metrics, axes: ["x"])
    return judge(contract, ["results.csv": text])
}

private func metrics(_ verdict: Verdict) -> [[Metric]]? {
    guard case .accepted(let blocks) = verdict else { return nil }
    return blocks.blocks.map(\.metrics)
}

private let comma = "; write numbers with a point, and text with commas in quotes"
private let around = "; put the field in quotes, and write this one twice"
private let double = "; a quote within a field is written twice"

private func evidence(_ verdict: Verdict, _ failure: FailureClass = .contractBroken) -> String? {
    guard case .broken(failure, let evidence) = verdict else { return nil }
    return evidence
}

@Suite struct CommandJudgementTests {
    @Test func objectIsOneBlockWithSourceText() {
        let verdict = judge(
            json: #"{"value": 1.50, "note": "a", "x": 3, "deep": {"y": 1}, "big": 12345678901234567890}"#)
        #expect(metrics(verdict) == [[Metric("value", "1.50"), Metric("big", "12345678901234567890")]])
    }

    @Test func listIsOneBlockEach() {
        let verdict = judge(json: #"[{"value":1},{"value":2e0}]"#)
        #expect(metrics(verdict) == [[Metric("value", "1")], [Metric("value", "2e0")]])
    }

    @Test func csvIsOneBlockALine() {
        let verdict = judge(csv: "name,\"value\",\"a,\"\"b\"\"\"\r\n\"x\ny\",.5,1.\r\nz,+007,-1e3")
        #expect(
            metrics(verdict) == [
                [Metric("value", "0.5"), Metric("a,\"b\"", "1")], [Metric("value", "7"), Metric("a,\"b\"", "-1e3")],
            ])
    }

    /// As pandas, Excel and people write it: read as meant.
    @Test(arguments: [
        "value,other\r\n1.5,2\r\n", "value,other\r1.5,2\r", ",value\n0,1.5\n", "\u{feff}value,other\n1.5,2\n",
        "other, value\n2, 1.5\n", "\"value\" , other\n \"1.5\" ,x\n", "value,\n1.5,\n", "value,other\n1.5,nan\n",
        "value,name\n1.5,\"1,5\"\n", "value,name\n1.5,2024-01-01\n", "other;,value\n1,1.5\n",
    ])
    func csvOfOtherTools(_ text: String) {
        #expect(metrics(judge(csv: text))?[0].contains(Metric("value", "1.5")) == true)
    }

    @Test(arguments: [
        ("value;other\n1,5;2\n", "results.csv:1: the columns are separated by semicolons (value;other)"),
        ("value\tother\n1.5\t2\n", "results.csv:1: the columns are separated by tabs (value\\tother)"),
        ("value\n\"1,5\"\n", "the text '1,5' (write digits and a point only), not a finite number"),
        ("value\n\"1,234.5\"\n", "the text '1,234.5' (write digits and a point only), not a finite number"),
        ("value\n1 234\n", "the text '1 234' (write digits and a point only), not a finite number"),
        ("value\n1_234\n", "the text '1_234' (write digits and a point only), not a finite number"),
        ("value\n1\u{a0}234\n", "the text '1\\u{a0}234' (write digits and a point only), not a finite number"),
        ("value\u{200b}\n1\n", "the name 'value\\u{200b}' has an invisible character"),
        ("Value\n1\n", "the metric 'value' is missing; did you mean 'Value'?"),
        ("# made by x\nvalue\n1\n", "results.csv:1: the first line begins with '#', but CSV has no comments"),
        ("# value,other\n1,2\n", "begin with the names of the columns (numpy.savetxt: comments='')"),
        ("value other\n1 2\n", "results.csv:1: the columns are separated by spaces (value other); write commas"),
    ])
    func csvThatCouldBeMisread(_ text: String, _ part: String) {
        #expect(evidence(judge(csv: text))?.contains(part) == true, "\(evidence(judge(csv: text)) ?? "accepted")")
    }

    @Test(arguments: [
        ("{\"value\": -Infinity}", "results.json:1:11: -Infinity is not valid JSON"),
        ("{\"value\": nan}", "results.json:1:11: nan is not valid JSON"),
        ("{\"value\": True}", "results.json:1:11: True is not valid JSON; write true"),
        ("{\"value\": 1.}", "results.json:1:11: 1. is not valid JSON"),
        ("{'value': 1}", "results.json:1:2: a text in single quotes is not valid JSON; write double quotes"),
        ("{value: 1}", "results.json:1:2: the key value is not in double quotes"),
        ("[{\"value\": 1},\n]", "results.json:1:14: a comma before ']' is not valid JSON; remove it"),
        ("{\"value\": 1,}", "results.json:1:12: a comma before '}' is not valid JSON; remove it"),
        ("{\"value\": 1}\n{\"value\": 2}\n",
            "results.json:2:1: another document follows the first; write them as one list, [{...}, {...}]"),
        ("{\"é\": 1, x}", "results.json:1:10: the key x is not in double quotes"),
        ("{\"value\": {\"a\": 1}}", "results.json: the metric 'value' is an object, not a finite number"),
    ])
    func brokenJSONOfOtherTools(_ text: String, _ expected: String) { #expect(evidence(judge(json: text)) == expected) }

    @Test func marksOfAnEncoding() {
        #expect(metrics(judge(json: "\u{feff}{\"value\": 1}"))?.count == 1)
        let contract = Contract.command(results: "r.json", requiredMetrics: ["value"], axes: [])
        let marked: [[UInt8]] = [[0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00], [0xfe, 0xff, 0x00, 0x7b, 0x00, 0x7d]]
        for bytes in marked + marked.map({ Array($0.dropFirst(2)) }) {
            let verdict = judge(contract, ["r.json": bytes])
            #expect(evidence(verdict) == "r.json is UTF-16; save it as UTF-8")
        }
    }

    @Test func columnsOfCSVHaveALimit() {
        func table(_ count: Int) -> String {
            (0..<count).map { "c\($0)" }.joined(separator: ",") + ",value\n" + String(repeating: "1,", count: count)
                + "1\n"
        }
        #expect(metrics(judge(csv: table(9_000)))?.count == 1)
        #expect(evidence(judge(csv: table(70_000))) == "results.csv:1: too many columns: 70001; at most 65536 are read")
    }

    @Test(arguments: ["sep=;\nvalue;b\n1;2\n", "sep=,\nvalue,b\n1,2\n", "SEP=\t\r\nvalue\tb\r\n1\t2\r\n"])
    func aLineForExcelIsToldAsOne(_ text: String) {
        let found = evidence(judge(csv: text)) ?? ""
        #expect(found.hasPrefix("results.csv:1: the line '"), "\(found)")
        #expect(found.contains("is for Excel only; remove it"), "\(found)")
    }

    @Test func emptyLinesOfCSVAreNoBlocks() {
        #expect(metrics(judge(csv: "value\n1\n\n2\n\n"))?.count == 2)
    }

    @Test(arguments: [
        (nil, "results.json is missing: the run ended without leaving it"),
        ("", "results.json is empty"),
        (" ", "results.json:1:2: the document is cut short: it ends where a value was expected"),
        ("[]", "results.json: the list is empty; a run must leave at least one block"),
        ("7", "results.json:1:1: neither an object nor a list of objects, but 7"),
        ("{\n\"value\": 1", "results.json:2:11: the document is cut short: '}' is missing"),
        ("{\"value\": NaN}", "results.json:1:11: NaN is not valid JSON"),
        ("{\"value\": 01}", "results.json:1:11: 01 is not valid JSON"),
        ("{\"value\": 1} x", "results.json:1:14: something follows the end of the document"),
        ("{\"value\": 1, \"value\": 2}",
            "results.json:1:14: duplicate key 'value'"),
        ("{\"value\": \"NaN\"}", "results.json: the metric 'value' is the text 'NaN', not a finite number"),
        ("{\"value\": null}", "results.json: the metric 'value' is null, not a finite number"),
        ("{\"value\": true}", "results.json: the metric 'value' is true, not a finite number"),
        ("{\"value\": 1e999}", "results.json: the metric 'value' is 1e999, not a finite number"),
        ("{\"value\": [1]}", "results.json: the metric 'value' is a list, not a finite number"),
        ("{\"other\": 1}", "results.json: the metric 'value' is missing"),
        ("[{\"value\": 1}, {}]", "results.json, block 2: the metric 'value' is missing"),
        ("[{\"value\": 1}, 2]", "results.json, block 2 is 2, not an object"),
        ("{\"value\": 1, \"a\\nb\": 2}", "results.json: the name 'a\\nb' has an invisible character; remove it"),
        ("{\"value\": 1, \"\": 2}", "results.json: a name is empty"),
    ] as [(String?, String)])
    func brokenJSON(_ text: String?, _ expected: String) {
        #expect(evidence(judge(json: text)) == expected)
    }

    @Test(arguments: [
        ("", "results.csv is empty"),
        ("\n", "results.csv is empty"),
        ("value\n", "results.csv:1: there is no line of numbers after the header"),
        ("value,b\n1\n", "results.csv:2: 1 field under 2 columns\(comma)"),
        ("value\n1,2\n", "results.csv:2: 2 fields under 1 column\(comma)"),
        ("value,a,value\n1,2,3\n", "results.csv:1: duplicate column: 'value' is given twice"),
        ("\"a\nb\",value\n1,2\n", "results.csv:1: the name 'a\\nb' has an invisible character; remove it"),
        ("value\n\"1", "results.csv:2: a quote is opened and never closed"),
        ("value\n\"1\"2\n", "results.csv:2: text follows the closing quote of a field\(double)"),
        ("value\n1\"2\n", "results.csv:2: a quote in a field without quotes\(around)"),
        ("value\n1\nNaN\n", "results.csv:3: the metric 'value' is the text 'NaN', not a finite number"),
        ("value,b\n,1\n", "results.csv:2: the metric 'value' is empty, not a finite number"),
        ("value\ninf\n", "results.csv:2: the metric 'value' is the text 'inf', not a finite number"),
        ("value\n0x10\n", "results.csv:2: the metric 'value' is the text '0x10', not a finite number"),
        ("value\n1e\n", "results.csv:2: the metric 'value' is the text '1e', not a finite number"),
        ("value\n1e999\n", "results.csv:2: the metric 'value' is the text '1e999', not a finite number"),
        ("value\n.\n", "results.csv:2: the metric 'value' is the text '.', not a finite number"),
        ("x,b\n1,2\n", "results.csv:2: the metric 'value' is missing"),
    ])
    func brokenCSV(_ text: String, _ expected: String) {
        #expect(evidence(judge(csv: text)) == expected)
    }

    @Test("What was left and could not be taken is not said to be missing")
    func omitted() throws {
        let contract = Contract.command(results: "results.json", requiredMetrics: ["value"], axes: [])
        var files = EvidenceFiles { _ in nil }
        files.omissions = "not collected: \"results.json\" (a folder, not a file)"
        let verdict = try Judgement.judge(contract: contract, files: files)
        #expect(evidence(verdict) == "results.json cannot be read")
        files.omissions = "not collected: \"old/results.json\" (a folder, not a file)"
        let other = try Judgement.judge(contract: contract, files: files)
        #expect(evidence(other) == "results.json is missing: the run ended without leaving it")
        #expect(metrics(judge(csv: "#value,value\n1,2\n"))?.count == 1, "a name may begin so")
    }

    @Test func bytesThatAreNotTextBreakTheContract() {
        let bytes: [UInt8] = Array("value\n".utf8) + [0xff, 0x0a]
        let contract = Contract.command(results: "r.csv", requiredMetrics: [], axes: [])
        let verdict = judge(contract, ["r.csv": bytes])
        #expect(evidence(verdict) == "r.csv:2: not UTF-8; save the file as UTF-8")
    }

    @Test func aMetricNamedAsAnAxisIsExplained() {
        let verdict = judge(json: #"{"x": 1}"#, metrics: ["x"])
        #expect(evidence(verdict) == "results.json: the metric 'x' has the name of a column; rename it")
    }

    @Test func withoutResultsThereIsNothingToBreak() {
        let contract = Contract.command(results: nil, requiredMetrics: [], axes: [])
        #expect(judge(contract, [String: String]()) == .accepted(Blocks([])))
        let asking = Contract.command(results: nil, requiredMetrics: ["value"], axes: [])
        #expect(evidence(judge(asking, [String: String]()))?.contains("'value'") == true)
    }

    @Test func hostileTextsStayTexts() {
        let verdict = judge(json: #"{"$(touch x); 'a b'": 4, "value": "\u001b[2J$(touch x)"}"#)
        #expect(
            evidence(verdict)
                == "results.json: the metric 'value' is the text '\\u{1b}[2J$(touch x)', not a finite number")
        let good = judge(json: #"{"$(touch x); 'a b'": 4, "value": 1}"#)
        #expect(metrics(good)?.first?.first == Metric("$(touch x); 'a b'", "4"))
    }
}

@Suite struct QEMUJudgementTests {
    private static let exit = #"{"event":"exit","cause":"measured","begun":2,"ended":2,"elapsed_ms":5}"# + "\n"
    private static let start = #"{"event":"phase","phase":"start"}"# + "\n"

    private static func line(_ invocation: Int, instructions: Int = 1000, misses: Int = 5) -> String {
        #"{"invocation":\#(invocation),"instructions":\#(instructions),"l2.accesses":10,"l2.misses":\#(misses)}"# + "\n"
    }

    private static func judge(
        statistics: String? = line(0) + line(1), status: String? = start + exit, terminal: String? = "booted\n",
        metrics: [String] = ["l2.mpki"]
    ) -> Verdict {
        let contract = Contract.qemuEvaluation(invocations: 2, requiredMetrics: metrics, axes: [])
        let files = ["stats.jsonl": statistics, "status.jsonl": status, "terminal.log": terminal]
        return ResultsTests.judge(contract, files.compactMapValues(\.self))
    }

    @Test func completeEvidenceIsAccepted() throws {
        guard case .accepted(let blocks) = QEMUJudgementTests.judge() else {
            Issue.record("not accepted")
            return
        }
        #expect(blocks.blocks.count == 2)
        #expect(blocks.blocks[0]["invocation"] == nil)
        #expect(try Blocks(blocks.text) == blocks)
    }

    @Test("A share up to its bound is accepted, in every block", arguments: [
        ([10, 0], nil),
        ([0, 11], "stats.jsonl:2: interference is above its limit: 11 of 1000 instructions, where 1% is"),
        ([11, 0], "stats.jsonl:1: interference is above"),
        ([nil, 0], "stats.jsonl:1: interference has a limit, but others.instructions is missing"),
    ] as [([Int?], String?)])
    func bounds(_ others: [Int?], _ problem: String?) {
        let lines = others.enumerated().map { index, others in
            let member = others.map { ",\"others.instructions\":\($0)" } ?? ""
            return "{\"invocation\":\(index),\"instructions\":1000\(member)}\n"
        }
        let contract = Contract.qemuEvaluation(
            invocations: 2, requiredMetrics: [], axes: [],
            bounds: [.init(name: "interference", "others.instructions", per: "instructions", millionths: 10_000)])
        let files = [
            "stats.jsonl": lines.joined(), "status.jsonl": Self.start + Self.exit, "terminal.log": "booted\n",
        ]
        let verdict = ResultsTests.judge(contract, files)
        if let problem {
            #expect(evidence(verdict)?.hasPrefix(problem) == true, "\(verdict)")
        } else {
            #expect(metrics(verdict)?.count == 2, "\(verdict)")
        }
    }

    @Test func derivedMetricsAreRatiosOfSums() {
        guard
            case .accepted(let blocks) = QEMUJudgementTests.judge(
                statistics: QEMUJudgementTests.line(7, instructions: 1000, misses: 5)
                    + QEMUJudgementTests.line(8, instructions: 3000, misses: 4))
        else {
            Issue.record("not accepted")
            return
        }
        func value(_ metrics: [Metric], _ name: String) -> String? { metrics.first { $0.name == name }?.value }
        let run = blocks.metrics(MetricFormula.model)
        #expect(value(run, "instructions") == "2000")
        #expect(value(run, "l2.misses") == "4.5")
        #expect(value(run, "l2.mpki") == "2.25")
        #expect(value(run, "l2.miss-ratio") == "0.45")
        #expect(value(run, "l1i.mpki") == nil)
        let first = blocks.metrics(ofBlock: 0, MetricFormula.model)
        #expect(value(first, "l2.mpki") == "5")
        #expect(value(first, "l2.miss-ratio") == "0.5")
        #expect(value(blocks.metrics(ofBlock: 1, MetricFormula.model), "l2.mpki") == "1.3333333333333333")
    }

    @Test(arguments: [
        (nil, "stats.jsonl is missing: the run ended without leaving it"),
        ("", "stats.jsonl is empty"),
        (line(0), "stats.jsonl:1: 1 block where 2 were to be measured"),
        (line(0) + line(1) + line(2), "stats.jsonl:3: 3 blocks where 2 were to be measured"),
        (line(0) + line(1).dropLast(),
            "stats.jsonl:2: the last line is cut short: "
                + #"{"invocation":1,"instructions":1000,"l2.accesses":10,"l2.misses":5}"#),
        (line(0) + "{\"invocation\":1\n", "stats.jsonl:2:16: the document is cut short: '}' is missing"),
        (line(0) + "[]\n", "stats.jsonl:2 is a list, not an object"),
        (line(0) + line(0), "stats.jsonl:2: invocation 0, where 1 was expected"),
        (line(0) + "{\"instructions\":1}\n", "stats.jsonl:2: the number of the invocation is missing"),
        (line(0) + "{\"invocation\":1,\"instructions\":1.5}\n",
            "stats.jsonl:2: 'instructions' is 1.5, not a counter"),
        (line(0) + "{\"invocation\":1,\"instructions\":-1}\n",
            "stats.jsonl:2: 'instructions' is -1, not a counter"),
        (line(0) + "{\"invocation\":1,\"instructions\":null}\n",
            "stats.jsonl:2: 'instructions' is null, not a counter"),
        (line(0) + line(1, instructions: 0),
            "stats.jsonl:2: the metric 'l2.mpki' (1000 * l2.misses / instructions) cannot be computed: "
                + "it divides by 0, or is too large"),
    ] as [(String?, String)])
    func brokenStatistics(_ text: String?, _ expected: String) {
        #expect(evidence(QEMUJudgementTests.judge(statistics: text)) == expected)
    }

    @Test func ratiosOfACacheThatWasNotNeededHaveNoValueAndAreNoFault() {
        func line(_ invocation: Int, _ counters: String) -> String {
            #"{"invocation":\#(invocation),"instructions":9\#(counters)}"# + "\n"
        }
        let unused = #","l2.accesses":0,"l2.misses":0"#
        let judge = { QEMUJudgementTests.judge(statistics: $0, metrics: ["l2.miss-ratio"]) }
        let used = #","l2.accesses":4,"l2.misses":1"#
        #expect(metrics(judge(line(0, unused) + line(1, used)))?.count == 2)
        #expect(metrics(judge(line(0, unused) + line(1, unused)))?.count == 2)
        let missing = evidence(judge(line(0, unused) + line(1, "")))
        #expect(missing?.contains("the metric 'l2.misses' is missing") == true, "\(missing ?? "")")
    }

    @Test func aDivisorOfZeroBreaksOnlyWhatIsAskedFor() {
        let text = QEMUJudgementTests.line(0, instructions: 0) + QEMUJudgementTests.line(1, instructions: 0)
        #expect(metrics(QEMUJudgementTests.judge(statistics: text, metrics: ["l2.miss-ratio"])) != nil)
    }

    @Test(arguments: [
        (nil, "status.jsonl is missing: the run ended without leaving it"),
        ("", "status.jsonl is empty"),
        (start, "status.jsonl:1: the last event is not 'exit': {\"event\":\"phase\",\"phase\":\"start\"}"),
        (start + exit.dropLast(), "status.jsonl:2: the last line is cut short: \(exit.dropLast())"),
        (start + "garbage\n", "status.jsonl:2: not a complete JSON object: garbage"),
        ("{\"event\":\"exit\",\"cause\":\"statistics-incomplete\"}\n",
            "status.jsonl:1: the cause is not 'measured': "
                + "{\"event\":\"exit\",\"cause\":\"statistics-incomplete\"}"),
        ("{\"event\":\"exit\",\"cause\":\"measured\",\"begun\":2,\"ended\":1}\n",
            "status.jsonl:1: 'ended' is not the expected 2: "
                + "{\"event\":\"exit\",\"cause\":\"measured\",\"begun\":2,\"ended\":1}"),
        ("{\"event\":\"exit\",\"cause\":\"measured\",\"ended\":2}\n",
            "status.jsonl:1: 'begun' is not the expected 2: "
                + "{\"event\":\"exit\",\"cause\":\"measured\",\"ended\":2}"),
    ] as [(String?, String)])
    func brokenStatus(_ text: String?, _ expected: String) {
        #expect(evidence(QEMUJudgementTests.judge(status: text)) == expected)
    }

    /// What a run left that ended after `count` invocations, and said so of `told`.
    private static func judgeEarly(
        _ count: Int, told: Int? = nil, spread: Int = 0, most: Int = 50, cause: String = "tight", mayEnd: Bool = true
    ) -> Verdict {
        let lines = (0..<count).map { line($0, instructions: 1000 + $0 % 2 * spread) }.joined()
        let until = StoppingRule(Precision(metric: "instructions", interval: 10_000), MetricFormula.qemu)
        let contract = Contract.qemuEvaluation(
            invocations: most, requiredMetrics: ["instructions"], axes: [], until: mayEnd ? until : nil)
        let told = told ?? count
        let exit = "{\"event\":\"exit\",\"cause\":\"\(cause)\",\"begun\":\(told),\"ended\":\(told)}\n"
        return ResultsTests.judge(
            contract, ["stats.jsonl": lines, "status.jsonl": start + exit, "terminal.log": "booted\n"])
    }

    @Test("An early end is accepted with its evidence alone")
    func earlyEnds() {
        #expect(metrics(Self.judgeEarly(10))?.count == 10)
        #expect(metrics(Self.judgeEarly(50, cause: "measured"))?.count == 10, "the end came too late to be of use")
        #expect(metrics(Self.judgeEarly(50, spread: 500, cause: "measured"))?.count == 50)
        for (verdict, problem) in [
            (Self.judgeEarly(10, mayEnd: false), "status.jsonl:2: the cause is not 'measured'"),
            (Self.judgeEarly(10, told: 11), "stats.jsonl:10: 10 blocks where 11 were to be measured"),
            (Self.judgeEarly(11, told: 10), "stats.jsonl:11: 11 blocks where 10 were to be measured"),
            (Self.judgeEarly(60), "status.jsonl:2: 'begun' is not the expected 50"),
            (Self.judgeEarly(11), "the run measured 11 invocations, though instructions was known to within ±1%"),
            (Self.judgeEarly(10, spread: 500), "the run ended after 10 invocations, as if instructions was known"),
            (Self.judgeEarly(9), "the run ended after 9 invocations"),
            (Self.judgeEarly(10, cause: "measured"), "status.jsonl:2: 'begun' is not the expected 50"),
        ] {
            #expect(evidence(verdict)?.hasPrefix(problem) == true, "\(verdict)")
        }
    }

    @Test func aPanicOfTheGuestHasItsOwnClass() {
        let terminal = "booting\n[ 1.0] Kernel panic - not syncing: \u{1b}[31mno init\nend\n"
        #expect(
            evidence(QEMUJudgementTests.judge(statistics: nil, terminal: terminal), .guestPanic)
                == "terminal.log:2: [ 1.0] Kernel panic - not syncing: \\u{1b}[31mno init")
        let status = "{\"event\":\"exit\",\"cause\":\"guest-panic\"}\n"
        let reported = evidence(QEMUJudgementTests.judge(status: status), .guestPanic)
        #expect(reported?.hasPrefix("status.jsonl:1") == true)
        #expect(
            evidence(QEMUJudgementTests.judge(terminal: nil))
                == "terminal.log is missing: the run ended without leaving it")
        #expect(metrics(QEMUJudgementTests.judge(terminal: "")) != nil)
    }

    @Test func aSetupMustLeaveItsCheckpoint() {
        let contract = Contract.qemuSetup()
        func verdict(_ size: Int?) -> Verdict {
            var files = ["status.jsonl": "{\"event\":\"exit\",\"cause\":\"checkpointed\"}\n", "terminal.log": ""]
            files["checkpoint.zst"] = size.map { String(repeating: "x", count: $0) }
            return ResultsTests.judge(contract, files)
        }
        #expect(verdict(5) == .accepted(Blocks([])))
        #expect(evidence(verdict(0)) == "checkpoint.zst is empty")
        #expect(evidence(verdict(nil)) == "checkpoint.zst is missing: the run ended without leaving it")
    }
}

@Suite("Evidence of any size")
struct EvidenceFilesTests {
    /// A file that is not there in whole anywhere: `line` again and again.
    private static func endless(_ path: String, size: Int64, line: String, largest: Box) -> EvidenceFiles {
        let bytes = Array(line.utf8)
        return EvidenceFiles(size: { $0 == path ? size : nil }) { _, offset, count in
            largest.value = max(largest.value, count)
            let start = Int(offset % Int64(bytes.count))
            return (0..<count).map { bytes[(start + $0) % bytes.count] }
        }
    }

    final class Box { var value = 0 }

    @Test("A results file that is too large breaks the contract, by name and size, and is not read")
    func tooLarge() throws {
        let largest = Box()
        let contract = Contract.command(results: "results.json", requiredMetrics: ["value"], axes: [])
        let files = EvidenceFilesTests.endless("results.json", size: 3 << 29, line: "1", largest: largest)
        #expect(
            try Judgement.judge(contract: contract, files: files)
                == .broken(.contractBroken, evidence: "results.json is 1.5 GiB; at most 16 MiB are read"))
        #expect(largest.value == 0)
    }

    @Test("A console is searched in pieces")
    func console() throws {
        let largest = Box()
        let text = String(repeating: "all is well\n", count: 1_000) + "Kernel panic - not syncing: no init\n"
        let contract = Contract.qemuSetup()
        let files = EvidenceFilesTests.endless("terminal.log", size: 40 << 20, line: text, largest: largest)
        #expect(
            try Judgement.judge(contract: contract, files: files)
                == .broken(.guestPanic, evidence: "terminal.log:1001: Kernel panic - not syncing: no init"))
        #expect(largest.value <= 1 << 20)
    }

    @Test("Lines come whole, whatever pieces they lie across; of one without end, its beginning")
    func lines() throws {
        let lines = (0..<40_000).map { String(repeating: "\($0) ", count: $0 % 90) }
        let text = Array(lines.joined(separator: "\n").utf8)
        var found: [String] = []
        let files = EvidenceFiles { $0 == "a" ? text : nil }
        let isThere = try files.forEachLine("a") { number, line in
            #expect(number == found.count + 1)
            found.append(String(decoding: line, as: UTF8.self))
            return true
        }
        #expect(isThere && found == lines)
        #expect(try !files.forEachLine("b") { _, _ in true })
        let long = EvidenceFilesTests.endless("a", size: 3 << 20, line: "x", largest: Box())
        var sizes: [Int] = []
        try long.forEachLine("a") { _, line in
            sizes.append(line.count)
            return true
        }
        #expect(sizes == [EvidenceLimit.line])
    }
}
