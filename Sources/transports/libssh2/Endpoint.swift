/// One host on the way, with all that libssh2 needs to know to connect and log in there.
struct Endpoint: Hashable, Sendable {
    /// The name that the user gave, for messages.
    var name: String
    var host: String
    var port: UInt16
    var user: String
    /// The name that known_hosts has it under, with its port where that is not 22.
    var keyName: String
    /// The same without the port; nil: there is none.
    var bareKeyName: String?
    var identityFiles: [String]
    var identitiesOnly: Bool
    var knownHostsFiles: [String]
    /// Where a key that is accepted goes; nil: the configuration keeps none.
    var acceptedKeysFile: String?
    /// Whether its key is looked for by its own name, and not by an alias (HostKeyAlias).
    var isKnownByItsName: Bool { keyName == KnownHosts.name(host.lowercased(), port: port) }
    var agentSocket: String?
    /// Ways to log in that `ssh` would try and libssh2 cannot, as the host would offer them.
    var otherMethods: [String]
    /// Where the socket of a connection is that `ssh` shares, if there is one.
    var controlPath: String?

    /// `user@host:port`, for messages.
    var address: String { "\(user)@\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// Begins every message about this host.
    var label: String { Route.label(name: name, user: user, host: host, port: port) }
}

/// A ``Route`` that libssh2 can take.
struct LibraryRoute: Hashable, Sendable {
    var hops: [Endpoint]

    var target: Endpoint { hops[hops.count - 1] }
    /// The way to the last gateway; nil: the target is reached directly.
    var toGateway: LibraryRoute? { hops.count > 1 ? LibraryRoute(hops: Array(hops.dropLast())) : nil }

    init(hops: [Endpoint]) { self.hops = hops }

    /// - Throws: what the configuration asks for that is beyond libssh2, or that is not certain to mean the same here.
    init(_ route: Route, account: Account) throws(Obstacle) {
        hops = []
        for (index, hop) in route.hops.enumerated() {
            let isTarget = index + 1 == route.hops.count
            let planner = EndpointPlanner(
                hop: hop, name: isTarget ? route.name : hop.destination.host, account: account)
            do {
                hops.append(try planner.endpoint())
            } catch {
                let text = isTarget ? error.text : "of its gateway \(hop.destination.host), \(error.text)"
                throw Obstacle(text: text)
            }
        }
    }
}

/// Looks whether what OpenSSH's configuration says about a host is within libssh2's powers, and puts it in its terms.
struct EndpointPlanner {
    let hop: HostConfiguration
    let name: String
    let account: Account

    func endpoint() throws(Obstacle) -> Endpoint {
        try checkSettings()
        var identities: [String] = []
        for file in hop.all("identityfile") { identities.append(try path(file)) }
        if !hop.says("identityfile") {
            identities = ["id_ed25519", "id_ecdsa", "id_rsa"].map { "\(account.home)/.ssh/\($0)" }
        }
        if let signed = identities.first(where: { readFile($0 + "-cert.pub") != nil }) {
            throw Obstacle(text: "the key \(signed) has a user certificate, \(signed)-cert.pub")
        }
        let alias = hop["hostkeyalias"]?.lowercased()
        let host = hop.host.lowercased()
        let endpoint = Endpoint(
            name: name, host: hop.host, port: hop.port, user: hop.user(account),
            keyName: alias ?? KnownHosts.name(host, port: hop.port),
            bareKeyName: alias == nil && hop.port != 22 ? host : nil,
            identityFiles: identities, identitiesOnly: hop.isYes("identitiesonly"),
            knownHostsFiles: try knownHosts(), acceptedKeysFile: try ownKnownHosts().first { $0 != "/dev/null" },
            agentSocket: try agentSocket(), otherMethods: otherMethods,
            controlPath: hop["controlpath"])
        try checkKeys(of: endpoint)
        return endpoint
    }

    /// Settings that matter to reaching a host and that only `ssh` follows. A word each, and what it is.
    private static let beyond = [
        ("proxycommand", "it is reached by a ProxyCommand"),
        ("certificatefile", "it uses a user certificate (CertificateFile)"),
        ("revokedhostkeys", "its configuration names a list of revoked keys (RevokedHostKeys)"),
        ("knownhostscommand", "its host keys come from a program (KnownHostsCommand)"),
        ("pkcs11provider", "its login keys are on a hardware token (PKCS11Provider)"),
        ("bindaddress", "its configuration sets BindAddress"),
        ("bindinterface", "its configuration sets BindInterface"),
        ("setenv", "its configuration sets environment variables (SetEnv)"),
    ]

