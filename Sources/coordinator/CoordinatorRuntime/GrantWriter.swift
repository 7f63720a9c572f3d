import Engines
import Formats
import Model
import Storage
import SweepCore
import Synchronization

/// A lease that was decided, with all of the sweep's state that its messages depend on, as it was then.
struct LeaseOrder: Sendable {
    var host: Int
    var lease: LeaseNumber
    var grants: [Grant]
    /// Of each grant's run, in bytes; nil: no limit.
    var memoryBytes: [Int64?]
    var pins: [String: Digest]

    init(_ lease: LeaseNumber, _ grants: [Grant], for host: Int, _ state: SweepState) {
        self.host = host
        self.lease = lease
        self.grants = grants
        memoryBytes = grants.map { state.memoryBytes(of: $0.run) }
        pins = state.pins
    }
}

/// Writes the messages of leases. For that it reads the records of checkpoints, and puts long lists of inputs into the
/// object store: beside the loop, in a lane of its own, where a sweep has any of them (``Setting/hasLongGrants``).
///
/// What it knows is read again by whoever comes after this process, and an object that was published and not told to
/// any host is published again, as the same.
final class GrantWriter: Sendable {
    private struct Known {
        /// The files of checkpoints that tasks start from.
        var checkpoints: [Digest: [Job.Input]] = [:]
        /// The inputs that were last put into a list: mostly those of all runs.
        var list: (inputs: [Job.Input], name: InputListName)?
    }

    private let setting: Setting
    private let store: ObjectStore
    private let known = Mutex(Known())

    init(_ setting: Setting, _ store: ObjectStore) {
        self.setting = setting
        self.store = store
    }

    /// - Throws: ``Failure`` (`storage`) for a checkpoint that is not whole; what the disk says.
    func shards(_ order: LeaseOrder) throws -> [Shard] {
        try known.withLock { known in
            try setting.shards(order) { digest, maker in
                if let inputs = known.checkpoints[digest] { return inputs }
                let inputs = try setting.inputs(ofCheckpoint: digest, madeBy: maker, store)
                known.checkpoints[digest] = inputs
                return inputs
            } list: { inputs in
                if let list = known.list, list.inputs == inputs { return list.name }
                let bytes = InputList.encode(inputs)
                let name = InputListName(digest: try store.publish(bytes), size: Int64(bytes.count))
                known.list = (inputs, name)
                return name
            }
        }
    }
}
