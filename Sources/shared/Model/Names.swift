/// The rules for names of things, in one place.
public enum Names {
    /// Letters, digits, `.`, `_`, `-`, of ASCII: safe as a folder's name, in a table and in a message.
    ///
    /// Not empty, beginning with a letter or a digit (so neither hidden, nor an option, nor `..`), no longer
    /// than `limit` bytes.
    public static func isPlain(_ name: String, limit: Int = 100) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= limit else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }
    }

    /// Names of axes: as ``isPlain(_:limit:)``, beginning with a letter.
    public static func isAxis(_ name: String) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first), first >= 0x41 else { return false }
        return isPlain(name)
    }

    /// Names and addresses of hosts: as ``isPlain(_:limit:)``, with `:` for IPv6; may begin with `:`.
    public static func isHost(_ name: String) -> Bool {
        let text = name.utf8.map { $0 == 0x3a ? 0x30 : $0 }
        return isPlain(String(decoding: text, as: UTF8.self), limit: 253)
    }

    /// Addresses of hosts: as ``isHost(_:)``, or an IPv6 address with the interface that it is reached by,
    /// `fe80::1%eth0`.
    public static func isAddress(_ text: String) -> Bool {
        guard let sign = text.firstIndex(of: "%") else { return isHost(text) }
        let (address, interface) = (String(text[..<sign]), String(text[text.index(after: sign)...]))
        return address.contains(":") && isHost(address) && isPlain(interface)
    }

    /// A name or an IPv4 address with a port behind it, `host:22`; nil: there is none. An IPv6 address has more colons.
    public static func hostAndPort(_ text: String) -> (host: String, port: String)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return (host: String(parts[0]), port: String(parts[1]))
    }

    /// An IPv6 address in brackets, with a port or without, `[::1]:22`; nil: it is none.
    public static func bracketed(_ text: String) -> (host: String, port: String?)? {
        guard text.hasPrefix("["), let close = text.firstIndex(of: "]") else { return nil }
        let host = String(text[text.index(after: text.startIndex)..<close])
        let rest = text[text.index(after: close)...]
        guard host.contains(":"), rest.isEmpty || rest.hasPrefix(":") else { return nil }
        return (host: host, port: rest.isEmpty ? nil : String(rest.dropFirst()))
    }

    /// The environment variable that carries the value of an axis: `l2.size` gives `USWEEP_L2_SIZE`.
    public static func variable(axis: String) -> String {
        "USWEEP_" + String(decoding: axis.utf8.map { isAlphanumeric($0) ? upper($0) : 0x5f }, as: UTF8.self)
    }

    /// Columns of the tables and variables of the run contract: no axis may be called so, in any spelling that
    /// gives the same variable (`point-file`, `Wall.S`).
    public static let reserved: [String] = [
        "artifact", "artifacts", "attempt", "attempts", "checkpoint", "checkpoint_digest", "class", "digest",
        "engine", "engine_digest", "host", "invocation", "lease", "outcome", "peak_memory_bytes", "point",
        "point_digest", "point_file", "repeat", "run", "started", "sweep", "wall_s", "workload",
    ]

    /// The column that says from which checkpoint a run started, where points are evaluated from several: as no axis is
    /// called so, and what is measured of a point from several checkpoints is summed up.
    public static let checkpoint = "checkpoint"

    public static func isReserved(_ axis: String) -> Bool {
        let variable = variable(axis: axis)
        return reserved.contains { Names.variable(axis: $0) == variable }
    }

    /// The candidate that `word` was most likely meant to be; nil: none is near.
    public static func nearest(to word: String, in candidates: [String]) -> String? {
        guard word.utf8.count <= 100 else { return nil }
        let scored = candidates.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, word.utf8.count / 3) && best.distance < word.utf8.count ? best.name : nil
    }

    /// `a, b or c`.
    public static func list(_ names: [String]) -> String {
        guard names.count > 1, let last = names.last else { return names.first ?? "" }
        return "\(names.dropLast().joined(separator: ", ")) or \(last)"
    }

    /// What to write in place of a wrong word, for a message.
    ///
    /// - Parameter command: prints them, where they may be more than a message should hold.
    public static func suggestion(_ word: String, in known: [String], listedBy command: String? = nil) -> String {
        if let nearest = nearest(to: word, in: known) { return "did you mean '\(nearest)'?" }
        if known.count > 12, let command { return "see which there are: \(command)" }
        return "there are: \(known.prefix(40).joined(separator: ", "))"
    }

    /// Names that options list, with commas or one each: `a,b`; a name that is known may have commas itself.
    public static func listed(_ texts: [String], known: [String] = []) -> [String] {
        texts.flatMap { text in
            known.contains(text)
                ? [text] : text.split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
        }
    }

    /// A name from elsewhere as a message has it, cut after 200 characters.
    public static func shown(_ text: some StringProtocol) -> String { VisibleText.of(text, limit: 200) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5a ~= byte || 0x61...0x7a ~= byte
    }

    private static func upper(_ byte: UInt8) -> UInt8 { 0x61...0x7a ~= byte ? byte - 0x20 : byte }

    /// The least number of insertions, deletions, replacements and swaps of neighbours.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
