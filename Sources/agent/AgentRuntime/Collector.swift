import AgentCore
import Formats
import Model
import Ports
import Storage

/// Lists and digests what an attempt left, a bounded piece of work at a time, so that a large file or very many of them
/// keep nobody waiting.
struct Collector {
    let key: AttemptKey
    private var exit: ProcessExit
    private let job: Job
    private let folders: AttemptFolders
    private let folder: String
    /// False: where its folder was is something of somebody else's now, or nothing.
    private let isThere: Bool
    private var left: LeftFiles
    /// Nil: the list is not whole yet.
    private var diagnosis: Diagnosis?
    private var next = 0
    private var hash: FileHash?
    private var artifacts: [Artifact] = []
    /// What is to be read, in bytes.
    private var total: Int64 = 0
    /// Of files that nobody wants back.
    private var unwantedBytes: Int64 = 0
    /// Where the bytes of artifacts are that links stand for, by name.
    private(set) var places: [String: String] = [:]

    init(_ key: AttemptKey, _ exit: ProcessExit, _ job: Job, _ folders: AttemptFolders) {
        self.key = key
        self.exit = exit
        self.job = job
        self.folders = folders
        folder = folders.path(key)
        isThere = exit.kill != .folderRemoved && exit.kill != .folderReplaced
        let staged = Set(job.inputs.map(\.path) + ["point.json"])
        left = LeftFiles(
            folder, folders.files, staged: staged, needed: Set(job.artifacts.evidence), isThere: isThere)
    }

    /// Works on for about `budget` bytes. The report, once all is done.
    mutating func step(budget: inout Int) -> AttemptReport? {
        if diagnosis == nil {
            guard left.list(budget: &budget) else { return nil }
            diagnosis = diagnose()
        }
        while budget > 0, next < left.all.count {
            budget -= 1_024
            advance(&budget)
        }
        return next == left.all.count ? report : nil
    }

    /// Leaves out of the whole list what is not wanted or too much, and says what the end of the attempt means.
    private mutating func diagnose() -> Diagnosis {
        if left.isGone, exit.kill == .none { exit.kill = .folderRemoved }
        if isThere, let limit = job.limits.output, let found = left.cut(to: limit, \.taken) {
            exit.note(.tooMuchOutput, found)
        }
        unwantedBytes = left.keep(job.artifacts)
        if isThere, let limit = job.limits.output { left.leaveSparse(beyond: limit) }
        if isThere, let most = job.artifacts.most, let found = left.cut(to: most, \.size) {
            exit.note(.tooMuchKept, found)
        }
        left.thin()
        total = Collector.sum(left.all.map(\.size))
        let isWell = exit.cause == .status(0) && exit.kill == .none
        let tails = ["stderr.txt", "stdout.txt"].map { name in
            isWell || !isThere ? [] : folders.tail(key, name, count: Diagnosis.tailLength) ?? []
        }
        var diagnosis = Diagnosis(exit, errorTail: tails[0], outputTail: tails[1], limits: job.limits)
        if diagnosis.failure == .exitNonzero, let remark = wrongFirstLine { diagnosis.evidence += "; \(remark)" }
        return diagnosis
    }

    /// What is wrong with the first line of a program that is one of the run's own files; nil: nothing.
    private var wrongFirstLine: String? {
        guard isThere, case .text(let program)? = job.arguments.first, program.contains("/") else { return nil }
        return MissingProgram(program, folder: folder).wrongFirstLine
    }

    private mutating func advance(_ budget: inout Int) {
        let file = left.all[next]
        do throws(FilesError) {
            if hash == nil { hash = try FileHash("\(folder)/\(file.place)", folders.files) }
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

    /// How much of it has been read.
    var progress: BytesDone {
        BytesDone(
            done: Collector.sum(artifacts.map(\.size) + [hash?.offset ?? 0]), total: diagnosis == nil ? nil : total)
    }

    /// What its folder takes at most; nil: nobody knows, as files were left out.
    var folderBytes: Int64? {
        guard left.remark.isEmpty else { return nil }
        return Collector.sum(artifacts.map(\.size) + job.inputs.map(\.size) + [unwantedBytes])
    }

    /// The most bytes of evidence that a report has beside a full list of files: a control character that a program
    /// writes takes five of them.
    static let longestEvidence = 4 << 10

    /// Sizes that somebody else chose.
    private static func sum(_ sizes: [Int64]) -> Int64 {
        sizes.reduce(0) { $0.addingCapped(max(0, $1)) }
    }

    /// Where there is no failure, the evidence is what was left out.
    private var report: AttemptReport? {
        guard let diagnosis else { return nil }
        let found = [diagnosis.evidence, left.remark].filter { !$0.isEmpty }.joined(separator: "; ")
        let evidence = VisibleText.cut(found, bytes: Collector.longestEvidence)
        return AttemptReport(
            id: key.id, failure: diagnosis.failure, evidence: evidence, wallNanoseconds: max(0, exit.wallNanoseconds),
            peakMemoryBytes: max(0, exit.peakMemoryBytes), artifacts: artifacts,
            startedAt: exit.startedAt.map { max(0, $0) })
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
