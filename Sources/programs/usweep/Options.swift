import ArgumentParser
import Foundation
import Model
import Sessions
import SweepFiles

/// Options that every command has.
struct CommonOptions: ParsableArguments {
    /// How results are printed.
    enum Output: String, ExpressibleByArgument, CaseIterable {
        case table, json, quiet
    }

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Folder of ledgers, objects and merged results (default: $USWEEP_ARTIFACTS, else the nearest folder "
                + "'artifacts' here or above).", valueName: "dir"))
    var artifacts: String?

    @Option(name: .long, help: ArgumentHelp("Output format.", valueName: "table|json|quiet"))
    var output = Output.table

    @Flag(name: .customLong("no-color"), help: "No colours, even on a terminal (like NO_COLOR in the environment).")
    var noColor = false

    @Flag(name: .long, help: "Print more details on standard error.")
    var verbose = false

    var artifactsFolder: ArtifactsFolder {
        guard let artifacts else { return ArtifactsFolder(path: Paths.artifacts) }
        let path = Paths.absolute(artifacts)
        return ArtifactsFolder(path: path, isNamed: path != Paths.artifacts)
    }

    var shelf: WorkloadShelf { WorkloadStore(in: artifactsFolder).shelf }

    var console: Console { Console(output: output, noColor: noColor) }
}

/// Which sweep is meant: its name, a unique prefix of its identifier, or `last`.
struct SweepArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The sweep's name, the beginning of its identifier, or 'last'.", valueName: "id"),
        completion: Completions.sweeps)
    var id = "last"
}

/// Paths as the user means them.
enum Paths {
    /// Against the working folder, `~/` resolved, without `.` and `..`.
    static func absolute(_ path: String) -> String {
        let expanded = NSString(string: path).expandingTildeInPath
        return URL(fileURLWithPath: expanded).standardizedFileURL.path
    }

    /// A file to be written: what a link leads to, and nothing that is no plain file, such as a device.
    ///
    /// - Parameter option: the one that names it.
    static func file(_ path: String, option: String = "--to") throws -> String {
        guard path != "-" else {
            throw Failure(
                .usage, "\(option) - names no file: leave out \(option) to write to standard output, where a command "
                    + "can, or write ./- for a file of that name")
        }
        let real = URL(fileURLWithPath: absolute(path)).resolvingSymlinksInPath().path
        var status = stat()
        guard stat(real, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return real }
        throw Failure(
            .usage, "\(path) exists and is not a plain file: name another one, or leave out \(option) and redirect the "
                + "output")
    }

    /// The artifacts folder where none is named: that of the environment, else the nearest one upwards, else one to be
    /// made here.
    static var artifacts: String {
        let named = ProcessInfo.processInfo.environment["USWEEP_ARTIFACTS"] ?? ""
        if !named.isEmpty { return absolute(named) }
        // Empty where the folder was deleted.
        let current = FileManager.default.currentDirectoryPath
        guard current.hasPrefix("/") else { return "artifacts" }
        var folder = URL(fileURLWithPath: current).standardizedFileURL
        let here = folder.appending(path: "artifacts").path
        while true {
            let place = folder.appending(path: "artifacts").path
            // `recent` or `objects`: other programs have folders of this name, too.
            let isOurs = ["recent", "objects"].contains { FileManager.default.fileExists(atPath: "\(place)/\($0)") }
            if isOurs { return place }
            if folder.path == "/" { return here }
            folder.deleteLastPathComponent()
        }
    }
}
