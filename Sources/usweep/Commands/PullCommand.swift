import ArgumentParser
import Foundation
import Ledger
import Model
import ObjectStore
import Results

struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Lay out the artifacts of all runs as plain folders.",
        discussion: """
            DIR/<run>/ holds what the run's deciding attempt left, DIR/runs.csv says what each run is. Files are \
            copies: they can be changed without harm. Pulling again adds what is new.

            EXAMPLES
              usweep pull --to artifacts-of-study
              usweep pull study --to /data/study
            """)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("The folder; made if it is missing.", valueName: "dir"))
    var to: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let view = try SweepView(try folder.find(sweep.id))
        let store = try folder.objects()
        let target = Paths.absolute(to)
        var runs: [(run: RunNumber, attempt: AttemptNumber)] = []
        try view.ledger.forEachRun { run in
            guard !run.plan.key.isSetup, let decision = run.decision else { return }
            runs.append((run.plan.run, decision.id.attempt))
        }
        var files = 0
        for (run, attempt) in runs {
            for artifact in try view.ledger.artifacts(of: run, attempt: attempt) {
                // The ledger holds only checked paths; one that was tampered with must not lead out of the folder.
                guard RelativePath.isSafe(artifact.path) else {
                    throw Failure(.badArchive, "the ledger holds an artifact with a path that leads elsewhere")
                }
                try copy(store.path(artifact.digest), to: "\(target)/\(run)/\(artifact.path)", size: artifact.size)
                files += 1
            }
        }
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        try AtomicFile.write("\(target)/runs.csv") { sink in
            try view.write(.runs, .csv, selection: try Selection(axes: view.points.axes), sink: sink)
        }
        common.console.say("\(files) files of \(runs.count) runs are in \(target)")
    }

    private func copy(_ source: String, to target: String, size: Int64) throws {
        let manager = FileManager.default
        if let found = try? manager.attributesOfItem(atPath: target)[.size] as? Int64, found == size { return }
        do {
            let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
            try manager.createDirectory(atPath: parent, withIntermediateDirectories: true)
            let temporary = "\(target).part-\(getpid())"
            try? manager.removeItem(atPath: temporary)
            try manager.copyItem(atPath: source, toPath: temporary)
            try manager.setAttributes([.posixPermissions: 0o644], ofItemAtPath: temporary)
            guard rename(temporary, target) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        } catch {
            throw Failure(.storage, "\(target) cannot be written", cause: error.localizedDescription)
        }
    }
}
