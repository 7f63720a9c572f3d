import ArgumentParser
import Formats
import Model
import Sessions

/// What a reproduction ends with, whoever brought it to its end: `reproduce`, or `resume` later.
enum ReproductionEnd {
    /// Compares, says so, and ends with the documented status.
    static func leave(
        _ capsule: Capsule, _ ending: SessionEnding, _ entry: ArtifactsFolder.Entry, _ common: CommonOptions
    ) throws {
        guard [0, ExitStatus.someRunsFailed].contains(ending.exitStatus) else {
            return try Foreground.leave(ending, entry, common.console)
        }
        let outcome = try ReproductionOutcome(capsule, entry)
        switch common.output {
        case .json:
            try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("event", .string("reproduced")),
                    JSON.Member("verdict", .string(outcome.verdict.rawValue)),
                    JSON.Member("original", .string("\(capsule.sweep)/\(capsule.run)")),
                    JSON.Member("run", .string("\(entry.fullName)/\(outcome.run)")),
                    JSON.Member("sentences", .array(outcome.sentences.map { .string($0) })),
                ]).encoded)
        case .table:
            for sentence in outcome.sentences { try Console.print(sentence) }
            if outcome.verdict != .failed { try Console.print("\(capsule.name): \(outcome.verdict.rawValue)") }
        case .quiet: break
        }
        switch outcome.verdict {
        case .identical: break
        case .differs: throw ExitCode(ExitStatus.differs)
        case .failed: throw ExitCode(ExitStatus.someRunsFailed)
        }
    }
}
