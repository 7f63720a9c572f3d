import DequeModule
import Foundation

/// Writes what a coordinator says on a thread of its own: a terminal that takes nothing (Ctrl-S, a pager that stands
/// still, a slow line) must not stop what the coordinator does for its hosts.
///
/// Where nobody takes anything for long, what is said is no longer kept, and how much that was is told later. Nothing
/// depends on it: all that is said stands in the ledger.
final class ConsoleWriter: @unchecked Sendable {
    private struct Piece {
        var descriptor: Int32
        var bytes: [UInt8]
    }

    /// Bytes that wait at the most.
    private static let most = 16 << 20

    private let condition = NSCondition()
    private var waiting: Deque<Piece> = []
    private var waitingBytes = 0
    private var leftOut = 0
    private var isWriting = false
    private var isEnding = false
    /// Whether the readers of these went away.
    private var unread: Set<Int32> = []

    init() {
        let thread = Thread { [self] in run() }
        thread.name = "usweep-console"
        thread.start()
    }

    /// Whether something waits that was not taken yet.
    var isBehind: Bool { condition.withLock { isWriting || !waiting.isEmpty } }

    /// Whether there may still be a reader.
    func isRead(_ descriptor: Int32) -> Bool { condition.withLock { !unread.contains(descriptor) } }

    /// Returns at once.
    func put(_ bytes: [UInt8], on descriptor: Int32) {
        condition.withLock {
            guard !unread.contains(descriptor) else { return }
            if waitingBytes + bytes.count > ConsoleWriter.most {
                leftOut += 1
            } else {
                if leftOut > 0 { add(Piece(descriptor: STDERR_FILENO, bytes: takeLeftOut())) }
                add(Piece(descriptor: descriptor, bytes: bytes))
            }
        }
    }

    /// Waits until everything was taken, and ends.
    func end() {
        condition.withLock {
            if leftOut > 0 { add(Piece(descriptor: STDERR_FILENO, bytes: takeLeftOut())) }
            while isWriting || !waiting.isEmpty { condition.wait() }
            isEnding = true
            condition.broadcast()
        }
    }

    private func add(_ piece: Piece) {
        waiting.append(piece)
        waitingBytes += piece.bytes.count
        condition.broadcast()
    }

    private func takeLeftOut() -> [UInt8] {
        defer { leftOut = 0 }
        return Array(
            "usweep: \(leftOut) lines were left out, as nothing read them; see what happened: usweep status\n".utf8)
    }

    private func run() {
        while let piece = next() {
            let isRead = (try? Console.push(piece.bytes, to: piece.descriptor)) ?? true
            condition.withLock {
                isWriting = false
                if !isRead { unread.insert(piece.descriptor) }
                condition.broadcast()
            }
        }
    }

    private func next() -> Piece? {
        condition.withLock {
            while waiting.isEmpty, !isEnding { condition.wait() }
            guard let piece = waiting.popFirst() else { return nil }
            waitingBytes -= piece.bytes.count
            isWriting = true
            return piece
        }
    }
}
