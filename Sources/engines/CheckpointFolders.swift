package import Model

/// How the checkpoints of an engine are told and taken over that somebody else made (`usweep checkpoint add`): each is
/// a folder, beside whose files lies a record of what it was made from, or none.
package protocol CheckpointFolders: Sendable {
    /// The file that every checkpoint has: the state of the machine beside its memory. And its bytes, at most.
    var state: (name: String, longest: Int64) { get }
    /// Likewise the file that says what a checkpoint was made from.
    var record: (name: String, longest: Int64) { get }
    /// What scripts call a checkpoint's folder within one that is called like its workload.
    var usualName: String { get }
    /// Whether a checkpoint's folder may be called so without regard to its workload: then it is that of the folder
    /// around it.
    func isCheckpointName(_ name: String) -> Bool
    /// Whether a folder of this name, which is not a checkpoint's alone, says nothing of a workload either.
    func isOutputName(_ name: String) -> Bool
    /// A record for a checkpoint that has none.
    ///
    /// - Parameters:
    ///   - state: the content of that file.
    ///   - files: all of its files.
    ///   - kernel: with which it was made; nil: not known; likewise its disk.
    /// - Throws: ``UnusableCheckpoint``.
    func newRecord(
        _ workload: String, state: [UInt8], _ files: [InputFile], kernel: Digest?, disk: Digest?
    ) throws(UnusableCheckpoint) -> [UInt8]
    /// - Parameter files: of the checkpoint, but for the record.
    /// - Throws: ``Failure`` (`badArchive`) for a record that is damaged, or of other files.
    func facts(_ record: [UInt8], _ files: [InputFile]) throws -> RecordedCheckpoint
}

/// Why nothing can start from a checkpoint, in a few words.
package struct UnusableCheckpoint: Error {
    package var why: String
}

/// What the record of a checkpoint says, and does not.
package struct RecordedCheckpoint: Sendable {
    package var workload: String
    /// What it was made from, a line each.
    package var lines: [String]
    /// As in "its kernel".
    package var unknown: [String]
}
