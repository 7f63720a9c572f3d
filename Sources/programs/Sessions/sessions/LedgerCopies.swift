package import CoordinatorRuntime
package import Ledger
package import Model
import Ports
import Synchronization

/// The copy of the ledger that `doctor --ledger --repair` goes by: kept at the end, and now and then before it, beside
/// the loop and by a connection of its own.
package final class LedgerCopies: Sendable {
    private let path: String
    /// When the next one is due; nil: one is being made.
    private let nextAt: Mutex<Nanoseconds?>
    /// One is made at a time.
    private let making = Mutex<Void>(())
    private let time: any TimeSource = SystemTime()

    package init(_ ledger: Ledger, now: Nanoseconds) {
        path = ledger.path
        nextAt = Mutex(now + LedgerCopies.period)
    }

    /// Has one made, if it is time.
    package func refresh(now: Nanoseconds, in workshop: some Workshop) {
        let isDue = nextAt.withLock { due in
            guard let time = due, now >= time else { return false }
            due = nil
            return true
        }
        guard isDue else { return }
        workshop.hand(in: .ledgerCopy) { [self] in
            let start = time.monotonic()
            try? make()
            let end = time.monotonic()
            nextAt.withLock { $0 = end + max(LedgerCopies.period, (end - start) * 200) }
            return .nothing
        }
    }

    /// A sweep has not failed because there is no room for its copy.
    package func write(_ say: (String) -> Void) {
        do { try make() } catch { say("warning: there is no new copy of the ledger: \(error)") }
    }

    private func make() throws { try making.withLock { _ in try Ledger.read(path).backUp() } }

    private static let period: Nanoseconds = 600_000_000_000
}
