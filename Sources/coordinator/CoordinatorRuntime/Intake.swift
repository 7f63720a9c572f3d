import Ports
import Synchronization

/// Counts what a stream has brought and nobody has looked at yet, and holds the stream up where that is much: a host
/// that says more than can be heard waits, and takes no memory here.
final class Intake: Sendable {
    private struct State {
        var waiting = 0
        /// Whether the stream is to stand still, and what it was told last.
        var isPaused = false
        var isToldPaused = false
        /// Somebody is telling it.
        var isTelling = false
        var connection: (any Connection)?
    }

    private let state = Mutex(State())

    private static let much = 4 << 20
    private static let little = 1 << 20

    /// The stream's connection, which came to be after this.
    func hold(_ connection: any Connection) {
        state.withLock { $0.connection = connection }
        tell()
    }

    /// On the transport's thread.
    func arrived(_ event: StreamEvent) {
        state.withLock { state in
            if case .closed = event { state.connection = nil }
            state.waiting += event.byteCount
            if state.waiting > Intake.much { state.isPaused = true }
        }
        tell()
    }

    /// On the loop's.
    func taken(_ event: StreamEvent) {
        state.withLock { state in
            state.waiting -= event.byteCount
            if state.waiting < Intake.little { state.isPaused = false }
        }
        tell()
    }

    /// Tells the stream what it is to do, outside of the lock, as it may come back here; and one thread at a time, so
    /// that what it is told last is what holds.
    private func tell() {
        while let (connection, isPaused) = next() {
            if isPaused { connection.pause() } else { connection.resume() }
            state.withLock { $0.isTelling = false }
        }
    }

    private func next() -> (any Connection, isPaused: Bool)? {
        state.withLock { state in
            guard !state.isTelling, state.isPaused != state.isToldPaused, let connection = state.connection else {
                return nil
            }
            (state.isTelling, state.isToldPaused) = (true, state.isPaused)
            return (connection, state.isPaused)
        }
    }
}

extension StreamEvent {
    fileprivate var byteCount: Int {
        switch self {
        case .received(let bytes), .diagnostic(let bytes): bytes.count
        case .opened, .noted, .closed: 0
        }
    }
}
