import Glibc

/// Reads OpenSSH configuration files into lines with their conditions; follows `Include`.
struct ConfigReader {
    let account: Account
    private(set) var lines: [OpenSSHConfig.Line] = []

    private static let deepest = 16

    init(account: Account) { self.account = account }

    /// - Parameters:
    ///   - isUsers: relative includes are below `~/.ssh`, else below `/etc/ssh`.
    mutating func read(
        _ path: String, within outer: [OpenSSHConfig.Condition], isUsers: Bool, depth: Int, mustExist: Bool
    ) throws(ConfigProblem) {
        guard depth <= ConfigReader.deepest else {
            throw ConfigProblem(message: "\(path): Include is nested more than \(ConfigReader.deepest) deep")
        }
        guard let bytes = readFile(path) else {
            if errno == ENOENT && !mustExist { return }
            throw ConfigProblem(message: "\(path): cannot be read (\(String(cString: strerror(errno))))")
        }
        var conditions = outer
        let text = String(decoding: bytes, as: UTF8.self)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let place = "\(path):\(index + 1)"
            guard var words = try ConfigReader.words(String(line), place: place), !words.isEmpty else { continue }
            let keyword = words.removeFirst().lowercased()
            switch keyword {
            case "host": conditions = outer + [.host(words)]
            case "match": conditions = outer + [ConfigReader.condition(words, place: place)]
            case "include":
                for file in words {
                    try include(file, within: conditions, isUsers: isUsers, depth: depth, place: place)
                }
            default:
                lines.append(
                    OpenSSHConfig.Line(keyword: keyword, arguments: words, place: place, conditions: conditions))
            }
        }
    }

    private mutating func include(
        _ name: String, within conditions: [OpenSSHConfig.Condition], isUsers: Bool, depth: Int, place: String
    ) throws(ConfigProblem) {
        var pattern = name
        if pattern.hasPrefix("~/") {
            pattern = account.home + pattern.dropFirst()
        } else if !pattern.hasPrefix("/") {
            pattern = (isUsers ? "\(account.home)/.ssh/" : "/etc/ssh/") + pattern
        }
        for file in ConfigReader.glob(pattern) {
            try read(file, within: conditions, isUsers: isUsers, depth: depth + 1, mustExist: false)
        }
    }

    /// The files that match, in the order of their names.
    private static func glob(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard Glibc.glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }

    private static func condition(_ words: [String], place: String) -> OpenSSHConfig.Condition {
        var criteria: [(String, String)] = []
        var rest = words[...]
        while let name = rest.popFirst()?.lowercased() {
            if name == "all" { continue }
            guard ["host", "originalhost", "user", "localuser"].contains(name), let list = rest.popFirst() else {
                return .unknown(place: place)
            }
            criteria.append((name, list))
        }
        return .match(criteria, place: place)
    }

    /// Splits `Keyword value...`, `Keyword=value` and quoted values. Nil: nothing on the line.
    static func words(_ line: String, place: String) throws(ConfigProblem) -> [String]? {
        let characters = Array(line.utf8)
        var position = 0
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 12 }
        func skipSpace() { while position < characters.count, isSpace(characters[position]) { position += 1 } }
        skipSpace()
        guard position < characters.count, characters[position] != UInt8(ascii: "#") else { return nil }
        let start = position
        while position < characters.count, !isSpace(characters[position]), characters[position] != UInt8(ascii: "=") {
            position += 1
        }
        var words = [String(decoding: characters[start..<position], as: UTF8.self)]
        skipSpace()
        if position < characters.count, characters[position] == UInt8(ascii: "=") { position += 1 }
        while true {
            skipSpace()
            guard position < characters.count, characters[position] != UInt8(ascii: "#") else { return words }
            var word: [UInt8] = []
            var quote: UInt8?
            while position < characters.count {
                let byte = characters[position]
                if let open = quote {
                    if byte == open { quote = nil } else { word.append(byte) }
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                } else if isSpace(byte) {
                    break
                } else {
                    word.append(byte)
                }
                position += 1
            }
            guard quote == nil else { throw ConfigProblem(message: "\(place): a quotation mark is not closed") }
            words.append(String(decoding: word, as: UTF8.self))
        }
    }
}
