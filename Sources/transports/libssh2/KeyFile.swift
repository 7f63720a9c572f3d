import Glibc

/// What can be said about a private key file without its passphrase.
struct KeyFile {
    enum Kind: Equatable {
        case usable
        case missing
        case unreadable(String)
        /// A private key that others than its owner can read, which `ssh` does not use.
        case exposed
        case encrypted
        /// RSA: libssh2 1.10 signs with SHA-1 only, which servers refuse since OpenSSH 8.8.
        case rsa
        /// A key on a hardware token.
        case token
        /// A user's certificate.
        case certificate
        case other(String)
    }

    var path: String
    var kind: Kind
    /// The public half, where the file (or the `.pub` beside it) shows it.
    var publicKey: [UInt8]?

    init(path: String) {
        self.path = path
        publicKey = KeyFile.publicKey(beside: path)
        guard let bytes = readFile(path) else {
            kind = errno == ENOENT ? .missing : .unreadable(String(cString: strerror(errno)))
            return
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            (kind, publicKey) = KeyFile.readOpenSSH(text, publicKey)
        } else if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("ENCRYPTED") {
            kind = .encrypted
        } else if text.contains("BEGIN RSA PRIVATE KEY") {
            kind = .rsa
        } else if text.contains("BEGIN EC PRIVATE KEY") || text.contains("BEGIN PRIVATE KEY") {
            kind = .usable
        } else if text.hasPrefix("ssh-") || text.hasPrefix("ecdsa-") || text.hasPrefix("sk-") {
            // A public key as IdentityFile: it chooses among the keys of the agent.
            publicKey = KeyFile.parsePublic(text)
            kind = .missing
        } else {
            kind = .other("no private key that is known here")
        }
        switch kind {
        case .usable, .encrypted, .rsa, .token, .certificate: if KeyFile.isExposed(path) { kind = .exposed }
        case .missing, .unreadable, .exposed, .other: break
        }
    }

    /// As OpenSSH finds it: of a file of somebody else's, the mode says nothing.
    private static func isExposed(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_uid == getuid() && status.st_mode & 0o077 != 0
    }

    private static func publicKey(beside path: String) -> [UInt8]? {
        readFile(path + ".pub").flatMap { parsePublic(String(decoding: $0, as: UTF8.self)) }
    }

    private static func parsePublic(_ text: String) -> [UInt8]? {
        let words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" }
        return words.count > 1 ? Base64.decode(words[1].utf8) : nil
    }

    /// The format of OpenSSH's file `PROTOCOL.key`.
    private static func readOpenSSH(_ text: String, _ known: [UInt8]?) -> (Kind, [UInt8]?) {
        let body = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        let magic = Array("openssh-key-v1\0".utf8)
        guard let bytes = Base64.decode(body.utf8), bytes.starts(with: magic) else {
            return (.other("its contents are damaged"), known)
        }
        var reader = SSHBytes(Array(bytes[magic.count...]))
        guard let cipher = reader.text(), reader.string() != nil, reader.string() != nil, reader.number() != nil,
            let key = reader.string()
        else { return (.other("its contents are damaged"), known) }
        return (kind(type: SSHBytes.keyType(of: key), isEncrypted: cipher != "none"), key)
    }

    /// - Parameter type: as the public key begins.
    static func kind(type: String, isEncrypted: Bool = false) -> Kind {
        if type.hasSuffix("-cert-v01@openssh.com") { return .certificate }
        if type.hasPrefix("ssh-rsa") { return .rsa }
        if type.hasPrefix("sk-") { return .token }
        guard type == "ssh-ed25519" || type.hasPrefix("ecdsa-sha2-nistp"), !type.hasSuffix("openssh.com") else {
            return .other("its type \(type) is not known to libssh2")
        }
        return isEncrypted ? .encrypted : .usable
    }
}
