public import ArgumentParser
import Model
public import Results
import Sessions

extension TableWriter.Format: ExpressibleByArgument {}
extension Table: ExpressibleByArgument {}

/// How a dataset is written.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
    /// All tables in one file.
    case sqlite

    /// nil: not as text.
    var text: TableWriter.Format? {
        switch self {
        case .table: .table
        case .csv: .csv
        case .json: .json
        case .sqlite: nil
        }
    }
}

struct ResultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Print the merged dataset, or write it to a file.",
        discussion: """
            As SQLite file all three tables are written: results, invocations and runs.

            EXAMPLES
              usweep results                                       the last sweep's table
              usweep results study --format csv --to study.csv
              usweep results --table invocations --metric l2.mpki --where l2.size=1MiB
              usweep results --table runs                          how each run went
              usweep results --format sqlite --to study.sqlite     all tables in one file
              usweep results --stat '*.cpu1.ipc' --format csv      raw gem5 statistics of all measured invocations
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("How to write it.", valueName: "table|csv|json|sqlite"))
    var format: ResultFormat?

    @Option(name: .long, help: ArgumentHelp("Which table.", valueName: "results|invocations|runs"))
    var table = Table.results

    @Option(name: .long, help: ArgumentHelp("Only this metric; may be repeated.", valueName: "name"))
    var metric: [String] = []

    @Option(name: .customLong("where"), help: ArgumentHelp("Only such rows; all must hold.", valueName: "axis=value"))
    var conditions: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Raw gem5 statistics with such names; may be repeated.", valueName: "glob"))
    var stat: [String] = []

    @Option(name: .long, help: ArgumentHelp("A file instead of standard output.", valueName: "file"))
    var to: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !stat.isEmpty, format == .sqlite || !metric.isEmpty || table != .results {
            throw ValidationError("--stat is a table of its own: leave out --table, --metric and --format sqlite.")
        }
        if format == .sqlite, to == nil { throw ValidationError("--format sqlite writes a file: name it with --to.") }
    }

    func run() throws {
        let view = try SweepView(try common.artifactsFolder.find(sweep.id))
        let format = format ?? (common.output == .json ? .json : to == nil ? .table : .csv)
        // People read what the sweep asked for; programs get everything.
        let shown = format == .table && metric.isEmpty ? view.sweep.metrics : metric
        let selection = try Selection(where: conditions, metrics: shown, axes: view.points.axes)
        guard let format = format.text else {
            return try view.write(sqlite: Paths.absolute(to ?? ""), selection: selection)
        }
        let store = try common.artifactsFolder.objects()
        var problems: [String] = []
        let write = { (sink: @escaping ([UInt8]) throws -> Void) in
            guard !stat.isEmpty else { return try view.write(table, format, selection: selection, sink: sink) }
            problems = try view.write(
                statistics: stat.map(Glob.init), store, format, selection: selection, sink: sink)
        }
        if let to { try AtomicFile.write(Paths.absolute(to), write) } else { try write { try Console.write($0) } }
        try complain(problems)
    }

    /// What is missing is missed even where all the rest was written.
    private func complain(_ problems: [String]) throws {
        guard !problems.isEmpty else { return }
        let shown = problems.prefix(20) + (problems.count > 20 ? ["..."] : [])
        throw Failure(
            .badArchive, "of \(problems.count) succeeded runs the statistics are not whole any more; the rows of all "
                + "others were written. Put the objects back from a copy, or measure again with 'usweep launch "
                + "--new'\n  " + shown.joined(separator: "\n  "))
    }
}
