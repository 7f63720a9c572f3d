/// What files of the kernel say about processors and processes.
public enum KernelText {
    /// A list of numbers as in `0-3,8`; what makes no sense is left out.
    public static func list(_ text: String) -> [Int] {
        text.split { $0 == "," || $0 == "\n" || $0 == " " }.flatMap { part -> [Int] in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last,
                first >= 0, last < 1 << 16
            else { return [] }
            return Array(first...last)
        }
    }

    /// How long each processor has been busy, in ticks, from `/proc/stat`: what a hypervisor took is not among it.
    public static func busyTicks(_ text: String) -> [Int: Int64] {
        var ticks: [Int: Int64] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
            let fields = line.split(separator: " ")
            guard let number = Int(fields[0].dropFirst(3)), fields.count > 7 else { continue }
            // user, nice, system, (idle, waiting), interrupts, deferred ones
            ticks[number] = [1, 2, 3, 6, 7].reduce(0) { $0 + (Int64(fields[$1]) ?? 0) }
        }
        return ticks
    }

    /// Of a process, from `/proc/PID/stat`: when it began, and how long it and the children that it waited for have
    /// computed, in ticks.
    public static func process(_ text: String) -> (start: Int64, ticks: Int64)? {
        // The name may hold spaces and parentheses; the fields begin behind the last one.
        guard let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 19, let start = Int64(fields[19]) else { return nil }
        return (start, fields[11...14].reduce(0) { $0 + (Int64($1) ?? 0) })
    }

    /// A line of `/proc/meminfo` or `/proc/PID/status`, in bytes.
    public static func bytes(_ name: String, in text: String) -> Int64? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let fields = line.dropFirst(name.count).split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" })
            guard line.dropFirst(name.count).first == ":", let number = fields.first.flatMap({ Int64($0) }) else {
                continue
            }
            return number < 1 << 50 ? number << 10 : nil
        }
        return nil
    }
}
