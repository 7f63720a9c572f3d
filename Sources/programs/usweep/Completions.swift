import ArgumentParser
import Ledger
import Model
import Results
import Sessions
import SweepFiles

/// What shells complete beyond words of the program: sweeps, runs, hosts and columns of the artifacts folder that is
/// meant. Nothing here fails: where nothing can be read, nothing is offered.
enum Completions {
    private static let limit = 2_000

    /// Names of sweeps, and the full name where one name has several.
    static let sweeps = kind { folder, _ in try sweeps(folder) }

    /// Numbers of the last sweep's runs; after `ID/` those of another.
    static let runs = kind { folder, prefix in try runs(folder, prefix) }

    static let sweepsAndRuns = kind { folder, prefix in try sweeps(folder) + runs(folder, prefix) }

    static let runsAndHosts = kind { folder, prefix in
        let hosts = try folder.entries().first.map { try SweepView($0).ledger.hosts().map(\.host) } ?? []
        return try hosts + runs(folder, prefix)
    }

    static let hosts = kind { folder, _ in
        try folder.entries().first.map { try SweepView($0).ledger.hosts().map(\.host) } ?? []
    }

    /// The beginnings of conditions: `size=`.
    static let conditions = kind { folder, _ in try columns(folder).map { "\($0)=" } }

    /// Axes and `workload`, after commas, too.
    static let groupings = kind { folder, prefix in
        let before = prefix.lastIndex(of: ",").map { prefix[...$0] } ?? ""
        let axes = try folder.entries().first.map { try SweepView($0).points.axes } ?? []
        return (["workload"] + axes).map { before + $0 }
    }

    /// After commas, too.
    static let columnLists = kind { folder, prefix in
        let before = prefix.lastIndex(of: ",").map { prefix[...$0] } ?? ""
        return try columns(folder).map { before + $0 }
    }

    /// The same, also behind a '-'.
    static let sortColumns = kind { folder, prefix in
        var before = prefix.lastIndex(of: ",").map { prefix[...$0] } ?? ""
        if prefix.dropFirst(before.count).hasPrefix("-") { before += "-" }
        return try columns(folder).map { before + $0 }
    }

    static let metrics = kind { folder, _ in
        try folder.entries().first.map { try SweepView($0).metricNames() } ?? []
    }

    /// What points differ in.
    static let axes = kind { folder, _ in
        guard let view = try folder.entries().first.map({ try SweepView($0) }) else { return [] }
        return (view.sweep.workloads.isEmpty ? [] : ["workload"]) + view.points.axes
    }

    static let workloads = kind { folder, _ in WorkloadStore(in: folder).shelf.names }

    static let engines = CompletionKind.list(EngineReference.engineNames)
    static let systems = CompletionKind.list(EngineReference.systemNames)

    private static func kind(
        _ offer: @escaping @Sendable (ArtifactsFolder, String) throws -> [String]
    ) -> CompletionKind {
        .custom { words, _, prefix in (try? offer(folder(words), prefix)) ?? [] }
    }

    /// The folder that the line names so far.
    private static func folder(_ words: [String]) -> ArtifactsFolder {
        var named: String?
        for (index, word) in words.enumerated() {
            if word == "--artifacts", index + 1 < words.count { named = words[index + 1] }
            if word.hasPrefix("--artifacts=") { named = String(word.dropFirst(12)) }
        }
        return ArtifactsFolder(path: named.map(Paths.absolute) ?? Paths.artifacts)
    }

    private static func sweeps(_ folder: ArtifactsFolder) throws -> [String] {
        let entries = try folder.entries()
        return (["last"] + entries.map(\.name) + entries.map(\.fullName)).reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }

    private static func runs(_ folder: ArtifactsFolder, _ prefix: String) throws -> [String] {
        let id = prefix.lastIndex(of: "/").map { String(prefix[..<$0]) }
        let entry = try id.map { try folder.find($0) } ?? folder.entries().first
        guard let entry else { return [] }
        let last = min(Int(try SweepView(entry).ledger.highestRun()), limit)
        return (0..<last).map { "\(id.map { "\($0)/" } ?? "")\($0 + 1)" }
    }

    private static func columns(_ folder: ArtifactsFolder) throws -> [String] {
        guard let entry = try folder.entries().first else { return [] }
        let view = try SweepView(entry)
        return ["run", "workload", "repeat", "outcome", "class"] + view.points.axes + (try view.metricNames())
    }
}
