/// When a host may be used, by the time of day of the machine that the coordinator runs on.
public struct HostHours: Sendable, Hashable {
    /// Minutes since midnight, from 0 to 1,440; no two are the same time of day.
    public let from: Int
    public let to: Int

    /// - Returns: nil where a time is no time of day, or both are the same.
    public init?(from: Int, to: Int) {
        guard 0...1_440 ~= from, 0...1_440 ~= to, from % 1_440 != to % 1_440 else { return nil }
        (self.from, self.to) = (from, to)
    }

    /// - Parameter text: as in `20-8` or `20:30-8`.
    public init?(_ text: String) {
        let times = text.split(separator: "-", omittingEmptySubsequences: false).map(HostHours.minutes)
        guard times.count == 2, let from = times[0], let to = times[1] else { return nil }
        self.init(from: from, to: to)
    }

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isWritten = parts.allSatisfy { 1...2 ~= $0.count && $0.allSatisfy { $0.isASCII && $0.isNumber } }
        guard isWritten, parts.count <= 2, let hour = Int(parts[0]), let minute = parts.count == 2 ? Int(parts[1]) : 0,
            minute < 60
        else { return nil }
        return 60 * hour + minute
    }

    /// As it is written: `20-8`, `20:30-8`.
    public var text: String { "\(HostHours.text(from))-\(HostHours.text(to))" }

    /// When it may be used again, as in `20:00`.
    public var beginning: String { from % 60 == 0 ? "\(from / 60):00" : HostHours.text(from) }

    private static func text(_ minutes: Int) -> String {
        let minute = minutes % 60
        return minute == 0 ? "\(minutes / 60)" : "\(minutes / 60):\(minute < 10 ? "0" : "")\(minute)"
    }

    /// Whether the host may be used at a second of the day, and in how many seconds that changes.
    public func state(second: Int) -> (isOpen: Bool, change: Int) {
        let (begin, end, day) = (from * 60 % 86_400, to * 60 % 86_400, 86_400)
        let sinceBegin = (second - begin + day) % day
        let length = (end - begin + day) % day
        return sinceBegin < length ? (true, length - sinceBegin) : (false, day - sinceBegin)
    }
}
