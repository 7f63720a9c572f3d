import ArgumentParser
import Foundation
import Model
import Sessions

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove sweeps: ledger, merged tables, and all files of their runs.",
        discussion: """
            Files that other sweeps use are kept. On a terminal it asks once; elsewhere it needs --yes.

            EXAMPLES
              usweep rm first-try
              usweep rm q3k9 w8mz --yes

            EXIT STATUS
              75 if a coordinator is working on a sweep, or a run may still be running
            """)

    @Argument(
        help: ArgumentHelp("The sweep's name, or the beginning of its identifier.", valueName: "id"),
        completion: Completions.sweeps)
    var ids: [String]

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let folder = common.artifactsFolder
        var entries: [ArtifactsFolder.Entry] = []
        for id in ids {
            let entry = try folder.findToRemove(id)
            if !entries.contains(where: { $0.fullName == entry.fullName }) { entries.append(entry) }
        }
        for entry in entries {
            if let warning = try Removal.check(entry) { common.console.say(warning) }
        }
        let names = PeopleText.list(entries.map(\.fullName))
        if !yes {
            try Console.confirm("remove \(names), with all results and artifacts?", refusal: "nothing was removed")
        }
        for entry in entries {
            try Removal.remove(entry, from: folder)
            common.console.say("removed \(entry.fullName)")
        }
        do {
            common.console.say("\(PeopleText.size(try Removal.collect(folder, isTrial: false).bytes)) are free again")
        } catch {
            common.console.say(
                "its artifacts could not be deleted yet (\(error)); delete them later: \(folder.command("gc"))")
        }
    }
}

struct CollectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Delete files that no sweep uses any more.",
        discussion: """
            Such files remain when 'usweep rm' is run while another sweep is running, when a sweep file no longer \
            names an input, or when a program is killed. Shared checkpoints are kept; files in their store that belong \
            to none of them are deleted, unless a running sweep may still add checkpoints. To remove checkpoints: \
            usweep checkpoint remove

            EXAMPLES
              usweep gc --dry-run
              usweep gc
            """)

    @Flag(name: .customLong("dry-run"), help: "Show what would be deleted; delete nothing.")
    var isTrial = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let deleted = try Removal.collect(common.artifactsFolder, isTrial: isTrial)
        let spare = isTrial ? nil : try CheckpointRemoval.collect()
        let amount = "\(PeopleText.count(deleted.objects, "file")), \(PeopleText.size(deleted.bytes))"
        if common.output == .json {
            return try Console.print(
                JSON.object([
                    JSON.Member("version", .integer(1)), JSON.Member("dry_run", .bool(isTrial)),
                    JSON.Member("objects", .integer(Int64(deleted.objects))),
                    JSON.Member("bytes", .integer(deleted.bytes)),
                    JSON.Member("checkpoints_bytes", spare.map { .integer($0) } ?? .null),
                ]).encoded)
        }
        common.console.say(isTrial ? "would delete \(amount)" : "deleted \(amount)")
        if let spare, spare > 0 {
            common.console.say("deleted \(PeopleText.size(spare)) that belonged to no checkpoint")
        }
    }
}

struct DiskUseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Show what takes space in the artifacts folder, by sweep, and on hosts.",
        discussion: """
            EXAMPLES
              usweep du
              usweep du -i lab.yaml               the working folders of the hosts, too
              usweep du --output json
            """)

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Also show the hosts of this inventory.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let inventory = try inventory.map { try HostConnections.inventory(path: Paths.absolute($0)) }
        let use = try DiskUse(common.artifactsFolder)
        let hosts = inventory.map { HostCleaning.run(.look, $0) }
        if common.output == .json { return try Console.print(use.document(with: hosts).encoded) }
        try Console.write(Array(try use.table().utf8))
        if let hosts { try Console.write(Array(try HostUse.table(hosts).utf8)) }
        try HostUse.check(hosts ?? [])
    }
}
