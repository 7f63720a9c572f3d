import Model

extension Model.Record {
    /// The name of its kind, for people who look into the journal with SQLite's own tools.
    var kind: String {
        switch self {
        case .hostSeen: "host-seen"
        case .pinned: "pinned"
        case .leaseGranted: "lease-granted"
        case .leaseVoided: "lease-voided"
        case .leaseMoved: "lease-moved"
        case .runAdopted: "run-adopted"
        case .runWithdrawn: "run-withdrawn"
        case .secondStart: "second-start"
        case .runCancelAsked: "run-cancel-asked"
        case .attemptEnded: "attempt-ended"
        case .attemptFenced: "attempt-fenced"
        case .runEnded: "run-ended"
        case .runReopened: "run-reopened"
        case .judgedAgain: "judged-again"
        case .auditGranted: "audit-granted"
        case .auditEnded: "audit-ended"
        case .hostFenced: "host-fenced"
        case .inputDamaged: "input-damaged"
        case .hostPaused: "host-rested"
        case .hostRefused: "host-refused"
        case .hostReleased: "host-released"
        case .sweepStopped: "sweep-stopped"
        case .revised: "revised"
        case .repinned: "repinned"
        case .restored: "restored"
        }
    }
}
