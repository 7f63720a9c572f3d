import AgentCore
import Model
import Ports
import Storage

/// The folders of attempts: made, read, deleted.
///
/// What nobody needs any more is renamed into a folder of their folder, which takes no time however much it is, and is
/// deleted there a piece at a time. Neither has to be durable: whoever is killed in between finds it in either place
/// when it starts again, and knows that nobody needs it.
struct AttemptFolders {
    let root: String
    let files: any Files
    /// Larger inputs are not copied where that would take time and space: see ``Preparation``.
    let largeInput: Int64
    private var madeSweeps: Set<String> = []
    private var rubbish = Rubbish()
    /// Whether there is something in ``trash`` that may be deleted now.
    private(set) var hasTrash: Bool
    private var nextInTrash: Int
    /// How often in a row nothing of it could be deleted.
    private var failures = 0

    /// Folders that nobody needs any more, and how much is in them.
    private struct Rubbish {
        var keys: [AttemptKey] = []
        var bytes: Int64 = 0
    }

    init(root: String, files: any Files, largeInput: Int64 = 64 << 20) {
        self.largeInput = largeInput
        self.root = root
        self.files = files
        let left = try? files.list("\(root)/\(AttemptFolders.trashName)")
        hasTrash = left != nil
        nextInTrash = left?.compactMap { Int($0.name) }.max() ?? 0
    }

    /// No sweep is called so.
    private static let trashName = ".trash"
    private var trash: String { "\(root)/\(AttemptFolders.trashName)" }

    func path(_ key: AttemptKey) -> String { "\(root)/\(key.folder)" }

    /// Names that the agent itself gives to files of an attempt.
    static let ownNames = ["point.json", "stdout.txt", "stderr.txt"]

    /// Whether the folder of all attempts is there.
    func hasRoot() throws(FilesError) -> Bool { try files.status(root) != nil }

    mutating func makeRoot() throws(FilesError) {
        madeSweeps.removeAll()
        try files.ensureFolder(root)
    }

    mutating func makeFolder(_ key: AttemptKey) throws(FilesError) -> String {
        let sweep = "\(root)/\(key.sweep)"
        if madeSweeps.contains(key.sweep), try files.status(sweep) == nil { try makeRoot() }
        if madeSweeps.insert(key.sweep).inserted { try files.ensureFolder(sweep) }
        let folder = path(key)
        do throws(FilesError) {
            try files.makeFolder(folder)
        } catch {
            guard error.isAlreadyThere else { throw error }
            // Prepared before a crash and never started: the supervisor does not know it.
            try throwAway(folder)
            try files.makeFolder(folder)
        }
        return folder
    }

    // MARK: Deleting

    /// Has a file or folder out of the way at once, and deleted later.
    private mutating func throwAway(_ path: String) throws(FilesError) {
        guard let status = try files.status(path) else { return }
        do throws(FilesError) {
            if try files.status(trash) == nil { try files.makeFolder(trash) }
            // A folder goes elsewhere only where its owner may write to it.
            if status.kind == .folder, status.mode & 0o200 == 0 { try files.setMode(path, 0o700) }
            nextInTrash += 1
            try files.rename(path, to: "\(trash)/\(nextInTrash)")
            (hasTrash, failures) = (true, 0)
        } catch {
            // A full disk may have no room for a further name.
            try files.removeTree(path)
        }
    }

    /// Deletes at most so many files and folders of what was thrown away.
    mutating func emptyTrash(atMost count: Int) -> FilesError? {
        guard hasTrash else { return nil }
        do throws(FilesError) {
            hasTrash = try !files.removeTree(trash, atMost: count)
            failures = 0
            return nil
        } catch {
            failures += 1
            // Tried again when the next one is thrown away, and at the next start.
            if failures >= AttemptFolders.mostFailures { hasTrash = false }
            return error
        }
    }

    private static let mostFailures = 5

    /// Deletes an attempt's folder: a large one at once, a small one when there is time.
    ///
    /// A file system searches the longer for a new inode, the more were freed just before: ext4 without a journal
    /// takes none that was freed in the last minute, and passes over all of them for each file.
    ///
    /// - Parameter bytes: what is known to be in it.
    mutating func discard(_ key: AttemptKey, bytes: Int64) -> FilesError? {
        guard bytes <= AttemptFolders.smallBytes else { return remove(key) }
        rubbish.keys.append(key)
        rubbish.bytes += bytes
        return nil
    }

    private static let smallBytes: Int64 = 1 << 20
    private static let mostRubbish = (folders: 4_096, bytes: Int64(64 << 20))

    /// Whether ``clear(atMost:)`` has something to do.
    ///
    /// - Parameter isCalm: whether nothing else is to be done here.
    func mustClear(isCalm: Bool) -> Bool {
        let isFull = rubbish.keys.count >= AttemptFolders.mostRubbish.folders
            || rubbish.bytes >= AttemptFolders.mostRubbish.bytes
        return isFull || isCalm && !rubbish.keys.isEmpty
    }

    /// Deletes small folders that were discarded; what went wrong with the last one that stayed.
    mutating func clear(atMost count: Int) -> FilesError? {
        var problem: FilesError?
        for key in rubbish.keys.suffix(count) { problem = remove(key) ?? problem }
        rubbish.keys.removeLast(min(count, rubbish.keys.count))
        if rubbish.keys.isEmpty { rubbish.bytes = 0 }
        return problem
    }

    private mutating func remove(_ key: AttemptKey) -> FilesError? {
        do throws(FilesError) {
            try throwAway(path(key))
            return nil
        } catch {
            return error
        }
    }

    mutating func discard(sweep: String) -> FilesError? {
        madeSweeps.remove(sweep)
        rubbish.keys.removeAll { $0.sweep == sweep }
        if rubbish.keys.isEmpty { rubbish.bytes = 0 }
        do throws(FilesError) {
            try throwAway("\(root)/\(sweep)")
            return nil
        } catch {
            return error
        }
    }

    /// Deletes every attempt's folder that is not among these.
    mutating func keepOnly(_ keys: [AttemptKey]) throws(FilesError) {
        rubbish = Rubbish()
        let kept = Set(keys.map(\.folder))
        for sweep in try files.list(root) {
            guard sweep.kind == .folder, sweep.name != AttemptFolders.trashName else { continue }
            var isEmpty = true
            for attempt in try files.list("\(root)/\(sweep.name)") {
                if kept.contains("\(sweep.name)/\(attempt.name)") {
                    isEmpty = false
                } else {
                    try throwAway("\(root)/\(sweep.name)/\(attempt.name)")
                }
            }
            if isEmpty {
                try throwAway("\(root)/\(sweep.name)")
                madeSweeps.remove(sweep.name)
            }
        }
    }

    /// When an attempt's folder was made, in nanoseconds since 1970; nil: it is not there. The point's document is the
    /// first that is written into it, and what programs only read.
    func preparedAt(_ key: AttemptKey) -> Nanoseconds? {
        (try? files.status("\(path(key))/point.json"))??.modified
    }

    /// The last bytes of a file of an attempt; nil: it is not there.
    func tail(_ key: AttemptKey, _ name: String, count: Int) -> [UInt8]? {
        guard let file = try? files.open("\(path(key))/\(name)", .read) else { return nil }
        defer { files.close(file) }
        guard let size = try? files.size(file) else { return nil }
        return try? files.read(file, at: max(0, size - Int64(count)), count: count)
    }
}
