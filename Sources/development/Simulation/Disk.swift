import Model
import Ports

/// A disk that keeps over a crash only what was made durable, and of the rest what chance leaves of it.
///
/// Contents: each page that was not synced keeps its old bytes, its new ones, or the new ones up to some sector; a
/// file that grew may keep its new length with zeros where a page is missing. Names: changes reach the disk in their
/// order, and a crash cuts that order off somewhere; what `syncFolder` asked for is there before.
final class Disk {
    /// A file or a folder, whatever names it has.
    final class Node {
        let isFolder: Bool
        var mode: UInt32
        var content: [UInt8] = []
        /// What a crash leaves for certain.
        var synced: [UInt8] = []
        var isDirty = false
        /// Pages that a failed sync gave up: the system takes them for clean, and no later sync writes them.
        var forgotten: Set<Int> = []
        var reserved: Int64 = 0
        /// In nanoseconds since 1970; a crash leaves it as it is.
        var modified: Nanoseconds = 0
        /// Names in a folder.
        var children: Set<String> = []

        init(isFolder: Bool, mode: UInt32) {
            self.isFolder = isFolder
            self.mode = mode
        }
    }

    private enum Change {
        case add(String, Node)
        case remove(String)
        case rename(String, String, Node)

        func touches(_ folder: String) -> Bool {
            switch self {
            case .add(let path, _), .remove(let path): Disk.parent(path) == folder
            case .rename(let path, let other, _): Disk.parent(path) == folder || Disk.parent(other) == folder
            }
        }
    }

    static let page = 256
    static let sector = 64

    private(set) var names: [String: Node] = [:]
    private var durable: [String: Node] = [:]
    private var changes: [Change] = []
    private var dirty: [Node] = []
    private var chance: Chance

    /// No space but what was set aside.
    var isFull = false
    /// How many of the next operations fail with EIO.
    var failures = 0
    var canary: Canary?
    /// Of its machine, in nanoseconds since 1970.
    var wallClock: () -> Nanoseconds = { 0 }

    init(seed: UInt64, stream: UInt64) {
        chance = Chance(seed: seed, stream: stream)
        let root = Node(isFolder: true, mode: 0o755)
        names[""] = root
        durable[""] = root
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(path[..<slash])
    }

