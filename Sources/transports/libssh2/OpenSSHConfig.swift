import Glibc

/// Something in a configuration file that cannot work: file, line and what to do.
struct ConfigProblem: Error, Equatable {
    var message: String
}

/// The part of OpenSSH's client configuration that concerns reaching a host and logging in there.
///
/// As in `ssh_config(5)`: of several values the first one counts; `IdentityFile` adds up. Nothing here can
/// weaken the check of host keys.
struct OpenSSHConfig: Sendable {
    /// When a line counts.
    enum Condition: Sendable, Equatable {
        case host([String])
        case match([(String, String)], place: String)
        /// A `Match` that this parser cannot evaluate.
        case unknown(place: String)

        static func == (left: Condition, right: Condition) -> Bool {
            switch (left, right) {
            case (.host(let a), .host(let b)): a == b
            case (.match(let a, let x), .match(let b, let y)):
                x == y && a.map(\.0) == b.map(\.0) && a.map(\.1) == b.map(\.1)
            case (.unknown(let a), .unknown(let b)): a == b
            case (.host, _), (.match, _), (.unknown, _): false
            }
        }
    }

    struct Line: Sendable {
        var keyword: String
        var arguments: [String]
        /// `FILE:LINE`.
        var place: String
        /// All must hold: that of the file's own block, and those around its `Include`.
        var conditions: [Condition]
    }

    /// A value and where it stands.
    struct Placed: Sendable, Equatable {
        var value: String
        var place: String
    }

    /// What is said about one host; nil: nothing.
    struct Settings: Sendable, Equatable {
        var hostName: String?
        var port: UInt16?
        var user: String?
        var identityFiles: [String] = []
        var identitiesOnly = false
        var identityAgent: String?
        var proxyJump: String?
        var proxyCommand: Placed?
        var userKnownHostsFiles: [String]?
        var globalKnownHostsFiles: [String]?
        var hostKeyAlias: String?
    }

    var lines: [Line]

    /// - Parameters:
    ///   - file: read alone when given; it has to exist.
    ///   - account: whose `~/.ssh/config` is read otherwise.
    static func load(file: String?, account: Account) throws(ConfigProblem) -> OpenSSHConfig {
        var reader = ConfigReader(account: account)
        if let file {
            try reader.read(file, within: [], isUsers: true, depth: 0, mustExist: true)
        } else {
            try reader.read("\(account.home)/.ssh/config", within: [], isUsers: true, depth: 0, mustExist: false)
            try reader.read("/etc/ssh/ssh_config", within: [], isUsers: false, depth: 0, mustExist: false)
        }
        return OpenSSHConfig(lines: reader.lines)
    }

    /// - Parameter alias: the name as the user wrote it.
    func settings(for alias: String, user: String?, account: Account) throws(ConfigProblem) -> Settings {
        var settings = Settings()
        var seen: Set<String> = []
        for line in lines {
            let isList = line.keyword == "identityfile"
            if !isList && seen.contains(line.keyword) { continue }
            guard OpenSSHConfig.keywords.contains(line.keyword) else { continue }
            let subject = Subject(
                alias: alias, hostName: settings.hostName ?? alias, user: user ?? settings.user ?? account.user,
                localUser: account.user)
            guard try holds(line, subject) else { continue }
            seen.insert(line.keyword)
            try settings.take(line, alias: alias)
        }
        return settings
    }

    static let keywords: Set<String> = [
        "hostname", "port", "user", "identityfile", "identitiesonly", "identityagent", "proxyjump", "proxycommand",
        "userknownhostsfile", "globalknownhostsfile", "hostkeyalias",
    ]

    private struct Subject {
        var alias: String
        var hostName: String
        var user: String
        var localUser: String
    }

    private func holds(_ line: Line, _ subject: Subject) throws(ConfigProblem) -> Bool {
        var unknown: String?
        for condition in line.conditions {
            switch condition {
            case .host(let patterns):
                if !Pattern.list(patterns, matches: subject.alias) { return false }
            case .match(let criteria, _):
                for (name, list) in criteria where !OpenSSHConfig.criterion(name, list, subject) { return false }
            case .unknown(let place):
                unknown = place
            }
        }
        if let unknown {
            throw ConfigProblem(
                message: "\(unknown): this Match is not understood here, and it may set \(line.keyword) "
                    + "(\(line.place)) for this host; use a Host block, or `transport: ssh` in the inventory")
        }
        return true
    }

