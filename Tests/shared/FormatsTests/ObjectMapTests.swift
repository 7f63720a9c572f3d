import Formats
import Model
import Testing

/// Maps come from others: what is wrong with one is found before anything is made of it.
@Suite struct ObjectMapTests {
    private static let a = SHA256.digest("a")
    private static let b = SHA256.digest("b")
    private static let text = """
        usweep map 1
        object \(a.hex) 9000
        form gzip 6
        content 12288
        pack \(b.hex) 700 8192
        copy 0 4096 4096
        zero 4096
        copy 0 0 4096

        """

    @Test("A map is the text that it was read from")
    func golden() throws {
        let map = try ObjectMap(Array(Self.text.utf8))
        #expect(String(decoding: map.encoded, as: UTF8.self) == Self.text)
        #expect(map.form == .gzip(level: 6) && map.packs.count == 1 && map.stretches.count == 3)
    }

    @Test(
        "Lying sizes, places outside, and what is no map",
        arguments: [
            ("usweep map 1", "usweep map 2"), ("usweep map 1", "usweep mop 1"), ("form gzip 6", "form gzip 0"),
            ("form gzip 6", "form gzip 10"), ("form gzip 6", "form plain"), ("form gzip 6", "form zip"),
            ("content 12288", "content 12289"), ("content 12288", "content 8192"), ("content 12288", "content -1"),
            ("700 8192", "0 8192"), ("700 8192", "700 4194305"), ("700 8192", "99999999 8192"),
            ("copy 0 4096 4096", "copy 1 4096 4096"), ("copy 0 4096 4096", "copy 0 4097 4096"),
            ("copy 0 4096 4096", "copy 0 9000 4096"), ("copy 0 4096 4096", "copy 0 4096 04096"),
            ("zero 4096", "zero 0"), ("zero 4096", "zero  4096"), ("zero 4096", "zero 99999999999999999999"),
            ("zero 4096", "hole 4096"), ("copy 0 0 4096\n", "copy 0 0 4096"), (a.hex, "../../etc/passwd"),
            ("zero 4096\n", "zero 4096\npack \(a.hex) 1 1\n"), ("9000", "99999999999999"),
        ])
    func refused(old: String, new: String) {
        let text = Self.text.replacing(old, with: new)
        #expect(text != Self.text)
        #expect(throws: WireError.self) { try ObjectMap(Array(text.utf8)) }
    }

    @Test("Cut off anywhere, it is refused")
    func cut() {
        let bytes = Array(Self.text.utf8)
        for length in 0..<bytes.count {
            #expect(throws: WireError.self) { try ObjectMap(Array(bytes.prefix(length))) }
        }
    }
}
