import Model

/// Hosts that other people or sweeps also use: how many slots and how much memory this sweep may use changes while it
/// runs.
extension Coordinator {
    /// What a host has no room for any more, and has not begun, is anybody's.
    mutating func take(offer: HostOffer?, of host: Int, _ records: inout [Record]) {
        let before = links[host].slots
        links[host].offer = offer
        setSlots(of: host)
        guard links[host].slots < before, links.count > 1 else { return }
        var excess = state.openRuns[host] - links[host].slots - ahead(slots: links[host].slots)
        guard excess > 0 else { return }
        let reason = "\(plan.hosts[host]) did not begin it, and has \(offerText(host) ?? "less room for now")"
        for lease in state.leasesOfHost[host].reversed() where lease >= firstLeaseOfLife {
            for run in state.openRuns(of: lease, host: host).reversed() where excess > 0 {
                guard begun[AttemptPlace(run: run, lease: lease)] == nil, state.claims(on: run).count == 1,
                    let claim = state.claim(of: lease, on: run)
                else { continue }
                decide(.runWithdrawn(run: run, lease: lease, reason: reason), &records)
                withdraw(run, claim, host)
                excess -= 1
            }
        }
    }

    /// What a host offers less than it has, and why; nil: nothing that people need to know.
    func offerText(_ host: Int) -> String? {
        guard let offer = links[host].offer, !offer.reason.isEmpty, let joined = links[host].joined else { return nil }
        let reason = VisibleText.of(offer.reason, limit: 400)
        let all = joined.arrival.slots
        return offer.slots < all ? "\(offer.slots) of \(PeopleText.count(all, "slot")) for now: \(reason)" : reason
    }

    /// Slots and memory that a host has for the sweep's runs for now.
    func offered(by host: Int) -> (slots: Int, memoryBytes: Int64)? {
        guard let arrival = links[host].joined?.arrival else { return nil }
        let offer = links[host].offer
        return (
            min(arrival.slots, offer?.slots ?? .max), min(arrival.memoryBytes, offer?.memoryBytes ?? .max)
        )
    }
}
