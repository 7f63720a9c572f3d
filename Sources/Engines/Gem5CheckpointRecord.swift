public import Model

/// What a gem5 checkpoint was made of, as `record.json` in its folder says. gem5 itself keeps nothing of it: it
/// restores under another kernel, disk or number of cores without a word.
public struct Gem5CheckpointRecord: Sendable, Hashable {
    /// A file of the checkpoint's folder.
    public struct File: Sendable, Hashable {
        public var path: String
        public var digest: Digest
        public var size: Int64
    }

    /// What an evaluation restores into; nil: it does not matter.
    public struct Expectation: Sendable, Hashable {
        public var kernel: Digest
        public var disk: Digest
        public var workload: String
        public var system: String?
        public var memoryBytes: Int64?
        public var cores: Int?

        public init(kernel: Digest, disk: Digest, workload: String) {
            self.kernel = kernel
            self.disk = disk
            self.workload = workload
        }
    }

    public static let name = "record.json"

    public var kernel: Digest
    public var disk: Digest
    public var workload: String
    public var system: String?
    public var memoryBytes: Int64?
    public var cores: Int?
    /// All but the record itself, at least one.
    public var files: [File]

    /// - Throws: ``Failure`` (`badArchive`) for anything that is no such record.
    public init(_ bytes: [UInt8]) throws {
        let document: JSON
        do { document = try JSON(parsing: bytes) } catch { throw Gem5CheckpointRecord.damaged("it is no JSON") }
        guard document["version"]?.integer == 1 else {
            throw Gem5CheckpointRecord.damaged("its version is not 1")
        }
        func digest(_ name: String) throws -> Digest {
            guard let digest = document[name]?.text.flatMap({ Digest(hex: $0) }) else {
                throw Gem5CheckpointRecord.damaged("it has no digest '\(name)'")
            }
            return digest
        }
        kernel = try digest("kernel")
        disk = try digest("disk")
        workload = document["workload"]?.text ?? ""
        system = document["system"]?.text
        memoryBytes = document["memory_bytes"]?.integer
        cores = document["cores"]?.integer.map(Int.init)
        files = try (document["files"]?.elements ?? []).map { element in
            guard let path = element["path"]?.text, RelativePath.isSafe(path), path != Gem5CheckpointRecord.name,
                let digest = element["sha256"]?.text.flatMap({ Digest(hex: $0) }), let size = element["size"]?.integer
            else { throw Gem5CheckpointRecord.damaged("an entry of 'files' is wrong") }
            return File(path: path, digest: digest, size: size)
        }
        guard files.contains(where: { $0.path == "m5.cpt" }), Set(files.map(\.path)).count == files.count else {
            throw Gem5CheckpointRecord.damaged("'files' must name m5.cpt, and every file once")
        }
    }

    private static func damaged(_ why: String) -> Failure {
        Failure(.badArchive, "a checkpoint's \(name) cannot be used: \(why)")
    }

    /// In a sentence; nil: it fits.
    public func misfit(with expected: Expectation) -> String? {
        if kernel != expected.kernel { return "it was made with the kernel \(kernel), not \(expected.kernel)" }
        if disk != expected.disk { return "it was made with the disk \(disk), not \(expected.disk)" }
        if workload != expected.workload { return "it is of the workload '\(workload)', not '\(expected.workload)'" }
        if let wanted = expected.memoryBytes, let memoryBytes, memoryBytes != wanted {
            return "its guest has \(memoryBytes) bytes of memory, not \(wanted)"
        }
        if let wanted = expected.cores, let cores, cores != wanted {
            return "its guest has \(cores) cores, not \(wanted)"
        }
        return nil
    }
}
