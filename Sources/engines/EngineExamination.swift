/// What `usweep doctor` asks a host about an engine's program, and how it judges the answer.
package struct EngineExamination: Sendable {
    package enum Finding: Sendable, Hashable {
        case fine(String)
        /// Runs may work.
        case doubtful(String)
        /// They cannot.
        case unusable(String)
    }

    /// What a host said, by name.
    package typealias Facts = [String: String]

    /// For /bin/sh, on one line without single quotes or `!`: `$p` is the program's path, which can be executed; `say
    /// NAME VALUE` gives an answer, of which `engine-NAME` is what the program calls itself.
    package var script: String
    package var judge: @Sendable (_ facts: Facts) -> [Finding]

    package init(
        script: String = #"say "engine-$n" "$("$p" --version 2>/dev/null | head -n 1) ($p)""#,
        judge: @escaping @Sendable (_ facts: Facts) -> [Finding] = { _ in [] }
    ) {
        self.script = script
        self.judge = judge
    }
}
