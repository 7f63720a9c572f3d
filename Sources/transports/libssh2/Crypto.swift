import CLibCrypto

/// The encodings and digests that known_hosts and key files need, by libcrypto.
enum Crypto {
    /// As `known_hosts` hashes names.
    static func hmacSHA1(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        var count: UInt32 = 0
        let made = HMAC(EVP_sha1(), key, Int32(key.count), message, message.count, &digest, &count)
        return made == nil ? [] : Array(digest.prefix(Int(count)))
    }
}

/// Base64, as `known_hosts` and key files have it.
enum Base64 {
    /// Without the padding, as fingerprints are shown.
    static func encodeUnpadded(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(max(0, count))).filter { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }

    /// Nil: it is not Base64. White space around is not looked at.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let characters = Array(text)
        guard !characters.isEmpty, characters.count % 4 == 0, characters.count < 1 << 24 else { return nil }
        let padding = characters.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes = [UInt8](repeating: 0, count: characters.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, characters, Int32(characters.count))
        guard count == bytes.count else { return nil }
        return bytes.dropLast(padding)
    }
}
