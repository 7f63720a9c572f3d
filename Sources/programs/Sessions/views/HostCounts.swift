package import SweepCore
import Model

/// How many hosts stand how, where there is no room for a line each.
package struct HostCounts {
    private let counts: [(standing: HostView.Standing, count: Int)]
    private let total: Int

    package init(_ views: some Collection<HostView>) {
        total = views.count
        let order: [HostView.Standing] = [.working, .connecting, .away, .resting, .refused]
        counts = order.map { standing in (standing, views.count { $0.standing == standing }) }
            .filter { $0.count > 0 }
    }

    /// As in `484 more hosts: 480 working, 4 not connected`.
    package var text: String {
        let parts = counts.map { "\($0.count) \($0.standing.word)" }
        return "\(PeopleText.count(total, "more host", "more hosts")): \(parts.joined(separator: ", "))"
    }
}

extension HostView.Standing {
    /// As people call it.
    package var word: String {
        switch self {
        case .connecting: "connecting"
        case .working: "working"
        case .away: "not connected"
        case .resting: "paused"
        case .refused: "cannot be used"
        }
    }
}
