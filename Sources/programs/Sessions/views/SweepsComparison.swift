import CoordinatorRuntime
import Engines
import Foundation
import Ledger
import Model
package import Results
import Storage

/// Two sweeps held against each other, from their ledgers and from the raw statistics on record.
package struct SweepsComparison {
    package struct PairedSweeps {
        package var columns: [String]
        package var pairs: [SweepComparison.PointPair]
        /// How many statistics of all pairs were compared; 0: their engine leaves none.
        package var statistics = 0
        /// Of how many runs they were to be compared, and how many of these lack them in one sweep or in both.
        package var judgedRuns = 0
        package var runsWithoutStatistics = 0
        /// What a reader must know beside the table.
        package var notes: [String]
        package var confidence: Double
    }

    private let views: [SweepView]
    private let stores: [ObjectStore]

    /// - Parameters:
    ///   - first: as ``entry(_:in:)`` takes it.
    ///   - folder: where sweeps are looked for by name.
    package init(_ first: String, _ second: String, in folder: ArtifactsFolder) throws {
        let entries = try [first, second].map { try SweepsComparison.entry($0, in: folder) }
        views = try entries.map { try SweepView($0) }
        stores = try entries.map { try $0.artifacts.objects() }
    }

    /// A sweep's name or identifier; or the path of a sweep's folder, or of an artifacts folder, whose last sweep is
    /// meant.
    private static func entry(_ text: String, in folder: ArtifactsFolder) throws -> ArtifactsFolder.Entry {
        guard text.contains("/") || text == "." || text == ".." else { return try folder.find(text) }
        let url = URL(fileURLWithPath: text).standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(
                .missingFile, "\(Names.shown(text)) is not a folder: name a sweep, the folder of a sweep, or an "
                    + "artifacts folder")
        }
        if FileManager.default.fileExists(atPath: url.appending(path: "ledger.sqlite").path) {
            let parent = ArtifactsFolder(path: url.deletingLastPathComponent().path, isNamed: true)
            return try parent.find(url.lastPathComponent)
        }
        return try ArtifactsFolder(path: url.path, isNamed: true).find("last")
    }

    /// - Parameters:
    ///   - conditions: as of `--where`; of an axis that one sweep does not have, they choose among the other's points.
    ///   - metrics: none: all that both have.
    ///   - exactly: whether nothing is put down to noise.
    /// - Throws: ``Failure`` (`usage`) also where no point of either sweep fits the conditions.
    package func paired(
        conditions: [String], metrics: [String], confidence: Double, exactly: Bool
    ) throws -> PairedSweeps {
        let axes = views[0].points.axes.filter(views[1].points.axes.contains)
        let (metrics, leftOut) = try common(metrics)
        var comparison = try SweepComparison(
            axes: axes, hasWorkloads: views.allSatisfy { !$0.sweep.workloads.isEmpty }, metrics: metrics,
            formulas: formulas, confidence: confidence)
        let selections = try selections(conditions)
        var runs: [[[String]: [(sample: SweepComparison.Sample, run: RunNumber, attempt: AttemptNumber)]]] = [[:], [:]]
        for side in SweepComparison.Side.allCases {
            let view = views[side.rawValue]
            try view.forEachSelected(selections[side.rawValue], withResults: true) { run, row in
                let key = try comparison.add(row, names: view.points.axes, side)
                guard run.state == .succeeded, let decision = run.decision else { return }
                runs[side.rawValue][key, default: []].append(
                    (SweepComparison.Sample(row, names: view.points.axes), run.plan.run, decision.id.attempt))
            }
        }
        var paired = PairedSweeps(
            columns: comparison.columns, pairs: try comparison.pairs(), notes: leftOut + pins() + forced(),
            confidence: confidence)
        if paired.pairs.isEmpty, !conditions.isEmpty { throw noPoint(conditions) }
        if exactly {
            for place in paired.pairs.indices {
                paired.pairs[place].metrics = paired.pairs[place].metrics.map(\.exactly)
            }
        }
        for place in paired.pairs.indices where paired.pairs[place].missing == nil {
            let key = paired.pairs[place].key
            let (first, second) = (runs[0][key] ?? [], runs[1][key] ?? [])
            for one in first {
                guard let other = second.first(where: { $0.sample == one.sample }) else { continue }
                let found = try compare((one.run, one.attempt), (other.run, other.attempt), &paired)
                guard let found else { continue }
                paired.pairs[place].firstChange = found
                break
            }
        }
        return paired
    }

    /// - Returns: what is compared, and what is not, for people: a name may be defined in two ways.
    private func common(_ asked: [String]) throws -> (metrics: [String], leftOut: [String]) {
        let names = try views.map { try $0.metricNames() }
        let both = names[0].filter(Set(names[1]).contains)
        if both.isEmpty, !names[0].isEmpty, !names[1].isEmpty {
            let known = names.map { PeopleText.list($0.map(Names.shown)) }
            throw Failure(
                .usage, "the sweeps have no metric in common: the first has \(known[0]), the second \(known[1])")
        }
        let asked = Names.listed(asked, known: both)
        for metric in asked {
            guard both.contains(metric) else {
                throw Failure(.usage, "--metric \(Names.shown(metric)): \(Names.suggestion(metric, in: both))")
            }
            guard let difference = difference(metric) else { continue }
            throw Failure(
                .usage, "--metric \(difference); write the same formula in both sweep files and launch them again "
                    + "(what has succeeded is not run again)")
        }
        guard asked.isEmpty else { return (asked, []) }
        let differences = both.compactMap(difference)
        return (both.filter { difference($0) == nil }, differences.map { "not compared: \($0)" })
    }

    /// Why a metric's values say nothing beside each other; nil: they do.
    private func difference(_ metric: String) -> String? {
        guard let found = FormulaDifference(of: metric, views[0].formulas, views[1].formulas) else { return nil }
        let name = Names.shown(metric)
        let which = found.metric == metric ? "is" : "needs \(Names.shown(found.metric)), which is"
        return "\(name) \(which) \(VisibleText.of(found.first)) in the first sweep and \(VisibleText.of(found.second)) "
            + "in the second"
    }

    /// Of both: what one of them measured itself needs none.
    private var formulas: [MetricFormula] {
        let first = Set(views[0].formulas.map(\.name))
        return views[0].formulas + views[1].formulas.filter { !first.contains($0.name) }
    }

    /// A condition must be about one sweep at least, and may name what only one of them has.
    private func selections(_ conditions: [String]) throws -> [Selection] {
        var chosen: [[String]] = [[], []]
        for text in conditions {
            var problems: [any Error] = []
            for (place, view) in views.enumerated() {
                do {
                    _ = try selection(view, [text])
                    chosen[place].append(text)
                } catch {
                    problems.append(error)
                }
            }
            if problems.count == views.count { throw problems[0] }
        }
        return try zip(views, chosen).map { try selection($0, $1) }
    }

    private func selection(_ view: SweepView, _ conditions: [String]) throws -> Selection {
        let values = view.points.axes.map { axis in
            var seen: Set<String> = []
            return views.flatMap { view in
                view.points.axes.firstIndex(of: axis).map { view.points.values(ofAxis: $0) } ?? []
            }.filter { seen.insert($0).inserted }
        }
        return try Selection(
            where: conditions, axes: view.points.axes, values: values, workloads: views.flatMap(\.sweep.workloads),
            among: { try view.metricNames() })
    }

    /// Conditions that no point fits are a slip of the pen, and no comparison.
    private func noPoint(_ conditions: [String]) -> Failure {
        let asked = conditions.map { "--where \(Names.shown($0))" }.joined(separator: " ")
        return Failure(.usage, "\(asked): no point of either sweep has it")
    }

    /// What the sweeps were made with, where that is not the same.
    private func pins() -> [String] {
        let pins = views.map { view in
            Dictionary((try? view.ledger.pins())?.map { ($0.name, $0.digest) } ?? [], uniquingKeysWith: { $1 })
        }
        return pins[0].keys.sorted().compactMap { name in
            guard let first = pins[0][name], let second = pins[1][name], first != second else { return nil }
            return "\(VisibleText.of(name)) is not the same: \(first.short), then \(second.short)"
        }
    }

    /// Checkpoints that were used although they do not fit, where the other sweep did not do the same.
    private func forced() -> [String] {
        zip(["first", "second"], [(views[0], views[1]), (views[1], views[0])]).flatMap { name, pair in
            pair.0.sweep.forced.filter { !pair.1.sweep.forced.contains($0) }.map { forced in
                "in the \(name) sweep the checkpoint of \(VisibleText.of(forced.workload)) does not fit and was "
                    + "forced: \(forced.differences.sentence)"
            }
        }
    }

    // MARK: Raw statistics

    /// - Returns: the first statistic that is not the same; nil: none, or one of the files is not on record.
    private func compare(
        _ first: (run: RunNumber, attempt: AttemptNumber), _ second: (run: RunNumber, attempt: AttemptNumber),
        _ paired: inout PairedSweeps
    ) throws -> String? {
        var records: [StatisticsRecord] = []
        guard views.allSatisfy({ $0.descriptor.statistics != nil }) else { return nil }
        paired.judgedRuns += 1
        paired.runsWithoutStatistics += 1
        for (place, one) in [first, second].enumerated() {
            let path = views[place].descriptor.statistics ?? ""
            let artifacts = try views[place].ledger.artifacts(of: one.run, attempt: one.attempt)
            guard let artifact = artifacts.first(where: { $0.path == path }) else { return nil }
            var record = StatisticsRecord()
            if let problem = try stores[place].scan(statistics: artifact, &record) {
                paired.notes.append("run \(views[place].entry.identifier)/\(one.run), \(path): \(problem)")
                return nil
            }
            records.append(record)
        }
        paired.runsWithoutStatistics -= 1
        paired.statistics += records[0].count
        return records[0].difference(from: records[1]).map { found in
            "block \(found.block), \(VisibleText.of(found.name)): \(found.first ?? "none"), then "
                + "\(found.second ?? "none"); \(found.differing) of \(found.count) statistics differ"
        }
    }
}

