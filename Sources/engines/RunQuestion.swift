package import Results

/// What runs of an engine ask of the agent that started them (`Job.Argument.agent`), while they go on: a pure function
/// of the files that they have left so far.
package protocol RunQuestion {
    /// - Parameters:
    ///   - words: what was asked, behind the engine's verb.
    ///   - folder: the files of a folder, by their paths in it.
    /// - Returns: the answer.
    /// - Throws: ``UnknownQuestion``; what reading the files throws.
    static func answer(_ words: [String], _ folder: (String) -> EvidenceFiles) throws -> String
}

/// A question that this agent does not understand.
package struct UnknownQuestion: Error {
    /// What it does understand.
    package var usage: String
}
