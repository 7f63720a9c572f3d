package import Model

// What people call sweeps and runs. A bare number is always a run of the last sweep; what could mean two things is
// refused with both.

extension ArtifactsFolder {
    /// The sweep that a person means.
    ///
    /// - Parameter id: its name (then the last one of that name), the beginning of its identifier, or both with a
    ///   hyphen between (`NAME-IDENTIFIER`), or `last`.
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
                "there is no sweep '\(VisibleText.of(id, limit: 100))' in \(path); "
                    + "there \(all.count == 1 ? "is" : "are") " + PeopleText.list(all.map(\.fullName)))
        }
        guard readings.count == 1 else {
            let meanings = readings.map { "\($0.entry.fullName) (\($0.why))" }
            throw Failure(
                .usage, "'\(id)' is ambiguous: it can mean \(PeopleText.list(meanings)); write one of these names in "
                    + "full")
        }
        return first.entry
    }

    /// The sweep that a person wants to remove: a name of several is not enough.
    ///
    /// - Throws: ``Failure`` as ``find(_:)`` does, and (`usage`) with all that have the name.
    package func findToRemove(_ id: String) throws -> Entry {
        let named = try entries().filter { $0.name == id }
        guard named.count > 1 else { return try find(id) }
        throw Failure(
            .usage, "\(PeopleText.count(named.count, "sweep")) are called '\(VisibleText.of(id, limit: 100))': "
                + "\(PeopleText.list(named.map(\.fullName))); name one: \(command("rm \(named[0].fullName)"))")
    }

    /// What a word stands for.
    package struct Target {
        package let entry: Entry
        package var run: RunNumber?
        /// How the digest of a point begins, in lower case.
        package var point: String?
    }

    /// A sweep, a run (`NUMBER`, `ID/NUMBER`) or a point (`DIGEST`, `ID/DIGEST`); without an ID of the last sweep.
    package func findTarget(_ text: String) throws -> Target {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let last = parts.last, parts.count <= 2 else { throw ArtifactsFolder.notARun(text) }
        let sweep = parts.count == 2 ? parts[0] : "last"
        // Names of sweeps come first: they are chosen by people, who can choose others.
        let isSweep = try parts.count == 1 && !readings(of: last, entries()).isEmpty
        if ArtifactsFolder.isDigest(last), !isSweep {
            return Target(entry: try find(sweep), point: last.lowercased())
        }
        guard parts.count == 2 || ArtifactsFolder.isNumber(text) else { return Target(entry: try find(text)) }
        guard ArtifactsFolder.isNumber(last), let run = RunNumber(last), run > 0 else {
            throw ArtifactsFolder.notARun(text)
        }
        return Target(entry: try find(sweep), run: run)
    }

    /// Whether it can be the beginning of a digest: longer than what identifiers begin with, and than any number of a
    /// run.
    static func isDigest(_ text: String) -> Bool { 9...64 ~= text.utf8.count && text.allSatisfy(\.isHexDigit) }

    /// Whether people mean a run by it.
    static func isNumber(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { 0x30...0x39 ~= $0 } }

    private static func notARun(_ text: String) -> Failure {
        Failure(.usage, "'\(VisibleText.of(text, limit: 100))' is not a run: write ID/NUMBER, its number within the "
            + "last sweep, or at least 9 digits of its point's digest")
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
        // Of the identifier at least one digit.
        for entry in all where entry.fullName.hasPrefix(id) && id.utf8.count > entry.name.utf8.count + 1 {
            add(entry, "by its name and identifier")
        }
        return readings
    }
}
