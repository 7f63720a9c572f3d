import Foundation
package import Model

/// A coordinator that was asked something and has not answered.
package struct CoordinatorSilence: Sendable, Hashable {
    /// What is known of why.
    package enum Cause: Sendable, Hashable {
        /// It has not begun to answer questions.
        case starting
        /// A signal stopped it; it answers when it is continued.
        case stopped
        case unknown
    }

    package let pid: Int32
    /// Since it was asked.
    package let span: Nanoseconds
    package let cause: Cause

    /// After so many seconds it is said; a busy coordinator takes less.
    static let noticeable = 2

    /// What people are told.
    package var sentence: String {
        let name = "the coordinator (pid \(pid))"
        let silent = "\(name) has not answered for \(PeopleText.span(span))"
        return switch cause {
        case .starting: "\(name) is starting: it checks what the runs need"
        case .stopped: "\(silent): it is stopped, as by Ctrl-Z. Continue it: kill -CONT \(pid)"
        case .unknown: silent
        }
    }

    /// Whether a process was stopped by a signal, as SIGSTOP; see proc_pid_stat(5).
    static func isStopped(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let bracket = text.lastIndex(of: ")")
        else { return false }
        return text[bracket...].hasPrefix(") T")
    }
}
