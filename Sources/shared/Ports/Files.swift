/// The file system at the level of system calls, for everything that must survive a crash.
///
/// What is written against this port runs unchanged on a simulated disk that loses what was not made durable: data
/// by ``sync(_:)``, names by ``syncFolder(_:)``. Paths are absolute. Files are made with mode 0600, folders with 0700.
/// Every function throws ``FilesError`` with the system's own error number.
public protocol Files: Sendable {
    /// Tells the temporary names of this process from those of others that use the same folders now.
    var processMark: String { get }
    func open(_ path: String, _ mode: OpenMode) throws(FilesError) -> FileHandle
    func close(_ file: FileHandle)
    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(_ file: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> [UInt8]
    /// All of `bytes`, at `offset`.
    func write(_ file: FileHandle, at offset: Int64, _ bytes: [UInt8]) throws(FilesError)
    func size(_ file: FileHandle) throws(FilesError) -> Int64
    func truncate(_ file: FileHandle, to size: Int64) throws(FilesError)
    /// Makes the contents durable (`fdatasync`).
    func sync(_ file: FileHandle) throws(FilesError)
    /// Has the disk begin with `count` bytes from `offset`, and waits for the `count` bytes before them, so that little
    /// is left for ``sync(_:)`` and who writes meanwhile seldom waits. Nothing is durable by it.
    func writeOut(_ file: FileHandle, from offset: Int64, count: Int64) throws(FilesError)
    /// Whether the name still stands for this open file.
    func isInPlace(_ file: FileHandle, _ path: String) -> Bool
    /// Sets space aside, so that a full disk cannot stop the first `bytes` from being written. Best effort.
    func reserve(_ file: FileHandle, bytes: Int64)
    /// Makes the names in a folder durable (`fsync`).
    func syncFolder(_ path: String) throws(FilesError)
    func rename(_ path: String, to other: String) throws(FilesError)
    /// One folder; one that is there already is an error (`EEXIST`).
    func makeFolder(_ path: String) throws(FilesError)
    /// The entries of a folder one after the other: there may be more of them than memory holds.
    func entries(_ path: String) throws(FilesError) -> any FolderEntries
    /// What the name stands for, symbolic links not followed; nil: nothing.
    func status(_ path: String) throws(FilesError) -> FileStatus?
    func remove(_ path: String) throws(FilesError)
    /// Removes at most `count` names of a file, or a folder with all that is in it; a missing one is no error. True:
    /// nothing is left of it. Where something cannot be removed, it throws when all else is gone.
    func removeTree(_ path: String, atMost count: Int) throws(FilesError) -> Bool
    func link(_ path: String, to other: String) throws(FilesError)
    /// A new file with the same bytes and the given mode.
    func copy(_ path: String, to other: String, mode: UInt32) throws(FilesError)
    /// A new file with the same bytes and the given mode, which takes no space until one of the two is changed. False:
    /// this file system cannot do that, and nothing was made.
    func clone(_ path: String, to other: String, mode: UInt32) throws(FilesError) -> Bool
    /// Copies at most `count` bytes from `offset` of one open file to the same place of another; 0 at the end.
    func copy(_ file: FileHandle, to other: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> Int
    /// Where a name leads when every symbolic link is followed; nil: nowhere.
    func resolve(_ path: String) throws(FilesError) -> String?
    func setMode(_ path: String, _ mode: UInt32) throws(FilesError)
    /// Sets when the contents last changed, nanoseconds since 1970.
    func setModified(_ path: String, _ time: Int64) throws(FilesError)
    /// Bytes that can still be written below `path`.
    func freeBytes(_ path: String) throws(FilesError) -> Int64
}

/// An open file of some ``Files``.
public struct FileHandle: Sendable, Hashable {
    public var number: Int32

    public init(number: Int32) { self.number = number }
}

/// How a file is opened.
public enum OpenMode: Sendable, Hashable {
    /// For reading; no symbolic link. Of a FIFO that nobody writes to, nothing is waited for.
    case read
    /// For reading and writing, made if it is missing.
    case update
    /// For writing; it must not be there.
    case create
}

/// The entries of an open folder, in no order.
public protocol FolderEntries: AnyObject {
    /// Nil: there are no more.
    func next() throws(FilesError) -> FolderEntry?
}

extension Files {
    /// Removes a file, or a folder with all that is in it; a missing one is no error.
    public func removeTree(_ path: String) throws(FilesError) { _ = try removeTree(path, atMost: .max) }

    /// The entries of a folder, ordered by name.
    public func list(_ path: String) throws(FilesError) -> [FolderEntry] {
        let folder = try entries(path)
        var all: [FolderEntry] = []
        while let entry = try folder.next() { all.append(entry) }
        all.sort { $0.name < $1.name }
        return all
    }
}

/// A name in a folder.
public struct FolderEntry: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case file, folder, symbolicLink, other
    }

    /// With the bytes that are not UTF-8 replaced, if `isText` is false.
    public var name: String
    /// Whether `name` is the whole truth.
    public var isText: Bool
    public var kind: Kind

    public init(name: String, isText: Bool = true, kind: Kind) {
        self.name = name
        self.isText = isText
        self.kind = kind
    }
}

/// What a name stands for.
public struct FileStatus: Sendable, Hashable {
    public var kind: FolderEntry.Kind
    /// In bytes.
    public var size: Int64
    /// What it takes on the disk, in bytes: holes take nothing.
    public var allocated: Int64
    /// Permission bits.
    public var mode: UInt32
    /// When the contents last changed, nanoseconds since 1970: to be compared with what it was, not with a clock.
    public var modified: Int64
    /// Which file it is, whatever its name: no two that are there at the same time have the same.
    public var identity: UInt64

    /// - Parameter allocated: nil: as much as its size.
    public init(
        kind: FolderEntry.Kind, size: Int64, allocated: Int64? = nil, mode: UInt32, modified: Int64 = 0,
        identity: UInt64 = 0
    ) {
        self.allocated = allocated ?? size
        self.identity = identity
        self.kind = kind
        self.size = size
        self.mode = mode
        self.modified = modified
    }
}

/// A system call on a file that failed.
public struct FilesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// As in errno(3).
    public var errorNumber: Int32
    public var path: String
    public var operation: String
    /// The system's text for the number.
    public var reason: String

    public init(errorNumber: Int32, path: String, operation: String, reason: String) {
        self.errorNumber = errorNumber
        self.path = path
        self.operation = operation
        self.reason = reason
    }

    /// No space, or the user's quota is used up (`ENOSPC`, `EDQUOT` on Linux).
    public var isDiskFull: Bool { errorNumber == 28 || errorNumber == 122 }

    /// `ENOENT`.
    public var isMissing: Bool { errorNumber == 2 }

    /// `EEXIST`.
    public var isAlreadyThere: Bool { errorNumber == 17 }

    public var description: String { "\(path): cannot \(operation): \(reason)" }
}
