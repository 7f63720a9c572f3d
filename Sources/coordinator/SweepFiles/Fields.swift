import Model

/// A key of a mapping with its value, and the way to it from the top (`measure.warm`) for messages.
struct Field {
    var name: String
    var path: String
    /// Where the key stands.
    var keyMark: Place?
    var value: YAMLValue

    var mark: Place? { value.mark ?? keyMark }

    /// Whether nothing is written behind the key.
    var hasNoValue: Bool { if case .scalar("", isPlain: true) = value.kind { true } else { false } }

    /// An element of this field's list, under the field's own path.
    func element(_ value: YAMLValue) -> Field {
        Field(name: name, path: path, keyMark: value.mark, value: value)
    }

    /// Of a mapping, unchecked.
    var members: [Field] {
        guard case .mapping(let members) = value.kind else { return [] }
        return members.map { Field(name: $0.name, path: "\(path).\($0.name)", keyMark: $0.mark, value: $0.value) }
    }
}

/// Reads values and notes what is wrong with them. Each function returns nil after it noted a problem.
struct FieldReader {
    let problems: Problems

    func fail(_ field: Field, _ text: String, code: Failure.Code = .badSpecification) {
        problems.add(field.mark, key: field.path, text, code: code)
    }

    /// The members of a mapping; unknown keys, where `known` is given, and keys that stand twice are noted.
    ///
    /// - Parameter usual: the key that a value alone was probably meant for; nil: the first one that is known.
    func members(_ value: YAMLValue, path: String, known: [String]? = nil, usual: String? = nil) -> [Field]? {
        guard case .mapping(let members) = value.kind else {
            var word = "..."
            if case .scalar(let text, isPlain: true) = value.kind, Names.isPlain(text) { word = text }
            let example = (usual ?? known?.first).map { ", as in {\($0): \(word)}" } ?? ""
            let isMissing = if case .scalar("", isPlain: true) = value.kind { true } else { false }
            let place = isMissing ? " in lines below it that are indented" : example
            problems.add(
                value.mark, key: path, "a mapping was expected, not \(value.shape); write key: value\(place)")
            return nil
        }
        var fields: [Field] = []
        var seen: [String: Place?] = [:]
        for member in members {
            let full = path.isEmpty ? member.name : "\(path).\(member.name)"
            if member.name == "<<" {
                problems.add(member.mark, key: full, "merge keys are not supported; write the keys out")
            } else if let known, !known.contains(member.name) {
                problems.add(member.mark, key: full, "unknown; \(Names.suggestion(member.name, in: known))")
            } else if let first = seen.updateValue(member.mark, forKey: member.name) {
                problems.add(member.mark, YAMLComplaint.duplicate(Names.shown(full), first: first))
            } else {
                fields.append(Field(name: member.name, path: full, keyMark: member.mark, value: member.value))
            }
        }
        return fields
    }

    /// The elements of a list, at least one.
    func list(_ field: Field) -> [Field]? {
        switch field.value.kind {
        case .list(let elements) where !elements.isEmpty: return elements.map { field.element($0) }
        case .list: fail(field, "the list is empty; write at least one value, or remove the key")
        case .mapping: fail(field, "a list was expected, not a mapping; write [...]")
        case .scalar(let text, isPlain: true) where ValueRange.withHyphen(text) != nil:
            let range = ValueRange.withHyphen(text) ?? ""
            fail(field, "'\(text)' is not a range; write \(range), or for this text itself ['\(text)']")
        case .scalar(let text, isPlain: true) where ValueRange.isMeant(by: text):
            fail(
                field, "'\(Names.shown(text))' is not a range; ranges have whole numbers and two points, as in "
                    + "1..9 step 2; write other values out, as in [0.1, 0.2]")
        case .scalar(let text, isPlain: true) where FieldReader.isTightElement(text):
            let element = Names.shown(FieldReader.element(text))
            fail(field, "a list was expected; write a space after '-', as in - \(element)")
        case .scalar(let text, isPlain: true) where text.contains(","):
            let parts = text.split(separator: ",").map { $0.split(separator: " ").joined(separator: " ") }
            let list = Names.shown(parts.joined(separator: ", "))
            fail(field, "a list was expected, not \(field.value.shape); write [\(list)]")
        case .scalar(let text, let isPlain):
            // What begins with a sign may mean something else to YAML.
            let word = Names.isPlain(text) ? text : "'\(Names.shown(text))'"
            let example = text.isEmpty && isPlain ? "[...]" : "[\(word)]"
            fail(field, "a list was expected, not \(field.value.shape); write \(example)")
        }
        return nil
    }

    /// Whether a text was meant for an element of a list, and lacks the space behind its '-': `-a`, but not `-1`.
    private static func isTightElement(_ text: String) -> Bool {
        guard text.hasPrefix("-"), let next = text.dropFirst().unicodeScalars.first else { return false }
        return next.properties.isAlphabetic || next == "/" || text.contains(" -")
    }

