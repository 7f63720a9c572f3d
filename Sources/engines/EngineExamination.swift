/// What `usweep doctor` asks a host about an engine's program, and how it judges the answer.
package struct EngineExamination: Sendable {
    /// What the answers mean for runs.
    package enum Fitness: Sendable, Hashable {
        case fine(String)
        /// Runs may work.
        case doubtful(String)
        /// They cannot.
        case unusable(String)
    }

    /// What a host said, by name.
    package typealias Facts = [String: String]

    /// For /bin/sh: `$program` is the program's path, which can be executed; `say NAME VALUE` gives an answer, of which
    /// `engine-$name` is what the program calls itself.
    package var script: String
    /// What is tried where the answers allow it, for a minute at most: also for /bin/sh, with `say` as above; nil:
    /// nothing.
    package var trial: Trial
    package var judge: @Sendable (_ facts: Facts) -> [Fitness]

    package typealias Trial =
        @Sendable (_ program: String, _ facts: Facts, _ machine: any LaunchingMachine) throws -> String?

    package init(
        script: String = #"say "engine-$name" "$("$program" --version 2>/dev/null | head -n 1) ($program)""#,
        trial: @escaping Trial = { _, _, _ in nil },
        judge: @escaping @Sendable (_ facts: Facts) -> [Fitness] = { _ in [] }
    ) {
        self.script = script
        self.trial = trial
        self.judge = judge
    }
}
