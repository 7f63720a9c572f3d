import CSystem
import Ports

/// A thread that makes the journal durable.
final class SyncThread: BackgroundSync {
    private let syncer: OpaquePointer
    /// Becomes readable when a request was served.
    var descriptor: Int32 { sys_syncer_descriptor(syncer) }

    init?() {
        guard let syncer = sys_syncer_start() else { return nil }
        self.syncer = syncer
    }

    func request(_ file: FileHandle, ticket: UInt64) { sys_syncer_request(syncer, file.number, ticket) }

    func served() -> (ticket: UInt64, errorNumber: Int32) {
        var error: Int32 = 0
        let ticket = sys_syncer_served(syncer, &error)
        return (ticket, error)
    }

    func settle() { sys_syncer_settle(syncer) }
}
