import Model

/// Records in a few words, for traces.
enum Describe {
    static func record(_ record: Record) -> String {
        switch record {
        case .hostSeen(let host, let boot, _, let slots, _, _): "\(host) seen (\(boot), \(slots) slots)"
        case .pinned(let name, let digest): "pin \(name) = \(digest.short)"
        case .leaseGranted(let lease, let host, let grants):
            "lease \(lease) to \(host): "
                + grants.map { "\($0.run)[\($0.firstAttempt)..<\($0.firstAttempt + $0.attempts)]" }
                .joined(separator: " ")
        case .leaseVoided(let lease, let reason): "lease \(lease) void: \(reason)"
        case .attemptEnded(let report, let host, let failure, let evidence, _, _):
            "attempt \(id(report.id)) on \(host): \(failure?.rawValue ?? "success") \(evidence)"
        case .attemptFenced(let report, let host, let agrees):
            "attempt \(id(report.id)) on \(host) fenced (agrees: \(agrees.map { "\($0)" } ?? "-"))"
        case .runEnded(let run, let state, let failure, let attempt):
            "run \(run) \(state.rawValue) by attempt \(attempt) \(failure?.rawValue ?? "")"
        case .runReopened(let run, let reason): "run \(run) opened again: \(reason)"
        case .hostRested(let host, let reason): "\(host) rests: \(reason)"
        case .hostReleased(let host): "\(host) keeps nothing any more"
        case .sweepStopped(let reason): "sweep stopped: \(reason)"
        }
    }

    static func id(_ id: AttemptID) -> String { "\(id.run).\(id.attempt)-\(id.lease)" }
}
