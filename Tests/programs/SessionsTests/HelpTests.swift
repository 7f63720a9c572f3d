import ArgumentParser
import Testing

@testable import usweep

/// What `usweep COMMAND --help` shows.
@Suite("Help of commands")
struct HelpTests {
    private static let names = [""] + Commands.all.map(\.name)

    private static func command(_ name: String) -> any ParsableCommand.Type {
        Commands.find(name.split(separator: " ").map(String.init)) ?? Usweep.self
    }

    /// The lines of a discussion that are to be shown as they are.
    private static func kept(_ type: any ParsableCommand.Type) -> [String] {
        type.configuration.discussion.split(separator: "\n").map(String.init).filter { $0.hasPrefix("  ") }
    }

    @Test("It fits 80 columns, and no example is broken", arguments: names)
    func width(name: String) {
        let type = Self.command(name)
        let lines = Commands.help(type, columns: 80).split(separator: "\n").map(String.init)
        for line in lines { #expect(line.count <= 80, "\(line)") }
        for line in Self.kept(type) { #expect(lines.contains(line), "\(line)") }
    }

    @Test("Every example is a command that the program takes", arguments: names)
    func examples(name: String) {
        for line in Self.kept(Self.command(name)) where line.hasPrefix("  usweep ") || line.contains("| usweep ") {
            // What has a column of its own explains the command.
            let text = line.dropFirst(2)
            let command = text.firstRange(of: "   ").map { text[..<$0.lowerBound] } ?? text
            for words in ShellLine(String(command)).commands where words.first == "usweep" {
                let problem = Commands.problem(Array(words.dropFirst()))
                #expect(problem == nil, "\(line)")
            }
        }
    }

    @Test("Options that have no room stand on the next line, each with its value")
    func folded() {
        let usage = "Usage: usweep pull [<id>] --to <dir> [--layout <runs|vswarm>]"
        #expect(Commands.folded("a\n\(usage)\nb", columns: 80) == "a\n\(usage)\nb")
        #expect(
            Commands.folded("a\n\(usage)\nb", columns: 40)
                == "a\nUsage: usweep pull [<id>] --to <dir>\n       [--layout <runs|vswarm>]\nb")
        #expect(Commands.folded("usweep: no", columns: 4) == "usweep: no")
    }
}
