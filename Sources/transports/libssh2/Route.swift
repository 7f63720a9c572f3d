import Model
import Ports

/// One host on the way, with all that is known about how to connect and log in there.
struct Endpoint: Hashable, Sendable {
    /// The name that the user gave, for messages.
    var name: String
    var host: String
    var port: UInt16
    var user: String
    /// The name that known_hosts has it under.
    var keyName: String
    var identityFiles: [String]
    var identitiesOnly: Bool
    var knownHostsFiles: [String]
    var agentSocket: String?

    /// `user@host:port`, for messages.
    var address: String { "\(user)@\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// Begins every message about this host.
    var label: String { name == host ? "host \(address)" : "host \(name) (\(address))" }
}

/// The hosts from here to the target, which is the last; those before it are gateways.
struct Route: Hashable, Sendable {
    var hops: [Endpoint]

    var target: Endpoint { hops[hops.count - 1] }
    /// The way to the last gateway; nil: the target is reached directly.
    var toGateway: Route? { hops.count > 1 ? Route(hops: Array(hops.dropLast())) : nil }
}

/// Finds the route to a host from the inventory's entry and the OpenSSH configuration.
struct RoutePlanner {
    let config: OpenSSHConfig
    let settings: SSHSettings
    let account: Account

    private static let mostHops = 8

    func route(to target: HostTarget) throws(StreamEnd) -> Route {
        try route(
            to: JumpHost(user: target.user, host: target.address ?? target.name, port: target.port),
            name: target.name, jump: target.jump, depth: 0)
    }

    private func route(to host: JumpHost, name: String, jump: String?, depth: Int) throws(StreamEnd) -> Route {
        guard depth < RoutePlanner.mostHops else {
            throw misconfigured(
                "host \(name): more than \(RoutePlanner.mostHops) jump hosts; ProxyJump leads in a circle")
        }
        let found = try lookUp(host, name: name)
        let endpoint = try endpoint(host, name: name, found: found)
        if jump == nil, found.proxyJump == nil, let command = found.proxyCommand {
            throw misconfigured(
                "host \(name): \(command.place) sets ProxyCommand, which libssh2 cannot use; "
                    + "write `transport: ssh` for this host in the inventory, or use ProxyJump")
        }
        let value = jump ?? found.proxyJump ?? "none"
        guard value.lowercased() != "none" else { return Route(hops: [endpoint]) }
        var hops: [Endpoint] = []
        for (index, word) in value.split(separator: ",").enumerated() {
            guard let gateway = JumpHost(String(word)) else {
                throw misconfigured("host \(name): `\(word)` is not a jump host; write [user@]host[:port]")
            }
            if index == 0 {
                hops = try route(to: gateway, name: gateway.host, jump: nil, depth: depth + 1).hops
            } else {
                hops.append(try self.endpoint(gateway, name: gateway.host, found: lookUp(gateway, name: gateway.host)))
            }
        }
        return Route(hops: hops + [endpoint])
    }

    private func lookUp(_ host: JumpHost, name: String) throws(StreamEnd) -> OpenSSHConfig.Settings {
        guard HostName.isSafe(host.host) else {
            throw misconfigured("host \(name.debugDescription): \(host.host.debugDescription) is not a host name")
        }
        if let user = host.user, !HostName.isSafe(user) {
            throw misconfigured("host \(name.debugDescription): \(user.debugDescription) is not a user name")
        }
        do {
            return try config.settings(for: host.host, user: host.user, account: account)
        } catch {
            throw misconfigured("host \(name): \(error.message)")
        }
    }

    private func endpoint(
        _ host: JumpHost, name: String, found: OpenSSHConfig.Settings
    ) throws(StreamEnd) -> Endpoint {
        let hostName = found.hostName ?? host.host
        guard HostName.isSafe(hostName) else {
            throw misconfigured("host \(name): HostName \(hostName.debugDescription) is not a host name")
        }
        let port = host.port ?? found.port ?? 22
        let user = host.user ?? found.user ?? account.user
        let tokens = OpenSSHConfig.Tokens(
            alias: host.host, hostName: hostName, port: port, user: user, account: account)
        do throws(ConfigProblem) {
            var named: [String] = []
            for file in settings.identityFiles + found.identityFiles { named.append(try tokens.path(file)) }
            let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map { "\(account.home)/.ssh/\($0)" }
            var socket = account.agentSocket
            if let agent = found.identityAgent { socket = try tokens.agentSocket(agent) }
            return Endpoint(
                name: name, host: hostName, port: port, user: user,
                keyName: found.hostKeyAlias ?? hostName.lowercased(),
                identityFiles: named.isEmpty ? usual : named, identitiesOnly: found.identitiesOnly,
                knownHostsFiles: try knownHosts(found, tokens), agentSocket: socket)
        } catch {
            throw misconfigured("host \(name): \(error.message)")
        }
    }

    private func knownHosts(
        _ found: OpenSSHConfig.Settings, _ tokens: OpenSSHConfig.Tokens
    ) throws(ConfigProblem) -> [String] {
        if let files = settings.knownHostsFiles { return files }
        let usual = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
        let global = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
        var paths: [String] = []
        let files = (found.userKnownHostsFiles ?? usual) + (found.globalKnownHostsFiles ?? global)
        for file in files where file != "none" {
            paths.append(try tokens.path(file))
        }
        return paths
    }

    private func misconfigured(_ text: String) -> StreamEnd { StreamEnd(kind: .misconfigured, message: text) }
}

/// A host as `ProxyJump` writes it: `[user@]host[:port]` or `ssh://[user@]host[:port]`.
struct JumpHost: Equatable {
    var user: String?
    var host: String
    var port: UInt16?

    init(user: String?, host: String, port: UInt16?) {
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
}

/// What may stand as the name of a host or user.
enum HostName {
    /// No option (`-...`), no space, no control character, nothing that a shell reads as more than a word.
    static func isSafe(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), text.utf8.count <= 255 else { return false }
        let forbidden = Set("'\"`$\\;&<>|(){}*?!#~".utf8)
        return text.utf8.allSatisfy { $0 > 32 && $0 != 127 && !forbidden.contains($0) }
    }
}
