public import Formats
import Model
public import Ports

/// An append-only file of frames, after a header that names its format:
///
///     "usweep-j"   8 bytes
///     major        4 bytes, little-endian: 2, or 1 for what version 1 left
///     frames       as in ``Frame``
///
/// What a crash left unfinished stands behind all that was durable: it is cut off when the journal is opened, and
/// reported. A disk may keep later pages of it and lose earlier ones, so that whole frames can follow a gap; a copy is
/// then kept. To tell that from damage, whatever is written first after a sync says up to where it reached. Damage
/// before that place is an error, as is a major version that this program does not know; the file is left as it is.
/// One of version 1 gets the header of today before anything is added to it, so that no program of that version takes
/// it for its own; its frames stay as they are, as their kinds tell how they are read.
public struct AgentJournal {
    /// What was found when a journal was opened.
    public struct Opened {
        public var journal: AgentJournal
        public var frames: [Frame]
        /// Bytes of an unfinished write that were cut off; 0: none.
        public var tornBytes: Int64
    }

    public static let major: UInt32 = 2
    static let header: [UInt8] = Array("usweep-j".utf8) + [2, 0, 0, 0]
    /// Set aside, so that what must be recorded can be recorded on a full disk.
    private static let reserve: Int64 = 256 * 1024
    /// The kind of a frame that says how long the journal was when it was last made durable: 8 bytes, little-endian.
    static let markKind: UInt8 = 0

    private let files: any Files
    private let path: String
    private let folder: String
    public private(set) var file: FileHandle
    /// Length of the whole frames, header included, in bytes.
    public private(set) var size: Int64
    /// Up to where the content is known to outlive a crash, and up to where the content itself says so.
    private var durableSize: Int64 = 0
    private var markedSize: Int64 = 0

    /// Opens `folder/name`, or makes it.
    ///
    /// - Throws: ``Failure`` (`badArchive`) for what is not an intact journal, ``FilesError`` for what the disk
    ///   refuses.
    public static func open(folder: String, name: String, files: any Files) throws -> Opened {
        let path = "\(folder)/\(name)"
        if try files.status(path) == nil { try create(path, files) }
        let file = try files.open(path, .update)
        do {
            // Whoever gave the file its name may have died before that was durable.
            try files.syncFolder(folder)
            let content = try read(file, files)
            var journal = AgentJournal(
                files: files, path: path, folder: folder, file: file, size: Int64(header.count))
            if content.count < header.count {
                try checkBeginning(content, path)
                try journal.begin()
                return Opened(journal: journal, frames: [], tornBytes: Int64(content.count))
            }
            try check(content, path)
            let (frames, end, hasGap) = try parse(content, path)
            journal.size = Int64(end)
            if hasGap {
                try files.removeTree("\(path).torn")
                try files.copy(path, to: "\(path).torn", mode: 0o600)
            }
            if end < content.count {
                try files.truncate(file, to: Int64(end))
                try files.sync(file)
            }
            files.reserve(file, bytes: Int64(end) + reserve)
            if !content.starts(with: header) { try journal.rewrite(frames) }
            return Opened(journal: journal, frames: frames, tornBytes: Int64(content.count - end))
        } catch {
            files.close(file)
            throw error
        }
    }

    /// Reads all of `folder/name`, if it is there, and touches nothing.
    ///
    /// - Throws: ``Failure`` (`badArchive`) where ``open(folder:name:files:)`` would; ``FilesError``.
    public static func examine(folder: String, name: String, files: any Files) throws {
        let path = "\(folder)/\(name)"
        guard try files.status(path) != nil else { return }
        let file = try files.open(path, .read)
        defer { files.close(file) }
        let content = try read(file, files)
        guard content.count >= header.count else { return try checkBeginning(content, path) }
        try check(content, path)
        _ = try parse(content, path)
    }

    /// Looks at the version of `folder/name`, if it is there, and touches nothing.
    ///
    /// - Throws: ``Failure`` (`badArchive`) for one of a newer program; ``FilesError``.
    public static func refuseNewer(folder: String, name: String, files: any Files) throws {
        let path = "\(folder)/\(name)"
        guard try files.status(path) != nil else { return }
        let file = try files.open(path, .read)
        defer { files.close(file) }
        let content = try files.read(file, at: 0, count: header.count)
        if content.count == header.count { try check(content, path) }
    }

    public func close() { files.close(file) }

