import Ledger
package import Model

/// What became of a run or a host, and what to do, in sentences.
package struct Explanation {
    /// One a line.
    package let sentences: [String]
    package let document: JSON

    /// - Parameters:
    ///   - target: a run or a host of the last sweep, or after `ID/` of another; also the digest of a point.
    ///   - isHost: whether a number is the name of a host.
    package init(of target: String, isHost: Bool = false, in folder: ArtifactsFolder) throws {
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard let name = parts.last, !name.isEmpty else {
            throw Failure(.usage, "'\(target)' is neither a run nor a host: write NUMBER, HOST, ID/NUMBER or ID/HOST")
        }
        let view = try SweepView(try folder.find(parts.count == 2 ? parts[0] : "last"))
        let teller = Storyteller(view)
        if !isHost, ArtifactsFolder.isNumber(name), let number = RunNumber(name),
            let run = try view.ledger.run(number)
        {
            guard try !teller.hostNames().contains(name) else {
                throw Failure(
                    .usage, "'\(name)' is ambiguous: \(view.entry.fullName) has a run and a host of that name. For the "
                        + "host add --host; for the run: \(view.entry.command("logs", run: number))")
            }
            self.init(try teller.story(of: run), number)
        } else if let story = try teller.story(ofHost: name) {
            self.init(
                story.sentences + (try teller.standing(of: name).map { [$0] } ?? []) + (try teller.lastEnd()),
                [
                    JSON.Member("host", .string(name)),
                    JSON.Member("advice", story.advice.map { .string($0) } ?? .null),
                ])
        } else if let story = try teller.story(ofSite: name) {
            self.init(
                story.sentences + (try teller.lastEnd()),
                [JSON.Member("host", .string(name)), JSON.Member("advice", .null)])
        } else if ArtifactsFolder.isDigest(name) {
            try self.init(of: try RunChoice([target], in: folder))
        } else {
            throw try Explanation.unknown(name, parts.count == 1, view, teller, folder)
        }
    }

    /// What became of several runs, one after the other.
    package init(of choice: RunChoice) throws {
        let view = try SweepView(choice.entry)
        let teller = Storyteller(view)
        let stories = try (choice.runs ?? []).compactMap { number in
            try view.ledger.run(number).map { Explanation(try teller.story(of: $0), number) }
        }
        if let only = stories.first, stories.count == 1 {
            self = only
            return
        }
        sentences = stories.flatMap(\.sentences)
        document = .object([
            JSON.Member("version", .integer(1)), JSON.Member("runs", .array(stories.map(\.document))),
        ])
    }

    private init(_ story: RunStory, _ number: RunNumber) {
        self.init(
            story.sentences,
            [
                JSON.Member("run", .integer(number)),
                JSON.Member("outcome", story.state.map { .string($0.rawValue) } ?? .null),
                JSON.Member("class", story.failure.map { .string($0.rawValue) } ?? .null),
                JSON.Member("advice", story.advice.map { .string($0) } ?? .null),
            ])
    }

    private init(_ sentences: [String], _ members: [JSON.Member]) {
        self.sentences = sentences
        let told = JSON.Member("sentences", .array(sentences.map { .string($0) }))
        document = .object([JSON.Member("version", .integer(1))] + members + [told])
    }

    private static func unknown(
        _ name: String, _ isBare: Bool, _ view: SweepView, _ teller: Storyteller, _ folder: ArtifactsFolder
    ) throws -> Failure {
        let shown = VisibleText.of(name, limit: 100)
        if isBare, let entry = try? folder.find(name) {
            return Failure(
                .missingFile, "'\(shown)' is a sweep, and 'explain' is about a run or a host; see the sweep: "
                    + "\(entry.command("status"))")
        }
        let hosts = PeopleText.list(try teller.hostNames())
        return Failure(
            .missingFile, "the sweep \(view.entry.fullName) has neither a run nor a host '\(shown)'; its runs are "
                + "numbered 1 to \(try view.ledger.highestRun()), its hosts are \(hosts)")
    }
}
