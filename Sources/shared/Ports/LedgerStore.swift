public import Model

/// Where records become durable.
public protocol LedgerStore: Sendable {
    /// All of the records or none, on disk when it returns. After it threw, the process has to stop and begin again
    /// from what the ledger holds.
    func commit(_ records: [Record]) throws
}
