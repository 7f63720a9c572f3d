import Model
import Testing

struct JSONTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "1", "-12.5e+3", "1E9", "0.10", "123456789012345678901234567890", #""""#,
        #""a\"b\\c""#,
        #""\u0000\n\t\u001b""#, "\"é\u{1f600}\"", "[]", "{}", #"[1,[2,[]],{"a":null}]"#, #"{"b":1,"a":{"c":[true]}}"#,
    ])
    func roundTrips(_ text: String) throws { #expect(try JSON(parsing: text).encoded == text) }

    @Test func meaning() throws {
        let document = try JSON(parsing: " { \"a\" : [ 1 , \"\\u00e9\\ud83d\\ude00\\/\" ] , \"n\": 7 }\r\n")
        #expect(document["a"]?.elements?.last?.text == "é\u{1f600}/")
        #expect(document["n"]?.integer == 7)
        #expect(document["none"] == nil)
        #expect(JSON.integer(3).integer == 3)
        #expect(JSON.number("1.0").integer == nil)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "+1", "01", "-01", "1.", ".5", "1e", "-", "--1", "NaN", "Infinity", "0x1", "'a'", "\"",
        "\"a", "\"\\x\"", "\"\\u12\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "[", "[1", "[1,", "[1,]", "[,]", "{", "{\"a\"",
        "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}",
        "{1:1}", "{\"a\":1,\"a\":2}", "1 2", "[]]", "\u{feff}1", "[1 2]",
    ])
    func malformed(_ text: String) {
        do {
            _ = try JSON(parsing: text)
            Issue.record("accepted")
        } catch { #expect((error as? Failure)?.code == .badMessage) }
    }

    @Test func places() {
        do {
            _ = try JSON(parsing: "{\n  \"a\": x\n}")
            Issue.record("accepted")
        } catch { #expect((error as? Failure)?.message == "JSON, line 2, column 8: x is not valid JSON") }
    }

    @Test func hostileBytes() {
        #expect(throws: Failure.self) { _ = try JSON(parsing: [0x22, 0xff, 0x22]) }
        #expect(throws: Failure.self) { _ = try JSON(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) }
        #expect(throws: Failure.self) { _ = try JSON(parsing: String(repeating: "[", count: 100_000)) }
        #expect(throws: Failure.self) { _ = try JSON(parsing: String(repeating: "{\"a\":", count: 100_000)) }
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(throws: Never.self) { _ = try JSON(parsing: deep) }
    }

    /// Any cut of a document is refused or is a document itself; never a trap.
    @Test func cuts() throws {
        let text = Array(#"{"a":[1,-2.5e3,"\u00e9\n",{"b":[true,false,null]}],"c":"x"}"#.utf8)
        for end in 0..<text.count { #expect(throws: Failure.self) { _ = try JSON(parsing: Array(text[..<end])) } }
        for at in text.indices {
            for byte: UInt8 in [0x00, 0x22, 0x5c, 0x5b, 0x7d, 0x30, 0xff] {
                var changed = text
                changed[at] = byte
                if let document = try? JSON(parsing: changed) {
                    #expect(try JSON(parsing: document.encoded) == document)
                }
            }
        }
    }
}
