/// A piece of a line of the manual.
package enum ManualSpan: Sendable, Equatable {
    case text(String)
    case code(String)
    case strong(String)
    case link(String, to: String)
    /// Another page, by its name.
    case page(String)

    package static func parse(_ text: String) -> [ManualSpan] {
        var spans: [ManualSpan] = []
        var plain = ""
        var rest = text[...]
        while let character = rest.first {
            guard let (span, end) = marked(rest) else {
                plain.append(character)
                rest.removeFirst()
                continue
            }
            if !plain.isEmpty { spans.append(.text(plain)) }
            plain = ""
            spans.append(span)
            rest = rest[end...]
        }
        return plain.isEmpty ? spans : spans + [.text(plain)]
    }

    /// The span that begins here, and where it ends.
    private static func marked(_ text: Substring) -> (ManualSpan, String.Index)? {
        for (mark, make) in [("``", ManualSpan.code), ("`", ManualSpan.code), ("**", ManualSpan.strong)] {
            guard text.hasPrefix(mark) else { continue }
            let inner = text.dropFirst(mark.count)
            guard let end = inner.firstRange(of: mark), end.lowerBound > inner.startIndex else { continue }
            return (make(String(inner[..<end.lowerBound])), end.upperBound)
        }
        if text.hasPrefix("*"), let second = text.dropFirst().first, second.isLetter,
            let end = text.dropFirst().firstIndex(of: "*"), text[text.index(before: end)] != " "
        {
            return (.strong(String(text.dropFirst().prefix(upTo: end))), text.index(after: end))
        }
        if text.hasPrefix("<doc:"), let end = text.firstIndex(of: ">") {
            return (.page(String(text[..<end].dropFirst(5))), text.index(after: end))
        }
        if text.hasPrefix("["), let middle = text.firstRange(of: "]("),
            let end = text[middle.upperBound...].firstIndex(of: ")")
        {
            let words = text[..<middle.lowerBound].dropFirst()
            return (.link(String(words), to: String(text[middle.upperBound..<end])), text.index(after: end))
        }
        return nil
    }

    /// Without any mark.
    package static func plain(_ spans: [ManualSpan]) -> String {
        spans.map { span in
            switch span {
            case .text(let text), .code(let text), .strong(let text): text
            case .link(let text, let target): text == target ? text : "\(text) (\(target))"
            case .page(let name): "'usweep help \(Manual.topic(ofPage: name))'"
            }
        }.joined()
    }
}
