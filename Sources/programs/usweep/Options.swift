import ArgumentParser
import Foundation
import Model
import Sessions

/// Options that every command has.
struct CommonOptions: ParsableArguments {
    /// How results are printed.
    enum Output: String, ExpressibleByArgument, CaseIterable {
        case table, json, quiet
    }

    @Option(name: .long, help: ArgumentHelp("Folder of ledgers, objects and merged results.", valueName: "dir"))
    var artifacts = "artifacts"

    @Option(name: .long, help: ArgumentHelp("How to print.", valueName: "table|json|quiet"))
    var output = Output.table

    @Flag(name: .customLong("no-color"), help: "No colours, also on a terminal (as NO_COLOR in the environment).")
    var noColor = false

    @Flag(name: .long, help: "Say more on standard error.")
    var verbose = false

    var artifactsFolder: ArtifactsFolder { ArtifactsFolder(path: Paths.absolute(artifacts)) }

    var console: Console { Console(output: output, noColor: noColor) }
}

/// Which sweep is meant: its name, a unique prefix of its identifier, or `last`.
struct SweepArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The sweep's name, the beginning of its identifier, or 'last'.", valueName: "id"))
    var id = "last"
}

/// Paths as the user means them.
enum Paths {
    /// Against the working folder, `~/` resolved, without `.` and `..`.
    static func absolute(_ path: String) -> String {
        let expanded = NSString(string: path).expandingTildeInPath
        return URL(fileURLWithPath: expanded).standardizedFileURL.path
    }
}
