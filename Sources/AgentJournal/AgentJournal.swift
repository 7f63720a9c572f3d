import Model
public import Ports
public import Wire

/// An append-only file of frames, after a header that names its format:
///
///     "usweep-j"   8 bytes
///     major        4 bytes, little-endian: 1
///     frames       as in ``Frame``
///
/// A write that a crash cut short can only stand at the end: it is cut off when the journal is opened, and
/// reported. Damage before whole frames is an error, as is a major version that this program does not know; the
/// file is then left as it is.
public struct AgentJournal {
    /// What was found when a journal was opened.
    public struct Opened {
        public var journal: AgentJournal
        public var frames: [Frame]
        /// Bytes of an unfinished write that were cut off; 0: none.
        public var tornBytes: Int64
    }

    public static let major: UInt32 = 1
    static let header: [UInt8] = Array("usweep-j".utf8) + [1, 0, 0, 0]
    /// Set aside, so that what must be recorded can be recorded on a full disk.
    private static let reserve: Int64 = 256 * 1024

    private let files: any Files
    private let path: String
    private let folder: String
    public private(set) var file: FileHandle
    /// Length of the whole frames, header included, in bytes.
    public private(set) var size: Int64

    /// Opens `folder/name`, or makes it.
    ///
    /// - Throws: ``Failure`` (`badArchive`) for what is not an intact journal, ``FilesError`` for what the disk
    ///   refuses.
    public static func open(folder: String, name: String, files: any Files) throws -> Opened {
        let path = "\(folder)/\(name)"
        let file = try files.open(path, .update)
        do {
            let content = try read(file, files)
            var journal = AgentJournal(
                files: files, path: path, folder: folder, file: file, size: Int64(header.count))
            if content.count < header.count {
                guard header.starts(with: content) else { throw damaged(path, "it does not begin as a journal") }
                try journal.begin()
                return Opened(journal: journal, frames: [], tornBytes: Int64(content.count))
            }
            try check(content, path)
            let (frames, end) = try parse(content, path)
            journal.size = Int64(end)
            if end < content.count {
                try files.truncate(file, to: Int64(end))
                try files.sync(file)
            }
            files.reserve(file, bytes: Int64(end) + reserve)
            return Opened(journal: journal, frames: frames, tornBytes: Int64(content.count - end))
        } catch {
            files.close(file)
            throw error
        }
    }

    public func close() { files.close(file) }

    /// Writes frames at the end; they are durable after ``sync()``. After an error the journal is as it was: what
    /// was half written will be written over.
    public mutating func append(_ frames: [Frame]) throws(FilesError) {
        guard !frames.isEmpty else { return }
        var bytes: [UInt8] = []
        for frame in frames { bytes += frame.encoded }
        try files.write(file, at: size, bytes)
        size += Int64(bytes.count)
    }

    public func sync() throws(FilesError) { try files.sync(file) }

    /// Replaces the whole content, in one step for whoever opens it later. Durable on return.
    public mutating func rewrite(_ frames: [Frame]) throws(FilesError) {
        let temporary = "\(path).new"
        try? files.remove(temporary)
        let fresh = try files.open(temporary, .update)
        var length = Int64(AgentJournal.header.count)
        do throws(FilesError) {
            try files.truncate(fresh, to: 0)
            files.reserve(fresh, bytes: AgentJournal.reserve)
            try files.write(fresh, at: 0, AgentJournal.header)
            var bytes: [UInt8] = []
            for frame in frames {
                bytes += frame.encoded
                if bytes.count > 1 << 20 { try flush(&bytes, to: fresh, at: &length) }
            }
            try flush(&bytes, to: fresh, at: &length)
            try files.sync(fresh)
            try files.rename(temporary, to: path)
            try files.syncFolder(folder)
        } catch {
            files.close(fresh)
            throw error
        }
        files.close(file)
        files.reserve(fresh, bytes: length + AgentJournal.reserve)
        file = fresh
        size = length
    }

    private func flush(_ bytes: inout [UInt8], to file: FileHandle, at offset: inout Int64) throws(FilesError) {
        try files.write(file, at: offset, bytes)
        offset += Int64(bytes.count)
        bytes.removeAll(keepingCapacity: true)
    }

    private func begin() throws(FilesError) {
        try files.write(file, at: 0, AgentJournal.header)
        files.reserve(file, bytes: AgentJournal.reserve)
        try files.sync(file)
        try files.syncFolder(folder)
    }

    // MARK: Reading

    private static func read(_ file: FileHandle, _ files: any Files) throws(FilesError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let piece = try files.read(file, at: Int64(content.count), count: 1 << 20)
            if piece.isEmpty { return content }
            content += piece
        }
    }

    private static func check(_ content: [UInt8], _ path: String) throws(Failure) {
        guard content.starts(with: header.prefix(8)) else { throw damaged(path, "it does not begin as a journal") }
        let found = content[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard found == major else {
            throw Failure(
                .badArchive,
                "\(path) has format \(found), and this agent knows \(major) only: use the agent that wrote it")
        }
    }

    /// The whole frames and where they end.
    private static func parse(_ content: [UInt8], _ path: String) throws(Failure) -> ([Frame], Int) {
        var frames: [Frame] = []
        var reader = FrameReader()
        reader.append(content[header.count...])
        var end = header.count
        while true {
            var next: Frame?
            do throws(WireError) { next = try reader.next() } catch { next = nil }
            guard let frame = next else { break }
            frames.append(frame)
            end += Frame.headerLength + 1 + frame.payload.count
        }
        if let later = wholeFrame(in: content, after: end) {
            throw damaged(path, "bytes \(end) to \(later) are not what was written, and whole records follow")
        }
        return (frames, end)
    }

    /// The first place behind `start` where a whole frame stands: then what is before it was not torn but damaged.
    private static func wholeFrame(in content: [UInt8], after start: Int) -> Int? {
        guard content.count - start > Frame.headerLength else { return nil }
        for offset in (start + 1)..<content.count {
            guard content.count - offset > Frame.headerLength else { return nil }
            let length = (0..<4).reduce(0) { $0 | Int(content[offset + $1]) << (8 * $1) }
            guard 1...Frame.maximumLength ~= length, offset + Frame.headerLength + length <= content.count else {
                continue
            }
            var reader = FrameReader()
            reader.append(content[offset..<offset + Frame.headerLength + length])
            if let frame = try? reader.next(), frame.payload.count + 1 == length { return offset }
        }
        return nil
    }

    private static func damaged(_ path: String, _ how: String) -> Failure {
        Failure(
            .badArchive,
            "the journal \(path) is damaged: \(how). Nothing was changed; move it away to begin without it")
    }
}
