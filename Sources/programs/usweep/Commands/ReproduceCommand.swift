import ArgumentParser
import Formats
import Foundation
import Model
import Sessions
import Storage

struct ReproduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Run a run again from what is on record, and compare every number.",
        discussion: """
            The run gets its original inputs, guest, checkpoint and engine, whatever has changed since. Results go to \
            a separate folder, 'reproduced' in the artifacts folder. If the run is a repeat, the earlier repeats are \
            run as well. --capsule writes a file with which others can do the same; it contains everything except the \
            engine's binary, which it names by its digest. A capsule runs programs on your hosts: accept it only from \
            people whom you trust.

            Exit status: 0 if result and statistics are identical (host* statistics are left out), 4 if they differ, \
            3 if the run failed this time, 74 if the result is identical but statistics are lost or damaged.

            EXAMPLES
              usweep reproduce 7                              on the hosts of its sweep
              usweep reproduce study/7 --host lab2            on this host only
              usweep reproduce study/7 --capsule run7.tar
              usweep reproduce run7.tar -i lab.yaml           somewhere else
            """)

    @Argument(
        help: ArgumentHelp("NUMBER, ID/NUMBER, a point's digest, or a capsule (a .tar file).", valueName: "run|file"),
        completion: Completions.sweepsAndRuns)
    var target: String

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Inventory (default: that of the run's last launch).", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var inventory: String?

    @Option(name: .long, help: ArgumentHelp("Only this host of the inventory.", valueName: "name"))
    var host: String?

    @Option(
        name: .long, help: ArgumentHelp("Write this file instead of running anything.", valueName: "file"),
        completion: .file(extensions: ["tar"]))
    var capsule: String?

    @Flag(name: .customLong("any-engine"), help: "Also use hosts with another binary of the engine.")
    var anyEngine = false

    @OptionGroup var common: CommonOptions

    private var isFile: Bool { target.hasSuffix(".tar") }

    func validate() throws {
        if isFile, capsule != nil { throw ValidationError("\(target) is a capsule already: leave out --capsule.") }
        if let capsule, !capsule.hasSuffix(".tar") {
            throw ValidationError("A capsule's name ends with .tar: write --capsule \(ShellWord.of(capsule)).tar")
        }
        if isFile, inventory == nil { throw ValidationError("A capsule names no hosts: add -i INVENTORY.") }
        if capsule != nil, inventory != nil || host != nil || anyEngine {
            throw ValidationError("--capsule runs nothing: leave out -i, --host and --any-engine.")
        }
    }

    func run() throws {
        let folder = common.artifactsFolder
        let own = Reproduction.folder(in: folder)
        if isFile {
            try folder.prepare()
            let found = try CapsuleArchive.read(Paths.absolute(target), into: own)
            return try reproduce(found, from: try own.objects(), in: own, on: try hosts(nil))
        }
        let choice = try RunChoice([target], in: folder)
        let run = try choice.single(for: "reproduce")
        let found = try Reproduction.capsule(of: run, choice.entry, in: folder)
        let store = try folder.objects()
        if let capsule {
            let path = try Paths.file(capsule, option: "--capsule")
            try CapsuleArchive.write(found, of: store, in: folder, to: path)
            let size = PeopleText.size(Int64(ThisMachine().size(path) ?? 0))
            common.console.say("wrote \(capsule), \(size): \(found.name)")
            common.console.say("SHA-256 of \(capsule), to publish with it: \(try digest(capsule))")
            if let binary = found.binary {
                common.console.say("the engine's binary is not in it; its SHA-256 is \(binary)")
            }
            return
        }
        try reproduce(found, from: store, in: own, on: try hosts(choice.entry))
    }

    private func digest(_ path: String) throws -> Digest {
        try ThisMachine().input(Paths.absolute(path), at: "capsule").digest
    }

    private func hosts(_ entry: ArtifactsFolder.Entry?) throws -> Inventory {
        var found: Inventory
        if let inventory {
            found = try HostConnections.inventory(path: Paths.absolute(inventory))
        } else if let entry {
            found = try Reproduction.inventory(of: entry)
        } else {
            found = Inventory(hosts: [])
        }
        guard let host else { return found }
        guard found.hosts.contains(where: { $0.name == host }) else {
            let known = found.hosts.map(\.name)
            guard inventory == nil, !known.isEmpty else {
                throw Failure(.usage, "--host \(Names.shown(host)): \(Names.suggestion(host, in: known))")
            }
            let hosts = PeopleText.list(known, atMost: 8)
            throw Failure(
                .usage, "--host \(Names.shown(host)): the last launch had the hosts \(hosts); name another inventory "
                    + "with -i")
        }
        found.hosts.removeAll { $0.name != host }
        return found
    }

    private func reproduce(
        _ capsule: Capsule, from store: ObjectStore, in folder: ArtifactsFolder, on inventory: Inventory
    ) throws {
        if capsule.repetition > 1 {
            common.console.say(
                "this is repeat \(capsule.repetition) of its point, so the \(capsule.repetition - 1) before it "
                    + "\(capsule.repetition == 2 ? "is" : "are") run again, too")
        }
        let (ending, entry) = try Foreground.run(common) {
            try Reproduction.session(capsule, from: store, in: folder, on: inventory, anyEngine: anyEngine)
        }
        try ReproductionEnd.leave(capsule, ending, entry, common)
    }
}
