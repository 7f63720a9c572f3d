import Formats
import Model
import SweepCore

/// Leases on their way to hosts.
///
/// A host is told of what was decided in that order, although a lease may have to be written first: what follows waits
/// behind it in the host's link (``HostLink/expectGrant()``). Whoever dies in between has committed the lease and told
/// nobody: as with a message that is lost, the host does not name it in its next hello, and gets it then.
extension CoordinatorLoop {
    func grant(_ host: Int, _ lease: LeaseNumber, _ grants: [Grant]) throws {
        guard let link = links[host] else { return }
        let order = LeaseOrder(lease, grants, for: host, core.state)
        link.expectGrant()
        guard setting.hasLongGrants else { return granted(host, try grantWriter.shards(order)) }
        workshop.hand(in: .grants) { [grantWriter, generation = link.generation] in
            .granted(host: host, generation: generation, try grantWriter.shards(order))
        }
    }

    /// The oldest lease that the host waits for is written.
    func granted(_ host: Int, _ shards: [Shard]) {
        guard let link = links[host] else { return }
        guard shards.allSatisfy(link.understands) else {
            // It must not keep what it cannot do.
            return giveUp(
                host, "its agent is of an older usweep and cannot take so many inputs; it is replaced when the sweeps "
                    + "that it works for have ended")
        }
        do throws(WireError) {
            try link.send(granted: shards)
        } catch {
            giveUp(host, "\(error.message); the connection was dropped")
        }
    }
}
