/// HMAC with SHA-256 (RFC 2104), which proves knowledge of a key without revealing it.
public enum HMAC {
    private static let blockLength = 64

    /// - Parameter key: of any length; longer ones than a block are hashed.
    public static func code(_ message: [UInt8], key: [UInt8]) -> Digest {
        var block = key.count > blockLength ? SHA256.digest(key).bytes : key
        block += [UInt8](repeating: 0, count: blockLength - block.count)
        let inner = SHA256.digest(block.map { $0 ^ 0x36 } + message)
        return SHA256.digest(block.map { $0 ^ 0x5c } + inner.bytes)
    }

    /// Compares in a time that tells nothing of where they differ.
    public static func isEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
