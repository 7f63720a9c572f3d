/// The first line of a file of lines: which format it has, in which version. In version 1 there was none.
public struct TextVersion: Sendable {
    /// As in "usweep recent".
    private let name: String
    private let current: Int

    public init(name: String, current: Int) {
        self.name = name
        self.current = current
    }

    /// What a file begins with that is written now.
    public var line: String { "\(name) \(current)" }

    /// The lines behind the first, without empty ones; nil: a newer program wrote them.
    public func lines(_ text: String) -> [Substring]? {
        let lines = text.split(separator: "\n")
        guard let first = lines.first, first.hasPrefix("\(name) "), let version = Int(first.dropFirst(name.count + 1))
        else { return lines }
        return version <= current ? Array(lines.dropFirst()) : nil
    }
}
