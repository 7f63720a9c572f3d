import ArgumentParser
import Engines
import Foundation
import Ledger
import Model
import Results
import Sessions
import Storage
import SweepFiles

struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Lay out the artifacts of all runs as plain folders.",
        discussion: """
            DIR/<run>/ holds what the run's deciding attempt left, DIR/runs.csv says what each run is. Files are \
            copies: they can be changed without harm. Pulling again adds what is new.

            With --layout vswarm, DIR/<function>/ holds stats.txt, config.ini, config.json, gem5.log and the console \
            of a gem5 run that succeeded, as vSwarm-u's notebooks read them; where a function has several runs, \
            DIR/<parameters>/<function>/.

            EXAMPLES
              usweep pull --to artifacts-of-study
              usweep pull study --to results --layout vswarm
            """)

    /// Files as they were, in a folder for each run.
    private static let plain = "runs"
    private static let layouts = EngineRegistry.all.flatMap(\.layouts).map(\.name)

    @OptionGroup var sweep: SweepArgument

    @Option(name: .long, help: ArgumentHelp("The folder; made if it is missing.", valueName: "dir"))
    var to: String

    @Option(
        name: .long, help: ArgumentHelp("How it is laid out.", valueName: ([plain] + layouts).joined(separator: "|")))
    var layout = plain

    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        let view = try SweepView(try folder.find(sweep.id))
        let copier = Copier(store: try folder.objects(), target: Paths.absolute(to))
        let layout = try layout(view)
        var names = FunctionFolders(view)
        var runs = 0
        var files = 0
        // Nothing else can be asked of the ledger meanwhile.
        var pulled: [(plan: PlannedRun, state: RunState?, attempt: AttemptNumber)] = []
        try view.ledger.forEachRun { run in
            guard !run.plan.key.isSetup, let decision = run.decision else { return }
            pulled.append((run.plan, run.state, decision.id.attempt))
        }
        for (plan, state, attempt) in pulled {
            let artifacts = try view.ledger.artifacts(of: plan.run, attempt: attempt)
            // The ledger holds only checked paths; one that was tampered with must not lead out of the folder.
            guard artifacts.allSatisfy({ RelativePath.isSafe($0.path) }) else {
                throw Failure(.badArchive, "the ledger holds an artifact with a path that leads elsewhere")
            }
            if let layout {
                guard state == .succeeded, let place = names.place(of: plan) else { continue }
                let laid = layout.files(artifacts)
                for (name, parts) in laid { try copier.copy(parts, to: "\(place)/\(name)") }
                files += laid.count
            } else {
                for artifact in artifacts { try copier.copy([artifact], to: "\(plan.run)/\(artifact.path)") }
                files += artifacts.count
            }
            runs += 1
        }
        try FileManager.default.createDirectory(atPath: copier.target, withIntermediateDirectories: true)
        try AtomicFile.write("\(copier.target)/runs.csv") { sink in
            try view.write(.runs, .csv, selection: try Selection(axes: view.points.axes), sink: sink)
        }
        common.console.say("\(files) files of \(runs) runs are in \(copier.target)")
    }

    /// One of the layouts that the sweep's engine has; nil: the plain one.
    private func layout(_ view: SweepView) throws -> ArtifactLayout? {
        if layout == PullCommand.plain { return nil }
        if let found = view.descriptor.layouts.first(where: { $0.name == layout }) { return found }
        guard PullCommand.layouts.contains(layout) else {
            let known = [PullCommand.plain] + PullCommand.layouts
            throw Failure(.usage, "--layout \(VisibleText.of(layout)): \(Names.suggestion(layout, in: known))")
        }
        throw Failure(.usage, "--layout \(layout): runs of engine '\(view.sweep.engine)' have no such layout")
    }
}

/// Copies objects to where people can use them.
private struct Copier {
    let store: ObjectStore
    /// Absolute.
    let target: String

    /// Writes objects one after the other into one file, unless it is there: runs of one size differ in what they say.
    func copy(_ parts: [Artifact], to place: String) throws {
        let manager = FileManager.default
        let path = "\(target)/\(place)"
        if parts.count == 1, manager.fileExists(atPath: path),
            try LocalInput.file(path, at: place).digest == parts[0].digest
        { return }
        do {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try manager.createDirectory(atPath: parent, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "\(path) cannot be written", cause: error.localizedDescription)
        }
        let piece: Int64 = 1 << 20
        try AtomicFile.write(path) { sink in
            for part in parts {
                for offset in stride(from: 0, to: part.size, by: Int64.Stride(piece)) {
                    let count = Int(min(piece, part.size - offset))
                    try sink(try store.read(part.digest, at: offset, count: count))
                }
            }
        }
    }
}

/// A folder for each function, or where one has several runs, for each of them.
private struct FunctionFolders {
    private let view: SweepView
    private let runsPerWorkload: Int
    private var taken: Set<String> = []

    init(_ view: SweepView) {
        self.view = view
        runsPerWorkload = view.points.count / max(1, view.sweep.workloads.count) * view.sweep.measure.repeats
    }

    /// nil: the run is no point of the sweep file any more.
    mutating func place(of plan: PlannedRun) -> String? {
        guard let workload = plan.key.workload, let assignments = view.assignments(of: plan) else { return nil }
        guard runsPerWorkload > 1 else { return workload }
        var words = assignments.map { "\($0.axis)=\($0.value)" }
        if view.sweep.measure.repeats > 1 { words.append("repeat=\(plan.key.repetition)") }
        let plain = words.joined(separator: ",").map { character in
            character.isASCII && (character.isLetter || character.isNumber || "=,._+-".contains(character))
                ? character : "_"
        }
        var name = String(String(plain).prefix(200))
        // Values may differ in what a name cannot show.
        if name.isEmpty || name.hasPrefix(".") || !taken.insert("\(name)/\(workload)").inserted {
            name = "run-\(plan.run)"
        }
        return "\(name)/\(workload)"
    }
}
