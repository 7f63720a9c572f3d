/// A host as people write it for SSH: `[user@]host[:port]` or `ssh://[user@]host[:port]`.
struct Destination: Hashable, Sendable {
    var user: String?
    /// A name, an address, or an alias of OpenSSH's configuration.
    var host: String
    var port: UInt16?

    init(user: String? = nil, host: String, port: UInt16? = nil) {
        self.user = user
        self.host = host
        self.port = port
    }

    init?(_ text: String) {
        var rest = Substring(text.filter { $0 != " " && $0 != "\t" })
        if rest.hasPrefix("ssh://") { rest = rest.dropFirst(6) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        var number: Substring?
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            let after = rest[rest.index(after: end)...]
            if after.hasPrefix(":") { number = after.dropFirst() } else if !after.isEmpty { return nil }
            rest = rest[rest.index(after: rest.startIndex)..<end]
        } else if let colon = rest.lastIndex(of: ":"), rest.firstIndex(of: ":") == colon {
            number = rest[rest.index(after: colon)...]
            rest = rest[..<colon]
        }
        if let number {
            guard let value = UInt16(number), value > 0 else { return nil }
            port = value
        }
        guard !rest.isEmpty, user != "" else { return nil }
        host = String(rest)
    }

    /// What is not a name at all; nil: nothing.
    var problem: String? {
        if !Destination.isSafe(host) { return "\(host.debugDescription) is not a host name" }
        if let user, !Destination.isSafe(user) { return "\(user.debugDescription) is not a user name" }
        return nil
    }

    /// No option (`-...`), no space, no control character, nothing that a shell reads as more than a word.
    static func isSafe(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), text.utf8.count <= 255 else { return false }
        let forbidden = Set("'\"`$\\;&<>|(){}*?!#~".utf8)
        return text.utf8.allSatisfy { $0 > 32 && $0 != 127 && !forbidden.contains($0) }
    }
}
