/// A Swift source taken apart: what is code, what is comment, and what is text. Code that is interpolated into string
/// literals is code.
struct SwiftText {
    /// Without comments and the contents of string literals.
    private(set) var code: [UInt8] = []
    private(set) var comments: [UInt8] = []
    /// The contents of string literals, with `gap` for what is interpolated.
    private(set) var literals: [String] = []
    static let gap = "\u{fffc}"
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
        scan(untilParenthesis: false)
    }

    var codeLines: [String] {
        code.split(separator: newline, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    private var newline: UInt8 { UInt8(ascii: "\n") }
    private var quote: UInt8 { UInt8(ascii: "\"") }

    private func isAt(_ text: StaticString) -> Bool {
        guard at + text.utf8CodeUnitCount <= bytes.count else { return false }
        return text.withUTF8Buffer { wanted in wanted.indices.allSatisfy { bytes[at + $0] == wanted[$0] } }
    }

    /// The number of `#` from here on.
    private func hashes(from start: Int) -> Int {
        bytes[min(start, bytes.count)...].prefix { $0 == UInt8(ascii: "#") }.count
    }

    private mutating func scan(untilParenthesis: Bool) {
        var depth = 0
        while at < bytes.count {
            let hashes = hashes(from: at)
            if isAt("//") {
                lineComment()
            } else if isAt("/*") {
                blockComment()
            } else if at + hashes < bytes.count, bytes[at + hashes] == quote {
                string(hashes)
            } else {
                let byte = bytes[at]
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") {
                    if untilParenthesis, depth == 0 { return }
                    depth -= 1
                }
                code.append(byte)
                at += 1
            }
        }
    }

    private mutating func lineComment() {
        while at < bytes.count, bytes[at] != newline {
            comments.append(bytes[at])
            at += 1
        }
        comments.append(newline)
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            let step = isAt("/*") || isAt("*/") ? 2 : 1
            if isAt("/*") { depth += 1 } else if isAt("*/") { depth -= 1 }
            comments += bytes[at..<at + step]
            at += step
        } while depth > 0 && at < bytes.count
        code.append(UInt8(ascii: " "))
    }

    private mutating func string(_ hashes: Int) {
        at += hashes
        let isLong = isAt("\"\"\"")
        let quotes = isLong ? 3 : 1
        at += quotes
        code += [quote, quote]
        var text: [UInt8] = []
        defer { literals.append(String(decoding: text, as: UTF8.self)) }
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\\"), self.hashes(from: at + 1) >= hashes {
                at += 1 + hashes
                if at < bytes.count, bytes[at] == UInt8(ascii: "(") { text += Array(SwiftText.gap.utf8) }
                interpolation()
            } else if isEnd(quotes, hashes) {
                at += quotes + hashes
                return
            } else {
                if bytes[at] == newline {
                    if !isLong { return }
                    code.append(newline)
                }
                text.append(bytes[at])
                at += 1
            }
        }
    }

    private mutating func interpolation() {
        guard at < bytes.count else { return }
        let isCode = bytes[at] == UInt8(ascii: "(")
        at += 1
        guard isCode else { return }
        code.append(UInt8(ascii: "("))
        scan(untilParenthesis: true)
        code.append(UInt8(ascii: ")"))
        at += 1
    }

    private func isEnd(_ quotes: Int, _ hashes: Int) -> Bool {
        let isQuoted = quotes == 3 ? isAt("\"\"\"") : bytes[at] == quote
        return isQuoted && self.hashes(from: at + quotes) >= hashes
    }
}
