import ArgumentParser
import Model
import Results
import Sessions

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two sweeps, point by point.",
        discussion: """
            A sweep is given by its name or identifier, by the path of its folder, or by the path of an artifacts \
            folder (its last sweep). Points with the same workload and values are compared. With --exact, for \
            deterministic simulators, every number must be the same, and for gem5 every statistic except host*.

            Exit status: 0 if nothing differs beyond the noise (with --exact: at all), 4 if something does or a point \
            has results in one sweep only.

            EXAMPLES
              usweep compare study-x7 study-k2
              usweep compare last ../other-lab/artifacts --metric cpi --confidence 99%
              # must be identical
              usweep compare study-x7 study-k2 --exact
              usweep compare study-x7 study-k2 --format csv --to all.csv
            """)

    @Argument(
        help: ArgumentHelp("The first: a sweep, or a path.", valueName: "first"), completion: Completions.sweeps)
    var first: String

    @Argument(
        help: ArgumentHelp("The second: a sweep, or a path.", valueName: "second"),
        completion: Completions.sweeps)
    var second: String

    @Option(
        name: .long,
        help: ArgumentHelp("Only these metrics: names separated by commas, or repeated.", valueName: "name,..."),
        completion: Completions.metrics)
    var metric: [String] = []

    @OptionGroup var condition: ConditionOptions

    @OptionGroup var confidence: ConfidenceOption

    @Flag(name: .long, help: "Report every difference, even within the noise.")
    var exact = false

    @Flag(name: .long, help: "Also show what is the same or within the noise; files always contain it.")
    var all = false

    @Option(name: .long, help: ArgumentHelp("Output format.", valueName: "table|csv|json|jsonl"))
    var format: TableWriter.Format?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Write to this file instead of standard output; its ending (.csv, .json, .jsonl, .txt) sets the format.",
            valueName: "file"),
        completion: .file())
    var to: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if to == "" { throw ValidationError("--to needs the name of a file.") }
        if let to {
            if ResultFormat(file: to) == .sqlite { throw ValidationError("--to writes .csv, .json, .jsonl or .txt.") }
            if let problem = ResultFormat.problem(file: to, nil), format == nil { throw ValidationError(problem) }
        }
    }

    func run() throws {
        let comparison = try SweepsComparison(first, second, in: common.artifactsFolder)
        let paired = try comparison.paired(
            conditions: condition.conditions, metrics: metric, confidence: try confidence.share(), exactly: exact)
        let format = format ?? to.flatMap(ResultFormat.init(file:))?.text
            ?? (common.output == .json ? .json : to == nil ? .table : .csv)
        let onlyDifferences = format == .table && to == nil && !all && !exact
        let write = { (sink: @escaping ([UInt8]) throws -> Void) in
            try paired.write(format, onlyDifferences: onlyDifferences, sink: sink)
        }
        if let to {
            try AtomicFile.write(try Paths.file(to), write)
        } else if format != .table || paired.hasRows(onlyDifferences: onlyDifferences) {
            try write { try Console.write($0) }
        }
        for note in paired.sentences { common.console.say(note) }
        if paired.differs(exactly: exact) { throw ExitCode(ExitStatus.differs) }
    }
}