    private func checkSettings() throws(Obstacle) {
        for (keyword, text) in EndpointPlanner.beyond where hop[keyword] != nil { throw Obstacle(text: text) }
        if let family = hop["addressfamily"], family != "any" {
            throw Obstacle(text: "its configuration sets AddressFamily \(family)")
        }
        if let answer = hop["pubkeyauthentication"], !["yes", "true"].contains(answer) {
            throw Obstacle(text: "its configuration forbids logins with keys (PubkeyAuthentication \(answer))")
        }
        if hop.isYes("verifyhostkeydns") { throw Obstacle(text: "its host key is looked up in DNS (VerifyHostKeyDNS)") }
        if let name = hop.all("sendenv").first(where: { !HostConfiguration.isForPeople($0) }) {
            throw Obstacle(text: "its configuration sends environment variables of this machine (SendEnv \(name))")
        }
        if !hop.changedLists.isEmpty {
            let names = hop.changedLists.joined(separator: ", ")
            throw Obstacle(text: "its ssh configuration restricts algorithms or login methods (\(names))")
        }
        if hop.isYes("checkhostip") {
            throw Obstacle(text: "the key of its IP address is to be checked as well (CheckHostIP)")
        }
    }

    private var otherMethods: [String] {
        var methods: [String] = []
        if hop.isYes("gssapiauthentication") { methods.append("gssapi-with-mic") }
        if hop.isYes("hostbasedauthentication") { methods.append("hostbased") }
        return methods
    }

    /// What `known_hosts` has for the host may be beyond libssh2, too.
    private func checkKeys(of endpoint: Endpoint) throws(Obstacle) {
        let known = KnownHosts(files: endpoint.knownHostsFiles)
        if known.hasAuthority(of: endpoint) {
            throw Obstacle(text: "known_hosts names a certificate authority for it")
        }
        let types = known.keyTypes(of: endpoint)
        if !types.isEmpty, !types.contains(where: { SSHLink.hostKeyTypes.contains($0) }) {
            throw Obstacle(text: "known_hosts has only keys of type \(types.joined(separator: ", ")) for it")
        }
    }

    // MARK: Files

    private func knownHosts() throws(Obstacle) -> [String] {
        let global = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
        return try ownKnownHosts() + files("globalknownhostsfile", global)
    }

    private func ownKnownHosts() throws(Obstacle) -> [String] {
        let usual = ["\(account.home)/.ssh/known_hosts", "\(account.home)/.ssh/known_hosts2"]
        return try files("userknownhostsfile", usual)
    }

    /// `ssh -G` prints several files without quotes: a name with a space looks like two.
    private func files(_ keyword: String, _ usual: [String]) throws(Obstacle) -> [String] {
        guard hop.says(keyword) else { return usual }
        let names = (hop[keyword] ?? "").split(separator: " ", omittingEmptySubsequences: false)
        if let name = names.first(where: { !$0.hasPrefix("/") }), hop[keyword] != nil {
            throw Obstacle(text: "its \(keyword) names a file with a space or a relative path (\(name))")
        }
        return names.map(String.init).filter { !$0.isEmpty }
    }

    private func agentSocket() throws(Obstacle) -> String? {
        guard hop.says("identityagent") else { return account.agentSocket }
        switch hop["identityagent"] {
        case nil: return nil
        case "SSH_AUTH_SOCK", "$SSH_AUTH_SOCK": return account.agentSocket
        case let text?: return try path(text)
        }
    }

    /// `ssh -G` leaves `~` and tokens in the names of keys.
    private func path(_ text: String) throws(Obstacle) -> String {
        var path = text
        if path.hasPrefix("~/") { path = account.home + path.dropFirst() }
        guard !path.contains("${"), !path.hasPrefix("~"), let replaced = EndpointPlanner.replaced(path, token) else {
            throw Obstacle(text: "only ssh can tell which file \(text) is")
        }
        guard replaced.hasPrefix("/") else { throw Obstacle(text: "\(text) is a relative path") }
        return replaced
    }

    private func token(_ letter: Character) -> String? {
        switch letter {
        case "%": "%"
        case "d": account.home
        case "u": account.user
        case "i": String(account.number)
        case "h": hop.host
        case "n": hop.destination.host
        case "r": hop.user(account)
        case "p": String(hop.port)
        default: nil
        }
    }

    private static func replaced(_ text: String, _ token: (Character) -> String?) -> String? {
        var result = ""
        var iterator = text.makeIterator()
        while let character = iterator.next() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            guard let value = iterator.next().flatMap(token) else { return nil }
            result += value
        }
        return result
    }
}
