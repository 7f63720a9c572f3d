import ArgumentParser
import CoordinatorRuntime
import Foundation
import Model
import Sessions
import SweepCore

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch what runs on each host, and in which phase it is.",
        discussion: """
            On a terminal it redraws every second; s changes the sort order, q quits. Otherwise it prints once. \
            Phases are read from the runs' own files every few seconds, less often if many runs are running.

            EXAMPLES
              usweep top                           the last sweep
              usweep top study --sort host
              usweep top --output json             once, for scripts
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("Sort order.", valueName: "time|run|host|phase|quiet"))
    var sort = LiveTable.Order.time

    @OptionGroup var common: CommonOptions

    func run() throws {
        let entry = try common.artifactsFolder.find(sweep.id)
        let source = try LedgerSource(entry)
        var ending = try source.refresh().ending
        if common.output == .json { return try Console.print(LiveView(source).document.encoded) }
        let names = RunNames(entry)
        var order = sort
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, ending == nil else {
            let lines = TopCommand.head(entry, source) + TopCommand.table(source, order, names, (.max, .max))
            try Console.print(lines.joined(separator: "\n"))
            if ending != nil { try Console.print(try SweepStatus(entry, troubles: 1).conclusion) }
            return
        }
        let screen = FullScreen()
        defer { screen.leave() }
        while ending == nil {
            let size = screen.size
            let head = TopCommand.head(entry, source).prefix(max(1, size.height / 2)).map { $0 }
            let rest = (columns: size.width, lines: size.height - head.count - 2)
            let foot = "sorted by \(order.rawValue); s: next order, q: quit"
            screen.show(head + [""] + TopCommand.table(source, order, names, rest), foot: foot)
            switch screen.key(within: 1_000) {
            case UInt8(ascii: "q"), FullScreen.interrupt: return
            case UInt8(ascii: "s"): order = order.next
            default: break
            }
            ending = try source.refresh().ending
        }
        screen.leave()
        try Console.print(try SweepStatus(entry, troubles: 1).conclusion)
    }

    /// The sweep, and a line a host.
    private static func head(_ entry: ArtifactsFolder.Entry, _ source: LedgerSource) -> [String] {
        let standing = source.standing
        let troubled = standing.notSucceeded > 0 ? ", \(standing.notSucceeded) not succeeded" : ""
        let runs = PeopleText.count(standing.runs, "run")
        let left = source.timeLeft.map { ", \($0.sentence)" } ?? ""
        var lines = ["\(entry.fullName): \(standing.ended) of \(runs) ended\(troubled)\(left)"]
        if let silence = source.silence { lines.append(silence.sentence) }
        let work = source.work()
        for index in 0..<source.hostCount {
            let view = source.host(index)
            let problem = view.problem.isEmpty ? "" : ": \(VisibleText.of(view.problem, limit: 120))"
            let word = view.standing == .working ? view.slotsText(own: work?[index].count) : view.standing.word
            lines.append(SilenceText.sentence(view) ?? "\(view.name)  \(word)\(problem)")
        }
        return lines
    }

    private static func table(
        _ source: LedgerSource, _ order: LiveTable.Order, _ names: RunNames, _ size: (columns: Int, lines: Int)
    ) -> [String] {
        LiveTable(LiveView(source), by: order) { names.describe($0) }.text(columns: size.columns, lines: size.lines)
    }
}

extension LiveTable.Order: ExpressibleByArgument {}
