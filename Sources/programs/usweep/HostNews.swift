import Model
import Sessions
import SweepCore

/// What there is to say of hosts: each thing once, and where many hosts have the same to say, together.
struct HostNews {
    /// The last trouble that was noted of a host.
    private var troubles: [String: String] = [:]
    /// Hosts of which it was said that they are not used for now: by others' programs, or by their hours.
    private var resting: Set<String> = []
    private var waiting: [(host: String, reason: String)] = []
    private var joined: [(host: String, slots: Int)] = []
    private var next: Nanoseconds = 0
    /// How many hosts were spoken of.
    private var said = 0
    private let folder: ArtifactsFolder?

    /// - Parameter folder: of the sweep; nil: no command about its hosts is advised.
    init(in folder: ArtifactsFolder? = nil) { self.folder = folder }

    /// Takes note of a host that cannot be worked with now, or can be again.
    mutating func note(_ view: HostView) {
        if noteRest(view) { return }
        guard troubles[view.name] != view.problem else { return }
        troubles[view.name] = view.problem
        guard !view.problem.isEmpty else { return }
        switch view.standing {
        case .away, .refused, .queued: break
        case .connecting, .working, .paused: return
        }
        waiting.append((view.name, view.problem))
    }

    /// How many slots others leave changes often: that there are none, and that there are some, is said.
    private mutating func noteRest(_ view: HostView) -> Bool {
        switch view.standing {
        case .paused:
            guard !view.problem.isEmpty, troubles[view.name] != view.problem else { return true }
            if resting.insert(view.name).inserted { waiting.append((view.name, "paused: \(view.problem)")) }
            return true
        case .working:
            if resting.remove(view.name) != nil { joined.append((view.name, view.slots)) }
        case .connecting, .away, .refused, .queued: break
        }
        return false
    }

    mutating func paused(_ host: String, _ reason: String) {
        troubles[host] = reason
        waiting.append((host, "paused: \(reason)"))
    }

    mutating func refused(_ host: String, _ reason: String) {
        troubles[host] = reason
        waiting.append((host, reason))
    }

    mutating func joined(_ host: String, slots: Int) { joined.append((host, slots)) }

    /// What is to be said now, a line each. Of a few hosts it is said at once; of many after some seconds, in which
    /// others say the same.
    mutating func take(now: Nanoseconds) -> [String] {
        let isFew = waiting.count + joined.count <= HostNews.few && said < HostNews.much
        guard !waiting.isEmpty || !joined.isEmpty, isFew || now >= next else { return [] }
        if next == 0, !isFew {
            next = now + HostNews.pause
            return []
        }
        next = isFew ? 0 : now + HostNews.pause
        said += waiting.count + joined.count
        defer { (waiting, joined) = ([], []) }
        return joinedLines + HostProblems.lines(waiting, in: folder)
    }

    private var joinedLines: [String] {
        guard joined.count > HostNews.few else {
            return joined.map { "\($0.host): joined with \(PeopleText.count($0.slots, "slot"))" }
        }
        let slots = joined.reduce(0) { $0 + $1.slots }
        return [
            "\(PeopleText.count(joined.count, "host")) joined with \(PeopleText.count(slots, "slot")): "
                + PeopleText.list(joined.map(\.host), atMost: 4)
        ]
    }

    private static let few = 4
    private static let much = 32
    private static let pause: Nanoseconds = 5_000_000_000
}
