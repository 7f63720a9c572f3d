import AgentCore
import Model
import Ports
import Storage

/// Lists and digests what an attempt left, a bounded piece of work at a time, so that a large file keeps nobody
/// waiting.
struct Collector {
    let key: AttemptKey
    private let exit: ProcessExit
    private let diagnosis: Diagnosis
    private let folder: String
    private let files: any Files
    private var left: LeftFiles
    private var next = 0
    private var hash: FileHash?
    private var artifacts: [Artifact] = []
    private let inputBytes: Int64
    /// Of files that nobody wants back.
    private let unwantedBytes: Int64
    /// Where the bytes of artifacts are that links stand for, by name.
    private(set) var places: [String: String] = [:]

    init(_ key: AttemptKey, _ exit: ProcessExit, _ job: Job, _ folders: AttemptFolders) {
        self.key = key
        folder = folders.path(key)
        files = folders.files
        inputBytes = Collector.sum(job.inputs.map(\.size))
        // Where its folder was is something of somebody else's now, or nothing.
        let isThere = exit.kill != .folderRemoved && exit.kill != .folderReplaced
        let staged = Set(job.inputs.map(\.path) + ["point.json"])
        left = LeftFiles(folder, files, staged: staged, isThere: isThere)
        var exit = exit
        if left.isGone, exit.kill == .none { exit.kill = .folderRemoved }
        if isThere, let limit = job.limits.output, let found = left.cut(to: limit) { exit.note(.tooMuchOutput, found) }
        unwantedBytes = left.keep(job.artifacts)
        if isThere, let most = job.artifacts.most, let found = left.cut(to: most) { exit.note(.tooMuchKept, found) }
        left.thin()
        self.exit = exit
        let isWell = exit.cause == .status(0) && exit.kill == .none
        let tails = ["stderr.txt", "stdout.txt"].map { name in
            isWell || !isThere ? [] : folders.tail(key, name, count: Diagnosis.tailLength) ?? []
        }
        diagnosis = Diagnosis(exit, errorTail: tails[0], outputTail: tails[1], limits: job.limits)
    }

    /// Works on for about `budget` bytes. The report, once all is done.
    mutating func step(budget: inout Int) -> AttemptReport? {
        while budget > 0, next < left.all.count {
            budget -= 1_024
            advance(&budget)
        }
        return next == left.all.count ? report : nil
    }

    private mutating func advance(_ budget: inout Int) {
        let file = left.all[next]
        do throws(FilesError) {
            if hash == nil { hash = try FileHash("\(folder)/\(file.place)", files) }
            guard var state = hash else { return }
            hash = nil
            guard let (digest, size) = try state.step(budget: &budget) else {
                hash = state
                return
            }
            artifacts.append(Artifact(path: file.name, digest: digest, size: size))
            if file.place != file.name { places[file.name] = file.place }
        } catch {
            left.omit(file.name, "it cannot be read: \(error.reason)")
        }
        next += 1
    }

    /// What its folder takes at most; nil: nobody knows, as files were left out.
    var folderBytes: Int64? {
        left.remark.isEmpty ? Collector.sum(artifacts.map(\.size) + [inputBytes, unwantedBytes]) : nil
    }

    /// Sizes that somebody else chose.
    private static func sum(_ sizes: [Int64]) -> Int64 {
        sizes.reduce(0) { $0.addingCapped(max(0, $1)) }
    }

    /// Where there is no failure, the evidence is what was left out.
    private var report: AttemptReport {
        AttemptReport(
            id: key.id, failure: diagnosis.failure,
            evidence: [diagnosis.evidence, left.remark].filter { !$0.isEmpty }.joined(separator: "; "),
            wallNanoseconds: max(0, exit.wallNanoseconds), peakMemoryBytes: max(0, exit.peakMemoryBytes),
            artifacts: artifacts, startedAt: exit.startedAt.map { max(0, $0) })
    }
}

extension ProcessExit {
    /// What it left is too much. What the supervisor saw of the same stays.
    fileprivate mutating func note(_ kill: Kill, _ found: String) {
        switch self.kill {
        case .tooMuchOutput, .tooMuchKept: note += "; \(found)"
        case .none, .timeout, .cancelled, .revoked, .stalled, .folderRemoved, .folderReplaced:
            (self.kill, note) = (kill, found)
        }
    }
}
