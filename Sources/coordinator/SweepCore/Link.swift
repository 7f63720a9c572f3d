import Model

/// What this process knows of one host.
struct Link: Sendable {
    enum Phase: Sendable {
        /// Not connected; another try is due at that time, after so many in a row that failed.
        case away(until: Nanoseconds, failures: Int)
        case connecting(failures: Int)
        /// See ``Link/joined``.
        case joined
        /// It stays out of this sweep until somebody acts. What it runs goes on.
        case refused(String)
    }

    /// A stream to a host whose agent has sent its hello.
    struct Joined: Sendable {
        var arrival: Arrival
        var since: Nanoseconds
        var engineIsRight: Bool
        /// Leases that the agent is known to have, or was sent.
        var told: Set<LeaseNumber> = []
        var unacknowledged: [AttemptID] = []
        var toRevoke: [LeaseNumber] = []
        var toCancel: [RunNumber] = []
        /// Whether the agent was told that the sweep has ended.
        var isReleased = false
        /// When it had sent all that it had kept for us when it joined; nil: it has not yet.
        var caughtUpAt: Nanoseconds?
        /// Attempts that it reported, whose artifacts are on their way.
        var underWay: Set<AttemptID> = []

        var hasCaughtUp: Bool { caughtUpAt != nil }
    }

    var phase: Phase = .away(until: .min, failures: 0) {
        didSet { if case .joined = phase {} else { joined = nil } }
    }
    /// The stream that is up; nil: none is. Beside the phase, so that it is changed where it is: it grows with what its
    /// host has.
    var joined: Joined?
    /// How often in a row its stream broke within a lease's term after its agent had said hello.
    var breaks = 0
    var lastHeard: Nanoseconds
    var lastProblem = ""
    var health = HostHealth()
    /// Whether a run of this sweep has succeeded there in this life of the coordinator.
    var hasSucceeded = false
    /// When the host goes: what would end later is not begun there; nil: it stays.
    var ends: Nanoseconds?
    /// Since when this process knows that it can run things; nil: it was not there since the end of its last job.
    var usableSince: Nanoseconds?
    /// Why nothing is begun there for now; nil: it may be used.
    var closed: String?
    /// What the sweep may have of it for now; nil: all.
    var offer: HostOffer?
    /// How many runs it can do at a time; 0 unless it is joined, with the right engine.
    var slots = 0
    /// Whether it is a pilot whose job does not run.
    var isQueued = false
    /// Whether it is a pilot for which another job may come, and with it another node: then a refusal is not the end.
    var mayGetJob = false
    /// A refused host's stream has been ended.
    var isDisconnected = false
    /// Leases that were sent to it in this life, and of which nothing shows yet that they arrived.
    var unseen: Set<LeaseNumber> = []

    var isRefused: Bool { if case .refused = phase { true } else { false } }

    mutating func join(_ stream: Joined) {
        joined = stream
        phase = .joined
    }

    /// Whether runs may be begun there.
    func isUsable(_ now: Nanoseconds) -> Bool {
        slots > 0 && closed == nil && now >= health.pausedUntil && (ends ?? .max) > now
    }
}
