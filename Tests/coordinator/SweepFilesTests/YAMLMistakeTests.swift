import Foundation
import Model
import SweepFiles
import Testing

/// What people type wrong in YAML, and what they are told: each with its place. The lines follow three good ones.
@Suite("Mistakes in YAML")
struct YAMLMistakeTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var text: String
        var answer: String
        var testDescription: String { text }

        init(_ text: String, _ answer: String) { (self.text, self.answer) = (text, answer) }
    }

    private static let closing = "that begins here is not closed; write"

    @Test("in sweep files", arguments: [
        // Indentation and tabs.
        Mistake("axes:\n\tx: [1]", "5:1: not YAML: the line is indented with a tab; use spaces"),
        Mistake(
            "measure:\n    repeat: 2\n  warm: 1", "6:3: not YAML: line 6 is indented by 2 spaces, the line above by 4"),
        Mistake("axes:\n  x: [1]\n    y: [2]", "6:5: not YAML: line 6 is indented by 4 spaces, the line above by 2"),
        Mistake(" axes: {x: [1]}", "4:2: not YAML: line 4 is indented by 1 space, the line above by 0"),
        Mistake("inputs:\n  - a\n - b", "6:2: not YAML: line 6 is indented by 1 space, the line above by 2"),
        Mistake(
            "axes:\nx: [1]", "4:6: key 'axes': a mapping was expected, not nothing; write key: value in lines below"),
        // Colons.
        Mistake("axes\n  x: [1]", "4:1: not YAML: 'axes' has no colon; write key: value"),
        Mistake("axes: {x: [1]}\nresults", "5:1: not YAML: 'results' has no colon; write key: value"),
        Mistake("results r.json", "4:1: not YAML: a colon is missing after 'results'; write results: r.json"),
        Mistake("results = r.json", "4:1: not YAML: a colon is missing after 'results'; write results: r.json"),
        Mistake("axes: {x [1]}", "4:10: not YAML: a colon is missing after 'x'; write x: [1]"),
        Mistake("results:r.json", "4:8: not YAML: a space is missing after the colon; write results: r.json"),
        Mistake("axes:{x: [1]}", "4:5: not YAML: a space is missing after the colon; write axes: {x:"),
        Mistake("axes: {x:[1]}", "4:9: not YAML: a space is missing after the colon; write x: [1]"),
        Mistake(
            "results: a: b",
            "4:11: not YAML: a second colon in one line: put a value with ': ' in quotes, as in 'a: b'"),
        Mistake("inputs: [a: b: c]", "4:14: not YAML: text with ': ' in it must be in quotes"),
        // Quotes.
        Mistake("results: \"r.json\naxes: {x: [1]}", "4:10: not YAML: the quote \(closing) another one"),
        Mistake("results: 'r.json\naxes: {x: [1]}", "4:10: not YAML: the quote \(closing) another one"),
        Mistake(
            "results: 'r.json\nenv: {A: 'b'}", "4:10: not YAML: the quote that begins here is not closed on its line"),
        Mistake(
            "results: 'r'.json", "4:13: not YAML: there is text after a closing quote; put all of it in the quotes"),
        Mistake("inputs: [\"a\"b]", "4:13: not YAML: there is text after a closing quote"),
        Mistake("results: \"a\\qb\"", "4:12: not YAML: '\\' has a meaning of its own within double quotes"),
        Mistake(
            "results: \u{201c}r.json\u{201d}",
            "4:10: key 'results': '\u{201c}r.json\u{201d}' begins with a typographic quote"),
        // Brackets, braces, commas.
        Mistake("inputs: [a, b", "4:9: not YAML: the '[' \(closing) ']'"),
        Mistake("inputs: [a, b\naxes: {x: [1]}", "4:9: not YAML: the '[' \(closing) ']'"),
        Mistake("axes: {x: [1]\nresults: r.json", "4:7: not YAML: the '{' \(closing) '}'"),
        Mistake(
            "axes: {x: [1, 2}", "4:16: not YAML: ']' was expected, as the '[' in line 4, column 11 is not closed"),
        Mistake("axes: {x: [1]}}", "4:15: not YAML: this '}' closes nothing; remove it"),
        Mistake("inputs: [a] b", "4:13: not YAML: the value ended with ']'; remove the text after it"),
        Mistake("axes: {x: [1]; y: [2]}", "4:14: not YAML: values are separated by ',', not by ';'"),
        Mistake("axes: {x: [1] y: [2]}", "4:15: not YAML: a ',' is missing before this"),
        Mistake(
            "axes: {\n  x: [1]\n  y: [2]\n}", "5:9: not YAML: a ',' is missing between this and what begins in line 6"),
        Mistake("axes: {x: [1,,2]}", "4:14: not YAML: there is no value before this ','; remove it"),
        Mistake("inputs: [a[1]]", "4:11: not YAML: text with '[' in it must be in quotes"),
        // Lists.
        Mistake("inputs:\n  - a\n  b", "6:3: not YAML: a '-' is missing, as the line above has one; write - b"),
        Mistake("inputs:\n  -a\n  -b", "5:3: key 'inputs': a list was expected; write a space after '-', as in - a"),
        Mistake("axes: [x]", "4:7: key 'axes': a mapping was expected, not a list; write key: value"),
        Mistake("inputs: {a: b}", "4:9: key 'inputs': a list was expected, not a mapping; write [...]"),
        // Signs that YAML has a meaning for.
        Mistake(
            "artifacts: {keep: [*.txt]}", "4:20: not YAML: text that begins with '*' must be in quotes, as in '*.txt'"),
        Mistake("inputs: [&]", "4:10: not YAML: text that begins with '&' must be in quotes"),
        Mistake("results: &r", "4:10: anchors and aliases (&name, *name) are not supported"),
        Mistake("axes: &a {x: [1]}", "4:7: anchors and aliases"),
        Mistake("axes: *a", "4:7: anchors and aliases"),
        Mistake("axes: {<<: {x: [1]}}", "4:8: key 'axes.<<': merge keys are not supported"),
        Mistake("env: {A: %5}", "4:10: not YAML: text that begins with '%' must be in quotes, as in '%5'"),
        Mistake("results: @r", "4:10: not YAML: text that begins with '@' must be in quotes, as in '@r'"),
        Mistake("results: `r`", "4:10: not YAML: text that begins with '`' must be in quotes, as in '`r`'"),
        Mistake("results: |r", "4:10: not YAML: text that begins with '|' must be in quotes, as in '|r'"),
        Mistake("results: !r", "4:10: tags (!r) are not supported; write the value without one"),
        // Documents, characters, values.
        Mistake("axes: {x: [1]}\n---\nsweep: u", "5:1: not YAML: another document begins here"),
        Mistake("axes: {x: [1]}\n...\nsweep: u", "6:1: not YAML: the document has ended above"),
        Mistake("axes: {x: [1]\r\nresults: r.json\r\n", "4:7: not YAML: the '{' \(closing) '}'"),
        Mistake("\u{feff}axes: {x: [1]}", "4:1: an invisible character (\\u{feff}); write a space, or remove it"),
        Mistake("axes:\n\u{a0}\u{a0}x: [1]", "5:1: the key '\\u{a0}\\u{a0}x' has an invisible character; remove it"),
        Mistake("results: a\u{0}b", "4:11: not YAML: control characters are not allowed (\\u{0})"),
        Mistake("axes: {x: [1]}\r\nresults: a\u{1}b", "5:11: not YAML: control characters are not allowed (\\u{1})"),
        Mistake("results:\naxes: {x: [1]}", "4:9: key 'results': has no value"),
        Mistake("axes: {x: [1]}\naxes: {y: [1]}", "5:1: key 'axes': is a duplicate: given twice, first in line 4"),
    ])
    func sweeps(_ mistake: Mistake) {
        let text = "sweep: t\nengine: command\ncommand: [x]\n\(mistake.text)"
        let message = message { _ = try SweepFile.parse(text, file: "s.yaml", folder: "/nowhere") } ?? "no error"
        #expect(message.hasPrefix("s.yaml:" + mistake.answer), "\(message)")
        // The library's own words are for those who write parsers.
        for word in ["while scanning", "while parsing", "token", "did not find"] {
            #expect(!message.contains(word), "\(message)")
        }
    }

    @Test("in inventories", arguments: [
        Mistake("hosts:\n\t- a", "2:1: not YAML: the line is indented with a tab"),
        Mistake("hosts:\n  -a\n  -b", "2:3: key 'hosts': a list was expected; write a space after '-', as in - a"),
        Mistake("hosts:\n  - {name: a\n  - b", "2:5: not YAML: the '{' \(closing) '}'"),
        Mistake("hosts:\n  - name a\n    slots: 2", "2:5: not YAML: a colon is missing after 'name'; write name: a"),
        Mistake(
            "hosts:\n  - name: a\n   slots: 2",
            "3:4: not YAML: line 3 is indented by 3 spaces, the text after '-' in the line above by 4"),
        Mistake("hosts:\n  - name: a\n    setup: b: c", "3:13: not YAML: a second colon in one line"),
        Mistake("hosts: [@a]", "1:9: not YAML: text that begins with '@' must be in quotes, as in '@a'"),
        Mistake("hosts: [node[01-08]]", "1:13: not YAML: text with '[' in it must be in quotes"),
        Mistake("hosts:\n  - {name: a, address: ::1}", "2:24: not YAML: text that begins with ':' must be in quotes"),
        Mistake("hosts:\n  - {name: a, slots: 1, slots: 2}", "2:25: key 'slots': is a duplicate"),
        Mistake("hosts:", "1:7: key 'hosts': a list was expected, not nothing"),
        Mistake("- a\n- b", "1:1: a mapping was expected, not a list; write key: value, as in {hosts: ...}"),
    ])
    func inventories(_ mistake: Mistake) {
        let message = message { _ = try parseHosts(mistake.text) } ?? "no error"
        #expect(message.hasPrefix("i.yaml:" + mistake.answer), "\(message)")
    }

    @Test("What is good YAML stays so", arguments: [
        "axes:\t{x: [1]}", "axes: {x: [1]}\t", "\r\naxes: {x: [1]}\r\n", "results: r.json#x", "results: 'a''b'",
        "env: {A: 'x: y', B: a*b, C: 'a@b', D: http://x:1/y}", "axes: {x: ['*', '&a', '%5']}",
        "command:\n- x\n- y", "axes:\n    x:\n    - 1\n    - 2",
    ])
    func good(_ text: String) {
        let whole = "sweep: t\nengine: command\n" + (text.hasPrefix("command") ? "" : "command: [x]\n") + text
        #expect(message { _ = try SweepFile.parse(whole, file: "s.yaml", folder: "/nowhere") } == nil)
    }

    @Test("A file that is not UTF-8 is told with the column of the byte")
    func encoding() throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/s.yaml"
        try Data("sweep: t\nresults: gr".utf8 + [0xfc, 0xdf, 0x0a]).write(to: URL(filePath: path))
        #expect(message { _ = try SweepFile.read(path: path) } == "\(path):2:12: not UTF-8; save the file as UTF-8")
    }

    @Test("UTF-16 is told as such, with and without its mark", arguments: [false, true], [false, true])
    func wide(isMarked: Bool, isBig: Bool) throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/s.yaml"
        let units = (isMarked ? [0xfeff] : []) + Array("sweep: t\nengine: gr\u{fc}n\n".utf16)
        let bytes = units.flatMap { isBig ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
        try Data(bytes).write(to: URL(filePath: path))
        let expected = "\(path):1:1: the file is UTF-16, not UTF-8; save it as UTF-8"
        #expect(message { _ = try SweepFile.read(path: path) } == expected)
    }

    @Test("A line end that nobody sees is told with its place, wherever it is", arguments: [
        ("# a\u{2028}b: c\n", "4:4", "U+2028"), ("results: 'a\u{85}b'\n", "4:12", "U+0085"),
        ("\nenv: {A: b}\u{2029}\n", "5:12", "U+2029"),
    ])
    func separators(_ text: String, _ place: String, _ name: String) {
        let found = message {
            _ = try SweepFile.parse(
                "sweep: t\nengine: command\ncommand: [x]\n\(text)", file: "s.yaml", folder: "/nowhere")
        }
        let text = "an invisible line separator (\(name)) is here; remove it, or break the line there"
        #expect(found == "s.yaml:\(place): \(text)")
    }
}
