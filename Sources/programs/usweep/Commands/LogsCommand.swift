import ArgumentParser
import Engines
import Ledger
import Model
import Results
import Sessions
import Storage

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a run left: its attempts, and the files of the last one.",
        discussion: """
            Of a run that is going, the ends of its files are fetched through the coordinator, while there is one.

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
        if attempt == nil, run.state == nil, let host = run.host, run.lease != nil {
            return try showRunning(run, view, host)
        }
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
        for name in texts(view) { try tail(name, artifacts) }
    }

    /// The files of an attempt that has not ended are on its host.
    private func showRunning(_ run: RunStatus, _ view: SweepView, _ host: String) throws {
        let requests = Requests(entry: view.entry)
        let number = run.plan.run
        if file == nil {
            let past = run.attempts > 0 ? "; --attempt shows one of the \(run.attempts) before" : ""
            try Console.print("run \(number): \(view.describe(run.plan)), with \(host)\(past)")
        }
        switch Ledger.holder(view.entry.ledger) {
        case .working, .elsewhere: break
        case .ended, .vanished, .nobody:
            let folder = "\(view.entry.name)-\(view.entry.identifier)/\(number).*-\(run.lease ?? 0)"
            throw Failure(
                .missingFile, "run \(number) is with \(host), and no coordinator is there to fetch its output: go on "
                    + "with 'usweep resume', or look on \(host) below its working folder in attempts/\(folder)")
        }
        var isAnswered = false
        for path in file.map({ [$0] }) ?? texts(view) {
            guard let bytes = try requests.tail(run: number, path: path) else { continue }
            isAnswered = true
            if file != nil { return try Console.write(bytes) }
            if !bytes.isEmpty { try print(path, "so far", bytes.suffix(4_096)) }
        }
        guard !isAnswered else { return }
        throw Failure(
            .missingFile, "\(host) has nothing to show of run \(number) yet: it waits for a slot, or left no "
                + (file.map { "'\($0)'" } ?? "output"))
    }

    private func texts(_ view: SweepView) -> [String] { ["stdout.txt", "stderr.txt"] + view.descriptor.logs }

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
        try print(path, start > 0 ? "its end" : nil, bytes[...])
    }

    private func print(_ path: String, _ remark: String?, _ bytes: ArraySlice<UInt8>) throws {
        try Console.print("--- \(path)\(remark.map { " (\($0))" } ?? "")")
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            try Console.print(VisibleText.of(String(line)))
        }
    }
}
