import ArgumentParser
import Ledger
import Model
import Sessions

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show the attempts of a run, and the files of the last one.",
        discussion: """
            If a run has not ended, the ends of its files are fetched from its host through the coordinator.

            EXAMPLES
              usweep logs 3                          run 3 of the last sweep
              usweep logs study/3 --attempt 1
              usweep logs --where workload=aes-go --where l2.size=1MiB
              usweep logs 3 --file terminal.log      one file, byte for byte
            """)

    @Argument(
        help: ArgumentHelp(
            "NUMBER for a run of the last sweep, ID/NUMBER, or a point's digest; with --where a sweep.",
            valueName: "run"),
        completion: Completions.runs)
    var target: String?

    @OptionGroup var condition: ConditionOptions

    @Option(name: .long, help: ArgumentHelp("Which attempt (default: the last).", valueName: "number"))
    var attempt: Int?

    @Option(name: .long, help: ArgumentHelp("Print only this artifact, byte for byte.", valueName: "path"))
    var file: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        if target == nil, condition.conditions.isEmpty {
            throw Failure(.usage, "name a run, as in 'usweep logs 3', or choose one by --where")
        }
        let choice = try RunChoice(
            target.map { [$0] } ?? [], where: condition.conditions, in: common.artifactsFolder)
        let log = try RunLog(choice, attempt: attempt)
        if let file { return try show(file, log) }
        if common.output == .json { return try Console.print(try log.document().encoded) }
        try describe(log)
        for tail in try log.tails() {
            let remark = log.artifacts == nil ? " (so far)" : tail.isWhole ? "" : " (its end)"
            try Console.print("--- \(tail.path)\(remark)")
            // Logs come from programs that nobody vouches for.
            for line in String(decoding: tail.bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
                try Console.print(VisibleText.of(String(line)))
            }
        }
    }

    private func show(_ file: String, _ log: RunLog) throws {
        guard log.artifacts == nil else { return try log.read(file) { try Console.write($0) } }
        if let tail = try log.liveTail(file) { try Console.write(tail.bytes) }
    }

    private func describe(_ log: RunLog) throws {
        let number = log.run.plan.run
        guard let artifacts = log.artifacts else {
            let past = log.attempts.count
            let hint = past > 0 ? "; \(PeopleText.count(past, "earlier attempt")): --attempt NUMBER shows one" : ""
            return try Console.print("run \(number): \(log.description), with \(log.run.host ?? "")\(hint)")
        }
        try Console.print("run \(number): \(log.description), \(log.run.state?.rawValue ?? "not ended")")
        for attempt in log.attempts {
            let how = attempt.failure.map { "\($0.rawValue): \(VisibleText.of(attempt.evidence))" } ?? "succeeded"
            try Console.print(
                "attempt \(attempt.id.attempt) on \(attempt.host), \(PeopleText.span(attempt.wall)): \(how)")
        }
        for artifact in artifacts {
            try Console.print(
                "  \(VisibleText.of(artifact.path))  \(PeopleText.size(artifact.size))  \(artifact.digest.short)")
        }
    }
}
