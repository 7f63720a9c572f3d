import Model

/// The host keys that the user trusts, as `known_hosts` files have them.
struct KnownHosts: Sendable {
    enum Marker: Sendable { case none, revoked, authority }

    struct Entry: Sendable {
        var marker: Marker
        var hosts: String
        /// `ssh-ed25519` and so on.
        var type: String
        var key: [UInt8]
        /// `FILE:LINE`.
        var place: String
    }

    /// What a key that a host shows is to the user.
    enum Standing: Equatable {
        case trusted
        case unknown
        /// Another key of the same type is on record.
        case changed(place: String)
        case revoked(place: String)
    }

    private(set) var entries: [Entry] = []

    /// Reads all files that exist. Lines that make no sense are skipped, as OpenSSH does.
    init(files: [String]) {
        for file in files {
            guard let bytes = readFile(file) else { continue }
            for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
                if let entry = KnownHosts.entry(line, place: "\(file):\(index + 1)") { entries.append(entry) }
            }
        }
    }

    private static func entry(_ line: ArraySlice<UInt8>, place: String) -> Entry? {
        var words = line.split { $0 == 32 || $0 == 9 || $0 == 13 }.map { String(decoding: $0, as: UTF8.self) }
        guard let first = words.first, !first.hasPrefix("#") else { return nil }
        var marker = Marker.none
        if first.hasPrefix("@") {
            switch first {
            case "@revoked": marker = .revoked
            case "@cert-authority": marker = .authority
            default: return nil
            }
            words.removeFirst()
        }
        guard words.count >= 3, let key = Base64.decode(words[2].utf8) else { return nil }
        return Entry(marker: marker, hosts: words[0], type: words[1], key: key, place: place)
    }

    /// `host`, or `[host]:port` where the port is another than 22.
    static func name(_ host: String, port: UInt16) -> String { port == 22 ? host : "[\(host)]:\(port)" }

    /// Entries for a host: under its full name, and under the one without a port.
    private func entries(for host: Endpoint) -> (exact: [Entry], bare: [Entry]) {
        let exact = entries.filter { KnownHosts.matches($0.hosts, host.keyName) }
        let bare = host.bareKeyName.map { name in entries.filter { KnownHosts.matches($0.hosts, name) } }
        return (exact, bare ?? [])
    }

    func standing(of key: [UInt8], shownBy host: Endpoint) -> Standing {
        let (exact, bare) = entries(for: host)
        // A revoked key is refused under whatever name it appears.
        if let entry = (exact + bare).first(where: { $0.marker == .revoked && $0.key == key }) {
            return .revoked(place: entry.place)
        }
        let plain = exact.filter { $0.marker == .none }
        if plain.contains(where: { $0.key == key }) { return .trusted }
        let type = SSHBytes.keyType(of: key)
        if let other = plain.first(where: { $0.type == type }) { return .changed(place: other.place) }
        if plain.isEmpty, bare.contains(where: { $0.marker == .none && $0.key == key }) { return .trusted }
        return .unknown
    }

    /// The types of the keys on record, in their order.
    func keyTypes(of host: Endpoint) -> [String] {
        let (exact, bare) = entries(for: host)
        var types: [String] = []
        for entry in exact + bare where entry.marker == .none && !types.contains(entry.type) {
            types.append(entry.type)
        }
        return types
    }

    /// Whether there is a key that may sign certificates of this host.
    func hasAuthority(of host: Endpoint) -> Bool {
        let (exact, bare) = entries(for: host)
        return (exact + bare).contains { $0.marker == .authority }
    }

    private static func matches(_ hosts: String, _ name: String) -> Bool {
        if hosts.hasPrefix("|1|") {
            let parts = hosts.split(separator: "|")
            guard parts.count == 3, let salt = Base64.decode(parts[1].utf8) else { return false }
            return Base64.decode(parts[2].utf8) == Crypto.hmacSHA1(key: salt, Array(name.lowercased().utf8))
        }
        return Pattern.list(hosts.lowercased().split(separator: ",").map(String.init), matches: name.lowercased())
    }

    /// As `ssh-keygen -l` shows it.
    static func fingerprint(_ key: [UInt8]) -> String { "SHA256:" + Base64.encodeUnpadded(SHA256.digest(key).bytes) }
}

/// OpenSSH's patterns: `*`, `?`, lists with `!`.
enum Pattern {
    /// True when a pattern matches and none with `!` does.
    static func list(_ patterns: [String], matches text: String) -> Bool {
        var found = false
        for pattern in patterns {
            if pattern.hasPrefix("!") {
                if Glob(String(pattern.dropFirst())).matches(text) { return false }
            } else if Glob(pattern).matches(text) {
                found = true
            }
        }
        return found
    }
}
