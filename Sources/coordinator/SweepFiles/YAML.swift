import Model
import Yams

/// Where something stands in a file, from 1.
struct Place {
    var line: Int
    var column: Int

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

/// A value of a YAML document with its place: the part of YAML that sweeps and inventories need.
///
/// Scalars keep their source text; nothing is resolved, so that `on`, `010` and `1e3` stay what they are.
struct YAMLValue {
    enum Kind {
        /// `isPlain`: without quotes, so that empty text means that nothing was written.
        case scalar(String, isPlain: Bool)
        case list([YAMLValue])
        case mapping([Member])
    }

    struct Member {
        var name: String
        var mark: Place?
        var value: YAMLValue
    }

    var kind: Kind
    var mark: Place?

    /// For messages: what stands there.
    var shape: String {
        switch kind {
        case .scalar(let text, let isPlain): text.isEmpty && isPlain ? "nothing" : "'\(Names.shown(text))'"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension YAMLValue {
    /// More than any sweep needs, and little enough to read at once.
    static let maximumBytes = 4 << 20
    private static let maximumDepth = 16
    static let aliasText =
        "anchors and aliases (&name, *name) are not supported; write the value out, or put text that begins with & or "
        + "* in quotes"

    /// Parses one document.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) with file, line and column.
    static func parse(_ text: String, file: String) throws -> YAMLValue {
        guard text.utf8.count <= maximumBytes else {
            throw Failure(
                .badSpecification, "\(file):1:1: the file is larger than 4 MiB; this is not a sweep or an inventory")
        }
        try checkLineSeparators(text, file)
        // Before anything is built: aliases in keys would be expanded while keys are compared, without limit.
        let seeming = SeemingAliases(text)
        if let place = seeming.anchor, seeming.aliases > SeemingAliases.harmless {
            throw Failure(.badSpecification, "\(file):\(place.line):\(place.column): \(aliasText)")
        }
        let parser: Parser
        let root: Node?
        do {
            parser = try Parser(yaml: text, encoding: .utf8)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw YAMLComplaint(text, file).failure(error)
        }
        guard let root else {
            throw Failure(.badSpecification, "\(file):1:1: the file is empty; 'usweep init' writes one to start from")
        }
        let source = YAMLComplaint(text, file)
        // Nodes know their anchors for as long as the parser is there.
        let mayBeAnchored = seeming.anchor != nil || seeming.aliases > 0
        if mayBeAnchored, let anchored = withExtendedLifetime(parser, { anchored(root) }) {
            throw source.at(anchored.mark.map(Place.init) ?? Place(line: 1, column: 1), aliasText)
        }
        return try convert(root, depth: 0, source)
    }

    /// YAML takes these for line ends, and editors show them as nothing, so that a comment would end in its middle.
    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    private static func checkLineSeparators(_ text: String, _ file: String) throws {
        guard text.utf8.contains(where: { $0 >= 0x80 }),
            let index = text.unicodeScalars.firstIndex(where: isSeparator)
        else { return }
        let before = text.unicodeScalars[..<index]
        let place = Place(
            line: before.count { $0 == "\n" } + 1, column: before.reversed().prefix { $0 != "\n" }.count + 1)
        let code = String(text.unicodeScalars[index].value, radix: 16, uppercase: true)
        let number = String(repeating: "0", count: 4 - code.utf8.count) + code
        throw Failure(
            .badSpecification, "\(file):\(place.line):\(place.column): an invisible line separator (U+\(number)) is "
                + "here; remove it, or break the line there")
    }

    /// The first node that has an anchor.
    private static func anchored(_ node: Node) -> Node? {
        switch node {
        case .scalar(let scalar): return scalar.anchor == nil ? nil : node
        case .sequence(let sequence):
            return sequence.anchor == nil ? sequence.lazy.compactMap { anchored($0) }.first : node
        case .mapping(let mapping):
            return mapping.anchor == nil
                ? mapping.lazy.compactMap { anchored($0.key) ?? anchored($0.value) }.first : node
        case .alias: return node
        }
    }

    private static func convert(_ node: Node, depth: Int, _ source: YAMLComplaint) throws -> YAMLValue {
        func refuse(_ what: String) -> Failure {
            let mark = node.mark.map(Place.init) ?? Place(line: 1, column: 1)
            return source.at(mark, what)
        }
        guard depth < maximumDepth else { throw refuse("nested more than \(maximumDepth) deep") }
        switch node {
        case .scalar(let scalar):
            try checkTag(scalar.tag, refuse)
            let isPlain = scalar.style == .plain || scalar.style == .any
            if isPlain, source.takesAnElement(scalar) {
                throw refuse("the '-' on the next line is taken for text; indent both lines alike, or use quotes")
            }
            return YAMLValue(kind: .scalar(scalar.string, isPlain: isPlain), mark: scalar.mark.map(Place.init))
        case .sequence(let sequence):
            try checkTag(sequence.tag, refuse)
            let elements = try sequence.map { try convert($0, depth: depth + 1, source) }
            return YAMLValue(kind: .list(elements), mark: sequence.mark.map(Place.init))
        case .mapping(let mapping):
            try checkTag(mapping.tag, refuse)
            let members = try mapping.map { key, value in
                guard case .scalar(let name) = key else {
                    throw refuse("a key of this mapping is not plain text; put text with { } [ ] in quotes")
                }
                if let hidden = name.string.unicodeScalars.first(where: VisibleText.isHidden) {
                    throw source.at(
                        name.mark.map(Place.init) ?? Place(line: 1, column: 1),
                        "the key '\(Names.shown(name.string))' has an invisible character; "
                            + VisibleText.remedy(hidden))
                }
                let value = try convert(value, depth: depth + 1, source)
                return Member(name: name.string, mark: name.mark.map(Place.init), value: value)
            }
            return YAMLValue(kind: .mapping(members), mark: mapping.mark.map(Place.init))
        case .alias: throw refuse(aliasText)
        }
    }

    private static func checkTag(_ tag: Tag, _ refuse: (String) -> Failure) throws {
        // Implicit tags are empty until something resolves them, which nothing here does; text in quotes is `str`.
        guard ["", "!", Tag.Name.str.rawValue].contains(tag.description) else {
            throw refuse("tags (\(Names.shown(tag.description))) are not supported; write the value without one")
        }
    }
}

/// What looks like anchors and aliases in a text: `&` or `*` before a name, where a token may begin. There may be none,
/// as quotes and comments are not told from the rest.
private struct SeemingAliases {
    /// So few aliases can stand for little only, however they are nested.
    static let harmless = 16

    private(set) var aliases = 0
    private(set) var anchor: (line: Int, column: Int)?

    init(_ text: String) {
        var (line, column) = (1, 1)
        var previous: UInt8 = 0x0a
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            let mayBegin = previous <= 0x20 || previous >= 0x80 || "[]{},:?-".utf8.contains(previous)
            if byte == 0x26 || byte == 0x2a, mayBegin, index + 1 < bytes.count,
                SeemingAliases.isWord(bytes[index + 1]) {
                if byte == 0x2a { aliases += 1 } else if anchor == nil { anchor = (line, column) }
            }
            if byte == 0x0a { (line, column) = (line + 1, 1) } else if byte & 0xc0 != 0x80 { column += 1 }
            previous = byte
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5a ~= byte || 0x61...0x7a ~= byte || byte == 0x5f || byte == 0x2d
    }
}
