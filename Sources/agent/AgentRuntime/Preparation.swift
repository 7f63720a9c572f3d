import AgentCore
import Model
import Ports
import Storage

/// Makes the folder of an attempt with its inputs, a bounded piece of work at a time.
///
/// A run gets copies, which share blocks with the object where the file system can do that (btrfs, XFS): what it does
/// to them concerns nobody else. Of large inputs, where blocks cannot be shared, it gets the object itself under a
/// further name: a copy for each run would cost more time and space than a host may have. ``SharedInputs`` finds out
/// who wrote to one. The record on inputs in ops/adr/ has the figures.
struct Preparation {
    private struct Copy {
        var source: FileHandle
        var target: FileHandle
        var path: String
        var mode: UInt32
        var offset: Int64 = 0
    }

    let key: AttemptKey
    let job: Job
    private let folder: String
    private let files: any Files
    private let largeInput: Int64
    private var made: Set<String> = []
    private var next = 0
    private var copy: Copy?

    /// Makes the folder itself.
    init(_ key: AttemptKey, _ job: Job, _ folders: inout AttemptFolders) throws(FilesError) {
        self.key = key
        self.job = job
        files = folders.files
        largeInput = folders.largeInput
        folder = try folders.makeFolder(key)
        let document = try files.open("\(folder)/point.json", .create)
        defer { files.close(document) }
        try files.write(document, at: 0, Array(job.pointDocument.utf8))
    }

    /// Works on for about `budget` bytes.
    ///
    /// - Parameter cache: where the inputs are.
    /// - Returns: nil: more is to be done.
    mutating func step(budget: inout Int, _ cache: ObjectCache) -> AgentEvent? {
        do {
            while budget > 0 {
                if copy != nil {
                    try goOn(&budget)
                } else if next < job.inputs.count {
                    budget -= 4_096
                    try place(job.inputs[next], cache)
                    next += 1
                } else {
                    return .prepared(key)
                }
            }
            return nil
        } catch {
            close()
            return Preparation.impossible(key, error)
        }
    }

    static func impossible(_ key: AttemptKey, _ error: any Error) -> AgentEvent {
        let isFull = (error as? FilesError)?.isDiskFull ?? false
        return .notPrepared(key, isFull ? .diskFull : .spawn, evidence: "its folder cannot be created: \(error)")
    }

    private mutating func close() {
        if let copy {
            files.close(copy.source)
            files.close(copy.target)
        }
        copy = nil
    }

    private mutating func place(_ input: Job.Input, _ cache: ObjectCache) throws {
        guard !AttemptFolders.ownNames.contains(input.path) else {
            throw Failure(.badSpecification, "an input cannot be called \(input.path)")
        }
        var parent = folder
        for part in input.path.split(separator: "/").dropLast() {
            parent += "/\(part)"
            if made.insert(parent).inserted { try files.makeFolder(parent) }
        }
        let target = "\(folder)/\(input.path)"
        let source = cache.store.path(input.digest)
        let mode: UInt32 = input.isExecutable ? 0o500 : 0o400
        if input.size > largeInput {
            if try files.clone(source, to: target, mode: mode) { return }
            if !input.isExecutable, cache.maySeeItself(input.digest), try link(source, target) { return }
        }
        let from = try files.open(source, .read)
        do throws(FilesError) {
            copy = Copy(source: from, target: try files.open(target, .create), path: target, mode: mode)
        } catch {
            files.close(from)
            throw error
        }
    }

    /// False: too many names of one file, or a file system without such names.
    private func link(_ source: String, _ target: String) throws(FilesError) -> Bool {
        do throws(FilesError) {
            try files.link(source, to: target)
            return true
        } catch {
            guard !error.isDiskFull, !error.isAlreadyThere else { throw error }
            return false
        }
    }

    private mutating func goOn(_ budget: inout Int) throws(FilesError) {
        guard var state = copy else { return }
        let piece = min(4 << 20, max(budget, 1 << 16))
        let count = try files.copy(state.source, to: state.target, at: state.offset, count: piece)
        budget -= max(count, 1_024)
        state.offset += Int64(count)
        copy = state
        guard count == 0 else { return }
        close()
        try files.setMode(state.path, state.mode)
    }
}
