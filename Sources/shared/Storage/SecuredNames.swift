import Model
import Synchronization

/// The objects that this process knows to outlive a crash, and the folders that do.
///
/// It forgets objects that nobody asked for in a long time: a sweep may have millions, and what is forgotten costs one
/// more sync when it is asked for again.
final class SecuredNames: Sendable {
    private struct State {
        var recent: Set<Digest> = []
        var older: Set<Digest> = []
        var folders: Set<String> = []
    }

    /// How many objects `recent` has when those before them are forgotten.
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int = 1 << 18) { self.limit = limit }

    func contains(_ digest: Digest) -> Bool {
        state.withLock { state in
            if state.recent.contains(digest) { return true }
            guard state.older.contains(digest) else { return false }
            add([digest], to: &state)
            return true
        }
    }

    func insert(_ digests: [Digest]) { state.withLock { add(digests, to: &$0) } }

    func remove(_ digest: Digest) {
        state.withLock { state in
            state.recent.remove(digest)
            state.older.remove(digest)
        }
    }

    /// Whether it is new.
    func insert(folder: String) -> Bool { state.withLock { $0.folders.insert(folder).inserted } }

    private func add(_ digests: [Digest], to state: inout State) {
        state.recent.formUnion(digests)
        if state.recent.count >= limit { (state.older, state.recent) = (state.recent, []) }
    }
}
