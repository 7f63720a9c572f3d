public import Model

/// As much of JSON Schema (draft 2020-12) as the schemas of this project use.
public struct JSONSchema: Sendable {
    private let root: JSON

    /// - Throws: ``Failure`` for a text that is not JSON, or a keyword that is not known here.
    public init(_ text: String, file: String) throws {
        root = try JSON(parsing: Array(text.utf8), file: file)
        try JSONSchema.check(root, file)
    }

    /// What of a document is not as the schema says, each with its path. Members that a schema does not name are
    /// problems, too: readers must pass over them, and this project must describe them.
    public func problems(_ document: JSON) -> [String] { JSONSchema.problems(document, root, "$") }

    private static let keywords: Set = [
        "$schema", "title", "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
        "not", "pattern", "minimum",
    ]

    private static func check(_ schema: JSON, _ path: String) throws {
        guard case .object(let members) = schema else { throw Failure(.badData, "\(path): not a schema") }
        for member in members {
            guard keywords.contains(member.name) else { throw Failure(.badData, "\(path): unknown: \(member.name)") }
            switch (member.name, member.value) {
            case ("properties", .object(let inner)): for one in inner { try check(one.value, "\(path).\(one.name)") }
            case ("anyOf", .array(let all)): for one in all { try check(one, path) }
            case ("items", _), ("not", _), ("additionalProperties", _): try check(member.value, path)
            default: break
            }
        }
    }

    private static func problems(_ value: JSON, _ schema: JSON, _ path: String) -> [String] {
        guard case .object(let keywords) = schema else { return [] }
        return keywords.flatMap { keyword -> [String] in
            switch keyword.name {
            case "type": return isOf(value, keyword.value) ? [] : ["\(path) is not \(keyword.value.encoded)"]
            case "const": return value == keyword.value ? [] : ["\(path) is not \(keyword.value.encoded)"]
            case "enum":
                return keyword.value.elements?.contains(value) == true ? [] : ["\(path) is not one of the words"]
            case "minimum":
                let isLess = number(value).flatMap { own in number(keyword.value).map { own < $0 } }
                return isLess == true ? ["\(path) is less than \(keyword.value.encoded)"] : []
            case "pattern": return matches(value, keyword.value) ? [] : ["\(path) does not fit the pattern"]
            case "anyOf":
                let all = (keyword.value.elements ?? []).map { problems(value, $0, path) }
                return all.contains([]) ? [] : all.min { $0.count < $1.count } ?? []
            case "not": return problems(value, keyword.value, path).isEmpty ? ["\(path) is what it must not be"] : []
            case "items":
                return (value.elements ?? []).enumerated().flatMap {
                    problems($1, keyword.value, "\(path)[\($0)]")
                }
            case "required":
                guard case .object = value else { return [] }
                return (keyword.value.elements ?? []).compactMap { name in
                    name.text.flatMap { value[$0] == nil ? "\(path).\($0) is missing" : nil }
                }
            case "properties": return members(value, keyword.value, isOpen: schema["additionalProperties"] != nil, path)
            case "additionalProperties":
                guard case .object(let members) = value else { return [] }
                return members.filter { schema["properties"]?[$0.name] == nil }.flatMap {
                    problems($0.value, keyword.value, "\(path).\($0.name)")
                }
            default: return []
            }
        }
    }

    private static func members(_ value: JSON, _ known: JSON, isOpen: Bool, _ path: String) -> [String] {
        guard case .object(let members) = value else { return [] }
        return members.flatMap { member -> [String] in
            let place = "\(path).\(member.name)"
            guard let schema = known[member.name] else { return isOpen ? [] : ["\(place) is not described"] }
            return problems(member.value, schema, place)
        }
    }

    private static func number(_ value: JSON) -> Double? {
        guard case .number(let text) = value else { return nil }
        return Double(text)
    }

    /// `^[...]{N}$` and the like: enough for digests.
    private static func matches(_ value: JSON, _ pattern: JSON) -> Bool {
        guard let text = value.text, let pattern = pattern.text, let regex = try? Regex(pattern) else { return true }
        return text.contains(regex)
    }

    private static func isOf(_ value: JSON, _ type: JSON) -> Bool {
        if let types = type.elements { return types.contains { isOf(value, $0) } }
        switch (value, type.text) {
        case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.number, "number"): return true
        case (.array, "array"), (.object, "object"): return true
        case (.number(let text), "integer"): return Int64(text) != nil
        default: return false
        }
    }
}
