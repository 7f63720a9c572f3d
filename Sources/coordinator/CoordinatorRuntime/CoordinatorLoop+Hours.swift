public import Model
import Ports
import SweepCore

/// What it takes to know the time of day.
public struct HoursWatch: Sendable {
    /// The second of the day, from 0, of a time since 1970.
    public var secondOfDay: @Sendable (Nanoseconds) -> Int = { Int($0 / 1_000_000_000 % 86_400) }
    /// When it is next looked whose hours begin or end.
    var next = Nanoseconds.min
}

/// Hosts that may be used at some hours only.
extension CoordinatorLoop {
    /// What there is to tell of hosts whose hours begin or end, looked at now and then: clocks are set, and machines
    /// sleep.
    func hourEvents(_ now: Nanoseconds) -> [Event] {
        guard now >= self.hours.next else { return [] }
        let wall = time.wall()
        var events: [Event] = []
        self.hours.next = .max
        for (host, entry) in setting.hosts.enumerated() {
            guard let hours = entry.hours, entry.pilot == nil else { continue }
            self.hours.next = now + CoordinatorLoop.hoursInterval
            let state = hours.state(second: self.hours.secondOfDay(wall))
            let change = now + Nanoseconds(state.change) * 1_000_000_000
            let reason = "outside its hours (\(hours.text)); it is used again from \(hours.beginning)"
            events.append(.closed(host: host, reason: state.isOpen ? nil : reason))
            events.append(.leaves(host: host, at: state.isOpen ? change : nil))
        }
        return events
    }

    private static let hoursInterval: Nanoseconds = 10_000_000_000
}
