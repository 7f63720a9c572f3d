import Synchronization

/// The bytes that were given to a stream and that the system below has not taken: counted up where they are given, on
/// any thread, and down where they go.
public final class UnsentCount: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    public var value: Int { max(0, count.load(ordering: .relaxed)) }

    func add(_ amount: Int) { count.wrappingAdd(amount, ordering: .relaxed) }
}