    private static func element(_ text: String) -> Substring {
        text.dropFirst().split(separator: " ", maxSplits: 1).first ?? ""
    }

    /// Text as it stands in the file, not empty unless in quotes, with no character that cannot be seen.
    func text(_ field: Field, limit: Int = 1_024, mayHaveLines: Bool = false) -> String? {
        guard case .scalar(let text, let isPlain) = field.value.kind else {
            fail(field, "text was expected, not \(field.value.shape); put text with { } [ ] in quotes")
            return nil
        }
        guard !(text.isEmpty && isPlain) else {
            fail(field, "has no value; write one, or '' for empty text")
            return nil
        }
        guard text.utf8.count <= limit else {
            fail(field, "has \(text.utf8.count) bytes; write no more than \(limit)")
            return nil
        }
        let hidden = text.unicodeScalars.first {
            VisibleText.isHidden($0) && !(mayHaveLines && ($0 == "\n" || $0 == "\t"))
        }
        if let hidden {
            let number = String(hidden.value, radix: 16, uppercase: true)
            let code = String(repeating: "0", count: max(0, 4 - number.utf8.count)) + number
            let remedy = VisibleText.remedy(hidden)
            fail(field, "'\(Names.shown(text))' has an invisible character (U+\(code)); \(remedy)")
            return nil
        }
        if isPlain, let quote = text.unicodeScalars.first, FieldReader.typographicQuotes.contains(quote) {
            fail(field, "'\(Names.shown(text))' begins with a typographic quote; write straight ones, ' or \"")
            return nil
        }
        return text
    }

    /// What word processors make of quotes. YAML takes them for letters.
    private static let typographicQuotes: [Unicode.Scalar] = [
        "\u{2018}", "\u{2019}", "\u{201a}", "\u{201c}", "\u{201d}", "\u{201e}",
    ]

    /// A whole number in decimal digits.
    func integer(_ field: Field, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(field) else { return nil }
        guard let number = Int(text), String(number) == text else {
            fail(
                field,
                "'\(Names.shown(text))' is not a whole number; write digits only, as in \(max(range.lowerBound, 3))")
            return nil
        }
        guard range.contains(number) else {
            let end = range.upperBound == .max ? "" : " to \(range.upperBound)"
            fail(field, "\(number) is out of range; write a number from \(range.lowerBound)\(end)")
            return nil
        }
        return number
    }

    /// People write YAML either way.
    func bool(_ field: Field) -> Bool? {
        choice(field, ["yes", "no", "true", "false"], "truth value").map { $0 == "yes" || $0 == "true" }
    }

    func bytes(_ field: Field) -> Int64? { quantity(field, Quantity.bytes) }

    func duration(_ field: Field) -> Nanoseconds? { quantity(field, Quantity.duration) }

    func share(_ field: Field) -> Int64? { quantity(field, Quantity.millionths) }

    private func quantity(_ field: Field, _ parse: (String) throws -> Int64) -> Int64? {
        guard let text = text(field) else { return nil }
        do {
            let value = try parse(text)
            guard value > 0 else {
                fail(field, "\(text) is too small; write more than 0, or remove the key for no limit")
                return nil
            }
            return value
        } catch {
            fail(field, "\((error as? Failure)?.message ?? "\(error)")")
            return nil
        }
    }

    /// A name of ``Names/isPlain(_:limit:)``.
    func plainName(_ field: Field, _ what: String) -> String? {
        guard let text = text(field) else { return nil }
        guard Names.isPlain(text) else {
            fail(field, "'\(Names.shown(text))' is not a name for \(what); \(FieldReader.plainRule)")
            return nil
        }
        return text
    }

    static let plainRule =
        "write at most 100 letters, digits, '.', '_' or '-', beginning with a letter or digit"

    /// One of a few words.
    ///
    /// - Parameter alternative: what can be written in place of a word; nil: nothing else.
    func choice(_ field: Field, _ words: [String], _ what: String, or alternative: String? = nil) -> String? {
        guard let text = text(field) else { return nil }
        guard words.contains(text) else {
            let article = "aeiou".contains(what.prefix(1)) ? "an" : "a"
            let end = alternative.map { ", or write \($0)" } ?? ""
            fail(
                field, "'\(Names.shown(text))' is not \(article) \(what); \(Names.suggestion(text, in: words))\(end)")
            return nil
        }
        return text
    }

    /// Whole numbers by names: `{gpu: 2}`; sorted by name.
    func resources(_ field: Field, from least: Int) -> [CountedResource] {
        (members(field.value, path: field.path) ?? []).compactMap { member in
            guard Names.isPlain(member.name) else {
                fail(member, "is not a name for a resource; \(FieldReader.plainRule)")
                return nil
            }
            return integer(member, in: least...4_096).map { CountedResource(member.name, $0) }
        }.sorted { $0.name < $1.name }
    }
}