extension SweepsComparison.PairedSweeps {
    private func count(_ isCounted: (SweepComparison.PointPair) -> Bool) -> Int { pairs.count(where: isCounted) }

    /// Points with results in both sweeps that are not the same.
    private var changed: [SweepComparison.PointPair] { pairs.filter { $0.missing == nil && !$0.isSame } }

    private func isNoise(_ pair: SweepComparison.PointPair) -> Bool {
        !pair.metrics.isEmpty && pair.metrics.contains { $0.relation == .noise }
            && !pair.metrics.contains { $0.relation.isDifference }
    }

    /// Whether the exit status says so.
    ///
    /// - Parameter exactly: whether noise counts, too.
    package func differs(exactly: Bool) -> Bool {
        pairs.isEmpty || pairs.contains { $0.missing?.isDifference == true }
            || changed.contains { exactly || !isNoise($0) }
    }

    package func hasRows(onlyDifferences: Bool) -> Bool {
        let table = ComparisonColumns(columns)
        return pairs.contains { !table.rows($0, onlyDifferences: onlyDifferences).isEmpty }
    }

    package func write(
        _ format: TableWriter.Format, onlyDifferences: Bool, sink: @escaping ([UInt8]) throws -> Void
    ) throws {
        let table = ComparisonColumns(columns)
        var writer = TableWriter(format, name: "comparison", columns: table.names, sink: sink)
        for pair in pairs {
            for row in table.rows(pair, onlyDifferences: onlyDifferences) { try writer.add(row) }
        }
        try writer.finish()
    }

