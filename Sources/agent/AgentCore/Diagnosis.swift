public import Model
public import Ports

/// What an end means: a class and a sentence, from what the supervisor saw and the last bytes of standard error.
/// The same input always gives the same verdict, also after a restart of the agent.
public struct Diagnosis: Sendable, Hashable {
    /// nil: status 0.
    public var failure: FailureClass?
    public var evidence: String

    /// Below this much free space at its end, a program is taken to have failed for want of it.
    static let scarceBytes: Int64 = 64 * 1024

    /// The most bytes of standard error that are worth reading.
    public static let tailLength = 4_096
    private static let quoteLength = 500

    public init(failure: FailureClass?, evidence: String) {
        self.failure = failure
        self.evidence = evidence
    }

    /// - Parameters:
    ///   - errorTail: the last bytes of standard error.
    ///   - outputTail: of standard output; looked at only where a program was stopped because it was stalled.
    ///   - limits: what the program was allowed.
    public init(_ exit: ProcessExit, errorTail: [UInt8], outputTail: [UInt8] = [], limits: JobLimits) {
        let quote = Diagnosis.lastLine(errorTail, of: "standard error")
        switch exit.cause {
        case .supervisorLost:
            self.init(
                failure: .supervisorLost, evidence: "the supervisor of this host ended while the run was under way")
        case .hostLost:
            self.init(
                failure: .hostLost, evidence: "the host restarted before the run's result was fetched")
        case .notStarted(let step, let reason):
            switch exit.kill {
            case .cancelled: self.init(failure: .cancelled, evidence: "it was cancelled before it began")
            case .revoked: self.init(failure: .supervisorLost, evidence: "the agent was told to stop")
            case .none, .timeout, .stalled, .folderRemoved, .folderReplaced, .tooMuchOutput,
                .tooMuchKept:
                // Of what could not be executed, the reason says all.
                let what = step == "exec" ? reason : "\(step): \(reason)"
                self.init(failure: .spawn, evidence: "the program could not be started: \(what)")
            }
        case .status, .signal:
            if exit.kill == .stalled {
                self.init(stalled: exit, Diagnosis.lastLine(outputTail, of: "standard output") + quote, limits.stall)
            } else {
                self.init(ended: exit, quote: quote, errorTail: errorTail, limit: limits)
            }
        }
    }

    /// The host sees only that nothing happens. An engine that can tell a guest's trouble from the simulator's looks
    /// at the artifacts when it judges, and may give a finer class.
    private init(stalled exit: ProcessExit, _ quotes: String, _ limit: Nanoseconds?) {
        let note = exit.note.isEmpty ? "" : "; \(VisibleText.of(exit.note))"
        self.init(
            failure: .stalledSimulator,
            evidence: "none of its files changed for \(PeopleText.span(limit ?? 0)) (limits: stall)\(note)\(quotes)")
    }

