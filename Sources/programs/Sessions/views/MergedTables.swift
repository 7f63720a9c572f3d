package import CoordinatorRuntime
package import Model
import Ports
import Results
import Synchronization

/// `results.csv`, `invocations.csv` and `runs.csv` beside the ledger: written anew as runs end, whole or not at all.
///
/// While the sweep goes on they are written beside the loop, from a reading connection of their own, and for at most
/// a fiftieth of the time; at the end, where an error is the user's to hear.
package final class MergedTables: Sendable {
    private struct State {
        /// Whether something came that they do not have.
        var isStale = true
        var isWriting = false
        var nextAt: Nanoseconds
    }

    private let entry: ArtifactsFolder.Entry
    private let state: Mutex<State>
    /// One writes at a time.
    private let writing = Mutex<Void>(())
    private let time: any TimeSource = SystemTime()

    package init(_ entry: ArtifactsFolder.Entry) {
        self.entry = entry
        state = Mutex(State(nextAt: SystemTime().monotonic() + MergedTables.pause))
    }

    /// Has them written, if something came and it is time.
    package func refresh(_ records: [Record], now: Nanoseconds, in workshop: some Workshop) {
        let isNews = records.contains { if case .runEnded = $0 { true } else { false } }
        let isDue = state.withLock { state in
            state.isStale = state.isStale || isNews
            guard state.isStale, !state.isWriting, now >= state.nextAt else { return false }
            state.isWriting = true
            return true
        }
        guard isDue else { return }
        workshop.hand(in: .tables) { [self] in
            let start = time.monotonic()
            try? write()
            let end = time.monotonic()
            state.withLock { state in
                state.isWriting = false
                state.nextAt = end + max(MergedTables.pause, (end - start) * 50)
            }
            return .nothing
        }
    }

    private static let pause: Nanoseconds = 2_000_000_000

    /// Writes them, if something came.
    package func write() throws {
        try writing.withLock { _ in
            guard state.withLock({ state in
                defer { state.isStale = false }
                return state.isStale
            }) else { return }
            do {
                let view = try SweepView(entry)
                let everything = try Selection(axes: view.points.axes)
                for table in Table.allCases {
                    let path = "\(entry.folder)/\(table.rawValue).csv"
                    try AtomicFile.write(path) { sink in
                        try view.write(table, .csv, selection: everything, sink: sink)
                    }
                }
            } catch {
                state.withLock { $0.isStale = true }
                throw error
            }
        }
    }
}
