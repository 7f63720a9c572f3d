import AgentCore
import Model
import Ports

/// The files that an attempt left, as far as they can be taken: listed without leaving its folder.
///
/// A link to a file or folder within the folder counts as what it leads to. What cannot be taken is left out, and said
/// by name: nothing else is lost for it.
struct LeftFiles {
    struct File {
        /// From the folder on: how it is called, and where it is.
        var name: String
        var place: String
        var size: Int64
        /// What it takes on the disk, no more than its size: holes take nothing.
        var taken: Int64
    }

    static let maximumFiles = 1_000
    /// So that a report fits a frame, whatever the sizes of the files.
    static let maximumNameBytes = 72 * 1024
    /// A list may not fill the memory.
    static let maximumNames = 100_000
    private static let maximumDepth = 64
    private static let shownOmissions = 5
    /// What a name and a look at a file count for, in bytes that could be read meanwhile.
    private static let cost = (name: 64, look: 1_024)

    /// A folder that is gone through: all its names are read, then each is looked at, in order.
    private struct Visit {
        var place: String
        var name: String
        var depth: Int
        var isLinked: Bool
        /// Nil: not opened yet, or read to its end.
        var folder: (any FolderEntries)?
        var isRead = false
        var entries: [FolderEntry] = []
        var next = 0
    }

    private let root: String
    /// The same without links in it.
    private let realRoot: String
    private let files: any Files
    private let staged: Set<String>
    private let needed: Set<String>
    private let mostNames: Int
    /// From the attempt's folder down.
    private var visits: [Visit] = []
    /// Names in `visits` that are to be looked at.
    private var held = 0
    private(set) var all: [File] = []
    private var omitted: [String] = []
    private var omittedCount = 0
    /// The folder itself is gone, though nobody saw it go.
    private(set) var isGone = false

    /// - Parameters:
    ///   - needed: names that are taken before all others where there are too many.
    ///   - isThere: false: nothing of it is to be taken.
    ///   - mostNames: further ones are counted alone.
    init(
        _ root: String, _ files: any Files, staged: Set<String>, needed: Set<String> = [], isThere: Bool,
        mostNames: Int = LeftFiles.maximumNames
    ) {
        self.root = root
        self.files = files
        self.staged = staged
        self.needed = needed
        self.mostNames = mostNames
        realRoot = (try? files.resolve(root)) ?? root
        if isThere { visits = [Visit(place: "", name: "", depth: 0, isLinked: false)] }
    }

    /// What was left out, as a sentence; empty: nothing.
    var remark: String {
        guard omittedCount > 0 else { return "" }
        let more = omittedCount - omitted.count
        return "not collected: \(omitted.joined(separator: "; "))" + (more > 0 ? "; and \(more) more" : "")
    }

    mutating func omit(_ name: String, _ why: String) {
        omittedCount += 1
        guard omitted.count < LeftFiles.shownOmissions else { return }
        omitted.append("\"\(VisibleText.of(name.utf8.suffix(200)))\" (\(why))")
    }

    // MARK: Listing

    /// Goes on with the list for about `budget` bytes. False: more is to be done.
    mutating func list(budget: inout Int) -> Bool {
        while budget > 0, let last = visits.indices.last {
            if !visits[last].isRead {
                budget -= LeftFiles.cost.name
                read(last)
            } else if visits[last].next < visits[last].entries.count {
                budget -= LeftFiles.cost.look
                let entry = visits[last].entries[visits[last].next]
                visits[last].next += 1
                held -= 1
                look(at: entry, visits[last])
            } else {
                visits.removeLast()
            }
        }
        return visits.isEmpty
    }

    /// Reads the next name of a folder.
    private mutating func read(_ visit: Int) {
        let (place, called) = (visits[visit].place, visits[visit].name)
        do throws(FilesError) {
            if visits[visit].folder == nil {
                visits[visit].folder = try files.entries(place.isEmpty ? root : "\(root)/\(place)")
            }
            if let entry = try visits[visit].folder?.next() { return take(entry, visit) }
        } catch {
            if called.isEmpty { isGone = error.isMissing }
            omit(called.isEmpty ? "." : called, "the folder cannot be read: \(error.reason)")
        }
        visits[visit].folder = nil
        visits[visit].isRead = true
        visits[visit].entries.sort { $0.name < $1.name }
    }

    private mutating func take(_ entry: FolderEntry, _ visit: Int) {
        let here = LeftFiles.path(visits[visit].place, entry.name)
        let name = LeftFiles.path(visits[visit].name, entry.name)
        if entry.kind == .other, needed.contains(name) { omit(name, LeftFiles.other) }
        guard entry.kind != .other, !entry.isText || !staged.contains(here) else { return }
        guard all.count + held < mostNames || needed.contains(name) else {
            return omit(name, "there are too many files")
        }
        visits[visit].entries.append(entry)
        held += 1
    }

    /// Why something is not taken that a verdict needs; of other such things nobody hears.
    private static let other = "a pipe, a socket or a device, not a file"
    private static let folder = "a folder, not a file"

    private static func path(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : "\(folder)/\(name)"
    }

    private mutating func look(at entry: FolderEntry, _ visit: Visit) {
        let name = LeftFiles.path(visit.name, entry.name)
        guard entry.isText else { return omit(name, "its name is not UTF-8") }
        guard RelativePath.isSafe(name) else { return omit(name, "its name has control characters or is too long") }
        let here = LeftFiles.path(visit.place, entry.name)
        switch entry.kind {
        case .file: add(name, here)
        case .folder:
            if needed.contains(name) { omit(name, LeftFiles.folder) }
            enter(here, name, visit.depth, visit.isLinked)
        case .symbolicLink: if !visit.isLinked { follow(here, name, visit.depth) }
        case .other: break
        }
    }

