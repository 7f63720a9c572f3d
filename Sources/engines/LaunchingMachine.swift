package import Model

/// What an engine sees of the machine that a sweep is launched on.
package protocol LaunchingMachine: Sendable {
    /// The bytes of a file; nil: there is none, or it cannot be read.
    func contents(_ path: String) -> [UInt8]?
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
    /// Where a part of this program may lie: the place that a variable of the environment names; else beside the
    /// program, and where it is built.
    func places(_ variable: String, beside: String, inRepository: String) -> [String]
}
