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
        /// The columns of metrics, as they were the last time.
        var metrics: [String] = []
    }

    /// Runs have other metrics than were expected.
    private struct OtherMetrics: Error { var names: [String] }

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
        let isNews = records.contains { record in
            switch record {
            case .runEnded, .hostFenced, .inputDamaged: true
            default: false
            }
        }
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
                var metrics = state.withLock(\.metrics)
                while let others = try write(view, metrics) { metrics = others }
                state.withLock { $0.metrics = metrics }
            } catch {
                state.withLock { $0.isStale = true }
                throw error
            }
        }
    }

    /// - Returns: the metrics that the runs have, if these are others; the tables are then as they were.
    private func write(_ view: SweepView, _ metrics: [String]) throws -> [String]? {
        // Whoever joins them finds the same runs in all.
        do {
            try AtomicFile.write(Table.allCases.map { "\(entry.folder)/\($0.rawValue).csv" }) { sinks in
                let found = try view.write(metrics: metrics, sinks: sinks)
                if found != metrics { throw OtherMetrics(names: found) }
            }
            return nil
        } catch let others as OtherMetrics {
            return others.names
        }
    }
}
