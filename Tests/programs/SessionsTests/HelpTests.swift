import ArgumentParser
import Model
import Sessions
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

    // MARK: Words that are no page

    private func hits(_ words: String...) -> [ManualSearch.Hit] {
        ManualSearch(commands: Commands.texts).find(words)
    }

    @Test("Words that are no page lead to what tells of them, best first", arguments: [
        ("env", "usweep help sweep-file"), ("gpu", "usweep help"), ("csv", "usweep help result-files"),
        ("sort", "usweep help "), ("noise", "usweep help "), ("--detach", "usweep help "),
        ("timeout", "usweep help failure-classes"),
        ("kvm", "usweep help"), ("quarantine", "usweep help"),
    ])
    func found(word: String, first: String) throws {
        let hits = hits(word)
        #expect(try #require(hits.first).command.hasPrefix(first), "\(hits.map(\.command))")
        let lines = ManualSearch.lines(hits, width: 80)
        #expect(lines.count <= 22 && lines.allSatisfy { $0.count <= 80 }, "\(lines.joined(separator: "\n"))")
        for hit in hits {
            let words = hit.command.split(separator: " ").dropFirst().map(String.init)
            #expect(Commands.problem(words) == nil, "\(hit.command)")
            let topic = Array(words.dropFirst())
            #expect(Commands.find(topic) != nil || Manual.pages.contains { [$0.topic] == topic }, "\(hit.command)")
        }
    }

    @Test("What every command has tells of none")
    func common() { #expect(!hits("NO_COLOR").contains { $0.command == "usweep help launch" }) }

    @Test("What an excerpt shows has the word, and two words must stand in one place")
    func excerpts() {
        for hit in hits("noise") {
            #expect(hit.excerpt.map { $0.lowercased().contains("noise") } ?? hit.title.lowercased().contains("noise"))
        }
        let both = hits("full", "disk")
        #expect(!both.isEmpty && both.count < hits("disk").count)
        #expect(both.map(\.command) == hits("full disk").map(\.command))
        #expect(hits("zzyzx").isEmpty && hits("zzyzx", "disk").isEmpty && hits("--").isEmpty)
        // A word within another is none: 'env' of 'environment' counts, 'port' of 'report' does not.
        #expect(!hits("eport").contains { $0.title.lowercased().contains("report") && $0.excerpt == nil })
    }

    @Test("An option, a key and a section come before a word in a text")
    func order() {
        let page = ManualPage(topic: "a", name: "A", markup: "# One\n\nOf the widget.\n")
        let table = ManualPage(
            topic: "b", name: "B", markup: "# Two\n\n| key | meaning |\n|---|---|\n| `widget` | what it is |\n")
        let section = ManualPage(topic: "c", name: "C", markup: "# Three\n\n## The widget\n\nText.\n")
        let command = ManualSearch.Command(
            name: "d", abstract: "Do it.",
            help: "OPTIONS:\n  --widget <w>          What it\n                          is.\n")
        let hits = ManualSearch(pages: [page, table, section], commands: [command]).find(["Widget"])
        #expect(hits.map(\.command) == ["usweep help b", "usweep help d", "usweep help c", "usweep help a"])
        #expect(
            hits.map(\.excerpt) == [
                "widget: what it is", "--widget <w>: What it is.", "section 'The widget'", "Of the widget.",
            ])
    }

    @Test("Each command has a page for man, with its help as it is shown")
    func manPage() throws {
        for command in Commands.texts {
            let page = RoffPage.command(
                command.name, abstract: command.abstract, help: command.help, version: "1")
            #expect(page.contains("\n.SH NAME\nusweep\\-\(command.name.replacing(" ", with: "\\-")) \\- "))
            #expect(page.contains("USAGE: usweep \(command.name.replacing("-", with: "\\-"))"), "\(command.name)")
            #expect(page.split(separator: "\n").allSatisfy { !$0.hasPrefix("'") })
        }
    }
}
