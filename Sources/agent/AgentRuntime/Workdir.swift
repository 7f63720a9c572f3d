import CSystem
import Glibc
public import Model
package import Ports
import Storage

/// The agent's folder on a host, and what stands where in it.
public struct Workdir: Sendable, Hashable {
    /// Working data and journals: always on a local disk.
    public var root: String
    /// Where the sockets are: short enough for their addresses.
    public var sockets: String
    /// What the user named, after `~/` was replaced.
    public var named: String

    package init(root: String, sockets: String, named: String) {
        self.root = root
        self.sockets = sockets
        self.named = named
    }

    public var attempts: String { "\(root)/attempts" }
    public var objects: String { "\(root)/objects" }
    public var log: String { "\(root)/agent.log" }
    public var agentSocket: String { "\(sockets)/agent.sock" }
    public var supervisorSocket: String { "\(sockets)/supervisor.sock" }
    public var startLock: String { "\(root)/start.lock" }
    public var agentLock: String { "\(root)/agent.lock" }
    public var supervisorLock: String { "\(root)/supervisor.lock" }

    /// What this machine's folders are like, as far as it matters here.
    struct Surroundings {
        /// `f_type` of statfs(2).
        var fileSystem: (_ path: String) -> UInt64 = { sys_file_system_magic($0) }
        var holdsSockets: (_ folder: String) -> Bool = { sys_holds_sockets($0) == 1 }
        /// Where to work instead of a folder that other machines share; the first that they do not.
        var localFolders = ["/var/tmp", "/tmp"]
        var socketFolder = "/tmp"
        /// What this machine is called, for as long as its disk is not another; nil: it has no such name.
        var machine: () -> String? = { Machine.text("/etc/machine-id") }
    }

    /// Finds the folder, and makes what is missing of it.
    ///
    /// - Throws: ``Failure`` with what to change where it cannot be used.
    public static func prepare(_ name: String) throws(Failure) -> Workdir { try prepare(name, in: Surroundings()) }

    static func prepare(_ name: String, in place: Surroundings) throws(Failure) -> Workdir {
        let named = try expand(name)
        let files = LocalFiles()
        try make(named, files)
        var root = named
        if let system = NetworkFileSystem.name(ofType: place.fileSystem(named)) {
            let local = place.localFolders.first {
                NetworkFileSystem.name(ofType: place.fileSystem($0)) == nil
            }
            guard let local else {
                throw Failure(
                    .refused, "\(named) is on \(system), and so is \(place.localFolders.joined(separator: ", ")): "
                        + "set `workdir` to a folder on a local disk of the host")
            }
            root = try ownFolder(for: named, in: local, files)
        } else if let local = try folderBeside(named, place, files) {
            root = local
        }
        try own(root)
        let isShort = root.utf8.count <= longestSocketFolder
        let holdsSockets = isShort && place.holdsSockets(root)
        let sockets = holdsSockets ? root : try ownFolder(for: root, in: place.socketFolder, files)
        let workdir = Workdir(root: root, sockets: sockets, named: named)
        try make(workdir.attempts, files)
        spread(workdir)
        return workdir
    }

    // MARK: Folders that several machines see

    /// Where to work instead of a folder in which another machine works: some file systems that machines share cannot
    /// be told by their type, and locks and sockets on them may hold on one machine only. Nil: the folder is this
    /// machine's.
    private static func folderBeside(
        _ named: String, _ place: Surroundings, _ files: LocalFiles
    ) throws(Failure) -> String? {
        let local = place.localFolders.first { NetworkFileSystem.name(ofType: place.fileSystem($0)) == nil }
        guard let local else { return nil }
        // Once it works there it stays there, whatever becomes of the mark.
        let beside = ownPath(for: named, in: local)
        if let status = try? files.status("\(beside.folder)/attempts"), status.kind == .folder {
            return try ownFolder(for: named, in: local, files)
        }
        guard let machine = place.machine(), !machine.isEmpty, isOfOther(named, than: machine, files) else {
            return nil
        }
        // So that who cleans up there knows.
        if let file = try? files.open("\(named)/\(sharedMark)", .update) { files.close(file) }
        return try ownFolder(for: named, in: local, files)
    }

    static let machineMark = ".usweep-machine"
    static let sharedMark = ".usweep-shared"

