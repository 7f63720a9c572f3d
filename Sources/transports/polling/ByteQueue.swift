import DequeModule

/// Bytes that wait their turn, kept as the pieces they came in: appending and dropping cost no copy.
public struct ByteQueue: Sendable {
    private var pieces: Deque<[UInt8]> = []
    /// Bytes of the first piece that are used up.
    private var offset = 0
    public private(set) var count = 0
    /// Told how many bytes leave the queue; who appends has counted them before.
    private let unsent: UnsentCount?

    public init(unsent: UnsentCount? = nil) { self.unsent = unsent }

    public var isEmpty: Bool { count == 0 }

    public mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        pieces.append(bytes)
        count += bytes.count
    }

    /// Shows the bytes at the front that lie together in memory (empty when the queue is).
    ///
    /// The piece keeps its place in memory until bytes are dropped.
    public func withFront<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        guard let first = pieces.first else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return try first.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
    }

    /// Drops bytes from the front; at most `count`.
    public mutating func drop(_ amount: Int) {
        var left = min(amount, count)
        count -= left
        unsent?.add(-left)
        while left > 0 {
            let here = pieces[0].count - offset
            if left < here {
                offset += left
                return
            }
            left -= here
            offset = 0
            pieces.removeFirst()
        }
    }

    /// Moves up to `room.count` bytes into `room`. Returns how many.
    public mutating func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < room.count, !isEmpty {
            let taken = withFront { front in
                let taken = min(front.count, room.count - filled)
                let rest = UnsafeMutableRawBufferPointer(rebasing: room[filled...])
                rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: front[..<taken]))
                return taken
            }
            drop(taken)
            filled += taken
        }
        return filled
    }

    public mutating func removeAll() {
        unsent?.add(-count)
        self = ByteQueue(unsent: unsent)
    }
}
