extension StringProtocol {
    /// Without white space (space, tab, carriage return) at both ends.
    public var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// Whether a text is somewhere in this one, byte for byte. What the standard library has for it comes with a parser
    /// of regular expressions: a tenth of the agent's size.
    public func holds(_ text: String) -> Bool {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        return wanted.isEmpty || bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }
}
