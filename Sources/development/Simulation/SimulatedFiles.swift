import Model
import Ports

/// One process's view of a ``Disk``: the system calls, which fail as the disk's faults and the process's death have it.
final class SimulatedFiles: Files, @unchecked Sendable {
    private struct Open {
        var node: Disk.Node
        var path: String
        var mode: OpenMode
    }

    /// The same in every process: one seed gives one trace. It becomes part of the names of files.
    let processMark: String

    private let disk: Disk
    private let life: Life
    private let world: World
    private let who: String
    private var open: [Int32: Open] = [:]
    private var next: Int32 = 3

    init(_ disk: Disk, life: Life, world: World, who: String) {
        self.disk = disk
        self.life = life
        self.world = world
        self.who = who
        processMark = String(who.map { $0 == "/" ? "-" : $0 })
    }

    /// Asks before an operation that changes something.
    private func change(_ operation: String, _ path: String, _ act: Death.Act = .effect) throws(FilesError) {
        guard life.act(act) else { throw error(4, path, operation) }
        if disk.failures > 0, operation != "reserve" {
            disk.failures -= 1
            world.counts.note("fault: EIO on \(operation)")
            world.say(who, "\(operation) \(path): EIO")
            throw error(5, path, operation)
        }
        if world.trace.isOn { world.say(who, "\(operation) \(path)") }
    }

    private func error(_ number: Int32, _ path: String, _ operation: String) -> FilesError {
        let reason =
            switch number {
            case 2: "No such file or directory"
            case 4: "the process is dead"
            case 5: "Input/output error"
            case 17: "File exists"
            case 28: "No space left on device"
            default: "Error \(number)"
            }
        return FilesError(errorNumber: number, path: path, operation: operation, reason: reason)
    }

    private func needParent(_ path: String, _ operation: String) throws(FilesError) {
        guard disk.names[Disk.parent(path)]?.isFolder == true else { throw error(2, path, operation) }
    }

    private func needSpace(_ path: String, _ operation: String) throws(FilesError) {
        guard disk.isFull else { return }
        world.counts.note("fault: ENOSPC on \(operation)")
        throw error(28, path, operation)
    }

    private func find(_ file: FileHandle, _ operation: String) throws(FilesError) -> Open {
        guard let entry = open[file.number] else { throw error(9, "file \(file.number)", operation) }
        return entry
    }

    func open(_ path: String, _ mode: OpenMode) throws(FilesError) -> FileHandle {
        var node = disk.names[path]
        if let node, node.isFolder { throw error(21, path, "open") }
        switch mode {
        case .read: break
        case .update: if node == nil { node = try create(path) }
        case .create:
            guard node == nil else { throw error(17, path, "open") }
            node = try create(path)
        }
        guard let node else { throw error(2, path, "open") }
        let handle = FileHandle(number: next)
        next += 1
        open[handle.number] = Open(node: node, path: path, mode: mode)
        return handle
    }

    private func create(_ path: String) throws(FilesError) -> Disk.Node {
        try change("create", path)
        try needParent(path, "open")
        try needSpace(path, "create")
        let node = Disk.Node(isFolder: false, mode: 0o600)
        disk.add(path, node)
        return node
    }

    func close(_ file: FileHandle) { open[file.number] = nil }

