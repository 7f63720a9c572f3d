import CLibSSH2

/// Why a certificate is not accepted.
struct CertificateProblem: Error {
    var text: String
}

/// An OpenSSH host certificate (OpenSSH's file `PROTOCOL.certkeys`).
struct HostCertificate {
    /// The plain public key that is certified.
    var key: [UInt8]
    var kind: UInt32
    var principals: [String]
    var validAfter: UInt64
    var validBefore: UInt64
    var criticalOptions: [UInt8]
    var authority: [UInt8]
    var signature: [UInt8]
    var signed: [UInt8]

    init?(_ blob: [UInt8]) {
        var reader = SSHBytes(blob)
        guard let type = reader.text(), reader.string() != nil else { return nil }
        if type == "ssh-ed25519-cert-v01@openssh.com" {
            guard let point = reader.string() else { return nil }
            key = SSHBytes.string("ssh-ed25519") + SSHBytes.string(point)
        } else if type.hasPrefix("ecdsa-sha2-nistp"), type.hasSuffix("-cert-v01@openssh.com") {
            guard let curve = reader.string(), let point = reader.string() else { return nil }
            let plain = String(type.dropLast("-cert-v01@openssh.com".count))
            key = SSHBytes.string(plain) + SSHBytes.string(curve) + SSHBytes.string(point)
        } else {
            return nil
        }
        guard reader.longNumber() != nil, let kind = reader.number(), reader.string() != nil,
            let names = reader.string(), let after = reader.longNumber(), let before = reader.longNumber(),
            let options = reader.string(), reader.string() != nil, reader.string() != nil,
            let authority = reader.string()
        else { return nil }
        signed = Array(blob[..<(blob.count - reader.remaining.count)])
        guard let signature = reader.string(), reader.isAtEnd else { return nil }
        (self.kind, validAfter, validBefore, criticalOptions) = (kind, after, before, options)
        (self.authority, self.signature) = (authority, signature)
        principals = []
        var list = SSHBytes(names)
        while let name = list.text() { principals.append(name) }
    }

    /// Returns the certified key when everything holds.
    ///
    /// - Parameter time: seconds since 1970.
    func check(host: String, authorities: [[UInt8]], time: UInt64) throws(CertificateProblem) -> [UInt8] {
        guard kind == 2 else { throw CertificateProblem(text: "it is a user's certificate") }
        guard authorities.contains(authority) else {
            throw CertificateProblem(
                text: "it is signed by \(KnownHosts.fingerprint(authority)), which known_hosts does not name "
                    + "as an authority for this host")
        }
        guard criticalOptions.isEmpty else { throw CertificateProblem(text: "it has critical options") }
        guard time >= validAfter, time < validBefore else { throw CertificateProblem(text: "it is not valid today") }
        guard principals.isEmpty || Pattern.list(principals, matches: host) else {
            throw CertificateProblem(
                text: "it is made out to \(principals.joined(separator: ", ")), not to \(host)")
        }
        guard Signature.isGood(signature, of: signed, by: authority) else {
            throw CertificateProblem(text: "its signature is wrong, or of a kind that is not known here")
        }
        return key
    }
}

/// Checks signatures of ed25519 and ecdsa keys, by libcrypto.
enum Signature {
    static func isGood(_ signature: [UInt8], of data: [UInt8], by key: [UInt8]) -> Bool {
        var reader = SSHBytes(signature)
        var keyReader = SSHBytes(key)
        guard let type = reader.text(), let bare = reader.string(), keyReader.text() == type else { return false }
        switch type {
        case "ssh-ed25519":
            guard let point = keyReader.string(), point.count == 32 else { return false }
            return withKey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, point, point.count)) {
                verify($0, digest: nil, bare, data)
            }
        case "ecdsa-sha2-nistp256": return isGoodECDSA(bare, data, &keyReader, "prime256v1", EVP_sha256())
        case "ecdsa-sha2-nistp384": return isGoodECDSA(bare, data, &keyReader, "secp384r1", EVP_sha384())
        case "ecdsa-sha2-nistp521": return isGoodECDSA(bare, data, &keyReader, "secp521r1", EVP_sha512())
        default: return false
        }
    }

    private static func isGoodECDSA(
        _ bare: [UInt8], _ data: [UInt8], _ key: inout SSHBytes, _ curve: String, _ digest: OpaquePointer?
    ) -> Bool {
        var numbers = SSHBytes(bare)
        guard key.string() != nil, let point = key.string(), let r = numbers.string(), let s = numbers.string() else {
            return false
        }
        return withKey(publicKey(curve: curve, point: point)) { verify($0, digest: digest, der(r, s), data) }
    }

    /// Two integers as ASN.1 wants them. Both are in SSH's form already: big-endian with a leading zero where needed.
    private static func der(_ r: [UInt8], _ s: [UInt8]) -> [UInt8] {
        let body: [UInt8] = [2] + length(r.count) + r + [2] + length(s.count) + s
        return [0x30] + length(body.count) + body
    }

    private static func length(_ count: Int) -> [UInt8] {
        count < 128 ? [UInt8(count)] : [0x81, UInt8(truncatingIfNeeded: count)]
    }

    private static func publicKey(curve: String, point: [UInt8]) -> OpaquePointer? {
        guard let builder = OSSL_PARAM_BLD_new() else { return nil }
        defer { OSSL_PARAM_BLD_free(builder) }
        OSSL_PARAM_BLD_push_utf8_string(builder, "group", curve, 0)
        // libcrypto keeps the pointer until the parameters are made.
        return point.withUnsafeBytes { bytes in
            OSSL_PARAM_BLD_push_octet_string(builder, "pub", bytes.baseAddress, bytes.count)
            guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { return nil }
            defer { OSSL_PARAM_free(parameters) }
            guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { return nil }
            defer { EVP_PKEY_CTX_free(context) }
            var key: OpaquePointer?
            guard EVP_PKEY_fromdata_init(context) == 1,
                EVP_PKEY_fromdata(context, &key, publicKeyParts, parameters) == 1
            else { return nil }
            return key
        }
    }

    /// `EVP_PKEY_PUBLIC_KEY`, a macro too deep for Swift: the public key with the parameters of its curve.
    private static let publicKeyParts: Int32 = 0x86

    private static func withKey(_ key: OpaquePointer?, _ body: (OpaquePointer) -> Bool) -> Bool {
        guard let key else { return false }
        defer { EVP_PKEY_free(key) }
        return body(key)
    }

    private static func verify(
        _ key: OpaquePointer, digest: OpaquePointer?, _ signature: [UInt8], _ data: [UInt8]
    ) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, data, data.count) == 1
    }
}
