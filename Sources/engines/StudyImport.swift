package import Model

/// What becomes of a study that another tool for an engine has prepared (`usweep import`): a sweep file, and the
/// checkpoints that it starts from.
package protocol StudyImport: Sendable {
    var folders: any CheckpointFolders { get }
    /// What people should know who start from what was taken over.
    var caution: String { get }

    /// - Parameters:
    ///   - state: the content of the file that every checkpoint has.
    ///   - files: all of its files, but a record.
    ///   - kernel: with which it was made; nil: not known; likewise its disk.
    /// - Throws: ``UnusableCheckpoint``.
    func bundle(
        _ workload: String, state: [UInt8], _ files: [InputFile], kernel: Digest?, disk: Digest?
    ) throws(UnusableCheckpoint) -> ImportedCheckpoint

    /// The text of a sweep file to go on from.
    ///
    /// - Parameter isWhole: whether every workload has its checkpoint.
    func sweep(
        _ workloads: [String], _ checkpoints: [ImportedCheckpoint], isWhole: Bool, kernel: String, disk: String
    ) -> String
}

/// A checkpoint that a sweep can start from.
package struct ImportedCheckpoint: Sendable {
    /// The system of this project that restores it.
    package var system: String
    /// What goes beside its files (``CheckpointFolders/record``).
    package var record: [UInt8]
}
