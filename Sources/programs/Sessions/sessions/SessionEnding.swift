package import Model
import Ports
package import SweepCore
import SweepFiles

/// How a session's work ended.
package enum SessionEnding: Sendable, Hashable {
    case complete(allSucceeded: Bool)
    /// Every run has succeeded, and an audit found that hosts give different numbers.
    case auditDiffers
    /// Every run has succeeded, and so many points that were to be audited no other host could run.
    case auditUndone(Int)
    /// The sweep's own limit passed.
    case outOfTime
    /// No host can take work, for the reasons given.
    case noHost(reason: String)
    /// So many runs in a row failed alike that the rest was not begun.
    case paused(FailureSeries)
    case interrupted

    /// - Parameters:
    ///   - problems: how the hosts stand, in their order.
    ///   - audit: nil: nothing was to be audited.
    init(_ ending: Ending, problems hosts: [HostView], audit: AuditStatus?) {
        switch ending {
        case .complete(allSucceeded: true) where audit?.disputes.isEmpty == false: self = .auditDiffers
        case .complete(allSucceeded: true) where audit?.undone ?? 0 > 0: self = .auditUndone(audit?.undone ?? 0)
        case .complete(let allSucceeded): self = .complete(allSucceeded: allSucceeded)
        case .outOfTime: self = .outOfTime
        case .noHost:
            let problems = hosts.map { (host: $0.name, reason: $0.problem) }
            self = .noHost(reason: HostProblems.lines(problems).joined(separator: "\n"))
        case .paused(let series): self = .paused(series)
        case .interrupted: self = .interrupted
        }
    }

    var isPaused: Bool {
        if case .paused = self { true } else { false }
    }

    package var exitStatus: Int32 {
        switch self {
        case .complete(let allSucceeded): allSucceeded ? 0 : ExitStatus.someRunsFailed
        case .auditDiffers: ExitStatus.differs
        case .auditUndone: Failure.Code.noHost.exitStatus
        case .paused: ExitStatus.someRunsFailed
        case .outOfTime: ExitStatus.outOfTime
        case .noHost: Failure.Code.noHost.exitStatus
        case .interrupted: ExitStatus.interrupted
        }
    }
}

/// The documented exit statuses that are not a failure's.
package enum ExitStatus {
    package static let someRunsFailed: Int32 = 3
    /// Of `compare`, `reproduce`, and `launch --audit`.
    package static let differs: Int32 = 4
    package static let outOfTime: Int32 = 124
    package static let interrupted: Int32 = 130

    /// That of an error; 1, an internal error, for what nobody expected.
    package static func of(_ error: any Error) -> Int32 { failure(error)?.code.exitStatus ?? 1 }

    /// An error as people are told it; nil: nobody expected it.
    package static func failure(_ error: any Error) -> Failure? {
        if let error = error as? FilesError {
            return Failure(
                .storage, "reading or writing failed on this machine; check that the disk has space and the folders "
                    + "can be written, then try again (a sweep: usweep resume)", cause: "\(error)")
        }
        if let failure = error as? Failure { return failure }
        guard let reason = SystemReason.ofFiles(error) else { return nil }
        return Failure(
            .storage, "reading or writing failed on this machine; check permissions and free space", cause: reason)
    }
}
