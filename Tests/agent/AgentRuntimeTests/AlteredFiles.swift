import Glibc
import Ports
import Storage
import Synchronization

/// How much was to be removed at once, of what.
final class Removals: Sendable {
    private let counts = Mutex<[(path: String, count: Int)]>([])

    func most(below folder: String) -> Int {
        counts.withLock { $0.filter { $0.path.hasPrefix(folder) }.map(\.count).max() ?? 0 }
    }

    func note(_ path: String, atMost count: Int) { counts.withLock { $0.append((path, count)) } }
}

/// The machine's file system, but for what a test wants to be otherwise.
struct AlteredFiles: Files {
    /// Whether files may share their blocks; nil: as the disk has it.
    var clones: Bool?
    /// Of every folder, instead of what is in it; nil: what is in it.
    var names: [String]?
    /// Whether anything can be removed.
    var removes = true
    /// Is told how much is removed at once.
    var removals: Removals?
    private let real = LocalFiles()

    private final class Names: FolderEntries {
        private var rest: ArraySlice<String>

        init(_ names: [String]) { rest = names[...] }

        func next() -> FolderEntry? { rest.popFirst().map { FolderEntry(name: $0, kind: .file) } }
    }

    func entries(_ path: String) throws(FilesError) -> any FolderEntries {
        if let names { return Names(names) }
        return try real.entries(path)
    }

    func clone(_ path: String, to other: String, mode: UInt32) throws(FilesError) -> Bool {
        clones == false ? false : try real.clone(path, to: other, mode: mode)
    }

    // MARK: As it is

    var processMark: String { real.processMark }
    func open(_ path: String, _ mode: OpenMode) throws(FilesError) -> FileHandle { try real.open(path, mode) }
    func close(_ file: FileHandle) { real.close(file) }
    func read(_ file: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> [UInt8] {
        try real.read(file, at: offset, count: count)
    }
    func write(_ file: FileHandle, at offset: Int64, _ bytes: [UInt8]) throws(FilesError) {
        try real.write(file, at: offset, bytes)
    }
    func size(_ file: FileHandle) throws(FilesError) -> Int64 { try real.size(file) }
    func truncate(_ file: FileHandle, to size: Int64) throws(FilesError) { try real.truncate(file, to: size) }
    func sync(_ file: FileHandle) throws(FilesError) { try real.sync(file) }
    func writeOut(_ file: FileHandle, from offset: Int64, count: Int64) throws(FilesError) {
        try real.writeOut(file, from: offset, count: count)
    }
    func isInPlace(_ file: FileHandle, _ path: String) -> Bool { real.isInPlace(file, path) }
    func reserve(_ file: FileHandle, bytes: Int64) { real.reserve(file, bytes: bytes) }
    func syncFolder(_ path: String) throws(FilesError) { try real.syncFolder(path) }
    func rename(_ path: String, to other: String) throws(FilesError) { try real.rename(path, to: other) }
    func makeFolder(_ path: String) throws(FilesError) { try real.makeFolder(path) }
    func status(_ path: String) throws(FilesError) -> FileStatus? { try real.status(path) }
    func remove(_ path: String) throws(FilesError) { try real.remove(path) }
    func removeTree(_ path: String, atMost count: Int) throws(FilesError) -> Bool {
        removals?.note(path, atMost: count)
        guard removes else {
            throw FilesError(errorNumber: EPERM, path: path, operation: "remove", reason: "Operation not permitted")
        }
        return try real.removeTree(path, atMost: count)
    }
    func link(_ path: String, to other: String) throws(FilesError) { try real.link(path, to: other) }
    func copy(_ path: String, to other: String, mode: UInt32) throws(FilesError) {
        try real.copy(path, to: other, mode: mode)
    }
    func copy(_ file: FileHandle, to other: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> Int {
        try real.copy(file, to: other, at: offset, count: count)
    }
    func resolve(_ path: String) throws(FilesError) -> String? { try real.resolve(path) }
    func setMode(_ path: String, _ mode: UInt32) throws(FilesError) { try real.setMode(path, mode) }
    func setModified(_ path: String, _ time: Int64) throws(FilesError) { try real.setModified(path, time) }
    func freeBytes(_ path: String) throws(FilesError) -> Int64 { try real.freeBytes(path) }
}
