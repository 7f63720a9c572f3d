import Model

/// Which core of the simulated machine is the one under test: its statistics are the run's numbers.
package enum Gem5Core: Sendable, Hashable {
    /// By its number, from 0, under the names that the package `ops/gem5` and gem5's standard library give cores.
    case number(Int)
    /// By a pattern of its path in the statistics, as in `system.switch_cpus1`.
    case pattern(String)

    /// As `measure: {core: ...}` has it; nil: it is neither.
    init?(_ text: String) {
        if let number = Int(text) {
            guard 0...1_023 ~= number, String(number) == text else { return nil }
            self = .number(number)
        } else {
            let isPath = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
            guard isPath, text.first?.isLetter == true || text.first == "*", text.last != "." else { return nil }
            self = .pattern(text)
        }
    }

    /// Where it may be in the statistics, as patterns. A machine's only core has no number.
    var paths: [String] {
        switch self {
        case .pattern(let path): [path]
        case .number(let number):
            (numbers + (number == 0 ? [""] : [])).flatMap { ["*.cpu\($0)", "*.processor.cores\($0).core"] }
        }
    }

    /// Its number as text, where it is known: caches of the standard library have it, too.
    var numbers: [String] {
        if case .number(let number) = self { [String(number)] } else { [] }
    }

    /// The counter of which every core has exactly one, and the statistic behind it: where that is found is the core.
    static let witness = "cycles"
    static let statistic = "numCycles"

    /// For people.
    var text: String {
        switch self {
        case .number(let number): "core \(number) (\(Names.list(paths)))"
        case .pattern(let path): "the core '\(Names.shown(path))'"
        }
    }
}
