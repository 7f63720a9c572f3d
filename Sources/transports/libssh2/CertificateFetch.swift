import Glibc

/// Asks a host for its certificate, without libssh2, which knows no host certificates.
///
/// It goes through the first half of one key exchange: the host shows its certificate in the clear before
/// anything secret is agreed on. Nothing is trusted for having come this way: the certificate carries its
/// authority's signature, and the host proves that it has the certified key in the handshake that follows, on
/// another connection.
final class CertificateFetch {
    let authorities: [[UInt8]]
    private let buffers: SessionBuffers
    private var bytes: [UInt8] = []
    private var hasGreeted = false
    private var hasGreeting = false

    private static let types = [
        "ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    ]
    private static let largest = 1 << 18

    init(buffers: SessionBuffers, authorities: [[UInt8]]) {
        self.buffers = buffers
        self.authorities = authorities
    }

    /// Seconds since 1970, as certificates count.
    static func time() -> UInt64 { UInt64(max(0, Glibc.time(nil))) }

    func advance() -> Outcome<HostCertificate> {
        if !hasGreeted {
            hasGreeted = true
            buffers.outbound.append(Array("SSH-2.0-usweep_certificates\r\n".utf8))
            buffers.outbound.append(CertificateFetch.packet(CertificateFetch.offer()))
            // The point of the exchange is never used, so any point on the curve will do: here, its base.
            let point = [9] + [UInt8](repeating: 0, count: 31)
            buffers.outbound.append(CertificateFetch.packet([30] + SSHBytes.string(point)))
        }
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = room.withUnsafeMutableBytes { buffers.inbound.read(into: $0) }
            if count == 0 { break }
            bytes.append(contentsOf: room[..<count])
        }
        guard bytes.count < CertificateFetch.largest else { return failed("its answer is too long") }
        while !hasGreeting {
            guard let end = bytes.firstIndex(of: 10) else { return waiting() }
            hasGreeting = bytes.starts(with: Array("SSH-".utf8))
            bytes.removeFirst(end + 1)
        }
        while let payload = nextPacket() {
            switch payload.first {
            case 31:
                var reader = SSHBytes(Array(payload.dropFirst()))
                guard let blob = reader.string(), let certificate = HostCertificate(blob) else {
                    return failed("it shows no certificate")
                }
                return .done(certificate)
            case 1: return failed("it has no certificate of a kind that is known here (ed25519 or ecdsa)")
            default: continue
            }
        }
        return waiting()
    }

    private func waiting() -> Outcome<HostCertificate> {
        buffers.isEnded && buffers.inbound.isEmpty
            ? failed("it shows no certificate of a kind that is known here (ed25519 or ecdsa)") : .wouldBlock
    }

    private func failed(_ text: String) -> Outcome<HostCertificate> {
        let advice = "; add its plain key to known_hosts (`ssh-keyscan`), or write `transport: ssh` in the inventory"
        return .failed(LibraryFailure(code: -1, text: text + advice))
    }

    private func nextPacket() -> [UInt8]? {
        var reader = SSHBytes(bytes)
        guard let body = reader.string(), let padding = body.first, body.count > Int(padding) else { return nil }
        bytes = reader.remaining
        return Array(body[1..<(body.count - Int(padding))])
    }

    /// A packet before keys are agreed on: length, padding length, payload, padding to a multiple of 8.
    private static func packet(_ payload: [UInt8]) -> [UInt8] {
        let padding = 8 - (payload.count + 5) % 8 + 4
        let filled = (payload.count + 5 + padding) % 8 == 0 ? padding : padding + 8 - (payload.count + 5 + padding) % 8
        return SSHBytes.string([UInt8(filled)] + payload + [UInt8](repeating: 0, count: filled))
    }

    private static func offer() -> [UInt8] {
        let cookie = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let ciphers = "aes128-ctr,aes256-ctr,chacha20-poly1305@openssh.com,aes128-gcm@openssh.com"
        let macs = "hmac-sha2-256,hmac-sha2-512,hmac-sha2-256-etm@openssh.com"
        let lists = [
            "curve25519-sha256,curve25519-sha256@libssh.org", types.joined(separator: ","),
            ciphers, ciphers, macs, macs, "none", "none", "", "",
        ]
        return [20] + cookie + lists.flatMap { SSHBytes.string($0) } + [0, 0, 0, 0, 0]
    }
}
