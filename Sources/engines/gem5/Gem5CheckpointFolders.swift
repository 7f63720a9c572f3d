import Model

/// Checkpoints of gem5: those of this project's scripts, which have a record, and those of others, as vSwarm-u's, of
/// which only that is known which is said when they are added.
struct Gem5CheckpointFolders: CheckpointFolders {
    let state = (name: "m5.cpt", longest: Int64(256 << 20))
    let record = (name: Gem5CheckpointRecord.name, longest: Gem5CheckpointRecord.longest)
    let usualName = "cpt.warm"

    /// gem5 calls them by the simulated time.
    func isCheckpointName(_ name: String) -> Bool { name.hasPrefix("cpt.") }

    func isOutputName(_ name: String) -> Bool { name == "m5out" }

    func newRecord(
        _ workload: String, state: [UInt8], _ files: [InputFile], kernel: Digest?, disk: Digest?
    ) throws(UnusableCheckpoint) -> [UInt8] {
        try Gem5Import().bundle(workload, state: state, files, kernel: kernel, disk: disk).record
    }

    func facts(_ record: [UInt8], _ files: [InputFile]) throws -> RecordedCheckpoint {
        let record = try Gem5CheckpointRecord(record)
        let changed = record.files.first { file in
            !files.contains { $0.path == file.path && $0.digest == file.digest }
        }
        if let changed {
            throw Failure(
                .badArchive, "the checkpoint's file \(VisibleText.of(changed.path, limit: 80)) is not the one that its "
                    + "record names")
        }
        let origin = record.origin
        let lines = [
            origin.kernel.map { "kernel \($0)" }, origin.disk.map { "disk \($0)" },
            origin.workloadDisk.map { "workload-disk \($0)" }, "workload \(origin.workload)",
            origin.machines.map { "machines \($0.joined(separator: " "))" },
            origin.memoryBytes.map { "memory \($0)" }, origin.cores.map { "cores \($0)" },
        ]
        return RecordedCheckpoint(
            workload: origin.workload, lines: lines.compactMap { $0 }, unknown: origin.unknown)
    }
}
