import Ports

/// What OpenSSH's configuration says about one host, as `ssh -G` prints it.
struct HostConfiguration: Hashable, Sendable {
    /// The host as it was asked for.
    var destination: Destination
    /// Values by keyword, in their order. Empty without the `ssh` program: only the inventory counts then.
    private var values: [String: [String]] = [:]

    /// - Parameter printed: what `ssh -G` printed: a line for each value, the keyword first.
    init(_ destination: Destination, printed: String = "") {
        self.destination = destination
        for line in printed.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard let keyword = parts.first else { continue }
            values[keyword.lowercased(), default: []].append(parts.count > 1 ? String(parts[1]) : "")
        }
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
