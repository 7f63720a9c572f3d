public import ArgumentParser
import Model
public import Results
import Sessions

extension TableWriter.Format: ExpressibleByArgument {}
extension Table: ExpressibleByArgument {}

/// How a dataset is written.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json, jsonl
    /// All tables in one file.
    case sqlite

    /// nil: not as text.
    var text: TableWriter.Format? {
        switch self {
        case .table: .table
        case .csv: .csv
        case .json: .json
        case .jsonl: .jsonl
        case .sqlite: nil
        }
    }

    private static let endings: [(ending: String, format: ResultFormat)] = [
        ("csv", .csv), ("json", .json), ("jsonl", .jsonl),
        ("sqlite", .sqlite), ("sqlite3", .sqlite), ("db", .sqlite), ("txt", .table),
    ]

    /// What a file's name says of it; nil: nothing.
    init?(file: String) {
        let ending = ResultFormat.ending(file)
        guard let found = ResultFormat.endings.first(where: { $0.ending == ending }) else { return nil }
        self = found.format
    }

    /// Behind the last point; empty: there is none.
    private static func ending(_ file: String) -> String {
        let name = file.split(separator: "/").last ?? ""
        guard let point = name.lastIndex(of: "."), point > name.startIndex else { return "" }
        return name[name.index(after: point)...].lowercased()
    }

    /// Why a file of such a name is not written; nil: it is.
    static func problem(file: String, _ format: ResultFormat?) -> String? {
        let ending = ending(file)
        if let named = ResultFormat(file: file) {
            guard let format, format != named else { return nil }
            return "--to \(Names.shown(file)) names a \(named.rawValue) file, and --format is \(format.rawValue): "
                + "leave out --format, or name another file."
        }
        if ending.isEmpty || format != nil && ending != "parquet" { return nil }
        if ending == "parquet" {
            // A converter that everybody has is better than a library that every build would have to carry.
            let csv = file.dropLast(ending.count) + "csv"
            let copy = "duckdb -c \"COPY (FROM '\(csv)') TO '\(file)'\""
            return "--to \(Names.shown(file)): Parquet is not written; write --to \(Names.shown(csv)) and convert it: "
                + "\(VisibleText.of(copy))"
        }
        let known = endings.map { ".\($0.ending)" }
        return "--to \(Names.shown(file)): files that end with .\(Names.shown(ending)) are not written; "
            + "name one that ends with \(Names.list(known)), or add --format."
    }
}

