import Model
import Testing

@Suite("Showing that one knows a key") struct HMACTests {
    @Test(
        "The examples of RFC 4231",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]) func examples(key: [UInt8], message: [UInt8], code: String) {
        #expect(HMAC.code(message, key: key).hex == code)
    }

    @Test("Codes are compared as a whole") func equality() {
        let code = HMAC.code([1], key: [2]).bytes
        #expect(HMAC.isEqual(code, code) && !HMAC.isEqual(code, code.dropLast()))
        for index in code.indices {
            var other = code
            other[index] ^= 1
            #expect(!HMAC.isEqual(code, other))
        }
    }
}
