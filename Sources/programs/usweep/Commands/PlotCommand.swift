public import ArgumentParser
public import Figures
import Model
import Results
import Sessions

extension FigureKind: ExpressibleByArgument {}

struct PlotCommand: ParsableCommand {
    /// How wide a figure is.
    enum Width: String, ExpressibleByArgument, CaseIterable {
        case column, page

        var size: FigureSize { self == .column ? .column : .page }
    }

    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw a figure of the merged dataset, for a paper.",
        discussion: """
            Points with the same --x, --series and --facet are summarized as one mark, with a 95% bootstrap interval \
            if they vary. Beside f.svg (.pdf, .png), the data are written as f.svg.csv, and a Vega-Lite description of \
            the figure as f.svg.vl.json. PDF and PNG need rsvg-convert (apt-get install librsvg2-bin).

            EXAMPLES
              usweep plot --x l2.size --y l2.mpki --series branch-predictor --to f.pdf
              usweep plot study --x workload --y cpi --series core --to cpi.svg
              usweep plot --x workload --y cpi --series core --baseline core=1 --to f.pdf
              usweep plot --kind stacks --x workload --y l1i.mpki --y l1d.mpki --to f.pdf
              usweep plot --kind scatter --x l2.mpki --y cpi --facet workload --to f.svg
              usweep plot --kind cdf --y cpi --series core --where workload=aes --to f.png
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("The horizontal axis: an axis, workload, or a metric.", valueName: "axis"),
        completion: Completions.axes)
    var x: String?

    @Option(
        name: .long,
        help: ArgumentHelp("A metric, or several separated by commas; may be repeated.", valueName: "metric"),
        completion: Completions.metrics)
    var y: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("One colour for each of its values: an axis, or workload.", valueName: "axis"),
        completion: Completions.axes)
    var series: String?

    @Option(
        name: .long, help: ArgumentHelp("One small chart for each value: an axis, or workload.", valueName: "axis"),
        completion: Completions.axes)
    var facet: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How to draw (default: lines over 3 or more numbers or sizes, scatter over a metric, else bars).",
            valueName: FigureKind.allCases.map(\.rawValue).joined(separator: "|")))
    var kind: FigureKind?

    @Option(name: .long, help: ArgumentHelp("Show ratios to the points with this value.", valueName: "axis=value"))
    var baseline: String?

    @Flag(name: .long, help: "With --baseline: geometric means as a last group of bars.")
    var geomean = false

    @OptionGroup var condition: ConditionOptions

    @Option(name: .long, help: ArgumentHelp("3.33 or 7 inches wide.", valueName: "column|page"))
    var size = Width.column

    @Option(
        name: .long, help: ArgumentHelp("The picture: a file that ends with .svg, .pdf or .png.", valueName: "file"),
        completion: .file())
    var to: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let files = try FigureFiles(try Paths.file(to))
        let view = try SweepView(try common.artifactsFolder.find(sweep.id), checksNumbers: true)
        // What --y names wrongly is looked for among all metrics, whose names may have commas.
        let y = y.contains { $0.contains(",") } ? Names.listed(y, known: try view.metricNames()) : y
        let request = FigureRequest(
            kind, x: x, y: y, series: series, facet: facet,
            baseline: try baseline.map { try SpreadOptions.assignment($0, view.points.axes) },
            hasGeometricMean: geomean)
        let selection = try view.selection(where: condition.conditions)
        let figure = try view.figure(request, selection: selection)
        guard !figure.isEmpty else {
            let advice = condition.conditions.isEmpty ? "" : ", or choose others with --where"
            let notes = figure.notes.isEmpty ? "" : " (\(figure.notes.joined(separator: " ")))"
            throw Failure(
                .missingFile, "there is nothing to draw: no selected run has a value of \(Names.list(y)) that can be "
                    + "drawn\(notes); see what there is: \(view.entry.command("results"))\(advice)")
        }
        let title = "\(view.sweep.name): \(y.joined(separator: ", "))" + (x.map { " over \($0)" } ?? "")
        try files.write(figure, size: size.size, title: title)
        try report(files, figure)
    }

    private func report(_ files: FigureFiles, _ figure: Figure) throws {
        if common.output == .json {
            let document = JSON.object([
                .init("version", .integer(1)), .init("figure", .string(files.picture)),
                .init("data", .string(files.data)), .init("description", .string(files.description)),
                .init("kind", .string(figure.kind.rawValue)), .init("notes", .array(figure.notes.map { .string($0) })),
            ])
            return try Console.print(document.encoded)
        }
        common.console.say("\(to), with its data in \(files.data) and its description in \(files.description)")
        for note in figure.notes { common.console.say(VisibleText.of(note)) }
    }
}
