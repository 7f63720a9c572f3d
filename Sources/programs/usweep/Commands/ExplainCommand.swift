import ArgumentParser
import Foundation
import Ledger
import Model
import Results
import Sessions

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say in sentences what became of a run or a host, and what to do.",
        discussion: """
            From the ledger's evidence: what happened, on which host, what was tried, why it waits.

            EXAMPLES
              usweep explain 3              run 3 of the last sweep
              usweep explain study/3
              usweep explain node07         a host of the last sweep
              usweep explain study/node07
            """)

    @Argument(
        help: ArgumentHelp("A run or a host of the last sweep, or after ID and '/' of another.", valueName: "run|host"))
    var target: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard let name = parts.last, !name.isEmpty else {
            throw Failure(.usage, "'\(target)' is neither a run nor a host: write NUMBER, HOST, ID/NUMBER or ID/HOST")
        }
        let view = try SweepView(try common.artifactsFolder.find(parts.count == 2 ? parts[0] : "last"))
        if let number = RunNumber(name), let run = try view.ledger.run(number) {
            let story = try Storyteller(view).story(of: run)
            return try tell(story.sentences, [
                JSON.Member("run", .integer(number)),
                JSON.Member("outcome", story.state.map { .string($0.rawValue) } ?? .null),
                JSON.Member("class", story.failure.map { .string($0.rawValue) } ?? .null),
                JSON.Member("advice", story.advice.map { .string($0) } ?? .null),
            ])
        }
        guard let story = try Storyteller(view).story(ofHost: name) else {
            let hosts = try Storyteller(view).hostNames().joined(separator: ", ")
            throw Failure(
                .missingFile, "the sweep \(view.entry.name) has neither a run nor a host '\(name)'; its runs have the "
                    + "numbers 1 to \(try view.ledger.highestRun()), its hosts are \(hosts)")
        }
        try tell(story.sentences, [
            JSON.Member("host", .string(name)), JSON.Member("advice", story.advice.map { .string($0) } ?? .null),
        ])
    }

    private func tell(_ sentences: [String], _ members: [JSON.Member]) throws {
        guard common.output == .json else { return try Console.print(sentences.joined(separator: "\n")) }
        let told = JSON.Member("sentences", .array(sentences.map { .string($0) }))
        try Console.print(JSON.object([JSON.Member("version", .integer(1))] + members + [told]).encoded)
    }
}