    private static func criterion(_ name: String, _ list: String, _ subject: Subject) -> Bool {
        let patterns = list.split(separator: ",").map(String.init)
        return switch name {
        case "host": Pattern.list(patterns, matches: subject.hostName)
        case "originalhost": Pattern.list(patterns, matches: subject.alias)
        case "user": Pattern.list(patterns, matches: subject.user)
        case "localuser": Pattern.list(patterns, matches: subject.localUser)
        default: true  // `all`
        }
    }
}

extension OpenSSHConfig.Settings {
    mutating func take(_ line: OpenSSHConfig.Line, alias: String) throws(ConfigProblem) {
        guard let value = line.arguments.first else {
            throw ConfigProblem(message: "\(line.place): \(line.keyword) has no value")
        }
        switch line.keyword {
        case "hostname":
            let parts = value.replacingPercent { $0 == "h" ? alias : nil }
            guard let parts else { throw ConfigProblem(message: "\(line.place): HostName \(value): only %h and %%") }
            hostName = parts
        case "port":
            guard let number = UInt16(value), number > 0 else {
                throw ConfigProblem(message: "\(line.place): `\(value)` is not a port; write a number from 1 to 65535")
            }
            port = number
        case "user": user = value
        case "identityfile": if value.lowercased() != "none" { identityFiles.append(value) }
        case "identitiesonly": identitiesOnly = ["yes", "true"].contains(value.lowercased())
        case "identityagent": identityAgent = value
        case "proxyjump": if proxyCommand == nil { proxyJump = value }
        case "proxycommand":
            // Of the two, the one that stands first counts.
            if proxyJump == nil, value.lowercased() != "none" {
                proxyCommand = OpenSSHConfig.Placed(value: line.arguments.joined(separator: " "), place: line.place)
            }
        case "userknownhostsfile": userKnownHostsFiles = line.arguments
        case "globalknownhostsfile": globalKnownHostsFiles = line.arguments
        case "hostkeyalias": hostKeyAlias = value.lowercased()
        default: break
        }
    }
}

extension String {
    /// Replaces `%x` by what `value` says, `%%` by `%`; nil where `value` does not know it.
    func replacingPercent(_ value: (Character) -> String?) -> String? {
        var result = ""
        var iterator = makeIterator()
        while let character = iterator.next() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            guard let token = iterator.next() else { return nil }
            if token == "%" {
                result.append("%")
            } else if let text = value(token) {
                result += text
            } else {
                return nil
            }
        }
        return result
    }
}

extension OpenSSHConfig {
    /// What `%` and `~` stand for in file names.
    struct Tokens {
        var alias: String
        var hostName: String
        var port: UInt16
        var user: String
        var account: Account

        func path(_ text: String) throws(ConfigProblem) -> String {
            var path = text
            if path == "~" || path.hasPrefix("~/") { path = account.home + path.dropFirst() }
            if path.hasPrefix("${HOME}") { path = account.home + path.dropFirst(7) }
            let replaced = path.replacingPercent { token in
                switch token {
                case "d": account.home
                case "u": account.user
                case "h": hostName
                case "n": alias
                case "r": user
                case "p": String(port)
                default: nil
                }
            }
            guard let replaced else {
                throw ConfigProblem(message: "`\(text)`: only %d %u %h %n %r %p %% are known in file names here")
            }
            return replaced
        }

        func agentSocket(_ text: String) throws(ConfigProblem) -> String? {
            switch text {
            case "none": nil
            case "SSH_AUTH_SOCK", "$SSH_AUTH_SOCK": account.agentSocket
            default: try path(text)
            }
        }
    }
}

/// OpenSSH's patterns: `*`, `?`, lists with `!`.
enum Pattern {
    /// True when a pattern matches and none with `!` does.
    static func list(_ patterns: [String], matches text: String) -> Bool {
        var found = false
        for pattern in patterns {
            if pattern.hasPrefix("!") {
                if matches(Array(pattern.utf8.dropFirst()), Array(text.utf8)) { return false }
            } else if matches(Array(pattern.utf8), Array(text.utf8)) {
                found = true
            }
        }
        return found
    }

    /// Backtracks to the last `*` only, so that the time is at most the product of both lengths.
    private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var (p, t) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                p = last.pattern + 1
                t = last.text + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
