package import Ledger
package import Model
import Ports

/// The copy of the ledger that `doctor --ledger --mend` goes by: kept at the end, and now and then before it.
package final class LedgerCopies {
    private let ledger: Ledger
    private var nextAt: Nanoseconds

    package init(_ ledger: Ledger, now: Nanoseconds) {
        self.ledger = ledger
        nextAt = now + LedgerCopies.period
    }

    package func refresh(now: Nanoseconds) {
        guard now >= nextAt else { return }
        try? ledger.backUp()
        let took = SystemTime().monotonic() - now
        nextAt = now + max(LedgerCopies.period, took * 200)
    }

    /// A sweep has not failed because there is no room for its copy.
    package func write(_ say: (String) -> Void) {
        do { try ledger.backUp() } catch { say("warning: there is no new copy of the ledger: \(error)") }
    }

    private static let period: Nanoseconds = 600_000_000_000
}
