package import Model

/// What a gem5 checkpoint was made of, as `record.json` in its folder says. gem5 itself keeps nothing of it: it
/// restores under another kernel, disk or number of cores without a word.
package struct Gem5CheckpointRecord: Sendable, Hashable {
    /// What it was made of; nil: not known, or it does not matter.
    package struct Origin: Sendable, Hashable {
        package var kernel: Digest?
        package var disk: Digest?
        package var workload: String
        /// nil: there was none, as the guest's own disk holds the function.
        package var workloadDisk: Digest?
        /// Their names, sorted.
        package var machines: [String]?
        /// The system's under test, as its cores.
        package var memoryBytes: Int64?
        package var cores: Int?

        package init(
            kernel: Digest?, disk: Digest?, workload: String, workloadDisk: Digest? = nil, machines: [String]? = nil,
            memoryBytes: Int64? = nil, cores: Int? = nil
        ) {
            self.kernel = kernel
            self.disk = disk
            self.workload = workload
            self.workloadDisk = workloadDisk
            self.machines = machines
            self.memoryBytes = memoryBytes
            self.cores = cores
        }

        /// In what a checkpoint of this origin is not what is expected, as far as both are known.
        package func differences(from expected: Origin) -> [CheckpointDifference] {
            func difference<Value: Equatable>(
                _ item: String, _ found: Value?, _ wanted: Value?, _ text: (Value) -> String
            ) -> CheckpointDifference? {
                guard let found, let wanted, found != wanted else { return nil }
                return CheckpointDifference(item, found: text(found), expected: text(wanted))
            }
            // A disk that is not there is known not to be there.
            let disks = [workloadDisk, expected.workloadDisk].map { $0?.hex ?? Origin.none }
            return [
                difference("workload disk", disks[0], disks[1]) { $0 },
                difference("kernel", kernel, expected.kernel, \.hex), difference("disk", disk, expected.disk, \.hex),
                difference("workload", workload, expected.workload) { "'\($0)'" },
                difference("machines", machines, expected.machines) { $0.joined(separator: " and ") },
                difference("memory", memoryBytes, expected.memoryBytes) { PeopleText.size($0) },
                difference("cores", cores, expected.cores) { String($0) },
            ].compactMap(\.self)
        }

        /// As the text of a difference has it.
        static let none = "none"

        /// Whether gem5 can restore a checkpoint into what differs from it so: into a machine with the same parts.
        package static func canRestore(_ difference: CheckpointDifference) -> Bool {
            switch difference.item {
            case "machines", "memory", "cores": false
            default: difference.found != none && difference.expected != none
            }
        }

        /// The same in sentences; nil: it fits.
        package func misfit(with expected: Origin) -> String? {
            let differences = differences(from: expected)
            return differences.isEmpty ? nil : differences.sentence
        }

        /// What gem5 would not notice and nobody wrote down.
        package var unknown: [String] {
            [
                kernel == nil ? "its kernel" : nil, disk == nil ? "its disk" : nil,
                machines == nil ? "its machines" : nil, memoryBytes == nil ? "its memory" : nil,
                cores == nil ? "its cores" : nil,
            ].compactMap { $0 }
        }
    }

    package static let name = "record.json"
    /// In bytes.
    package static let longest: Int64 = 4 << 20

    package var origin: Origin
    /// All but the record itself, at least one; paths are relative to the checkpoint's folder.
    package var files: [Artifact]

    package init(origin: Origin, files: [Artifact]) {
        self.origin = origin
        self.files = files
    }

    // MARK: As a document

    /// - Throws: ``Failure`` (`badArchive`) for anything that is no such record.
    package init(_ bytes: [UInt8]) throws {
        let document: JSON
        do { document = try JSON(parsing: bytes) } catch { throw Gem5CheckpointRecord.damaged("it is not JSON") }
        guard document["version"]?.integer == 1 else {
            throw Gem5CheckpointRecord.damaged("its version is not 1")
        }
        func digest(_ name: String) throws -> Digest {
            guard let digest = document[name]?.text.flatMap({ Digest(hex: $0) }) else {
                throw Gem5CheckpointRecord.damaged("it has no digest '\(name)'")
            }
            return digest
        }
        origin = Origin(
            kernel: document["kernel"] == nil ? nil : try digest("kernel"),
            disk: document["disk"] == nil ? nil : try digest("disk"), workload: document["workload"]?.text ?? "",
            workloadDisk: document["workload_disk"] == nil ? nil : try digest("workload_disk"),
            machines: document["machines"]?.elements?.map { $0.text ?? "" },
            memoryBytes: document["memory_bytes"]?.integer, cores: document["cores"]?.integer.map(Int.init))
        files = try (document["files"]?.elements ?? []).map { element in
            guard let path = element["path"]?.text, RelativePath.isSafe(path), path != Gem5CheckpointRecord.name,
                let digest = element["sha256"]?.text.flatMap({ Digest(hex: $0) }), let size = element["size"]?.integer
            else { throw Gem5CheckpointRecord.damaged("an entry of 'files' is wrong") }
            return Artifact(path: path, digest: digest, size: size)
        }
        guard files.contains(where: { $0.path == "m5.cpt" }), Set(files.map(\.path)).count == files.count else {
            throw Gem5CheckpointRecord.damaged("'files' must name m5.cpt, and every file once")
        }
    }

    private static func damaged(_ why: String) -> Failure {
        Failure(.badArchive, "a checkpoint's \(name) cannot be used: \(why)")
    }

    package var document: JSON {
        var members = [JSON.Member("version", .integer(1))]
        if let kernel = origin.kernel { members.append(JSON.Member("kernel", .string(kernel.hex))) }
        if let disk = origin.disk { members.append(JSON.Member("disk", .string(disk.hex))) }
        members.append(JSON.Member("workload", .string(origin.workload)))
        if let disk = origin.workloadDisk { members.append(JSON.Member("workload_disk", .string(disk.hex))) }
        if let machines = origin.machines {
            members.append(JSON.Member("machines", .array(machines.map { .string($0) })))
        }
        if let memory = origin.memoryBytes { members.append(JSON.Member("memory_bytes", .integer(memory))) }
        if let cores = origin.cores { members.append(JSON.Member("cores", .integer(cores))) }
        let list = files.map { file in
            JSON.object([
                JSON.Member("path", .string(file.path)), JSON.Member("size", .integer(file.size)),
                JSON.Member("sha256", .string(file.digest.hex)),
            ])
        }
        return .object(members + [JSON.Member("files", .array(list))])
    }
}
