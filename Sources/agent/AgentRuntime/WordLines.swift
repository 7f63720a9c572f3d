import Ports
import Storage

/// A small file that the agent keeps for later agents, with words in each line.
struct WordLines {
    let path: String
    let files: any Files

    /// - Parameter limit: in bytes. A file that is larger or cannot be read is as one without lines.
    func read(atMost limit: Int) -> some Sequence<[String]> {
        let bytes = (try? files.content(path, atMost: limit)) ?? []
        // A line's words at a time: there may be very many lines.
        return bytes.split(separator: UInt8(ascii: "\n")).lazy.map { line in
            line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// All of them, or none.
    func replace(with lines: [[String]]) throws(FilesError) {
        let text = lines.map { $0.joined(separator: " ") + "\n" }.joined()
        try files.replace(path, with: Array(text.utf8), by: "\(path).\(files.processMark)")
    }
}
