import ArgumentParser
import Foundation
import Model
import Sessions
import SweepFiles

struct HelpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "help",
        abstract: "Show a page of the manual, or the help of a command.",
        discussion: """
            Without an argument it lists the commands and the pages. For other words it lists where they are told of.

            EXAMPLES
              usweep help launch            as usweep launch --help
              usweep help sweep-file        every key of a sweep file
              usweep help tables | less     the columns of all tables
              usweep help full disk         pages and commands that have both words
            """)

    @Argument(
        help: ArgumentHelp("A command, or a page of the manual.", valueName: "topic"),
        completion: .list(Manual.pages.map(\.topic) + Commands.all.map(\.name).filter { !$0.contains(" ") }))
    var topic: [String] = []

    @Option(
        help: ArgumentHelp("Write all pages into this folder, as files for man.", valueName: "dir"),
        completion: .directory)
    var man: String?

    @Option(
        help: ArgumentHelp("Write all pages into this folder, as files for a browser.", valueName: "dir"),
        completion: .directory)
    var html: String?

    @Option(
        help: ArgumentHelp("Write completions for shells into this folder.", valueName: "dir"),
        completion: .directory)
    var completions: String?

    @OptionGroup var common: CommonOptions

    private var writes: Bool { man != nil || html != nil || completions != nil }

    func validate() throws {
        if writes, !topic.isEmpty { throw ValidationError("--man, --html and --completions take no topic.") }
    }

    func run() throws {
        if writes { return try write() }
        guard let first = topic.first else {
            return try Console.print("\(Commands.help(Usweep.self))\n\nPAGES (usweep help PAGE)\n\(Manual.contents)")
        }
        if let command = Commands.find(topic) { return try Console.print(Commands.help(command)) }
        let width = min(80, common.console.size.width)
        let isPage = topic.count == 1 && Manual.pages.contains { $0.topic == first || $0.name == first }
        if !isPage, try showPlaces(width) { return }
        let page = try Manual.page(topic.joined(separator: " "), commands: Commands.all.map(\.name))
        let isBold = isatty(STDOUT_FILENO) == 1 && common.console.usesColor
        try Console.print(TerminalPage.lines(of: page, width: width, isBold: isBold).joined(separator: "\n"))
    }

    /// Lists what tells of words that are no page and no command; false: nothing does.
    private func showPlaces(_ width: Int) throws -> Bool {
        let hits = ManualSearch(commands: Commands.texts).find(topic, width: width - 6)
        guard !hits.isEmpty else { return false }
        let words = Names.shown(topic.joined(separator: " "))
        let lines = ["There is no command or page '\(words)'. These mention it:", ""]
            + ManualSearch.lines(hits, width: width)
        try Console.print(lines.joined(separator: "\n"))
        return true
    }

    private func write() throws {
        if let man {
            let commands = Commands.texts.map { (name: $0.name, help: $0.help) }
            let configuration = Usweep.configuration
            let program = RoffPage.program(
                abstract: configuration.abstract, discussion: configuration.discussion, commands: commands,
                version: Installation.version)
            try write(program, to: "man1/usweep.1", in: man)
            for command in Commands.texts {
                let text = RoffPage.command(
                    command.name, abstract: command.abstract, help: command.help, version: Installation.version)
                try write(text, to: "man1/\(RoffPage.name(ofCommand: command.name)).1", in: man)
            }
            for page in Manual.pages {
                let text = RoffPage.text(of: page, version: Installation.version)
                try write(text, to: "man7/usweep-\(page.topic).7", in: man)
            }
        }
        if let html {
            try write(HTMLPage.contents(abstract: Usweep.configuration.abstract), to: "index.html", in: html)
            for page in Manual.pages { try write(HTMLPage.text(of: page), to: HTMLPage.file(of: page), in: html) }
        }
        if let completions { try writeCompletions(completions) }
    }

    private func writeCompletions(_ folder: String) throws {
        for (shell, name) in [(CompletionShell.bash, "usweep.bash"), (.zsh, "_usweep"), (.fish, "usweep.fish")] {
            try write(Commands.completionScript(for: shell), to: name, in: folder)
        }
    }

    private func write(_ text: String, to name: String, in folder: String) throws {
        let path = "\(Paths.absolute(folder))/\(name)"
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "the folder \(parent.path) cannot be created", cause: SystemReason.of(error))
        }
        try AtomicFile.write(path) { sink in try sink(Array(text.utf8)) }
    }
}

/// The program's commands, as people type them.
enum Commands {
    /// `workload add` and the like, too, in the order of the help.
    static var all: [(name: String, type: any ParsableCommand.Type)] { below(Usweep.self, "") }

    static var texts: [ManualSearch.Command] {
        all.map { name, type in
            ManualSearch.Command(name: name, abstract: type.configuration.abstract, help: help(type, columns: 76))
        }
    }

    /// - Parameter words: as in `["workload", "add"]`.
    static func find(_ words: [String]) -> (any ParsableCommand.Type)? {
        all.first { $0.name == words.joined(separator: " ") }?.type
    }

    /// What can be run: all but those that only hold others.
    static var leaves: [String] { all.filter { $0.type.configuration.subcommands.isEmpty }.map(\.name) }

    /// What `--help` of a command shows.
    ///
    /// - Parameter columns: nil: as many as the terminal has, or 80.
    static func help(_ command: any ParsableCommand.Type, columns: Int? = nil) -> String {
        folded(Usweep.helpMessage(for: command, columns: columns), columns: columns ?? 80)
    }

    /// Breaks the line of all options, which the library leaves as long as it is, between options.
    static func folded(_ message: String, columns: Int = 80) -> String {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
        guard let place = lines.firstIndex(where: { $0.lowercased().hasPrefix("usage: ") }) else { return message }
        // An option stays with its value.
        let parts = lines[place].replacing(/\ (?=[\[-])/, with: "\n").split(separator: "\n")
        var usage = String(parts[0])
        var width = usage.count
        for part in parts.dropFirst() {
            let isFull = width + 1 + part.count >= columns
            usage += (isFull ? "\n       " : " ") + part
            width = (isFull ? 7 : width + 1) + part.count
        }
        return (lines[..<place] + [usage[...]] + lines[(place + 1)...]).joined(separator: "\n")
    }

    /// What is wrong with a command line, without running it; nil: nothing.
    static func problem(_ arguments: [String]) -> String? {
        do {
            _ = try Usweep.parseAsRoot(arguments)
            return nil
        } catch { return Usweep.message(for: error) }
    }

    /// The script by which a shell completes arguments. The library adds a command 'help' of its own, whose function in
    /// the script would take the place of this program's.
    static func completionScript(for shell: CompletionShell) -> String {
        let script = Usweep.completionScript(for: shell)
        let marks = script.ranges(of: "\n_usweep_help() {\n")
        guard marks.count > 1, let last = marks.last,
            let end = script[last.upperBound...].firstRange(of: "\n}\n")
        else { return script }
        return String(script[..<last.lowerBound] + script[end.upperBound...])
    }

    private static func below(
        _ command: any ParsableCommand.Type, _ path: String
    ) -> [(name: String, type: any ParsableCommand.Type)] {
        command.configuration.subcommands.flatMap { type in
            let name = path + (type.configuration.commandName ?? "")
            return [(name, type)] + below(type, "\(name) ")
        }
    }
}
