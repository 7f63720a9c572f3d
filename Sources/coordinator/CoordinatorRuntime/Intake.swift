import Ports
import Synchronization

/// Counts what a stream has brought and nobody has looked at yet, and holds the stream up where that is much: a host
/// that says more than can be heard waits, and takes no memory here.
final class Intake: Sendable {
    private struct State {
        var waiting = 0
        var isPaused = false
        var connection: (any Connection)?
    }

    private let state = Mutex(State())

    private static let much = 4 << 20
    private static let little = 1 << 20

    /// The stream's connection, which came to be after this.
    func hold(_ connection: any Connection) {
        let isPaused = state.withLock { state in
            state.connection = connection
            return state.isPaused
        }
        if isPaused { connection.pause() }
    }

    /// On the transport's thread.
    func arrived(_ event: StreamEvent) {
        let paused: (any Connection)? = state.withLock { state in
            if case .closed = event { state.connection = nil }
            state.waiting += event.byteCount
            guard state.waiting > Intake.much, !state.isPaused else { return nil }
            state.isPaused = true
            return state.connection
        }
        paused?.pause()
    }

    /// On the loop's.
    func taken(_ event: StreamEvent) {
        let resumed: (any Connection)? = state.withLock { state in
            state.waiting -= event.byteCount
            guard state.isPaused, state.waiting < Intake.little else { return nil }
            state.isPaused = false
            return state.connection
        }
        resumed?.resume()
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
