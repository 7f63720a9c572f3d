import Testing
@testable import Model

struct SHA256Tests {
    /// FIPS 180-4's examples, and the lengths around a block's end, computed with another implementation.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "b", count: 55), "eb2c86e932179f4ba13fe8715a26124b77d6bad290b9b4c1cc140cf633300c19"),
        (String(repeating: "b", count: 56), "a5fc6e203a4c2b657d0d153885932414b2ffc6a93f0f8bf8b3183315e5a7212c"),
        (String(repeating: "b", count: 63), "94e419fabac7f930810f9636354042f8c1426d2f834d4ab65c93dc1e69326b13"),
        (String(repeating: "b", count: 64), "a0fab1377f49a759b57f63318262ebe89fabfc990e8e93ceac2984561482b9d4"),
        (String(repeating: "b", count: 65), "74b128f30cf83de43ddf4aafc40c7b50a7443d3c73a89a7cfca17e15e43d51ab"),
        (String(repeating: "b", count: 119), "68297a9eb141ce16bbc0847da1c0c48e2858704feaa13993bde29f87a198a6e1"),
        (String(repeating: "b", count: 120), "392add47fbaa8197a874ebe770a947a26dd6f2becce5f64688cc4d18c9da93bd"),
        (String(repeating: "b", count: 128), "70ae1c5307f5250d5cb9e40742ba9613fcdf9b8d9eb6dd393330443b2d5effbd"),
    ])
    func vectors(_ text: String, _ hex: String) {
        #expect(SHA256.digest(text).hex == hex)
        var portable = SHA256(isPortable: true)
        portable.update(Array(text.utf8))
        #expect(portable.finish().hex == hex)
    }

    @Test("With the processor's instructions and without, all lengths give the same")
    func instructions() {
        let bytes = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 &* 131) }
        for count in stride(from: 0, through: bytes.count, by: 37) {
            var portable = SHA256(isPortable: true)
            portable.update(Array(bytes[..<count]))
            #expect(portable.finish() == SHA256.digest(bytes[..<count]))
        }
    }

    @Test func aMillionLetters() {
        let digest = SHA256.digest(Array(repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(digest.hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func piecesAndCopies() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = SHA256.digest(bytes)
        for size in [1, 3, 55, 56, 63, 64, 65, 127, 128, 999] {
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: size) {
                hash.update(Array(bytes[start..<min(bytes.count, start + size)]))
                hash.update([])
            }
            let copy = hash
            hash.update([1])
            #expect(copy.finish() == whole)
            #expect(hash.finish() != whole)
        }
    }

    @Test func digestsAsText() throws {
        let digest = SHA256.digest("abc")
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(bytes: digest.bytes) == digest)
        #expect(digest.short == "ba7816bf8f01")
        for wrong in ["", "ba", digest.hex.uppercased(), digest.hex + "0", "g" + digest.hex.dropFirst()] {
            #expect(Digest(hex: wrong) == nil)
        }
        #expect(Digest(bytes: digest.bytes.dropLast()) == nil)
        #expect(
            [SHA256.digest("a"), SHA256.digest("abc"), SHA256.digest("b")].sorted().map(\.hex)
                == [SHA256.digest("a"), SHA256.digest("abc"), SHA256.digest("b")].map(\.hex).sorted())
    }
}
