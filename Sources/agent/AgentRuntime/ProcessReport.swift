import CSystem
import Glibc
import Model
import Ports

/// What an attempt's processes do, read from the kernel's tables while they still do it.
extension ProcessTree {
    private static let shownProcesses = 6

    func mark(of folder: String) -> FolderMark {
        var mark = sys_mark()
        sys_mark_tree(folder, &mark)
        let newest = withUnsafePointer(to: &mark.file) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 512) { String(cString: $0) }
        }
        let largest = withUnsafePointer(to: &mark.largest_file) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 512) { String(cString: $0) }
        }
        return FolderMark(value: mark.value, newest: newest, bytes: mark.bytes, largest: largest)
    }

    /// CPU time of all of them and of those that they have waited for.
    func cpuNanoseconds(of key: AttemptKey) -> Int64 {
        let ticks = members(of: key).compactMap { ProcessState($0)?.ticks }.reduce(0, +)
        return ticks * (1_000_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK)))))
    }

    /// The proportional set sizes of all of them together (proc(5), smaps_rollup): what their end alone does not tell,
    /// as it knows only the largest process.
    mutating func measureMemory(of key: AttemptKey) {
        let sizes = members(of: key).compactMap { ProcessTree.proportionalSize($0) }
        note(peak: sizes.reduce(0, +), of: key)
    }

    /// In bytes.
    private static func proportionalSize(_ pid: Int32) -> Int64? {
        guard let text = Machine.text("/proc/\(pid)/smaps_rollup"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 * 1_024 }
    }

    /// One line: each process with its state and where in the kernel it waits, as far as that can be read.
    func report(of key: AttemptKey) -> String {
        let states = members(of: key).compactMap { ProcessState($0) }
        var parts = states.prefix(ProcessTree.shownProcesses).map(\.description)
        if states.count > parts.count {
            let more = PeopleText.count(states.count - parts.count, "more process", "more processes")
            parts.append("and \(more)")
        }
        return parts.isEmpty ? "none of its processes is left" : parts.joined(separator: ", ")
    }
}

/// One process, as /proc shows it (proc(5)).
private struct ProcessState: CustomStringConvertible {
    var pid: Int32
    var name: String
    var letter: Substring
    /// Clock ticks in user and kernel mode, its own and its waited-for children's.
    var ticks: Int64

    init?(_ pid: Int32) {
        // The name may hold spaces and parentheses; the fields begin behind the last one.
        guard let text = Machine.text("/proc/\(pid)/stat"), let open = text.firstIndex(of: "("),
            let close = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 14 else { return nil }
        self.pid = pid
        name = String(text[text.index(after: open)..<close])
        letter = fields[0]
        ticks = fields[11...14].reduce(0) { $0 + max(0, Int64($1) ?? 0) }
    }

    var description: String {
        var text = "\(name) (\(pid)) \(state)"
        if let place = Machine.text("/proc/\(pid)/wchan"), !place.isEmpty, place != "0" { text += " in \(place)" }
        let call = Machine.text("/proc/\(pid)/syscall")?.split(separator: " ").first.flatMap { Int($0) }
        if let call, call >= 0 { text += " (system call \(call))" }
        return text
    }

    private var state: String {
        switch letter {
        case "R": "runs"
        case "S": "sleeps"
        case "D": "waits for a device"
        case "T", "t": "is stopped"
        case "Z": "has ended"
        default: "is in state \(letter)"
        }
    }
}
