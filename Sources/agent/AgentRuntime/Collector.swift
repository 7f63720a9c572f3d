import AgentCore
import Model
import Ports

/// Lists and digests what an attempt left, a bounded piece of work at a time, so that a large file keeps nobody
/// waiting.
struct Collector {
    static let maximumFiles = 1_000
    /// So that a report fits a frame.
    static let maximumNameBytes = 80 * 1024
    private static let maximumDepth = 32

    let key: AttemptKey
    private let exit: ProcessExit
    private let verdict: Verdict
    private let folder: String
    private let files: any Files
    private var waiting: [String] = []
    private var next = 0
    private var open: (file: FileHandle, hash: SHA256, offset: Int64)?
    private var artifacts: [Artifact] = []
    private var problems: [String] = []

    init(_ key: AttemptKey, _ exit: ProcessExit, _ job: Job, _ folders: AttemptFolders) {
        self.key = key
        self.exit = exit
        folder = folders.path(key)
        files = folders.files
        let isWell = exit.cause == .status(0) && exit.kill == .none
        let tails = ["stderr.txt", "stdout.txt"].map { name in
            isWell ? [] : folders.tail(key, name, count: Verdict.tailLength) ?? []
        }
        verdict = Verdict(exit, errorTail: tails[0], outputTail: tails[1], limits: job.limits)
        let staged = Set(job.inputs.map(\.path) + ["point.json"])
        var nameBytes = 0
        list("", depth: 0, staged: staged, &nameBytes)
        waiting.sort()
    }

    private mutating func list(_ prefix: String, depth: Int, staged: Set<String>, _ nameBytes: inout Int) {
        guard let entries = try? files.list(prefix.isEmpty ? folder : "\(folder)/\(prefix)") else {
            problems.append("the folder \"\(prefix)\" cannot be read")
            return
        }
        for entry in entries {
            let path = prefix.isEmpty ? entry.name : "\(prefix)/\(entry.name)"
            if staged.contains(path), entry.isText { continue }
            switch entry.kind {
            case .symbolicLink, .other: continue
            case .file, .folder:
                guard entry.isText, RelativePath.isSafe(path), depth < Collector.maximumDepth else {
                    note("it left a name that cannot be used: \"\(Verdict.printable(path.utf8.suffix(200)))\"")
                    continue
                }
            }
            if entry.kind == .folder {
                list(path, depth: depth + 1, staged: staged, &nameBytes)
            } else if waiting.count < Collector.maximumFiles,
                nameBytes + path.utf8.count <= Collector.maximumNameBytes
            {
                nameBytes += path.utf8.count
                waiting.append(path)
            } else {
                note("it left more than \(Collector.maximumFiles) files, or names of more than 80 KiB in all")
            }
        }
    }

    private mutating func note(_ problem: String) {
        if problems.count < 3, !problems.contains(problem) { problems.append(problem) }
    }

    /// Works on for about `budget` bytes. The report, once all is done.
    mutating func step(budget: inout Int) -> AttemptReport? {
        while budget > 0 {
            if open != nil {
                advance(&budget)
            } else if next < waiting.count {
                begin(waiting[next])
                budget -= 1_024
            } else {
                return report
            }
        }
        return open == nil && next == waiting.count ? report : nil
    }

    private mutating func begin(_ path: String) {
        do throws(FilesError) {
            open = (try files.open("\(folder)/\(path)", .read), SHA256(), 0)
        } catch {
            note("\"\(path)\" cannot be read: \(error.reason)")
            next += 1
        }
    }

    private mutating func advance(_ budget: inout Int) {
        guard var state = open else { return }
        do throws(FilesError) {
            let bytes = try files.read(state.file, at: state.offset, count: 256 * 1024)
            if bytes.count > 0 { state.hash.update(bytes) }
            state.offset += Int64(bytes.count)
            budget -= bytes.count
            guard bytes.count < 256 * 1024 else {
                open = state
                return
            }
            artifacts.append(Artifact(path: waiting[next], digest: state.hash.finish(), size: state.offset))
        } catch {
            note("\"\(waiting[next])\" cannot be read: \(error.reason)")
        }
        files.close(state.file)
        open = nil
        next += 1
    }

    private var report: AttemptReport {
        var failure = verdict.failure
        var evidence = verdict.evidence
        if !problems.isEmpty {
            failure = failure ?? .contractBroken
            evidence = ([evidence] + problems).filter { !$0.isEmpty }.joined(separator: "; ")
        }
        return AttemptReport(
            id: key.id, failure: failure, evidence: evidence, wallNanoseconds: exit.wallNanoseconds,
            peakMemoryBytes: exit.peakMemoryBytes, artifacts: artifacts)
    }
}