    /// Whether another machine was first to mark a folder as its own.
    private static func isOfOther(_ folder: String, than machine: String, _ files: LocalFiles) -> Bool {
        let mark = "\(folder)/\(machineMark)"
        do {
            if try files.status(mark) == nil {
                // Two may come at once: a name is given only where there is none.
                let temporary = "\(mark).\(SHA256.digest(machine).short).\(files.processMark)"
                try files.removeTree(temporary)
                let file = try files.open(temporary, .create)
                defer { files.close(file) }
                try files.write(file, at: 0, Array(machine.utf8))
                if (try? files.link(temporary, to: mark)) == nil, try files.status(mark) == nil {
                    // A file system without such names.
                    try? files.copy(temporary, to: mark, mode: 0o600)
                }
                try files.remove(temporary)
            }
            guard let found = try files.content(mark, atMost: 256) else { return false }
            return found != Array(machine.utf8)
        } catch {
            // What stands in the way of a mark stands in the way of a journal, too, which says so.
            return false
        }
    }

    /// The address of a socket has 108 bytes, its end and the longest name in the folder among them.
    private static let longestSocketFolder = 80

    /// A folder of this user's that stands for another one, in a folder where everybody may write.
    private static func ownFolder(for path: String, in common: String, _ files: LocalFiles) throws(Failure) -> String {
        let (users, folder) = ownPath(for: path, in: common)
        for folder in [users, folder] {
            try make(folder, files)
            try own(folder, isNamed: false)
        }
        return folder
    }

    private static func ownPath(for path: String, in common: String) -> (users: String, folder: String) {
        let users = "\(common)/usweep-\(getuid())"
        return (users, "\(users)/\(SHA256.digest(path).short)")
    }

    /// Makes what is missing of a folder that the agent works in.
    package static func make(_ workdir: Workdir, _ files: any Files) throws(Failure) {
        try make(workdir.root, files)
        try make(workdir.attempts, files)
    }

    /// Makes what somebody removed while this process works in it.
    static func makeAgain(_ workdir: Workdir) throws(Failure) {
        let files = LocalFiles()
        try make(workdir, files)
        spread(workdir)
        try own(workdir.root)
        guard workdir.sockets != workdir.root else { return }
        let users = String(workdir.sockets[..<(workdir.sockets.lastIndex(of: "/") ?? workdir.sockets.endIndex)])
        for folder in [users, workdir.sockets] {
            try make(folder, files)
            try own(folder, isNamed: false)
        }
    }

    /// Each sweep's files are then made where no other sweep's were just deleted: see
    /// ``AttemptFolders/discard(_:bytes:)``.
    private static func spread(_ workdir: Workdir) { sys_spread(workdir.attempts) }

    /// The name of the file system, where other machines may share it.
    static func sharedFileSystem(of path: String) -> String? {
        NetworkFileSystem.name(ofType: sys_file_system_magic(path))
    }

    /// What `~` and `~/` stand for; as it is, if this host does not tell where the home is.
    static func inHome(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = getenv("HOME").map({ String(cString: $0) }),
            home.hasPrefix("/")
        else { return path }
        return home + path.dropFirst(1)
    }

    private static func expand(_ name: String) throws(Failure) -> String {
        var path = inHome(name)
        guard !path.hasPrefix("~") else {
            throw Failure(.badSpecification, "the working folder \(name) needs HOME, which is not set on this host")
        }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), path != "/" else {
            throw Failure(
                .badSpecification,
                "the working folder \(name) is not an absolute path: write one that begins with / or ~/")
        }
        return path
    }

    private static func make(_ path: String, _ files: any Files) throws(Failure) {
        do throws(FilesError) {
            // What is made durable in a folder is lost with it; another process may have made this one just now.
            for folder in Set(try files.ensureFolders(path) + [path]).sorted() {
                let parent = folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)]
                // Folders of others may not be open to this user.
                try? files.syncFolder(parent.isEmpty ? "/" : String(parent))
            }
        } catch {
            throw Failure(.storage, "the working folder \(path) cannot be created", cause: error.description)
        }
    }

    /// A folder that others could have made in `/tmp` is used only if it is this user's and a folder indeed.
    ///
    /// - Parameter isNamed: the user named it; then it may be a link.
    private static func own(_ path: String, isNamed: Bool = true) throws(Failure) {
        var status = stat()
        let found = isNamed ? stat(path, &status) : lstat(path, &status)
        guard found == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid() else {
            throw Failure(.refused, "\(path) is not a folder of this user: move it away, or name another `workdir`")
        }
        guard chmod(path, 0o700) == 0 else {
            throw Failure(.storage, "the mode of \(path) cannot be set", cause: SystemText.of(errno))
        }
    }
}
