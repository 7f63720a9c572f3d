import Foundation
public import Model

/// The workloads that were added: a folder with a folder of its name for each (`workload.json` and its disk).
public struct WorkloadShelf: Sendable {
    /// Absolute.
    public let path: String
    /// Workloads that could be built: named where one of them is missing.
    private let catalogue: @Sendable () -> [WorkloadManifest]

    public init(path: String, catalogue: @escaping @Sendable () -> [WorkloadManifest] = { [] }) {
        self.path = path
        self.catalogue = catalogue
    }

    /// Those that are here, sorted.
    public var names: [String] {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return found.filter { name in
            Names.isPlain(name) && FileManager.default.fileExists(atPath: "\(path)/\(name)/\(WorkloadRecord.fileName)")
        }.sorted()
    }

    public func folder(of name: String) -> String { "\(path)/\(name)" }

    /// - Throws: ``Failure`` (`badSpecification`) for a name that is not here, with what to do.
    public func record(of name: String) throws -> WorkloadRecord {
        let names = names
        guard names.contains(name) else {
            let buildable = catalogue().map(\.name)
            guard !buildable.contains(name) else {
                throw Failure(
                    .badSpecification, "the workload '\(name)' was not built yet; build it: usweep workload build "
                        + name)
            }
            if let own = theirs(name) {
                throw Failure(
                    .badSpecification, "there is no workload '\(name)' in \(path); what vSwarm calls so is "
                        + "'\(own)' here")
            }
            let known = (names + buildable.filter { !names.contains($0) }).sorted()
            let advice = known.isEmpty
                ? "add one: usweep workload add FOLDER" : Names.suggestion(name, in: known)
            throw Failure(.badSpecification, "there is no workload '\(Names.shown(name))' in \(path); \(advice)")
        }
        return try WorkloadRecord(inFolder: folder(of: name), shown: folder(of: name))
    }

    /// What a list of vSwarm's names means: a workload of that name, else the one that does the same as theirs.
    public func listed(_ name: String) -> String {
        names.contains(name) || catalogue().contains { $0.name == name } ? name : theirs(name) ?? name
    }

    /// The only workload whose counterpart vSwarm calls so.
    private func theirs(_ name: String) -> String? {
        let here = names.compactMap { try? record(of: $0).manifest }
        let found = Set((here + catalogue()).filter { $0.isCalled(name) }.map(\.name))
        return found.count == 1 ? found.first : nil
    }

    /// The workload as a run gets it.
    ///
    /// - Throws: ``Failure``, as for ``record(of:)``; `badData` for a damaged one.
    public func image(of name: String) throws -> WorkloadImage {
        try record(of: name).image(inFolder: folder(of: name), shown: folder(of: name))
    }
}
