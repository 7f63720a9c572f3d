import Figures
import Model
import Testing

@Suite("What a figure shows")
struct FigureMakerTests {
    @Test("Sizes stand in the order of their amounts, and make a line")
    func sizes() throws {
        let figure = try Rows.study.figure(FigureRequest(x: "l2.size", y: ["v"], series: "predictor"))
        #expect(figure.kind == .lines)
        #expect(figure.categories.map(\.text) == ["256KiB", "512KiB", "1MiB"])
        #expect(figure.series == ["bimodal", "tage"])
        // Each point once: (8.3 + 16.3) / 2, of the means of three repeats of two invocations each.
        let first = try #require(figure.panels[0].marks.first { $0.category == 0 && $0.series == 0 })
        #expect(abs((first.value ?? 0) - 12.3) < 1e-9)
        #expect(first.count == 2)
        #expect(figure.notes.contains("Means over workload, each point once."))
        #expect(figure.notes.contains("3 of 36 runs without a result: 3 failed."))
    }

    @Test(
        "Orders of an axis",
        arguments: [
            (["10", "9", "1"], ["1", "9", "10"], true), (["4", "1", "2"], ["1", "2", "4"], false),
            (["b", "a"], ["b", "a"], false), (["1MiB", "64KiB"], ["64KiB", "1MiB"], false),
            (["1MiB", "7"], ["1MiB", "7"], false), (["010", "2", "x"], ["010", "2", "x"], false),
            (["1h", "90s", "500ms"], ["500ms", "90s", "1h"], false), (["-3", "0", "2"], ["-3", "0", "2"], true),
            (["nan", "1", "2"], ["nan", "1", "2"], false), ([], [], false),
            (["1e3", "1000", "5"], ["5", "1e3", "1000"], false),
        ])
    func order(_ values: [String], _ expected: [String], _ isLinear: Bool) {
        let order = AxisOrder(values)
        #expect(order.values == expected)
        #expect((order.positions != nil) == isLinear)
    }

    @Test("A lone mark of a failed point says so, and is no zero")
    func absence() throws {
        let figure = try Rows.study.figure(
            FigureRequest(x: "workload", y: ["v"], series: "predictor", facet: "l2.size"))
        #expect(figure.kind == .bars)
        #expect(figure.panels.map(\.title) == ["256KiB", "512KiB", "1MiB"])
        let lost = try #require(figure.panels[2].marks.first { $0.category == 1 && $0.series == 1 })
        #expect(lost.value == nil && lost.absent == "3 failed")
        #expect(figure.panels[0].marks[0].interval != nil)
        #expect(figure.notes.contains("Error bars: 95% intervals over repeats."))
    }

    @Test("Ratios stand beside a line at 1, with their geometric mean at the end; a lost point is counted")
    func baseline() throws {
        let figure = try Rows.study.figure(
            FigureRequest(
                x: "workload", y: ["v"], series: "predictor", facet: "l2.size",
                baseline: Assignment(axis: "predictor", value: "bimodal"), hasGeometricMean: true))
        #expect(figure.reference == 1)
        #expect(figure.series == ["tage"])
        #expect(figure.categories.map(\.text) == ["aes", "auth", "geomean"])
        let marks = figure.panels[0].marks
        let (aes, auth) = (4.3 / 8.3, 8.3 / 16.3)
        #expect(abs((marks[0].value ?? 0) - aes) < 1e-9 && abs((marks[1].value ?? 0) - auth) < 1e-9)
        #expect(abs((marks[2].value ?? 0) - (aes * auth).squareRoot()) < 1e-9)
        #expect(figure.panels[2].marks[1].absent == "3 failed")
        #expect(figure.notes.contains("1 value left out of what is shown: without a value or a baseline."))
    }

    @Test("A baseline that failed leaves its points out, and says why")
    func failedBaseline() throws {
        var rows = Rows(["core"], hasWorkloads: true)
        rows.add(["small"], workload: "a", state: .failed)
        rows.add(["big"], [2], workload: "a")
        let figure = try rows.figure(
            FigureRequest(x: "workload", y: ["v"], series: "core", baseline: Assignment(axis: "core", value: "small")))
        #expect(figure.panels[0].marks.map(\.absent) == ["its baseline has no value"])
        #expect(figure.isEmpty)
    }

