import CoordinatorRuntime
import Engines
package import Model
import SweepCore

/// What runs on all hosts, as a table for a screen.
package struct LiveTable {
    /// By what its lines are sorted.
    package enum Order: String, CaseIterable, Sendable {
        /// Those that have been running longest, first.
        case time
        case run, host, phase
        /// Those that have said nothing new for longest, first.
        case quiet

        /// The one after it.
        package var next: Order {
            let all = Order.allCases
            return all[(all.firstIndex(of: self)! + 1) % all.count]
        }
    }

    private struct Line {
        var host: String
        var live: LiveRun
        var name: String
    }

    private let lines: [Line]
    private let more: Int

    /// - Parameter name: what a run is.
    package init(_ view: LiveView, by order: Order, name: (RunNumber) -> String) {
        let lines = view.hosts.flatMap { host in
            host.work.map { Line(host: host.view.name, live: $0, name: name($0.run)) }
        }
        self.lines = lines.sorted { LiveTable.comes($0, before: $1, by: order) }
        more = view.more
    }

    private static func comes(_ left: Line, before right: Line, by order: Order) -> Bool {
        let byRun = left.live.run < right.live.run
        switch order {
        case .run: return byRun
        case .time: return left.live.span == right.live.span ? byRun : left.live.span > right.live.span
        case .host: return left.host == right.host ? byRun : left.host < right.host
        case .phase:
            let names = (left.live.stage?.phase.text ?? "", right.live.stage?.phase.text ?? "")
            return names.0 == names.1 ? byRun : names.0 < names.1
        case .quiet:
            let spans = (left.live.stage?.quiet ?? 0, right.live.stage?.quiet ?? 0)
            return spans.0 == spans.1 ? byRun : spans.0 > spans.1
        }
    }

    private static let titles = [
        "run", "host", "running", "phase", "in phase", "last time", "quiet", "parameters", "progress",
    ]

    /// The title and so many lines below it at most, none wider than `columns`.
    package func text(columns: Int, lines limit: Int) -> [String] {
        let shown = lines.prefix(max(1, limit - 2))
        let rows = [LiveTable.titles] + shown.map(LiveTable.cells)
        let widths = LiveTable.titles.indices.map { column in rows.map { VisibleText.width($0[column]) }.max() ?? 0 }
        var text = rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - VisibleText.width(cell))
                return column == 0 ? padding + cell : cell + padding
            }
            let line = VisibleText.cut(cells.joined(separator: "  "), columns: columns)
            return String(line[..<(line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex)])
        }
        let hidden = lines.count - shown.count + more
        if hidden > 0 { text.append("and \(PeopleText.count(hidden, "more run", "more runs"))") }
        return lines.isEmpty ? ["nothing is running"] : text
    }

    private static func cells(_ line: Line) -> [String] {
        let stage = line.live.stage
        return [
            String(line.live.run), line.host, PeopleText.span(line.live.span), stage?.phase.text ?? "",
            stage.map { PeopleText.span($0.span) } ?? "", stage?.usual.map(PeopleText.span) ?? "",
            stage.map { PeopleText.span($0.quiet) } ?? "", line.name, stage?.phase.detail ?? "",
        ]
    }
}
