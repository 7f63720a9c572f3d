/// The end of what a host has written on its standard error, for messages.
///
/// In bytes: one character may take any number of them.
struct StandardErrorTail: Sendable {
    private var bytes: [UInt8] = []

    static let longest = 4_096

    mutating func add(_ more: [UInt8]) {
        bytes += more.suffix(StandardErrorTail.longest)
        if bytes.count > StandardErrorTail.longest { bytes.removeFirst(bytes.count - StandardErrorTail.longest) }
    }

    /// On one line; empty: there was nothing.
    var text: String {
        // It may begin within a character.
        String(decoding: bytes.drop { $0 & 0b1100_0000 == 0b1000_0000 }, as: UTF8.self).trimmingLines
    }
}
