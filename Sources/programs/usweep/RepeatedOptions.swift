import ArgumentParser
import Model

/// Finds options that were given twice although they take one value: the parser would silently use the last one.
enum RepeatedOptions {
    /// - Parameters:
    ///   - words: the command line without the program's name.
    ///   - root: the program.
    /// - Throws: ``Failure`` (`usage`) for such an option.
    static func check(_ words: [String], of root: any ParsableCommand.Type) throws {
        let names = words.prefix { $0 != "--" }.filter { $0.hasPrefix("-") }.map { word in
            word.firstIndex(of: "=").map { String(word[..<$0]) } ?? word
        }
        // To ask the parser for what it knows takes its time.
        guard names.count > 1, let options = options(of: command(words, root)) else { return }
        for option in options {
            let given = names.filter(option.contains)
            guard given.count > 1, let name = given.last else { continue }
            throw Failure(
                .usage, "\(Names.shown(name)) takes one value, and is given "
                    + "\(given.count == 2 ? "twice" : "\(given.count) times"): leave out all but one")
        }
    }

    /// The command, or the command below a command, that words name.
    private static func command(_ words: [String], _ root: any ParsableCommand.Type) -> any ParsableCommand.Type {
        var command = root
        for word in words {
            let found = command.configuration.subcommands.first { $0.configuration.commandName == word }
            guard let found else { break }
            command = found
        }
        return command
    }

    /// Of each option that takes one value, all of its names; nil: the parser says it in a way that is not known here.
    private static func options(of command: any ParsableCommand.Type) -> [[String]]? {
        guard let document = try? JSON(parsing: command._dumpHelp()),
            let arguments = document["command"]?["arguments"]?.elements
        else { return nil }
        return arguments.compactMap { argument in
            guard argument["kind"]?.text == "option", argument["isRepeating"] == .bool(false) else { return nil }
            return argument["names"]?.elements?.compactMap { name in
                name["name"]?.text.map { (name["kind"]?.text == "long" ? "--" : "-") + $0 }
            }
        }
    }
}
