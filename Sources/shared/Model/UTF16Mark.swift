/// Tells files in UTF-16, which some editors and spreadsheets write, from UTF-8.
public enum UTF16Mark {
    /// Whether bytes begin with a byte-order mark of UTF-16, or, as such a file without one does, with an ASCII
    /// character and a zero byte in either order.
    public static func isMark(_ bytes: some Collection<UInt8>) -> Bool {
        let start = Array(bytes.prefix(2))
        guard start.count == 2 else { return false }
        return start == [0xff, 0xfe] || start == [0xfe, 0xff]
            || start[0] == 0 && 1..<0x80 ~= start[1] || start[1] == 0 && 1..<0x80 ~= start[0]
    }
}