    private mutating func add(_ name: String, _ place: String) {
        let status = try? files.status("\(root)/\(place)")
        let size = status?.size ?? 0
        all.append(File(name: name, place: place, size: size, taken: min(size, status?.allocated ?? 0)))
    }

    private mutating func enter(_ place: String, _ name: String, _ depth: Int, _ isLinked: Bool) {
        guard depth < LeftFiles.maximumDepth else {
            return omit(name, "it is more than \(LeftFiles.maximumDepth) folders deep")
        }
        visits.append(Visit(place: place, name: name, depth: depth + 1, isLinked: isLinked))
    }

    /// A link leads to what it stands for only within the folder, and not to a folder that it is in itself.
    private mutating func follow(_ place: String, _ name: String, _ depth: Int) {
        guard let end = try? files.resolve("\(root)/\(place)"), let status = try? files.status(end) else {
            return omit(name, "a broken link")
        }
        guard end == realRoot || end.hasPrefix(realRoot + "/") else {
            return omit(name, "a link that leads out of the run's folder")
        }
        let target = String(end.dropFirst(realRoot.count + 1))
        if staged.contains(target) { return }
        switch status.kind {
        case .file: add(name, target)
        case .folder:
            guard !target.isEmpty, !place.hasPrefix(target + "/") else {
                return omit(name, "a link to a folder that contains it")
            }
            if needed.contains(name) { omit(name, LeftFiles.folder) }
            enter(target, name, depth, true)
        case .symbolicLink, .other: if needed.contains(name) { omit(name, LeftFiles.other) }
        }
    }

    // MARK: Limits

    /// Leaves out what is too much: of many files with names that differ in their digits alone some, before one that
    /// is like no other; deep ones before others.
    mutating func thin() {
        var groups: [String: Int] = [:]
        let zero = UInt8(ascii: "0")
        func pattern(_ name: String) -> String {
            String(decoding: name.utf8.map { zero...zero + 9 ~= $0 ? zero : $0 }, as: UTF8.self)
        }
        for file in all { groups[pattern(file.name), default: 0] += 1 }
        let ranked = all.map { file in
            let depth = file.name.utf8.count { $0 == UInt8(ascii: "/") }
            return (file: file, alike: groups[pattern(file.name)] ?? 0, depth: depth)
        }
        .sorted { ($0.alike, $0.depth, $0.file.name) < ($1.alike, $1.depth, $1.file.name) }
        var bytes = 0
        all = []
        for (file, _, _) in ranked {
            guard all.count < LeftFiles.maximumFiles, bytes + file.name.utf8.count <= LeftFiles.maximumNameBytes else {
                omit(file.name, "there are more than \(LeftFiles.maximumFiles) files or 72 KiB of names")
                continue
            }
            bytes += file.name.utf8.count
            all.append(file)
        }
        all.sort { $0.name < $1.name }
    }

    /// Forgets what nobody wants back: that is no omission.
    ///
    /// - Returns: what it takes, in bytes.
    mutating func keep(_ rule: ArtifactRule) -> Int64 {
        guard !rule.keep.isEmpty || !rule.leave.isEmpty else { return 0 }
        let kept = KeptFiles(rule)
        var bytes: Int64 = 0
        all.removeAll { file in
            if kept.contains(file.name) { return false }
            bytes = bytes.addingCapped(file.size)
            return true
        }
        return bytes
    }

    /// Their sizes together, in bytes.
    var bytes: Int64 { sum(of: \.size) }

    /// What has several names counts once.
    private func sum(of measure: (File) -> Int64) -> Int64 {
        var places: Set<String> = []
        return all.reduce(Int64(0)) { places.insert($1.place).inserted ? $0.addingCapped(measure($1)) : $0 }
    }

    /// Leaves out the largest until the rest is within the limit. What was found, if it was more.
    ///
    /// - Parameter measure: what counts of a file, in bytes.
    mutating func cut(to limit: Int64, _ measure: (File) -> Int64) -> String? {
        let total = sum(of: measure)
        guard total > limit else { return nil }
        let largest = all.sorted { (measure($0), $1.name) > (measure($1), $0.name) }
        var rest = total
        var gone: Set<String> = []
        for file in largest where rest > limit && gone.insert(file.place).inserted { rest -= measure(file) }
        for file in largest where gone.contains(file.place) { omit(file.name, PeopleText.size(measure(file))) }
        all.removeAll { gone.contains($0.place) }
        let shown = largest.prefix(LeftFiles.shownOmissions).filter { measure($0) > 0 }
        let list = shown.map { "\($0.name) \(PeopleText.size(measure($0)))" }.joined(separator: ", ")
        let more = largest.count > shown.count ? ", and \(largest.count - shown.count) smaller" : ""
        return "it left \(PeopleText.size(total)): \(list)\(more)"
    }

    /// Leaves out the largest sparse files until the rest is within the limit: they would be sent with their holes. The
    /// run is none the worse for it, as it has written less.
    mutating func leaveSparse(beyond limit: Int64) {
        var rest = bytes
        guard rest > limit else { return }
        let sparse = all.filter { $0.taken < $0.size }.sorted { ($0.size, $1.name) > ($1.size, $0.name) }
        var gone: Set<String> = []
        for file in sparse where rest > limit && gone.insert(file.place).inserted { rest -= file.size }
        for file in sparse where gone.contains(file.place) {
            let (size, taken) = (PeopleText.size(file.size), PeopleText.size(file.taken))
            omit(file.name, "a sparse file of \(size), of which \(taken) are on the disk")
        }
        all.removeAll { gone.contains($0.place) }
    }
}
