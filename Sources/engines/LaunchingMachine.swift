package import Model

/// What an engine sees of the machine that a sweep is launched on.
package protocol LaunchingMachine: Sendable {
    /// The bytes of a file; nil: there is none.
    ///
    /// - Parameter limit: how many there may be: whoever made the file is not known.
    /// - Throws: ``Failure``: `badData` for a file that is larger, `storage` for one that cannot be read.
    func contents(_ path: String, atMost limit: Int64) throws -> [UInt8]?
    /// The size of a file in bytes; nil: there is none.
    func size(_ path: String) -> Int64?
    /// A file as an input of runs.
    ///
    /// - Parameters:
    ///   - path: where it is, absolute.
    ///   - place: where it goes, relative to an attempt's folder.
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    func input(_ path: String, at place: String) throws -> InputFile
    /// All plain files directly in a folder that a predicate takes, by their names.
    ///
    /// - Throws: ``Failure``: `missingFile` or `storage`.
    func inputs(inFolder path: String, at place: String, where isWanted: (String) -> Bool) throws -> [InputFile]
    /// A checkpoint of the store that this machine's sweeps share.
    ///
    /// - Parameter name: a name that it was given for this workload, or its digest, or the beginning of that.
    /// - Throws: ``Failure``: `missingFile` where there is none, `badSpecification` where several begin so.
    func checkpoint(_ name: String, of workload: String) throws -> StoredCheckpoint
    /// Where a part of this program may lie: the place that a variable of the environment names; else beside the
    /// program, and where it is built.
    func places(_ variable: String, beside: String, inRepository: String) -> [String]
}

/// A checkpoint that a sweep did not make itself.
package struct StoredCheckpoint: Sendable {
    package var engine: String
    package var digest: Digest
    /// With the paths that they had where it was made.
    package var files: [InputFile]
    /// The bytes of the file that names all others, where that is short.
    package var record: [UInt8]?

    package init(engine: String, digest: Digest, files: [InputFile], record: [UInt8]?) {
        self.engine = engine
        self.digest = digest
        self.files = files
        self.record = record
    }
}

/// A checkpoint from elsewhere that is not what a sweep expects of it.
package struct CheckpointMisfit: Sendable, Hashable {
    package var workload: String
    /// At least one.
    package var differences: [CheckpointDifference]
    /// Whether the engine can restore it all the same.
    package var canBeForced: Bool

    package init(workload: String, differences: [CheckpointDifference], canBeForced: Bool) {
        self.workload = workload
        self.differences = differences
        self.canBeForced = canBeForced
    }
}

/// What is to be known before runs start from a checkpoint that was made elsewhere.
package struct CheckpointRemark: Sendable, Hashable {
    package var workload: String
    /// nil: it has no record.
    package var digest: Digest?
    /// What could not be compared, as in "its kernel"; empty: nothing.
    package var unknown: [String]
    /// What the sweep file leaves open and the checkpoint therefore decides, as in "4 cores".
    package var decided: [String]

    package init(workload: String, digest: Digest?, unknown: [String], decided: [String] = []) {
        self.workload = workload
        self.digest = digest
        self.unknown = unknown
        self.decided = decided
    }
}
