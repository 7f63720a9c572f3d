package import Model

// What people call sweeps and runs. A bare number is always a run of the last sweep; what could mean two things is
// refused with both.

extension ArtifactsFolder {
    /// The sweep that a person means.
    ///
    /// - Parameter id: its name (then the last one of that name), the beginning of its identifier, `NAME-IDENTIFIER`,
    ///   or `last`.
    /// - Throws: ``Failure`` (`missingFile`) where there is none, (`usage`) where it could be several.
    package func find(_ id: String) throws -> Entry {
        let all = try entries()
        let readings = readings(of: id, all)
        if ArtifactsFolder.isNumber(id) {
            let hint = PeopleText.list(readings.map { "\(command("COMMAND \($0.entry.fullName)"))" }, atMost: 3)
            throw Failure(
                .usage, "'\(id)' is the number of a run, and this command is about a sweep: give its name, the "
                    + "beginning of its identifier, or 'last'" + (readings.isEmpty ? "" : "; for the sweep: \(hint)"))
        }
        guard let first = readings.first else {
            guard !all.isEmpty else { throw emptiness }
            throw Failure(
                .missingFile,
                "there is no sweep '\(VisibleText.of(id, limit: 100))' in \(path); there is "
                    + PeopleText.list(all.map(\.fullName)))
        }
        guard readings.count == 1 else {
            let meanings = readings.map { "\($0.entry.fullName) (\($0.why))" }
            throw Failure(
                .usage, "'\(id)' is ambiguous: it can mean \(PeopleText.list(meanings)); write one of these names in "
                    + "full")
        }
        return first.entry
    }

    /// A run: `ID/NUMBER`, or a number within the last sweep.
    package func findRun(_ text: String) throws -> (entry: Entry, run: RunNumber) {
        let found = try findTarget(text)
        guard let run = found.run else {
            throw Failure(
                .usage, "'\(text)' is a sweep, and this command is about a run: write \(text)/NUMBER, or a number "
                    + "for a run of the last sweep")
        }
        return (found.entry, run)
    }

    /// A sweep or a run.
    package func findTarget(_ text: String) throws -> (entry: Entry, run: RunNumber?) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, parts.count == 2 || ArtifactsFolder.isNumber(text) else {
            guard parts.count == 1 else { throw ArtifactsFolder.notARun(text) }
            return (try find(text), nil)
        }
        guard let last = parts.last, ArtifactsFolder.isNumber(last), let run = RunNumber(last), run > 0 else {
            throw ArtifactsFolder.notARun(text)
        }
        return (try find(parts.count == 2 ? parts[0] : "last"), run)
    }

    /// One sweep and runs of it. Without an argument it is the last sweep.
    package func findRuns(_ texts: [String]) throws -> (entry: Entry, runs: [RunNumber]) {
        let found = try texts.map { (text: $0, target: try findTarget($0)) }
        guard let entry = found.first?.target.entry else { return (try find("last"), []) }
        if let other = found.first(where: { $0.target.entry.fullName != entry.fullName }) {
            let isNumber = ArtifactsFolder.isNumber(other.text) || ArtifactsFolder.isNumber(texts[0])
            let rule = isNumber ? "; a bare number is a run of the last sweep: write ID/NUMBER for another's" : ""
            throw Failure(
                .usage, "one sweep at a time: '\(texts[0])' is of \(entry.fullName), '\(other.text)' of "
                    + other.target.entry.fullName + rule)
        }
        return (entry, found.compactMap(\.target.run))
    }

    /// Whether people mean a run by it.
    static func isNumber(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { 0x30...0x39 ~= $0 } }

    private static func notARun(_ text: String) -> Failure {
        Failure(.usage, "'\(VisibleText.of(text, limit: 100))' is not a run: write ID/NUMBER, or its number within the "
            + "last sweep")
    }

    /// All sweeps that could be meant, each once.
    private func readings(of id: String, _ all: [Entry]) -> [(entry: Entry, why: String)] {
        if let exact = all.first(where: { $0.fullName == id }) { return [(exact, "its full name")] }
        var readings: [(entry: Entry, why: String)] = []
        guard !id.isEmpty else { return [] }
        func add(_ entry: Entry?, _ why: String) {
            guard let entry, !readings.contains(where: { $0.entry.fullName == entry.fullName }) else { return }
            readings.append((entry, why))
        }
        if id == "last" { add(all.first, "the last one") }
        add(all.first { $0.name == id }, "by its name")
        for entry in all where entry.identifier.hasPrefix(id) {
            // A sweep of the name is as good as meant where another launch of it has such an identifier.
            if entry.name != id { add(entry, "by its identifier") }
        }
        return readings
    }
}
