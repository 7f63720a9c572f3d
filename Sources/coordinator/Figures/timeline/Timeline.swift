public import Model

/// What each host did when: attempts as bars in lanes, or where they are too many, how many were at work.
public struct Timeline: Sendable, Hashable {
    public struct Span: Sendable, Hashable {
        /// Its place among the hosts.
        public var host: Int
        /// Of one clock.
        public var start: Nanoseconds
        public var end: Nanoseconds
        public var outcome: RunState
        /// What it says where one points at it.
        public var text: String

        public init(host: Int, start: Nanoseconds, end: Nanoseconds, outcome: RunState, text: String) {
            self.host = host
            self.start = min(start, end)
            self.end = end
            self.outcome = outcome
            self.text = text
        }
    }

    public var hosts: [String]
    public var spans: [Span]

    public init(hosts: [String], spans: [Span]) {
        self.hosts = hosts
        self.spans = spans
    }

    /// More than that are shown as counts, without their texts.
    public static let mostSpans = 3_000
    static let mostLanes = 100
    /// More are left out.
    public static let mostHosts = 40

    public var range: ClosedRange<Nanoseconds>? {
        guard let first = spans.map(\.start).min(), let last = spans.map(\.end).max() else { return nil }
        return first...max(last, first + 1)
    }

    /// How many of the hosts are not shown.
    public var hostsLeftOut: Int { max(0, hosts.count - Timeline.mostHosts) }

    /// For each shown host the lanes of its spans: those of one lane do not overlap.
    func lanes() -> [[[Span]]] {
        var lanes = [[[Span]]](repeating: [], count: min(hosts.count, Timeline.mostHosts))
        for span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) where span.host < lanes.count {
            let free = lanes[span.host].firstIndex { ($0.last?.end ?? .min) <= span.start }
            if let free { lanes[span.host][free].append(span) } else { lanes[span.host].append([span]) }
        }
        return lanes
    }

    /// For each shown host, in so many parts of the time: how many attempts were at work on average, by outcome.
    func load(_ bins: Int) -> [[[Double]]] {
        let hostCount = min(hosts.count, Timeline.mostHosts)
        let none = [Double](repeating: 0, count: RunState.allCases.count)
        var load = [[[Double]]](repeating: Array(repeating: none, count: bins), count: hostCount)
        guard let range else { return load }
        let width = Double(range.upperBound - range.lowerBound) / Double(bins)
        for span in spans where span.host < hostCount {
            let from = Double(span.start - range.lowerBound) / width
            let to = Double(span.end - range.lowerBound) / width
            for bin in Int(from)...min(bins - 1, max(Int(from), Int(to))) where bin < bins {
                let part = min(to, Double(bin + 1)) - max(from, Double(bin))
                load[span.host][bin][span.outcome.place] += max(0, part)
            }
        }
        return load
    }
}

extension RunState {
    /// Its place among all.
    var place: Int {
        switch self {
        case .succeeded: 0
        case .failed: 1
        case .quarantined: 2
        case .cancelled: 3
        }
    }

    /// The series whose colour and hatching it has.
    var series: Int { [0, 3, 6, 7][place] }
}
