import AgentCore
import Model
import Ports
import Storage

/// The folders of attempts: made with their inputs, read, deleted.
struct AttemptFolders {
    let root: String
    let files: any Files
    let store: ObjectStore
    /// Files of programs that no permission stops are copies, so that none can write into an object.
    private let copiesInputs: Bool
    private var madeSweeps: Set<String> = []

    init(root: String, files: any Files, store: ObjectStore, isRoot: Bool) {
        self.root = root
        self.files = files
        self.store = store
        copiesInputs = isRoot
    }

    func path(_ key: AttemptKey) -> String { "\(root)/\(key.folder)" }

    /// Names that the agent itself gives to files of an attempt.
    static let ownNames = ["point.json", "stdout.txt", "stderr.txt"]

    mutating func prepare(_ key: AttemptKey, _ job: Job) -> AgentEvent {
        do {
            let folder = try makeFolder(key)
            let document = try files.open("\(folder)/point.json", .create)
            defer { files.close(document) }
            try files.write(document, at: 0, Array(job.pointDocument.utf8))
            var made: Set<String> = []
            for input in job.inputs { try place(input, in: folder, &made) }
            return .prepared(key)
        } catch let error as FilesError {
            return .notPrepared(
                key, error.isDiskFull ? .diskFull : .spawn, evidence: "its folder cannot be made: \(error)")
        } catch {
            return .notPrepared(key, .spawn, evidence: "its folder cannot be made: \(error)")
        }
    }

    private mutating func makeFolder(_ key: AttemptKey) throws(FilesError) -> String {
        if !madeSweeps.contains(key.sweep) {
            do throws(FilesError) {
                try files.makeFolder("\(root)/\(key.sweep)")
            } catch {
                if !error.isAlreadyThere { throw error }
            }
            madeSweeps.insert(key.sweep)
        }
        let folder = path(key)
        do throws(FilesError) {
            try files.makeFolder(folder)
        } catch {
            guard error.isAlreadyThere else { throw error }
            // Prepared before a crash and never started: the supervisor does not know it.
            try files.removeTree(folder)
            try files.makeFolder(folder)
        }
        return folder
    }

    private func place(_ input: Job.Input, in folder: String, _ made: inout Set<String>) throws {
        guard !AttemptFolders.ownNames.contains(input.path) else {
            throw Failure(.badSpecification, "an input cannot be called \(input.path)")
        }
        var parent = folder
        for part in input.path.split(separator: "/").dropLast() {
            parent += "/\(part)"
            if made.insert(parent).inserted { try files.makeFolder(parent) }
        }
        let target = "\(folder)/\(input.path)"
        let source = store.path(input.digest)
        if input.isExecutable || copiesInputs {
            try files.copy(source, to: target, mode: input.isExecutable ? 0o500 : 0o400)
            return
        }
        do throws(FilesError) {
            try files.link(source, to: target)
        } catch {
            // Too many names of one file, or a file system without such names.
            guard !error.isDiskFull, !error.isAlreadyThere else { throw error }
            try files.copy(source, to: target, mode: 0o400)
        }
    }

    func discard(_ key: AttemptKey) -> FilesError? {
        do throws(FilesError) {
            try files.removeTree(path(key))
            return nil
        } catch {
            return error
        }
    }

    mutating func discard(sweep: String) -> FilesError? {
        madeSweeps.remove(sweep)
        do throws(FilesError) {
            try files.removeTree("\(root)/\(sweep)")
            return nil
        } catch {
            return error
        }
    }

    /// Deletes every attempt's folder that is not among these.
    mutating func keepOnly(_ keys: [AttemptKey]) throws(FilesError) {
        let kept = Set(keys.map(\.folder))
        for sweep in try files.list(root) {
            guard sweep.kind == .folder else { continue }
            var isEmpty = true
            for attempt in try files.list("\(root)/\(sweep.name)") {
                if kept.contains("\(sweep.name)/\(attempt.name)") {
                    isEmpty = false
                } else {
                    try files.removeTree("\(root)/\(sweep.name)/\(attempt.name)")
                }
            }
            if isEmpty {
                try files.removeTree("\(root)/\(sweep.name)")
                madeSweeps.remove(sweep.name)
            }
        }
    }

    /// The last bytes of a file of an attempt; nil: it is not there.
    func tail(_ key: AttemptKey, _ name: String, count: Int) -> [UInt8]? {
        guard let file = try? files.open("\(path(key))/\(name)", .read) else { return nil }
        defer { files.close(file) }
        guard let size = try? files.size(file) else { return nil }
        return try? files.read(file, at: max(0, size - Int64(count)), count: count)
    }
}