    /// Writes frames at the end, none of kind 0; they are durable after ``sync()``. After an error the journal is as
    /// it was: what was half written will be written over.
    public mutating func append(_ frames: [Frame]) throws(FilesError) {
        guard !frames.isEmpty else { return }
        var bytes: [UInt8] = []
        if durableSize > markedSize { bytes += try encode(AgentJournal.mark(durableSize)) }
        for frame in frames { bytes += try encode(frame) }
        try files.write(file, at: size, bytes)
        size += Int64(bytes.count)
        markedSize = durableSize
    }

    private func encode(_ frame: Frame) throws(FilesError) -> [UInt8] {
        do throws(WireError) {
            return try frame.encoded
        } catch {
            // EMSGSIZE
            throw FilesError(errorNumber: 90, path: path, operation: "add a record", reason: error.message)
        }
    }

    public mutating func sync() throws(FilesError) {
        try files.sync(file)
        noteDurable(size)
    }

    /// Whether the file still has its name. Where somebody removed it, only ``rewrite(_:)`` brings it back.
    public var isInPlace: Bool { files.isInPlace(file, path) }

    /// Somebody else has made ``file`` durable when it was so long.
    public mutating func noteDurable(_ size: Int64) { durableSize = max(durableSize, min(size, self.size)) }

    private static func mark(_ size: Int64) -> Frame {
        Frame(kind: markKind, payload: (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) })
    }

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
                bytes += try encode(frame)
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
        durableSize = length
        markedSize = 0
    }

    private func flush(_ bytes: inout [UInt8], to file: FileHandle, at offset: inout Int64) throws(FilesError) {
        try files.write(file, at: offset, bytes)
        offset += Int64(bytes.count)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Never with half of a header.
    private static func create(_ path: String, _ files: any Files) throws(FilesError) {
        let temporary = "\(path).new"
        try files.removeTree(temporary)
        let file = try files.open(temporary, .create)
        defer { files.close(file) }
        try files.write(file, at: 0, header)
        try files.sync(file)
        try files.rename(temporary, to: path)
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

    /// One that was just made may have less than its header.
    private static func checkBeginning(_ content: [UInt8], _ path: String) throws(Failure) {
        guard header.prefix(8).starts(with: content.prefix(8)) else {
            throw damaged(path, "it does not begin as a journal")
        }
    }

    private static func check(_ content: [UInt8], _ path: String) throws(Failure) {
        try checkBeginning(content, path)
        let found = content[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard 1...major ~= found else {
            throw Failure(
                .badArchive,
                "\(path) has version \(found), and this agent knows versions up to \(major): a newer usweep works in "
                    + "this folder. Nothing was changed; use that usweep, or give the host another workdir")
        }
    }

    /// The whole frames, where they end, and whether others follow.
    private static func parse(
        _ content: [UInt8], _ path: String
    ) throws(Failure) -> (frames: [Frame], end: Int, hasGap: Bool) {
        var frames: [Frame] = []
        var reader = FrameReader()
        reader.append(content[header.count...])
        var end = header.count
        while true {
            var next: Frame?
            do throws(WireError) { next = try reader.next() } catch { next = nil }
            guard let frame = next else { break }
            if frame.kind != markKind { frames.append(frame) }
            end += Frame.headerLength + 1 + frame.payload.count
        }
        let later = wholeFrames(in: content, after: end)
        if later.contains(where: { $0.kind == markKind && reach($0) > end }) {
            throw damaged(path, "at byte \(end) it differs from what was written and synced there")
        }
        return (frames, end, !later.isEmpty)
    }

    private static func reach(_ mark: Frame) -> Int {
        mark.payload.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// All whole frames behind `start`, wherever they stand.
    private static func wholeFrames(in content: [UInt8], after start: Int) -> [Frame] {
        var found: [Frame] = []
        var offset = start + 1
        while content.count - offset > Frame.headerLength {
            defer { offset += 1 }
            let length = (0..<4).reduce(0) { $0 | Int(content[offset + $1]) << (8 * $1) }
            guard 1...Frame.maximumLength ~= length, offset + Frame.headerLength + length <= content.count else {
                continue
            }
            var reader = FrameReader()
            reader.append(content[offset..<offset + Frame.headerLength + length])
            if let frame = try? reader.next(), frame.payload.count + 1 == length {
                found.append(frame)
                offset += Frame.headerLength + length - 1
            }
        }
        return found
    }

    private static func damaged(_ path: String, _ how: String) -> Failure {
        Failure(
            .badArchive,
            "the journal \(path) is damaged: \(how). Nothing was changed; move it away to begin without it")
    }
}
