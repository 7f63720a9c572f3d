import Model

/// What is wrong with one file, collected while it is read, so that a user fixes it in one go.
final class Problems {
    /// The file as the user named it.
    let file: String
    private var entries: [(line: Int, column: Int, code: Failure.Code, text: String)] = []
    /// Beyond this a file is something else altogether.
    private static let limit = 50

    init(file: String) { self.file = file }

    var isEmpty: Bool { entries.isEmpty }

    /// Notes that the value of `key` is wrong.
    ///
    /// - Parameter text: what is wrong; what to write instead.
    func add(_ mark: Place?, key: String, _ text: String, code: Failure.Code = .badSpecification) {
        // The document as a whole has no key.
        add(mark, key.isEmpty ? text : "key '\(Names.shown(key))': \(text)", code: code)
    }

    func add(_ mark: Place?, _ text: String, code: Failure.Code = .badSpecification) {
        entries.append((mark?.line ?? 1, mark?.column ?? 1, code, text))
    }

    /// A problem in a file that this one names.
    func add(line: Int, column: Int, of other: String, _ text: String) {
        others.append("\(other):\(line):\(column): \(text)")
    }
    private var others: [String] = []

    /// - Throws: ``Failure`` with one line for each problem, in the order of the file: `badSpecification`, unless
    ///   all of them are of one other kind.
    func check() throws {
        guard !entries.isEmpty || !others.isEmpty else { return }
        let sorted = entries.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }
        var lines = sorted.map { "\(file):\($0.element.line):\($0.element.column): \($0.element.text)" } + others
        if lines.count > Problems.limit {
            lines = lines.prefix(Problems.limit) + ["\(file): \(lines.count - Problems.limit) more"]
        }
        let first = entries.first?.code ?? .badSpecification
        let isUniform = others.isEmpty && entries.allSatisfy { $0.code == first }
        throw Failure(isUniform ? first : .badSpecification, lines.joined(separator: "\n"))
    }
}