    private init(ended exit: ProcessExit, quote: String, errorTail: [UInt8], limit: JobLimits) {
        switch exit.kill {
        case .timeout:
            let span = PeopleText.span(limit.time ?? exit.wallNanoseconds)
            self.init(failure: .timeout, evidence: "it was still running after \(span) (limits: time)\(quote)")
            return
        case .cancelled:
            self.init(failure: .cancelled, evidence: "it was cancelled")
            return
        case .revoked:
            self.init(failure: .supervisorLost, evidence: "the agent was told to stop")
            return
        case .folderRemoved:
            // Nothing is wrong with the run: it is tried again, and a bounded number of such losses ends it.
            self.init(
                failure: .hostLost,
                evidence: "its folder on the host was removed before its results were collected: exclude the "
                    + "agent's working folder from automatic cleaning (systemd-tmpfiles, tmpreaper), or name another "
                    + "'workdir' in the inventory")
            return
        case .folderReplaced:
            self.init(
                failure: .contractBroken,
                evidence: "it replaced its own working folder, so nothing was collected: a run may not move or replace "
                    + "the folder in which it is started")
            return
        case .tooMuchOutput:
            let limit = limit.output.map { " of \(PeopleText.size($0))" } ?? ""
            self.init(
                failure: .tooMuchOutput,
                evidence: "it wrote more than its limit\(limit) (limits: output): "
                    + "\(VisibleText.of(exit.note))\(quote)")
            return
        case .tooMuchKept:
            self.init(
                failure: .tooMuchOutput,
                evidence: "the files to bring back are larger than the sweep allows (artifacts: most): "
                    + "\(VisibleText.of(exit.note))\(quote)")
            return
        case .none, .stalled: break
        }
        if case .status(0) = exit.cause {
            self.init(failure: nil, evidence: "")
            return
        }
        if exit.cause == .status(113), quote.holds(HostSetup.failure) {
            self.init(failure: .spawn, evidence: "it was not started, since the setup of this host failed\(quote)")
            return
        }
        let how =
            switch exit.cause {
            case .status(let status): "exit status \(status)"
            case .signal(let signal): Diagnosis.crashes[signal].map { "signal \(signal) (\($0))" } ?? "signal \(signal)"
            case .notStarted, .supervisorLost, .hostLost: ""
            }
        if exit.freeBytes < Diagnosis.scarceBytes || Diagnosis.speaksOfFullDisk(errorTail) {
            let free = exit.freeBytes == .max ? "" : ", \(PeopleText.size(max(0, exit.freeBytes))) free when it ended"
            self.init(failure: .diskFull, evidence: "\(how)\(free)\(quote)")
        } else if exit.cause == .signal(9) || exit.cause == .status(128 + 9), exit.memoryRanOut {
            self.init(failure: .outOfMemory, evidence: "the kernel killed it because memory ran out\(quote)")
        } else if Diagnosis.speaksOfNoMemory(errorTail) {
            self.init(failure: .outOfMemory, evidence: "\(how): it could not allocate memory\(quote)")
        } else if case .signal = exit.cause {
            self.init(failure: .simulatorCrash, evidence: Diagnosis.crash(exit, how) + quote)
        } else {
            self.init(failure: .exitNonzero, evidence: "\(how)\(quote)")
        }
    }

    /// Signals that programs get for what they did themselves.
    private static let crashes: [Int: String] = [
        4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV", 31: "SIGSYS",
    ]

    private static func crash(_ exit: ProcessExit, _ how: String) -> String {
        if !exit.note.isEmpty { return "\(how) (\(VisibleText.of(exit.note)))" }
        if case .signal(let signal) = exit.cause, crashes[signal] != nil { return "the program crashed: \(how)" }
        return "\(how), which usweep did not send"
    }

    /// Of ENOSPC and of EDQUOT.
    private static func speaksOfFullDisk(_ tail: [UInt8]) -> Bool {
        has(tail, oneOf: ["No space left on device", "Disk quota exceeded"])
    }

    /// Of ENOMEM, and as C++, Python (with numpy) and Java say it.
    private static func speaksOfNoMemory(_ tail: [UInt8]) -> Bool {
        has(tail, oneOf: ["Cannot allocate memory", "std::bad_alloc", "MemoryError"])
    }

    private static func has(_ tail: [UInt8], oneOf phrases: [String]) -> Bool {
        for phrase in phrases.map({ Array($0.utf8) }) where tail.count >= phrase.count {
            for start in 0...(tail.count - phrase.count) where tail[start] == phrase[0] {
                if tail[start..<start + phrase.count].elementsEqual(phrase) { return true }
            }
        }
        return false
    }

    /// `; standard error ends with "..."`, or nothing.
    public static func lastLine(_ tail: [UInt8], of file: String) -> String {
        let newline = UInt8(ascii: "\n")
        let lines = tail.split(whereSeparator: { $0 == newline || $0 == UInt8(ascii: "\r") })
        guard let line = lines.last(where: { !$0.allSatisfy { $0 <= 0x20 } }) else { return "" }
        return "; \(file) ends with \"\(VisibleText.of(line.suffix(quoteLength)))\""
    }
}
