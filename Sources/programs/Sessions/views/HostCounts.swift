package import SweepCore
import Model

/// How many hosts stand how, where there is no room for a line each.
package struct HostCounts {
    private let counts: [(standing: HostView.Standing, count: Int)]
    private let total: Int

    package init(_ views: some Collection<HostView>) {
        total = views.count
        let order: [HostView.Standing] = [.working, .connecting, .queued, .away, .paused, .refused]
        counts = order.map { standing in (standing, views.count { $0.standing == standing }) }
            .filter { $0.count > 0 }
    }

    /// As in `484 more hosts: 480 working, 4 not connected`.
    package var text: String {
        let parts = counts.map { "\($0.count) \($0.standing.word)" }
        return "\(PeopleText.count(total, "more host", "more hosts")): \(parts.joined(separator: ", "))"
    }
}

extension HostView {
    /// As in `2 of 4 slots busy, 1 with another sweep`.
    ///
    /// - Parameter own: how many runs of the sweep at hand it is at; nil: that is not known.
    package func slotsText(own: Int?) -> String {
        let busy = busySlots(own: own)
        let others = own.map { busy - min($0, busy) } ?? 0
        let remark = others == 0 ? "" : ", \(others) with other sweeps"
        return "\(busy) of \(PeopleText.count(slots, "slot")) busy\(remark)"
    }

    /// The agent says only now and then how many run, of all sweeps together.
    func busySlots(own: Int?) -> Int { min(max(running, own ?? 0), slots) }
}

extension HostView.Standing {
    /// As people call it.
    package var word: String {
        switch self {
        case .connecting: "connecting"
        case .queued: "waits for a job"
        case .working: "working"
        case .away: "not connected"
        case .paused: "paused"
        case .refused: "cannot be used"
        }
    }
}