    /// What came out, for people.
    package var sentences: [String] {
        var sentences = [summary]
        if changed.contains(where: { $0.metrics.contains { [.noise, .higher, .lower].contains($0.relation) } }) {
            let share = PeopleText.percentage(millionths: Int64((confidence * 1_000_000).rounded()))
            let chance = PeopleText.percentage(millionths: Int64(((1 - confidence) * 1_000_000).rounded()))
            sentences.append(
                "ratio_low and ratio_high: \(share) intervals; of metrics that do not differ, up to about \(chance) "
                    + "lie beyond them by chance alone")
        }
        if runsWithoutStatistics > 0 {
            sentences.append(
                "statistics of \(runsWithoutStatistics) of \(PeopleText.count(judgedRuns, "run")) are not on record")
        }
        return sentences + notes
    }

    private var summary: String {
        if pairs.isEmpty { return "no point to compare" }
        let points = "\(pairs.count) point\(pairs.count == 1 ? "" : "s")"
        if pairs.allSatisfy(\.isSame) {
            let all = runsWithoutStatistics > 0 ? "" : "all "
            let raw = statistics > 0 ? ", \(all)\(statistics) raw statistics included (except host*)" : ""
            return "identical: \(points)\(raw)"
        }
        let (same, noise) = (count(\.isSame), count { $0.missing == nil && isNoise($0) })
        let parts = [
            (same, "identical"), (noise, "within the noise"), (changed.count - noise, "different"),
            (count { $0.missing == .onlyInFirst }, "only in the first sweep"),
            (count { $0.missing == .onlyInSecond }, "only in the second sweep"),
            (
                count { $0.missing == .noResultInFirst || $0.missing == .noResultInSecond },
                "without results in one of them"
            ),
            (count { $0.missing == .noResult }, "without results in either"),
        ]
        return "\(points): " + parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
