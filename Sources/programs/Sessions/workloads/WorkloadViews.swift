package import Model
import Results
package import SweepFiles

/// What `usweep workload list` shows: all that are here, then those of the catalogue that are not.
package struct WorkloadListing {
    private let records: [WorkloadRecord]
    private let absent: [WorkloadManifest]
    /// What is wrong with those that are here and cannot be shown.
    package let problems: [Failure]

    package init(_ store: WorkloadStore) throws {
        let names = store.shelf.names
        var (records, problems): ([WorkloadRecord], [Failure]) = ([], [])
        for name in names {
            do { records.append(try store.shelf.record(of: name)) } catch let failure as Failure {
                problems.append(failure)
            }
        }
        (self.records, self.problems) = (records, problems)
        let known = (try? WorkloadCatalogue().manifests()) ?? []
        absent = known.filter { !names.contains($0.name) }
    }

    package func table() throws -> String {
        guard !records.isEmpty || !absent.isEmpty else { return "no workloads; add one: usweep workload add FOLDER\n" }
        let here = records.map { ($0.manifest, PeopleText.size($0.diskBytes), "yes") }
        let rows = (here + absent.map { ($0, "", "no") }).map { manifest, size, isHere in
            [
                manifest.name, manifest.runtime, manifest.protocol,
                manifest.services.map(\.name).joined(separator: ","), size, isHere, manifest.counterpart ?? "",
            ]
        }
        return try TableWriter.text(
            ["NAME", "RUNTIME", "PROTOCOL", "SERVICES", "SIZE", "HERE", "COUNTERPART"], rows)
    }

    package var document: JSON {
        let here = records.map { record in
            JSON.object([
                JSON.Member("name", .string(record.manifest.name)), JSON.Member("here", .bool(true)),
                JSON.Member("record", record.json),
            ])
        }
        let others = absent.map { manifest in
            JSON.object([
                JSON.Member("name", .string(manifest.name)), JSON.Member("here", .bool(false)),
                JSON.Member("runtime", .string(manifest.runtime)),
                JSON.Member("counterpart", manifest.counterpart.map { .string($0) } ?? .null),
            ])
        }
        return .object([JSON.Member("version", .integer(1)), JSON.Member("workloads", .array(here + others))])
    }
}

/// What `usweep workload show` shows.
package struct WorkloadView {
    private let record: WorkloadRecord
    private let folder: String

    package init(_ record: WorkloadRecord, folder: String) {
        self.record = record
        self.folder = folder
    }

    package var lines: [String] {
        let manifest = record.manifest
        var lines = [
            "workload     \(manifest.name)", "runtime      \(manifest.runtime.isEmpty ? "-" : manifest.runtime)",
            "counterpart  \(manifest.counterpart ?? "-")", "called by    \(manifest.protocol), port \(manifest.port)",
            "memory       \(PeopleText.size(manifest.memoryBytes)); guest: \(PeopleText.size(record.memoryBytes))",
            "disk         \(PeopleText.size(record.diskBytes)), \(record.disk)",
            "image        \(PeopleText.size(record.layerBytes)) compressed, "
                + "\(PeopleText.size(record.unpackedBytes)) unpacked",
        ]
        if !manifest.command.isEmpty {
            lines.append("command      \(VisibleText.of(manifest.command.joined(separator: " "), limit: 200))")
        }
        for service in manifest.services {
            lines.append("service      \(service.name), port \(service.port), core \(service.core)")
        }
        for image in record.images { lines.append("container    \(image.name) from \(image.value)") }
        return lines + ["folder       \(folder)"]
    }
}

extension TableWriter {
    /// A whole table for the terminal, of texts; an empty one is shown as `-`.
    static func text(_ columns: [String], _ rows: [[String]]) throws -> String {
        var bytes: [UInt8] = []
        var writer = TableWriter(.table, name: "", columns: columns) { bytes += $0 }
        for row in rows { try writer.add(row.map { $0.isEmpty ? .empty : .text($0) }) }
        try writer.finish()
        return String(decoding: bytes, as: UTF8.self)
    }
}
