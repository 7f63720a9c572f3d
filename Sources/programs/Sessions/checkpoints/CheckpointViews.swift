package import CoordinatorRuntime
package import Formats
import Foundation
package import Model
import Results
import Storage

/// What `usweep checkpoint list` and `show` say.
package struct CheckpointViews {
    private let store: CheckpointStore
    private let choice: CheckpointChoice
    private let objects: ObjectStore

    package init(_ store: CheckpointStore = Caches.checkpoints) throws {
        self.store = store
        choice = try CheckpointChoice(store)
        objects = try store.objects()
    }

    /// Bytes that a checkpoint takes here, and those of them that no other one takes, too.
    private func stored(_ bundle: CheckpointBundle, _ others: [CheckpointBundle]) throws -> (all: Int64, own: Int64) {
        let mine = try parts(bundle)
        var rest = mine
        for other in others where other.checkpoint != bundle.checkpoint { rest.subtract(try parts(other)) }
        func size(_ parts: Set<Digest>) throws -> Int64 { try parts.reduce(0) { $0 + (try objects.size($1) ?? 0) } }
        return (try size(mine), try size(rest))
    }

    private func parts(_ bundle: CheckpointBundle) throws -> Set<Digest> {
        let files = Set(bundle.files.map(\.digest))
        return files.union(try objects.parts(of: files))
    }

    /// - Parameter holders: nil: no host was asked.
    package func table(_ bundles: [CheckpointBundle], _ holders: CheckpointHolders? = nil) throws -> String {
        guard !bundles.isEmpty else {
            return "no checkpoints; sweeps keep those that they make, and this adds one: usweep checkpoint add FOLDER\n"
        }
        let rows = try bundles.map { bundle in
            let stored = try stored(bundle, bundles)
            return [
                bundle.checkpoint.short, choice.names(of: bundle).joined(separator: ","), bundle.engine,
                bundle.workload,
                PeopleText.size(bundle.size), PeopleText.size(stored.own),
                bundle.madeAt.map(CheckpointViews.time) ?? "", try used(bundle) ?? "",
            ] + (holders.map { [$0.text(bundle)] } ?? [])
        }
        let header = ["CHECKPOINT", "NAME", "ENGINE", "WORKLOAD", "SIZE", "OWN", "MADE", "USED"]
        return try TableWriter.text(header + (holders == nil ? [] : ["HOSTS"]), rows)
    }

    /// When a sweep used it last.
    private func used(_ bundle: CheckpointBundle) throws -> String? {
        try store.lastUse(of: bundle).map(CheckpointViews.time)
    }

    private static func time(_ nanoseconds: Nanoseconds) -> String {
        let date = Date(timeIntervalSince1970: Double(nanoseconds) / 1e9)
        return date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))
            .replacingOccurrences(of: "T", with: " ")
    }

    package func lines(_ bundle: CheckpointBundle, among bundles: [CheckpointBundle]) throws -> [String] {
        let stored = try stored(bundle, bundles)
        let names = choice.names(of: bundle)
        var lines = [
            "checkpoint  \(bundle.checkpoint)", "name        \(names.isEmpty ? "-" : names.joined(separator: ", "))",
            "workload    \(bundle.workload)",
            "engine      \(bundle.engine), binary \(bundle.binary.map { "\($0)" } ?? "unknown")",
            "made        \(bundle.madeAt.map(CheckpointViews.time) ?? "at an unknown time"), "
                + "by \(bundle.madeBy.map { VisibleText.of($0, limit: 200) } ?? "an unknown user")",
            "used        \(try used(bundle) ?? "unknown")",
            "size        \(PeopleText.size(bundle.size)) in \(PeopleText.count(bundle.files.count, "file")), stored in "
                + "\(PeopleText.size(stored.all)), of which \(PeopleText.size(stored.own)) are its own",
        ]
        lines.append("made from")
        lines += bundle.madeFrom.isEmpty
            ? ["  not known"] : bundle.madeFrom.map { "  \(VisibleText.of($0, limit: 300))" }
        lines.append("files")
        lines += bundle.files.map { "  \($0.digest)  \($0.size)  \(VisibleText.of($0.path, limit: 200))" }
        return lines
    }

    /// - Parameter holders: nil: no host was asked.
    package func document(
        _ bundles: [CheckpointBundle], among all: [CheckpointBundle], _ holders: CheckpointHolders? = nil
    ) throws -> JSON {
        let list = try bundles.map { bundle in
            let stored = try stored(bundle, all)
            return JSON.object([
                JSON.Member("names", .array(choice.names(of: bundle).map { .string($0) })),
                JSON.Member("size_bytes", .integer(bundle.size)), JSON.Member("stored_bytes", .integer(stored.all)),
                JSON.Member("own_bytes", .integer(stored.own)),
                JSON.Member("used_ns", (try store.lastUse(of: bundle)).map { .integer($0) } ?? .null),
                JSON.Member("bundle", bundle.document),
            ] + (holders.map { [JSON.Member("hosts", $0.document(bundle))] } ?? []))
        }
        return .object([JSON.Member("version", .integer(1)), JSON.Member("checkpoints", .array(list))])
    }

    /// What is wrong with a checkpoint's files, a sentence each; everything is read.
    package func problems(_ bundle: CheckpointBundle) throws -> [String] {
        try bundle.files.compactMap { file in
            try objects.problem(of: file.digest).map { "\(VisibleText.of(file.path, limit: 200)): \($0)" }
        }
    }
}

extension CheckpointBundle {
    /// What was found when its files were read.
    package func document(problems: [String]) -> JSON {
        .object([
            JSON.Member("checkpoint", .string(checkpoint.hex)), JSON.Member("workload", .string(workload)),
            JSON.Member("problems", .array(problems.map { .string($0) })),
        ])
    }
}
