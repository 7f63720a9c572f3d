import Model
import Results

/// What a run that ended with status 0 says in words, on standard output and on the guests' consoles.
extension Gem5Evidence {
    /// The words with which gem5's own example scripts say why the simulation stopped, as in `Exiting @ tick 5 because
    /// user interrupt received`: of a script of the user's own nothing else may tell.
    private static let interrupted = "because user interrupt received"
    private static let limited = "because simulate() limit reached"

    /// - Returns: what is worth knowing.
    func checkOutput() throws -> [String] {
        var isThere = false
        var remarks: [String] = []
        try files.forEachLine(contract.output) { number, line in
            if let wanted = contract.line, line.contains(wanted) { isThere = true }
            guard contract.status == nil else { return true }
            let isInterrupted = line.contains(Gem5Evidence.interrupted)
            guard isInterrupted || remarks.isEmpty && line.contains(Gem5Evidence.limited) else { return true }
            let place = "\(contract.output), line \(number): \(Evidence.quote(line))"
            if isInterrupted { throw Breach(place) }
            remarks.append(place)
            return true
        }
        if let wanted = contract.line, !isThere {
            throw Breach("\(contract.output): no line has '\(VisibleText.of(wanted, limit: 200))'")
        }
        return remarks
    }

    /// What happened to programs of the guest; the function may have gone on without them, or started anew.
    func trouble() throws -> [String] {
        var remarks: [String] = []
        for terminal in contract.terminals {
            try files.forEachLine(terminal) { number, line in
                guard GuestTrouble.isIn(line) else { return true }
                remarks.append("\(terminal), line \(number): \(Evidence.quote(line))")
                return false
            }
        }
        return remarks
    }
}

/// The lines with which a Linux kernel says on its console that it ended a program. The texts are those of Linux 4 to
/// 6: `mm/oom_kill.c`, and of x86 `mm/fault.c` and `kernel/traps.c`.
enum GuestTrouble {
    private static let texts = [
        ["ut of memory: Kill"], ["oom-kill:"], ["segfault at ", " ip "], ["traps: ", " ip:"],
    ]

    static func isIn(_ line: ArraySlice<UInt8>) -> Bool {
        texts.contains { parts in parts.allSatisfy { line.contains($0) } }
    }
}