    func read(_ file: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> [UInt8] {
        let entry = try find(file, "read")
        guard life.isAlive else { throw error(4, entry.path, "read") }
        let content = entry.node.content
        let start = min(Int(offset), content.count)
        if start == 0, count >= content.count { return content }
        return Array(content[start..<min(start + count, content.count)])
    }

    func write(_ file: FileHandle, at offset: Int64, _ bytes: [UInt8]) throws(FilesError) {
        let entry = try find(file, "write")
        do {
            try change("write", entry.path)
            let end = offset + Int64(bytes.count)
            if end > max(Int64(entry.node.content.count), entry.node.reserved) { try needSpace(entry.path, "write") }
        } catch {
            // What stood before the fault came is written all the same.
            if error.errorNumber != 4 { disk.write(entry.node, at: Int(offset), bytes.prefix(bytes.count / 2)) }
            throw error
        }
        disk.write(entry.node, at: Int(offset), bytes)
    }

    func size(_ file: FileHandle) throws(FilesError) -> Int64 { Int64(try find(file, "examine").node.content.count) }

    func truncate(_ file: FileHandle, to size: Int64) throws(FilesError) {
        let entry = try find(file, "cut")
        try change("cut", entry.path)
        disk.truncate(entry.node, to: Int(size))
    }

    func sync(_ file: FileHandle) throws(FilesError) {
        let entry = try find(file, "make durable")
        do {
            try change("make durable", entry.path, .commit)
        } catch {
            if error.errorNumber != 4 { disk.failSync(entry.node) }
            throw error
        }
        disk.sync(entry.node)
    }

    func writeOut(_ file: FileHandle, from offset: Int64, count: Int64) throws(FilesError) {
        _ = try find(file, "write out")
    }

    func isInPlace(_ file: FileHandle, _ path: String) -> Bool {
        open[file.number].map { $0.node === disk.names[path] } ?? false
    }

    func reserve(_ file: FileHandle, bytes: Int64) {
        guard let entry = open[file.number], life.isAlive, !disk.isFull else { return }
        entry.node.reserved = max(entry.node.reserved, bytes)
    }

    func syncFolder(_ name: String) throws(FilesError) {
        let path = name == "/" ? "" : name
        guard disk.names[path]?.isFolder == true else { throw error(2, path, "make durable") }
        try change("make the names durable in", path, .commit)
        disk.syncFolder(path)
    }

    func rename(_ path: String, to other: String) throws(FilesError) {
        try change("rename", path)
        guard disk.names[path] != nil else { throw error(2, path, "rename") }
        try needParent(other, "rename")
        disk.rename(path, to: other)
    }

    func makeFolder(_ path: String) throws(FilesError) {
        try change("make the folder", path)
        guard disk.names[path] == nil else { throw error(17, path, "make the folder") }
        try needParent(path, "make the folder")
        try needSpace(path, "make the folder")
        disk.add(path, Disk.Node(isFolder: true, mode: 0o700))
    }

    func entries(_ path: String) throws(FilesError) -> any FolderEntries {
        guard life.isAlive else { throw error(4, path, "list") }
        guard let node = disk.names[path], node.isFolder else { throw error(2, path, "list") }
        return SimulatedFolder(
            node.children.sorted().map { name in
                FolderEntry(name: name, kind: disk.names["\(path)/\(name)"]?.isFolder == true ? .folder : .file)
            })
    }

    func status(_ path: String) throws(FilesError) -> FileStatus? {
        guard life.isAlive else { throw error(4, path, "examine") }
        return disk.names[path].map {
            FileStatus(
                kind: $0.isFolder ? .folder : .file, size: Int64($0.content.count), mode: $0.mode,
                modified: $0.modified,
                identity: UInt64(UInt(bitPattern: ObjectIdentifier($0).hashValue)))
        }
    }

    func remove(_ path: String) throws(FilesError) {
        guard let node = disk.names[path] else { throw error(2, path, "remove") }
        guard !node.isFolder else { throw error(21, path, "remove") }
        try change("remove", path)
        disk.remove(path)
    }

    func removeTree(_ path: String, atMost count: Int) throws(FilesError) -> Bool {
        guard disk.names[path] != nil else { return true }
        try change("remove", path)
        return disk.removeTree(path, atMost: count)
    }

    func link(_ path: String, to other: String) throws(FilesError) {
        try change("link", other)
        guard let node = disk.names[path] else { throw error(2, path, "link") }
        guard disk.names[other] == nil else { throw error(17, other, "link") }
        try needParent(other, "link")
        disk.add(other, node)
    }

    func copy(_ path: String, to other: String, mode: UInt32) throws(FilesError) {
        guard let source = disk.names[path] else { throw error(2, path, "copy") }
        let target = try open(other, .create)
        defer { close(target) }
        try write(target, at: 0, source.content)
        disk.names[other]?.mode = mode
    }

    func clone(_ path: String, to other: String, mode: UInt32) throws(FilesError) -> Bool { false }

    func copy(_ file: FileHandle, to other: FileHandle, at offset: Int64, count: Int) throws(FilesError) -> Int {
        let bytes = try read(file, at: offset, count: count)
        if !bytes.isEmpty { try write(other, at: offset, bytes) }
        return bytes.count
    }

    func resolve(_ path: String) throws(FilesError) -> String? { disk.names[path] == nil ? nil : path }

    func setModified(_ path: String, _ time: Int64) throws(FilesError) {
        guard life.isAlive else { throw error(4, path, "set the time of") }
        disk.names[path]?.modified = time
    }

    func setMode(_ path: String, _ mode: UInt32) throws(FilesError) {
        guard life.isAlive else { throw error(4, path, "set the mode of") }
        guard let node = disk.names[path] else { throw error(2, path, "set the mode of") }
        node.mode = mode
    }

    func freeBytes(_ path: String) throws(FilesError) -> Int64 { disk.isFull ? 0 : 1 << 36 }
}

/// What was in a folder when it was opened.
private final class SimulatedFolder: FolderEntries {
    private var rest: ArraySlice<FolderEntry>

    init(_ entries: [FolderEntry]) { rest = entries[...] }

    func next() throws(FilesError) -> FolderEntry? { rest.popFirst() }
}
