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
        let check = try ReproductionCheck(capsule, entry)
        try tell(check, capsule, entry, common)
        switch check.agreement {
        case .identical: break
        case .resultIdentical:
            common.console.say("not everything could be compared: the statistics of one run cannot be read")
            throw ExitCode(Failure.Code.badArchive.exitStatus)
        case .differs: throw ExitCode(ExitStatus.differs)
        case .failed: throw ExitCode(ExitStatus.someRunsFailed)
        }
    }

    /// The exit status says the same to whoever does not read it.
    private static func tell(
        _ check: ReproductionCheck, _ capsule: Capsule, _ entry: ArtifactsFolder.Entry, _ common: CommonOptions
    ) throws {
        var lines: [String] = []
        switch common.output {
        case .json:
            lines = [
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("event", .string("reproduced")),
                    JSON.Member("verdict", .string(check.agreement.rawValue)),
                    JSON.Member("original", .string("\(capsule.sweep)/\(capsule.run)")),
                    JSON.Member("run", .string("\(entry.fullName)/\(check.run)")),
                    JSON.Member("sentences", .array(check.sentences.map { .string($0) })),
                ]).encoded,
            ]
        case .table:
            lines = check.sentences
            if check.agreement != .failed { lines.append("\(capsule.name): \(check.agreement.rawValue)") }
        case .quiet: break
        }
        _ = try Console.offer(Array(lines.map { $0 + "\n" }.joined().utf8))
    }
}
