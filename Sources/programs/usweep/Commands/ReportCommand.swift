import ArgumentParser
import Model
import Sessions

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a sweep's results as one page for browsers.",
        discussion: """
            The page needs no other file and no network: it can be sent by mail. It has figures of the metrics that \
            the sweep asks for, a table of all runs that can be sorted and filtered, how the sweep went, what failed \
            and why, and what everything was made with. While the sweep is running, it shows the runs that have ended.

            EXAMPLES
              usweep report                          report.html in the last sweep's folder
              usweep report study --to study.html
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(
        name: .long,
        help: ArgumentHelp("The page (default: report.html in the sweep's folder).", valueName: "file"),
        completion: .file())
    var to: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        if let to, !to.lowercased().hasSuffix(".html"), !to.lowercased().hasSuffix(".htm") {
            throw Failure(.usage, "--to \(Names.shown(to)): a report is HTML; name a file that ends with .html")
        }
        let path = try Paths.file(to ?? "\(entry.folder)/report.html")
        let report = try Report(entry)
        try AtomicFile.write(path) { sink in try report.write(to: sink) }
        if common.output == .json {
            let document = JSON.object([.init("version", .integer(1)), .init("report", .string(path))])
            return try Console.print(document.encoded)
        }
        common.console.say("report: \(path)")
    }
}
