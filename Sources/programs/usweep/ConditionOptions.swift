import ArgumentParser
import Model
import Sessions

/// Which runs are meant, by what they are.
struct ConditionOptions: ParsableArguments {
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only runs with this value of an axis, workload, repeat, outcome, class or metric; may be repeated, and "
                + "all must hold. Operators: = and != (also with lists: a,b), < <= > >=, and ~ (patterns with *).",
            valueName: "name=value"),
        completion: Completions.conditions)
    var conditions: [String] = []

    /// Says that no run matches: it may be what was meant, or a slip of the pen.
    func tell(_ choice: RunChoice, _ console: Console) { if choice.runs == [] { tellNothing(console) } }

    func tellNothing(_ console: Console) {
        guard !conditions.isEmpty else { return }
        let asked = conditions.map { "--where '\(VisibleText.of($0))'" }
        console.say("no run matches: \(asked.joined(separator: " "))")
    }
}
