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

    enum Verdict: Equatable {
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

    /// Entries for a host. For another port than 22, those for the bare name follow.
    private func entries(for host: String, port: UInt16) -> (exact: [Entry], bare: [Entry]) {
        let name = KnownHosts.name(host, port: port)
        let exact = entries.filter { KnownHosts.matches($0.hosts, name) }
        return (exact, port == 22 ? [] : entries.filter { KnownHosts.matches($0.hosts, host) })
    }

    func verdict(host: String, port: UInt16, key: [UInt8]) -> Verdict {
        let (exact, bare) = entries(for: host, port: port)
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
    func keyTypes(host: String, port: UInt16) -> [String] {
        let (exact, bare) = entries(for: host, port: port)
        var types: [String] = []
        for entry in exact + bare where entry.marker == .none && !types.contains(entry.type) {
            types.append(entry.type)
        }
        return types
    }

    /// The keys that may sign certificates of this host.
    func authorities(host: String, port: UInt16) -> [[UInt8]] {
        let (exact, bare) = entries(for: host, port: port)
        return (exact + bare).filter { $0.marker == .authority }.map(\.key)
    }

    private static func matches(_ hosts: String, _ name: String) -> Bool {
        if hosts.hasPrefix("|1|") {
            let parts = hosts.split(separator: "|")
            guard parts.count == 3, let salt = Base64.decode(parts[1].utf8) else { return false }
            return Base64.decode(parts[2].utf8) == SHA1.hmac(key: salt, Array(name.lowercased().utf8))
        }
        return Pattern.list(hosts.lowercased().split(separator: ",").map(String.init), matches: name.lowercased())
    }

    /// As `ssh-keygen -l` shows it.
    static func fingerprint(_ key: [UInt8]) -> String { "SHA256:" + Base64.encode(SHA256.digest(key).bytes) }
}

/// Reads the strings of SSH's binary format (RFC 4251, section 5).
struct SSHBytes {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    var remaining: [UInt8] { Array(rest) }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func longNumber() -> UInt64? {
        guard let high = number(), let low = number() else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    mutating func string() -> [UInt8]? {
        guard let count = number(), rest.count >= Int(count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }

    mutating func text() -> String? { string().map { String(decoding: $0, as: UTF8.self) } }

    static func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    static func string(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count) + bytes }
    static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }

    /// The type that a public key begins with.
    static func keyType(of key: [UInt8]) -> String {
        var reader = SSHBytes(key)
        return reader.text() ?? "unknown"
    }
}
