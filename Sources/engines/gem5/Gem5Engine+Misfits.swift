import Model

/// Checkpoints from elsewhere that do not fit.
extension Gem5Engine {
    /// nil: it fits, as far as is known of it.
    func misfit(_ checkpoint: Checkpoint) -> CheckpointMisfit? {
        guard let record = checkpoint.record else { return nil }
        let differences = record.origin.differences(from: expectation(checkpoint.workload))
            + record.files.compactMap { difference($0, checkpoint) }
        guard !differences.isEmpty else { return nil }
        return CheckpointMisfit(
            workload: checkpoint.workload, differences: differences,
            canBeForced: differences.allSatisfy(Gem5CheckpointRecord.Origin.canRestore))
    }

    private func difference(_ file: Artifact, _ checkpoint: Checkpoint) -> CheckpointDifference? {
        let path = "\(Gem5Files.checkpoint(checkpoint.workload))/\(file.path)"
        let found = checkpoint.files.first { $0.path == path }?.digest
        guard found != file.digest else { return nil }
        return CheckpointDifference(
            Gem5Engine.filePrefix + file.path, found: found?.hex ?? Gem5CheckpointRecord.Origin.none,
            expected: file.digest.hex)
    }

    private static let filePrefix = "file "

    /// What the package is not to compare once more, by its names.
    func forcedItems(_ workload: String?) -> [String] {
        let differences = misfits.first { $0.workload == workload }?.differences ?? []
        return differences.reduce(into: []) { items, difference in
            let name = difference.item.hasPrefix(Gem5Engine.filePrefix)
                ? "files" : String(difference.item.map { $0 == " " ? "-" : $0 })
            if !items.contains(name) { items.append(name) }
        }
    }

    /// As arguments of the package.
    func forced(_ workload: String?) -> [String] { forcedItems(workload).flatMap { ["--forced", $0] } }
}
