package import Model
package import SweepFiles

/// What `usweep workload list` shows: all that are here, then those of the catalogue that are not.
package struct WorkloadListing {
    private let records: [WorkloadRecord]
    private let absent: [String]

    package init(_ store: WorkloadStore) throws {
        let records = try store.shelf.names.map { try store.shelf.record(of: $0) }
        self.records = records
        let known = (try? WorkloadCatalogue().names()) ?? []
        absent = known.filter { name in !records.contains { $0.manifest.name == name } }
    }

    package var lines: [String] {
        guard !records.isEmpty || !absent.isEmpty else { return ["no workloads; add one: usweep workload add FOLDER"] }
        let head = ["NAME", "RUNTIME", "PROTOCOL", "SERVICES", "SIZE", "HERE", "COUNTERPART"]
        let here = records.map { record in
            let manifest = record.manifest
            return [
                manifest.name, manifest.runtime, manifest.protocol,
                manifest.services.map(\.name).joined(separator: ","), PeopleText.size(record.diskBytes), "yes",
                manifest.counterpart ?? "",
            ]
        }
        return WorkloadListing.aligned([head] + here + absent.map { [$0, "", "", "", "", "no", ""] })
    }

    /// Columns as wide as what is in them; nothing is shown as `-`.
    private static func aligned(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in
                let text = cell.isEmpty ? "-" : cell
                return text + String(repeating: " ", count: max(0, width - text.count))
            }
            return cells.joined(separator: "  ").trimmed
        }
    }

    package var document: JSON {
        let here = records.map { record in
            JSON.object([
                JSON.Member("name", .string(record.manifest.name)), JSON.Member("here", .bool(true)),
                JSON.Member("record", record.json),
            ])
        }
        let others = absent.map {
            JSON.object([JSON.Member("name", .string($0)), JSON.Member("here", .bool(false))])
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
