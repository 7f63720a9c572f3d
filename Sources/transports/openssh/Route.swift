import Ports

/// What OpenSSH's configuration says about one host, as `ssh -G` prints it.
struct HostConfiguration: Hashable, Sendable {
    /// The host as it was asked for.
    var destination: Destination
    /// Values by keyword, in their order. Empty without the `ssh` program: only the inventory counts then.
    private var values: [String: [String]] = [:]
    /// Those of ``lists`` that say something else than they do without any configuration.
    private(set) var changedLists: [String] = []

    /// What may be used with a host: algorithms, and ways to log in. Older versions of `ssh` have another word for one.
    private static let lists = [
        "HostKeyAlgorithms", "PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes", "PreferredAuthentications",
        "Ciphers", "KexAlgorithms", "MACs",
    ]

    /// - Parameters:
    ///   - printed: what `ssh -G` printed: a line for each value, the keyword first.
    ///   - usual: the same without any configuration; nil: nobody asked.
    init(_ destination: Destination, printed: String = "", usual: String? = nil) {
        self.destination = destination
        values = HostConfiguration.parsed(printed)
        guard let usual else { return }
        let others = HostConfiguration.parsed(usual)
        for list in HostConfiguration.lists where values[list.lowercased()] != others[list.lowercased()] {
            changedLists.append(list)
        }
    }

    private static func parsed(_ printed: String) -> [String: [String]] {
        var values: [String: [String]] = [:]
        for line in printed.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard let keyword = parts.first else { continue }
            values[keyword.lowercased(), default: []].append(parts.count > 1 ? String(parts[1]) : "")
        }
        return values
    }

    /// Whether a variable says how people are spoken to: configurations that systems come with name these in `SendEnv`,
    /// and no run is to depend on them. Usweep sends none of them, whichever way it goes.
    ///
    /// - Parameter name: of a variable, or a pattern of `SendEnv`.
    static func isForPeople(_ name: String) -> Bool {
        name.hasPrefix("LC_") || ["LANG", "LANGUAGE", "COLORTERM", "NO_COLOR", "XMODIFIERS"].contains(name)
    }

    /// All values of a keyword; `none` is left out.
    func all(_ keyword: String) -> [String] { values[keyword, default: []].filter { $0.lowercased() != "none" } }

    /// The first value; nil: none.
    subscript(_ keyword: String) -> String? { all(keyword).first }

    func isYes(_ keyword: String) -> Bool { ["yes", "true"].contains(self[keyword]) }

    /// Whether the keyword has a value, though it may be `none`.
    func says(_ keyword: String) -> Bool { values[keyword] != nil }

    var host: String { self["hostname"] ?? destination.host }
    var port: UInt16 { self["port"].flatMap { UInt16($0) } ?? destination.port ?? 22 }
    func user(_ account: Account) -> String { self["user"] ?? destination.user ?? account.user }
}

/// The hosts from here to the target, which is the last; those before it are gateways.
struct Route: Hashable, Sendable {
    /// The target's name in the inventory.
    var name: String
    var hops: [HostConfiguration]
    var account: String
    /// Whether much is to be sent on it.
    var takesMuch = false

    var target: HostConfiguration { hops[hops.count - 1] }

    /// Begins every message about the target.
    var label: String { Route.label(name: name, user: target["user"] ?? account, host: target.host, port: target.port) }

    static func label(name: String, user: String, host: String, port: UInt16) -> String {
        let address = "\(user)@\(host.contains(":") ? "[\(host)]" : host):\(port)"
        return name == host ? "host \(address)" : "host \(name) (\(address))"
    }
}