    static func name(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// What a crash would leave of a file for certain; nil: nothing.
    func durableContent(_ path: String) -> [UInt8]? { durable[path].flatMap { $0.isFolder ? nil : $0.synced } }

    /// Nothing is left on it.
    func wipe() {
        let root = Node(isFolder: true, mode: 0o755)
        (names, durable, changes, dirty) = (["": root], ["": root], [], [])
    }

    // MARK: Names

    func add(_ path: String, _ node: Node) {
        names[path] = node
        names[Disk.parent(path)]?.children.insert(Disk.name(path))
        changes.append(.add(path, node))
    }

    func remove(_ path: String) {
        names[path] = nil
        names[Disk.parent(path)]?.children.remove(Disk.name(path))
        changes.append(.remove(path))
    }

    /// Removes at most so many names. True: nothing is left.
    @discardableResult
    func removeTree(_ path: String, atMost most: Int = .max) -> Bool {
        var most = most
        return removeTree(path, &most)
    }

    private func removeTree(_ path: String, _ most: inout Int) -> Bool {
        guard let node = names[path] else { return true }
        if canary == .leaveFiles, node.isFolder { return true }
        for child in node.children.sorted() where !removeTree("\(path)/\(child)", &most) { return false }
        guard most > 0 else { return false }
        most -= 1
        remove(path)
        return true
    }

    func rename(_ path: String, to other: String) {
        guard let node = names[path] else { return }
        names[path] = nil
        names[Disk.parent(path)]?.children.remove(Disk.name(path))
        names[other] = node
        names[Disk.parent(other)]?.children.insert(Disk.name(other))
        Disk.move(&names, path, other, node)
        changes.append(.rename(path, other, node))
    }

    /// What is in a folder goes with it.
    private static func move(_ names: inout [String: Node], _ path: String, _ other: String, _ folder: Node) {
        guard folder.isFolder else { return }
        for name in names.keys.filter({ $0.hasPrefix(path + "/") }) {
            names[other + name.dropFirst(path.count)] = names.removeValue(forKey: name)
        }
    }

    func syncFolder(_ path: String) {
        guard canary != .skipFolderSync else { return }
        // What became of a name before belongs to what becomes of it now.
        var wanted: Set<String> = []
        var kept: [Change] = []
        var chosen: [Change] = []
        for change in changes.reversed() {
            switch change {
            case .add(let name, _), .remove(let name):
                if change.touches(path) || wanted.contains(name) { chosen.append(change) } else { kept.append(change) }
            case .rename(let name, let other, _):
                if change.touches(path) || wanted.contains(name) || wanted.contains(other) {
                    wanted.insert(name)
                    wanted.insert(other)
                    chosen.append(change)
                } else {
                    kept.append(change)
                }
            }
        }
        changes = kept.reversed()
        for change in chosen.reversed() { settle(change) }
    }

    private func settle(_ change: Change) {
        switch change {
        case .add(let path, let node): durable[path] = node
        case .remove(let path): durable[path] = nil
        case .rename(let path, let other, let node):
            durable[path] = nil
            durable[other] = node
            Disk.move(&durable, path, other, node)
        }
    }

    // MARK: Contents

    func write(_ node: Node, at offset: Int, _ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty else { return }
        soil(node)
        let end = offset + bytes.count
        if node.content.count < offset {
            node.content.append(contentsOf: repeatElement(0, count: offset - node.content.count))
        }
        if offset == node.content.count {
            node.content.append(contentsOf: bytes)
        } else {
            let overlap = min(node.content.count, end)
            node.content.replaceSubrange(offset..<overlap, with: bytes)
        }
        guard !node.forgotten.isEmpty else { return }
        for page in offset / Disk.page...(end - 1) / Disk.page { node.forgotten.remove(page) }
    }

    func truncate(_ node: Node, to size: Int) {
        soil(node)
        if size < node.content.count {
            node.content.removeLast(node.content.count - size)
        } else {
            node.content.append(contentsOf: repeatElement(0, count: size - node.content.count))
        }
    }

    private func soil(_ node: Node) {
        // No whole second: it was not set.
        node.modified = wallClock() | 1
        guard !node.isDirty else { return }
        node.isDirty = true
        dirty.append(node)
    }

    func sync(_ node: Node) {
        guard canary != .skipFileSync, node.isDirty else { return }
        guard node.forgotten.isEmpty else {
            var after = node.content
            for page in node.forgotten { Disk.copy(page, from: node.synced, to: &after) }
            node.synced = after
            return
        }
        node.synced = node.content
        node.isDirty = false
        dirty.removeAll { $0 === node }
    }

    /// A sync that failed: nobody will try to write these pages again.
    func failSync(_ node: Node) {
        guard node.isDirty, !node.content.isEmpty else { return }
        for page in 0...(node.content.count - 1) / Disk.page { node.forgotten.insert(page) }
    }

    private static func copy(_ page: Int, from source: [UInt8], to target: inout [UInt8]) {
        for index in page * Disk.page..<min((page + 1) * Disk.page, target.count) {
            target[index] = index < source.count ? source[index] : 0
        }
    }

    /// A bit of a file is another one now, on the disk and whenever it is read; nothing else tells of it.
    func damage(_ node: Node, at offset: Int) {
        node.content[offset] ^= 1
        if offset < node.synced.count { node.synced[offset] ^= 1 }
    }

    // MARK: Crash

    /// The power is gone, or the kernel: what was not durable is there or not.
    func crash() {
        for change in changes.prefix(chance.below(changes.count + 1)) { settle(change) }
        changes.removeAll()
        for node in dirty { node.content = remains(node) }
        for node in dirty {
            node.synced = node.content
            node.isDirty = false
            node.forgotten.removeAll()
        }
        dirty.removeAll()
        names.removeAll()
        for path in durable.keys.sorted() {
            guard let node = durable[path], path.isEmpty || names[Disk.parent(path)]?.isFolder == true else {
                durable[path] = nil
                continue
            }
            node.children.removeAll()
            node.reserved = 0
            names[path] = node
            if !path.isEmpty { names[Disk.parent(path)]?.children.insert(Disk.name(path)) }
        }
    }

    private func remains(_ node: Node) -> [UInt8] {
        let (old, new) = (node.synced, node.content)
        var size = chance.oneIn(2) ? new.count : old.count
        if chance.oneIn(3), old.count < new.count { size = old.count + chance.below(new.count - old.count) }
        var result = [UInt8](repeating: 0, count: size)
        guard size > 0 else { return result }
        for page in 0...(size - 1) / Disk.page {
            let start = page * Disk.page
            let end = min(start + Disk.page, size)
            var border = start
            switch chance.below(3) {
            case 0: border = end
            case 1: border = min(end, start + Disk.sector * chance.below(Disk.page / Disk.sector))
            default: break
            }
            if node.forgotten.contains(page) { border = start }
            for index in start..<end {
                let source = index < border ? new : old
                if index < source.count { result[index] = source[index] }
            }
        }
        return result
    }
}
