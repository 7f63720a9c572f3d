import Model
import Ports

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
        case .leaseMoved(let lease, let host): "lease \(lease) is \(host)'s now"
        case .runAdopted(let run, let lease, let reason): "run \(run) goes on under lease \(lease): \(reason)"
        case .runWithdrawn(let run, let lease, let reason): "run \(run) no longer under lease \(lease): \(reason)"
        case .secondStart(let run, let lease, let reason): "run \(run) a second time under lease \(lease): \(reason)"
        case .runCancelAsked(let run, let reason): "run \(run) to be cancelled: \(reason)"
        case .attemptEnded(let report, let host, let failure, let evidence, _, _):
            "attempt \(id(report.id)) on \(host): \(failure?.rawValue ?? "success") \(evidence)"
        case .attemptFenced(let report, let host, let agrees):
            "attempt \(id(report.id)) on \(host) fenced (agrees: \(agrees.map { "\($0)" } ?? "-"))"
        case .runEnded(let run, let state, let failure, let attempt):
            "run \(run) \(state.rawValue) by attempt \(attempt) \(failure?.rawValue ?? "")"
        case .runReopened(let run, let reason): "run \(run) opened again: \(reason)"
        case .judgedAgain(let id, let failure, let evidence, _):
            "attempt \(self.id(id)) judged again: \(failure?.rawValue ?? "success") \(evidence)"
        case .auditGranted(let lease, let host, let grants):
            "lease \(lease) to \(host): audits of \(grants.map(\.run))"
        case .auditEnded(let report, let host, let failure, let evidence, let comparison, _):
            "audit \(id(report.id)) on \(host): \(failure?.rawValue ?? "success"), agrees: "
                + "\(comparison.map { "\($0.agrees)" } ?? "-") \(evidence)"
        case .hostFenced(let host, let reason, let runs): "\(host) is fenced, with \(Array(runs)): \(reason)"
        case .inputDamaged(let found):
            "\(found.path) was damaged on \(found.host), and \(Array(found.runs) + Array(found.makers)) had it"
        case .hostPaused(let host, let reason): "\(host) is paused: \(reason)"
        case .hostRefused(let host, let reason): "\(host) is refused: \(reason)"
        case .hostReleased(let host): "\(host) keeps nothing any more"
        case .sweepStopped(let reason): "sweep stopped: \(reason)"
        case .revised(let revision): "specification \(revision.number) with \(revision.runs.count) runs"
        case .repinned(let reason): "all pins are void: \(reason)"
        case .restored(let reason): "ledger repaired: \(reason)"
        }
    }

    /// What kind of thing it says, for counting.
    static func kind(_ record: Record) -> String {
        switch record {
        case .hostSeen: "host seen"
        case .pinned: "pinned"
        case .leaseGranted: "lease granted"
        case .leaseVoided: "lease void"
        case .leaseMoved: "lease moved"
        case .runAdopted: "run adopted"
        case .runWithdrawn: "run withdrawn"
        case .secondStart: "second start"
        case .runCancelAsked: "run cancel asked"
        case .attemptEnded: "attempt ended"
        case .attemptFenced(_, _, let agrees): agrees.map { $0 ? "fenced, agrees" : "fenced, differs" } ?? "fenced"
        case .runEnded: "run ended"
        case .runReopened: "run opened again"
        case .judgedAgain: "judged again"
        case .auditGranted: "audit granted"
        case .auditEnded(_, _, _, _, let comparison, _):
            comparison.map { $0.agrees ? "audit, agrees" : "audit, differs" } ?? "audit, failed"
        case .hostFenced: "host fenced"
        case .inputDamaged: "input damaged"
        case .hostPaused: "host paused"
        case .hostRefused: "host refused"
        case .hostReleased: "host released"
        case .sweepStopped: "sweep stopped"
        case .revised: "revised"
        case .repinned: "repinned"
        case .restored: "restored"
        }
    }

    /// How an attempt ended at its supervisor, for counting.
    static func kind(_ exit: ProcessExit) -> String {
        let cause =
            switch exit.cause {
            case .status(let status): status == 0 ? "status 0" : "status not 0"
            case .signal: exit.memoryRanOut ? "signal, memory ran out" : "signal"
            case .notStarted(let step, _): step == "wait" ? "never started" : "cannot start"
            case .supervisorLost: "supervisor lost"
            case .hostLost: "host lost"
            }
        return switch exit.kill {
        case .none: cause
        case .timeout: "\(cause), out of time"
        case .cancelled: "\(cause), cancelled"
        case .revoked: "\(cause), revoked"
        case .stalled: "\(cause), stalled"
        case .folderRemoved: "\(cause), folder removed"
        case .folderReplaced: "\(cause), folder replaced"
        case .tooMuchOutput, .tooMuchKept: "\(cause), too much output"
        }
    }

    static func id(_ id: AttemptID) -> String { "\(id.run).\(id.attempt)-\(id.lease)" }
}
