import CAgent
import Glibc
import LocalFiles
public import Model
package import Ports

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

    /// File systems on which locks and sockets of another host may look like one's own.
    private static let remoteKinds: [UInt64] = [
        0x6969, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x0bd0_0bd0, 0x4750_4653, 0x6571_6c,
    ]

    /// Finds the folder, and makes what is missing of it.
    ///
    /// - Throws: ``Failure`` with what to change where it cannot be used.
    public static func prepare(_ name: String) throws(Failure) -> Workdir {
        let named = try expand(name)
        let files = LocalFiles()
        try make(named, files)
        var root = named
        if isRemote(named) {
            root = "/var/tmp/usweep-\(getuid())/\(SHA256.digest(named).short)"
            try make("/var/tmp/usweep-\(getuid())", files)
            try own("/var/tmp/usweep-\(getuid())")
            try make(root, files)
        }
        try own(root)
        var sockets = root
        if root.utf8.count > 80 {
            try make("/tmp/usweep-\(getuid())", files)
            try own("/tmp/usweep-\(getuid())")
            sockets = "/tmp/usweep-\(getuid())/\(SHA256.digest(root).short)"
            try make(sockets, files)
            try own(sockets)
        }
        let workdir = Workdir(root: root, sockets: sockets, named: named)
        try make(workdir.attempts, files)
        return workdir
    }

    /// Makes what is missing of a folder that the agent works in.
    package static func make(_ workdir: Workdir, _ files: any Files) throws(Failure) {
        try make(workdir.root, files)
        try make(workdir.attempts, files)
    }

    public static func isRemote(_ path: String) -> Bool { remoteKinds.contains(ca_file_system_magic(path)) }

    private static func expand(_ name: String) throws(Failure) -> String {
        var path = name
        if path == "~" || path.hasPrefix("~/") {
            guard let home = getenv("HOME").map({ String(cString: $0) }), home.hasPrefix("/") else {
                throw Failure(.badSpecification, "the working folder \(name) needs HOME, which is not set on this host")
            }
            path = home + path.dropFirst(1)
        }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), path != "/" else {
            throw Failure(
                .badSpecification, "the working folder \(name) is not an absolute path: write one, or one below ~/")
        }
        return path
    }

    private static func make(_ path: String, _ files: any Files) throws(Failure) {
        var made = ""
        for part in path.split(separator: "/") {
            let parent = made
            made += "/\(part)"
            do throws(FilesError) {
                let isMissing = try files.status(made) == nil
                guard isMissing || made == path else { continue }
                if isMissing { try files.makeFolder(made) }
                // What is made durable in a folder is lost with it. Folders of others may not be open to this user.
                try? files.syncFolder(parent.isEmpty ? "/" : parent)
            } catch {
                if error.isAlreadyThere { continue }
                throw Failure(.storage, "the working folder \(path) cannot be made", cause: error.description)
            }
        }
    }

    /// A folder that others could have made in `/tmp` is used only if it is this user's and a folder indeed.
    private static func own(_ path: String) throws(Failure) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid() else {
            throw Failure(.refused, "\(path) is not a folder of this user: move it away, or name another `workdir`")
        }
        guard chmod(path, 0o700) == 0 else {
            throw Failure(.storage, "the mode of \(path) cannot be set", cause: SystemText.of(errno))
        }
    }
}
