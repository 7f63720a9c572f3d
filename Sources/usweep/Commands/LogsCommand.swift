import ArgumentParser
import Ledger
import Model
import ObjectStore
import Results

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a run left: its attempts, and the files of the last one.",
        discussion: """
            EXAMPLES
              usweep logs 3                          run 3 of the last sweep
              usweep logs study/3 --attempt 1
              usweep logs 3 --file terminal.log      one file, byte for byte
            """)

    @Argument(help: ArgumentHelp("ID/NUMBER, or a number within the last sweep.", valueName: "run"))
    var target: String

    @Option(name: .long, help: ArgumentHelp("Which attempt; without it, the last.", valueName: "number"))
    var attempt: Int?

    @Option(name: .long, help: ArgumentHelp("Print only this artifact, as it is.", valueName: "path"))
    var file: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let (entry, number) = try common.artifactsFolder.findRun(target)
        let view = try SweepView(entry)
        guard let run = try view.ledger.run(number) else {
            throw Failure(.missingFile, "the sweep \(entry.name) has no run \(number)")
        }
        let attempts = try view.ledger.attempts(of: number)
        guard let chosen = attempt.map({ wanted in attempts.first { $0.id.attempt == wanted } }) ?? attempts.last else {
            let known = attempts.map { String($0.id.attempt) }.joined(separator: ", ")
            throw Failure(
                .missingFile,
                "run \(number) has no such attempt on record\(known.isEmpty ? " yet" : "; it has \(known)")")
        }
        let artifacts = try view.ledger.artifacts(of: number, attempt: chosen.id.attempt)
        if let file { return try show(file, artifacts) }
        try Console.print("run \(number): \(view.describe(run.plan)), \(run.state?.rawValue ?? "not ended")")
        for entry in attempts {
            try Console.print(
                "attempt \(entry.id.attempt) on \(entry.host), \(DurationText.text(entry.wall)): "
                    + (entry.failure.map { "\($0.rawValue): \(VisibleText.of(entry.evidence))" } ?? "succeeded"))
        }
        for artifact in artifacts {
            try Console.print("  \(artifact.path)  \(ByteText.text(artifact.size))  \(artifact.digest.short)")
        }
        for name in ["stdout.txt", "stderr.txt", "terminal.log"] { try tail(name, artifacts) }
    }

    private func show(_ path: String, _ artifacts: [Artifact]) throws {
        guard let artifact = artifacts.first(where: { $0.path == path }) else {
            let known = artifacts.map(\.path).joined(separator: ", ")
            throw Failure(.missingFile, "the attempt left no '\(path)'; it left \(known.isEmpty ? "nothing" : known)")
        }
        let store = try common.artifactsFolder.objects()
        var offset: Int64 = 0
        while offset < artifact.size {
            let bytes = try store.read(artifact.digest, at: offset, count: 1 << 20)
            if bytes.isEmpty { throw Failure(.badArchive, "the object \(artifact.digest.short) is cut short") }
            try Console.write(bytes)
            offset += Int64(bytes.count)
        }
    }

    /// The end of a text, hidden characters made visible: logs come from programs nobody vouches for.
    private func tail(_ path: String, _ artifacts: [Artifact]) throws {
        guard let artifact = artifacts.first(where: { $0.path == path }), artifact.size > 0 else { return }
        let start = max(0, artifact.size - 4_096)
        let bytes = try common.artifactsFolder.objects().read(artifact.digest, at: start, count: 4_096)
        try Console.print("--- \(path)\(start > 0 ? " (its end)" : "")")
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            try Console.print(VisibleText.of(String(line)))
        }
    }
}