struct ResultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Print the merged dataset, or write it to a file.",
        discussion: """
            A SQLite file has all three tables: results, invocations and runs. On a screen the first column \
            is the run's number; files have it only if --columns names 'run', so that the files of an edited sweep are \
            those of a fresh one.

            EXAMPLES
              # the last sweep's table
              usweep results
              usweep results study --format csv --to study.csv
              usweep results --table invocations --metric l2.mpki --where l2.size=1MiB
              usweep results --where 'cpi>1.5' --columns run,workload,cpi
              usweep results --sort workload,-cpi    the highest CPI first
              # how each run went
              usweep results --table runs
              # intervals, n, and what varied; geometric means of ratios
              usweep results --spread
              usweep results --by l2.size --baseline l2.size=256KiB --metric cpi
              # all tables in one file
              usweep results --format sqlite --to study.sqlite
              # raw gem5 statistics of all measured invocations
              usweep results --stat '*.cpu1.ipc' --format csv
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("Output format.", valueName: "table|csv|json|jsonl|sqlite"))
    var format: ResultFormat?

    @Option(name: .long, help: ArgumentHelp("Which table.", valueName: "results|invocations|runs"))
    var table = Table.results

    @Option(
        name: .long,
        help: ArgumentHelp("Only these metrics: names separated by commas, or repeated.", valueName: "name,..."),
        completion: Completions.metrics)
    var metric: [String] = []

    @OptionGroup var condition: ConditionOptions

    @OptionGroup var spread: SpreadOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only these columns, in this order: names separated by commas (one with a comma in quotes), or repeated.",
            valueName: "name,..."),
        completion: Completions.columnLists)
    var columns: [String] = []

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Sort the rows by these columns; with '-' before a name, largest first: names separated by commas, or "
                + "repeated.",
            valueName: "name,..."),
        completion: Completions.sortColumns)
    var sort: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Raw gem5 statistics whose names match; may be repeated.", valueName: "glob"))
    var stat: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Write to this file instead of standard output; its ending (.csv, .json, .jsonl, .sqlite, .txt) sets "
                + "the format.",
            valueName: "file"),
        completion: .file())
    var to: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !stat.isEmpty, format == .sqlite || !metric.isEmpty || table != .results {
            throw ValidationError("--stat is a table of its own: leave out --table, --metric and --format sqlite.")
        }
        if !columns.isEmpty, !stat.isEmpty || format == .sqlite {
            throw ValidationError("--columns is for the tables as text: leave out --stat and --format sqlite.")
        }
        if !sort.isEmpty, !stat.isEmpty || format == .sqlite {
            throw ValidationError("--sort is for the tables as text: leave out --stat and --format sqlite.")
        }
        if !sort.isEmpty, Names.listed(sort).isEmpty { throw ValidationError("--sort needs column names.") }
        if !columns.isEmpty, Names.listed(columns).isEmpty { throw ValidationError("--columns needs column names.") }
        if spread.isWanted, !stat.isEmpty || table != .results {
            throw ValidationError("--spread, --by and --baseline give a table of their own: no --table, no --stat.")
        }
        if to == "" { throw ValidationError("--to needs the name of a file.") }
        if let to, let problem = ResultFormat.problem(file: to, format) { throw ValidationError(problem) }
        if format == .sqlite || to.flatMap(ResultFormat.init(file:)) == .sqlite,
            !stat.isEmpty || !columns.isEmpty || !sort.isEmpty {
            throw ValidationError("A SQLite file has whole tables: leave out --stat, --columns and --sort.")
        }
        if format == .sqlite, to == nil { throw ValidationError("--format sqlite writes a file: name it with --to.") }
    }

    func run() throws {
        let view = try SweepView(try common.artifactsFolder.find(sweep.id), checksNumbers: true)
        for sentence in try DamageStatus(view).sentences { common.console.say("warning: \(sentence)") }
        let format = format ?? to.flatMap(ResultFormat.init(file:))
            ?? (common.output == .json ? .json : to == nil ? .table : .csv)
        // People read what the sweep asked for; programs get everything.
        let asked = format == .table && metric.isEmpty && columns.isEmpty ? view.sweep.metrics : metric
        // What rows are sorted by is shown with them.
        let shown = asked.isEmpty || sort.isEmpty ? asked : try asked + view.metrics(sortedBy: sort, beside: asked)
        let selection = try view.selection(where: condition.conditions, metrics: shown)
        let summaries = spread.isWanted
            ? try view.summaries(try spread.question(axes: view.points.axes), selection: selection) : nil
        guard let format = format.text else {
            let file = try Paths.file(to ?? "")
            tell(try view.write(sqlite: file, selection: selection, summaries: summaries))
            return note(summaries)
        }
        let store = try common.artifactsFolder.objects()
        let chosen = columns.isEmpty ? nil : SweepView.Columns.named(try columns.flatMap { try ColumnList.names($0) })
        var found: (selected: Int, problems: [String]) = (0, [])
        let write = { (sink: @escaping ([UInt8]) throws -> Void) in
            if let summaries {
                found.selected = summaries.groups.count
                try view.write(
                    summaries, format, columns: chosen ?? (format == .table && to == nil ? .onScreen : .standard),
                    sort: sort, sink: sink)
            } else if stat.isEmpty {
                found.selected = try view.write(
                    table, format, selection: selection,
                    columns: chosen ?? (format == .table && to == nil ? .onScreen : .standard), sort: sort,
                    sink: sink)
            } else {
                found = try view.write(
                    statistics: stat.map(Glob.init), store, format, selection: selection, sink: sink)
            }
        }
        if let to { try AtomicFile.write(try Paths.file(to), write) } else { try write { try Console.write($0) } }
        tell(found.selected)
        note(summaries)
        try complain(found.problems)
    }

    private func tell(_ selected: Int) { if selected == 0 { condition.tellNothing(common.console) } }

    private func note(_ summaries: SweepSummaries?) {
        for note in summaries?.notes ?? [] { common.console.say(note) }
    }

    /// What is missing is missed even where all the rest was written.
    private func complain(_ problems: [String]) throws {
        guard !problems.isEmpty else { return }
        let shown = problems.prefix(20) + (problems.count > 20 ? ["..."] : [])
        throw Failure(
            .badArchive,
            "the statistics of \(PeopleText.count(problems.count, "succeeded run")) are damaged or missing; "
                + "the rows of all others were written. Restore the objects from a copy, or measure again with "
                + "'usweep launch --new'\n  " + shown.joined(separator: "\n  "))
    }
}