    @Test("Points without a result are counted by themselves; means and boxes say what they are of")
    func lostPoints() throws {
        var rows = Rows(["x", "s"])
        for x in 1...3 {
            for s in 1...2 { rows.add(["\(x)", "\(s)"], [1], state: x == 2 && s == 1 ? .failed : .succeeded) }
        }
        rows.add(["1", "1"], [1], repetition: 2)
        rows.add(["3", "3"], blocks: [["v": "1e999"]])
        let lines = try rows.figure(FigureRequest(x: "x", y: ["v"]))
        #expect(lines.notes.contains("1 of 7 points has no result, and is not drawn."))
        #expect(lines.notes.contains("1 value is missing or not finite, and not drawn."))
        let boxes = try rows.figure(FigureRequest(.box, x: "x", y: ["v"]))
        #expect(boxes.notes.contains("All values of s are pooled; choose with --where."))
    }

    @Test("A baseline of 0 is named, and so are ratios without a geometric mean")
    func zeroBaseline() throws {
        var rows = Rows(["n"], hasWorkloads: true)
        for (workload, sign) in [("a", 1.0), ("b", -1)] {
            rows.add(["5"], [0], workload: workload)
            rows.add(["6"], [2], workload: workload)
            rows.add(["7"], [2 * sign], workload: workload)
        }
        func request(_ value: String, geomean: Bool = false) -> FigureRequest {
            FigureRequest(
                .bars, x: "workload", y: ["v"], series: "n", baseline: Assignment(axis: "n", value: value),
                hasGeometricMean: geomean)
        }
        #expect { try rows.figure(request("5")) } throws: { error in
            (error as? Failure)?.message.hasPrefix("v is 0 at n=5, so there are no ratios to it") == true
        }
        let figure = try rows.figure(request("6", geomean: true))
        #expect(figure.notes.contains("2 geometric means not drawn: a ratio is not above 0."))
    }

    @Test("Infinite values are counted, and are no points of a distribution")
    func infinite() throws {
        var rows = Rows(["x"])
        rows.add(["1"], blocks: [["v": "1e999"], ["v": "2"], ["v": "-1e999"]])
        let figure = try rows.figure(FigureRequest(.cdf, y: ["v"]))
        #expect(figure.panels[0].points.map(\.x) == [2])
        #expect(figure.notes.contains("2 values are missing or not finite, and not drawn."))
        let bars = try rows.figure(FigureRequest(x: "x", y: ["v"]))
        #expect(bars.isEmpty)
        #expect(bars.panels[0].marks.map(\.absent) == ["no finite value"])
    }

    @Test("Of 60 series those that can be told apart are shown, and the rest is named")
    func manySeries() throws {
        var rows = Rows(["x", "s"])
        for series in 1...60 { rows.add(["1", "\(series)"], [Double(series)]) }
        let figure = try rows.figure(FigureRequest(x: "x", y: ["v"], series: "s"))
        #expect(figure.series.count == 8)
        #expect(figure.panels[0].marks.allSatisfy { $0.series < 8 })
        #expect(figure.notes.contains("The last 52 series of 60 left out: choose some with --where."))
        let map = try rows.figure(FigureRequest(.heatmap, x: "x", y: ["v"], series: "s"))
        #expect(map.series.count == 60)
    }

    @Test("Too many bars are cut, lines are not")
    func manyCategories() throws {
        var rows = Rows(["x"])
        for x in 1...100 { rows.add(["\(x)"], [1]) }
        let bars = try rows.figure(FigureRequest(.bars, x: "x", y: ["v"]))
        #expect(bars.categories.count == 64)
        #expect(bars.notes == ["The last 36 places of 100 left out: choose some with --where."])
        #expect(try rows.figure(FigureRequest(x: "x", y: ["v"])).categories.count == 100)
    }

    @Test("Quartiles and whiskers are numpy's and Tukey's")
    func boxes() throws {
        var rows = Rows(["x"])
        rows.add(["a"], [1, 2, 3, 4, 5, 6, 7, 8, 9, 40])
        rows.add(["b"], state: .quarantined)
        let figure = try rows.figure(FigureRequest(.box, x: "x", y: ["v"]))
        let spread = try #require(figure.panels[0].marks[0].spread)
        // numpy.percentile([1..9, 40], [25, 50, 75])
        #expect([spread.lowerQuartile, spread.median, spread.upperQuartile] == [3.25, 5.5, 7.75])
        #expect(spread.low == 1 && spread.high == 9 && spread.outliers == [40])
        #expect(figure.panels[0].marks.map(\.count) == [10, 0])
        #expect(figure.categories.map(\.text) == ["a", "b"])
    }

    @Test("A distribution counts how many are at most so large")
    func distribution() throws {
        var rows = Rows(["s"])
        rows.add(["a"], [3, 1])
        rows.add(["b"], [5, 4, 4, 9])
        let figure = try rows.figure(FigureRequest(.cdf, y: ["v"], series: "s"))
        #expect(figure.panels[0].points.map(\.x) == [1, 3, 4, 4, 5, 9])
        #expect(figure.panels[0].points.map(\.y) == [0.5, 1, 0.25, 0.5, 0.75, 1])
    }

    @Test("A metric below makes a scatter of runs")
    func scatter() throws {
        var rows = Rows(["s"], metrics: [("v", "cycles"), ("w", "misses")])
        rows.add(["a"], blocks: [["v": "1", "w": "10"], ["v": "3", "w": "30"]])
        rows.add(["b"], blocks: [["v": "5", "w": "0"]])
        let figure = try rows.figure(FigureRequest(x: "w", y: ["v"], series: "s"))
        #expect(figure.kind == .scatter)
        #expect(figure.panels[0].points.map(\.x) == [20, 0] && figure.panels[0].points.map(\.y) == [2, 5])
        #expect(figure.x.label == "w (misses)")
    }

    @Test(
        "What cannot be drawn is refused with what to do",
        arguments: [
            (FigureRequest(x: "l2.size", y: []), "add --y METRIC"),
            (FigureRequest(x: "l2.size", y: ["u"]), "--y u: no such metric"),
            (FigureRequest(x: "l2.siz", y: ["v"]), "did you mean 'l2.size'?"),
            (FigureRequest(y: ["v"]), "add --x workload"),
            (FigureRequest(x: "l2.size", y: ["v"], series: "l2.size"), "named twice"),
            (FigureRequest(x: "l2.size", y: ["v", "w"]), "one figure has one unit: v is in cycles, w in misses"),
            (FigureRequest(x: "l2.size", y: ["v", "v"]), "twice"),
            (FigureRequest(x: "l2.size", y: ["v", "w"], series: "predictor"), "leave out --series"),
            (FigureRequest(.heatmap, x: "l2.size", y: ["v"]), "add --series"),
            (FigureRequest(.stacks, x: "l2.size", y: ["v"]), "name several --y"),
            (FigureRequest(.cdf, x: "l2.size", y: ["v"]), "leave out --x"),
            (FigureRequest(.bars, x: "v", y: ["w"]), "--x v: no such axis"),
            (FigureRequest(x: "l2.size", y: ["v"], hasGeometricMean: true), "add --baseline"),
            (
                FigureRequest(x: "workload", y: ["v"], baseline: Assignment(axis: "predictor", value: "tage")),
                "add --series predictor"
            ),
            (
                FigureRequest(
                    .box, x: "workload", y: ["v"], series: "predictor",
                    baseline: Assignment(axis: "predictor", value: "tage")), "not as box"
            ),
        ])
    func refusals(_ request: FigureRequest, _ part: String) {
        var rows = Rows.study
        rows = Rows(rows.axes, hasWorkloads: true, metrics: [("v", "cycles"), ("w", "misses")])
        #expect { try rows.figure(request) } throws: { error in
            (error as? Failure)?.message.contains(part) == true && (error as? Failure)?.code == .usage
        }
    }

    @Test("A baseline that no point has is refused with those that there are")
    func unknownBaseline() {
        let request = FigureRequest(
            x: "workload", y: ["v"], series: "predictor", baseline: Assignment(axis: "predictor", value: "perfect"))
        #expect { try Rows.study.figure(request) } throws: { error in
            (error as? Failure)?.message.contains("bimodal or tage") == true
        }
    }

    @Test("No runs, one run, and runs that have not ended are figures, too")
    func few() throws {
        let request = FigureRequest(x: "x", y: ["v"])
        #expect(try Rows(["x"]).figure(request).isEmpty)
        var rows = Rows(["x"])
        rows.add(["1"], state: nil)
        #expect(try rows.figure(request).isEmpty)
        #expect(try rows.figure(request).notes == ["1 of 1 run without a result: 1 not ended."])
        rows.add(["2"], [7])
        let figure = try rows.figure(request)
        #expect(!figure.isEmpty && figure.panels[0].marks.map(\.interval) == [nil, nil])
    }

    @Test("A figure for each metric is the one that it would be alone")
    func each() throws {
        var rows = Rows(["x", "s"], metrics: [("v", "cycles"), ("w", "misses")])
        for x in 1...3 {
            for s in 1...2 { rows.add(["\(x)", "\(s)"], blocks: [["v": "\(x)", "w": "\(s)"], ["v": "\(s)", "w": "9"]]) }
        }
        let request = FigureRequest(x: "x", y: ["v", "w"], series: "s")
        var maker = try FigureMaker(each: request, rows.subject)
        for row in rows.rows { maker.add(row) }
        let alone = try request.y.map { try rows.figure(FigureRequest(x: "x", y: [$0], series: "s")) }
        #expect(try maker.figures() == alone)
        #expect(alone[0].y.unit == "cycles" && alone[1].y.unit == "misses")
    }
}
