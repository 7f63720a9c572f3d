import Model

/// vSwarm-u's `functions.list`: one name a line; `#` begins a comment.
public enum WorkloadList {
    public struct Entry: Sendable, Hashable {
        /// Where it stands, from 1.
        public var line: Int
        public var column: Int
        /// As written, without white space at both ends: it may be no name.
        public var name: String
    }

    public static func entries(_ text: String) -> [Entry] {
        // Editors of Windows put a byte-order mark in front.
        let text = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
        return text.split(omittingEmptySubsequences: false) { $0.isNewline }.enumerated().compactMap { index, line in
            let name = line.prefix { $0 != "#" }.trimmed
            let column = line.prefix { $0 == " " || $0 == "\t" }.count + 1
            return name.isEmpty ? nil : Entry(line: index + 1, column: column, name: name)
        }
    }
}
