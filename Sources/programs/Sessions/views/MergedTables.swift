package import Model
import Ports
import Results

/// `results.csv`, `invocations.csv` and `runs.csv` beside the ledger: written anew as runs end, whole or not at all.
package final class MergedTables {
    private let entry: ArtifactsFolder.Entry
    private var isStale = true
    /// When they may be written again: a large dataset must not keep the coordinator from its work, and least of all
    /// from getting it going.
    private var nextAt = SystemTime().monotonic() + MergedTables.pause

    package init(_ entry: ArtifactsFolder.Entry) { self.entry = entry }

    package func refresh(_ records: [Record], now: Nanoseconds) {
        for case .runEnded in records { isStale = true }
        guard isStale, now >= nextAt else { return }
        // The last word is written at the end, where an error is the user's to hear.
        try? write()
        let took = SystemTime().monotonic() - now
        nextAt = now + max(MergedTables.pause, took * 50)
    }

    private static let pause: Nanoseconds = 2_000_000_000

    package func write() throws {
        guard isStale else { return }
        let view = try SweepView(entry)
        let everything = try Selection(axes: view.points.axes)
        for table in Table.allCases {
            let path = "\(entry.folder)/\(table.rawValue).csv"
            try AtomicFile.write(path) { sink in
                try view.write(table, .csv, selection: everything, sink: sink)
            }
        }
        isStale = false
    }
}
