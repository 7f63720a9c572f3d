import Ledger
package import Model
import Results

/// Inputs that hosts found damaged on their disks, and what of the results that were made with them was not made again.
package struct DamageStatus: Sendable {
    package struct Damage: Sendable {
        package let input: DamagedInput
        /// Results that count no more for it, and were not made again.
        package let runs: [RunNumber]
    }

    package let damages: [Damage]
    private let entry: ArtifactsFolder.Entry

    package init(_ view: SweepView) throws {
        entry = view.entry
        let inputs = try view.ledger.damagedInputs()
        let quarantined: Set<RunNumber> =
            inputs.isEmpty ? [] : Set(try view.ledger.runs(quarantinedFor: .inputDamaged))
        damages = inputs.map { input in
            Damage(input: input, runs: input.runs.filter { quarantined.contains($0) })
        }
    }

    /// One a line; what was made again since is left out.
    package var sentences: [String] {
        let open = damages.filter { !$0.runs.isEmpty || !$0.input.makers.isEmpty }
        var lines = open.map { damage in
            damage.input.sentence(
                damage.runs.isEmpty
                    ? nil : "the results of \(PeopleText.runs(damage.runs)), which had it there, are quarantined")
        }
        if open.contains(where: { !$0.runs.isEmpty }) {
            lines[lines.count - 1] += ". Run them again: "
                + entry.command("retry --class \(FailureClass.inputDamaged.rawValue)")
        }
        return lines
    }

    package var document: JSON {
        .array(
            damages.map { damage in
                .object([
                    JSON.Member("host", .string(damage.input.host)), JSON.Member("path", .string(damage.input.path)),
                    JSON.Member("digest", .string(damage.input.damage.digest.hex)),
                    JSON.Member("whole", .string(Instant.utc(damage.input.damage.wholeAt))),
                    JSON.Member("found", .string(Instant.utc(damage.input.damage.foundAt))),
                    JSON.Member("runs", .array(damage.runs.map { .integer($0) })),
                    JSON.Member("makers", .array(damage.input.makers.map { .integer($0) })),
                ])
            })
    }
}

extension DamagedInput {
    /// All that is said of it; without a full stop.
    ///
    /// - Parameter results: what became of the results that had it there; nil: nothing.
    package func sentence(_ results: String?) -> String {
        [finding, results, makersSentence].compactMap { $0 }.joined(separator: "; ")
    }

    /// What was found; without a full stop.
    var finding: String {
        let known = damage.wholeAt > 0
            ? "where it was last known to be intact at \(DamagedInput.time(damage.wholeAt))"
            : "and it is not known when it was last intact there"
        return "the input \(VisibleText.of(path)) (\(damage.digest.short)) was found damaged on the disk of \(host) "
            + "at \(DamagedInput.time(damage.foundAt)), \(known)"
    }

    private static func time(_ time: Nanoseconds) -> String {
        "\(Instant.utc(time).prefix(19).replacing("T", with: " ")) UTC"
    }

    /// nil: no checkpoint was made with it.
    private var makersSentence: String? {
        guard !makers.isEmpty else { return nil }
        return "the \(makers.count == 1 ? "checkpoint" : "checkpoints") of \(PeopleText.runs(Array(makers))) "
            + "\(makers.count == 1 ? "was" : "were") made with it, and runs that started from there may be wrong: "
            + "--repin runs everything again"
    }
}

extension PeopleText {
    /// As in "run 7" and "runs 7, 8 and 9".
    static func runs(_ runs: [RunNumber]) -> String {
        "\(runs.count == 1 ? "run" : "runs") \(list(runs.map(String.init), atMost: 12))"
    }
}
