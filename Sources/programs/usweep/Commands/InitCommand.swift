import ArgumentParser
import Foundation
import Model
import Sessions
import SweepFiles

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented sweep and inventory to start from.",
        discussion: """
            Nothing that exists is overwritten.

            EXAMPLES
              usweep init             sweep.yaml and inventory.yaml here
              usweep init study       the same in a folder
            """)

    @Argument(help: ArgumentHelp("The folder; created if it does not exist.", valueName: "dir"), completion: .directory)
    var folder = "."

    @OptionGroup var common: CommonOptions

    func run() throws {
        let path = Paths.absolute(folder)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "the folder \(path) cannot be created", cause: SystemReason.of(error))
        }
        let (sweep, inventory) = (shown("sweep.yaml"), shown("inventory.yaml"))
        let files = [
            ("sweep.yaml", Templates.sweep(file: sweep, inventory: inventory)),
            ("inventory.yaml", Templates.inventory),
        ]
        for (name, _) in files where FileManager.default.fileExists(atPath: "\(path)/\(name)") {
            throw Failure(.storage, "\(path)/\(name) exists already; nothing was written")
        }
        for (name, text) in files { try write(text, "\(path)/\(name)") }
        common.console.say("wrote \(sweep) and \(inventory); now try:")
        common.console.say("  usweep launch \(sweep) -i \(inventory)")
    }

    /// The path of a file in the folder, as it can be typed here.
    private func shown(_ name: String) -> String {
        folder == "." ? name : ShellWord.of(folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)")
    }

    /// Made only if it is not there, so that two at a time cannot overwrite each other.
    private func write(_ text: String, _ path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch {
            throw Failure(.storage, "\(path) cannot be written", cause: SystemReason.of(error))
        }
    }
}
