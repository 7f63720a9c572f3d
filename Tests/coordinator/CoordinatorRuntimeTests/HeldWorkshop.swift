@testable import CoordinatorRuntime

/// A workshop whose work is done when the test says so.
final class HeldWorkshop: Workshop, @unchecked Sendable {
    private let inbox: Inbox
    private var waiting: [(lane: Lane, work: @Sendable () throws -> Finished)] = []
    /// Whether work is done at once.
    var isOpen = true { didSet { if isOpen { finish { _ in true } } } }

    init(_ inbox: Inbox) { self.inbox = inbox }

    var lanes: [Lane] { waiting.map(\.lane) }

    func hand(in lane: Lane, _ work: @escaping @Sendable () throws -> Finished) {
        waiting.append((lane, work))
        if isOpen { finish { _ in true } }
    }

    /// Does what waits in some lanes, each lane in order.
    func finish(_ isMeant: (Lane) -> Bool) {
        let due = waiting.filter { isMeant($0.lane) }
        waiting.removeAll { isMeant($0.lane) }
        for entry in due { inbox.put(.finished(Result { try entry.work() })) }
    }

    /// Loses what waits, as a process that dies.
    func forget() { waiting = [] }
}
