import Model

/// What the judgement of an attempt reads at most, in bytes. A run may leave files of any size: they are kept and can
/// be pulled, but only so much of them is taken in.
public enum EvidenceLimit {
    /// Of a file with results, which is taken in whole.
    public static let results: Int64 = 16 << 20
    /// Of a file about the run itself (events, configuration), which is taken in whole.
    public static let document: Int64 = 32 << 20
    /// Of one line in a file that is only searched; what follows on the line is not looked at.
    public static let line = 64 << 10
    /// Of columns in a file with results: their names are chosen by whatever ran.
    public static let columns = 65_536
    /// Of a piece of a file that is searched.
    static let piece = 128 << 10
}

/// The files that an attempt left, as its judgement sees them: searched in pieces, or taken in whole up to a limit, so
/// that no run decides how much memory its judgement takes.
public struct EvidenceFiles {
    /// What the agent says of files that were left and could not be taken, as in `"results.json" (a folder)`.
    public var omissions = ""
    private let sizeOf: (String) throws -> Int64?
    private let bytes: (_ path: String, _ offset: Int64, _ count: Int) throws -> [UInt8]

    /// - Parameters:
    ///   - size: of the file at a path relative to the attempt's folder, in bytes; nil: there is none.
    ///   - bytes: at most `count` bytes of a file that is there, fewer only at its end.
    public init(
        size: @escaping (_ path: String) throws -> Int64?,
        bytes: @escaping (_ path: String, _ offset: Int64, _ count: Int) throws -> [UInt8]
    ) {
        sizeOf = size
        self.bytes = bytes
    }

    /// Files that are at hand.
    public init(_ content: @escaping (_ path: String) throws -> [UInt8]?) {
        let last = Last()
        self.init(size: { try last.content($0, content).map { Int64($0.count) } }) { path, offset, count in
            Array((try last.content(path, content) ?? []).dropFirst(Int(offset)).prefix(count))
        }
    }

    /// The file that was asked for last.
    private final class Last {
        private var file: (path: String, bytes: [UInt8]?)?

        func content(_ path: String, _ content: (String) throws -> [UInt8]?) rethrows -> [UInt8]? {
            if let file, file.path == path { return file.bytes }
            let bytes = try content(path)
            file = (path, bytes)
            return bytes
        }
    }

    /// nil: there is no such file.
    public func size(_ path: String) throws -> Int64? { try sizeOf(path) }

    /// The whole of a file; nil: there is none.
    ///
    /// - Throws: ``Breach`` for a file that is larger than `limit`, in bytes.
    package func content(_ path: String, limit: Int64) throws -> [UInt8]? {
        guard let size = try sizeOf(path) else { return nil }
        guard size <= limit else {
            throw Breach("\(path) is \(PeopleText.size(size)); at most \(PeopleText.size(limit)) are read")
        }
        return try bytes(path, 0, Int(size))
    }

    /// Goes through a file in pieces, in order.
    ///
    /// - Parameter body: whether to go on after this piece.
    /// - Returns: whether there is such a file.
    @discardableResult
    package func forEachPiece(_ path: String, _ body: ([UInt8]) throws -> Bool) throws -> Bool {
        guard let size = try sizeOf(path) else { return false }
        var offset: Int64 = 0
        while offset < size {
            let piece = try bytes(path, offset, Int(min(Int64(EvidenceLimit.piece), size - offset)))
            guard !piece.isEmpty, try body(piece) else { return true }
            offset += Int64(piece.count)
        }
        return true
    }

    /// Goes through the lines of a file of any size, without their ends. Of a line that is longer than
    /// ``EvidenceLimit/line`` only the beginning is seen.
    ///
    /// - Parameter body: is given the line's number, from 1; whether to go on after it.
    /// - Returns: whether there is such a file.
    @discardableResult
    package func forEachLine(
        _ path: String, _ body: (_ number: Int, _ line: ArraySlice<UInt8>) throws -> Bool
    ) throws -> Bool {
        var number = 1
        // The beginning of a line that the piece before did not end.
        var open: [UInt8] = []
        var goesOn = true
        let isThere = try forEachPiece(path) { piece in
            var start = 0
            while goesOn {
                let end = piece.span.bytes.offset(of: .newline, from: start)
                let part = piece[start..<min(end, start + EvidenceLimit.line)]
                guard end < piece.count else {
                    open += part.prefix(EvidenceLimit.line - open.count)
                    return true
                }
                goesOn = try body(number, open.isEmpty ? part : (open + part)[...].prefix(EvidenceLimit.line))
                open = []
                number += 1
                start = end + 1
            }
            return false
        }
        if goesOn, !open.isEmpty { _ = try body(number, open[...]) }
        return isThere
    }
}
