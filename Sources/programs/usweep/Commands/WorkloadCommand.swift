import ArgumentParser
import Foundation
import Model
import Sessions
import SweepFiles

struct WorkloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workload",
        abstract: "Use container images as workloads: build, add, try, list, show, remove.",
        discussion: """
            A workload is a container image with a manifest (workload.yaml) and prepared requests. After adding it \
            once, name it in sweep files: workloads: [aes-python]. Workloads are kept in the folder 'workloads' of the \
            artifacts folder, or in $USWEEP_WORKLOADS.
            """,
        subcommands: [
            WorkloadBuildCommand.self, WorkloadAddCommand.self, WorkloadTryCommand.self, WorkloadListCommand.self,
            WorkloadShowCommand.self, WorkloadRemoveCommand.self,
        ])
}

struct WorkloadBuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build workloads of the project's own catalogue, and add them.",
        discussion: """
            Images are built from Debian's packages, without root.

            EXAMPLES
              usweep workload build fibonacci-python aes-python
              usweep workload build all
            """)

    @Argument(help: ArgumentHelp("Names of workloads, or 'all'.", valueName: "name"))
    var names: [String]

    @OptionGroup var unpacking: UnpackingOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let catalogue = try WorkloadCatalogue()
        let known = try catalogue.names()
        for name in names where name != "all" && !known.contains(name) {
            throw Failure(
                .usage, "the catalogue has no workload '\(Names.shown(name))'; \(Names.suggestion(name, in: known))")
        }
        for name in names.contains("all") ? known : names {
            let folder = try catalogue.build(name)
            try unpacking.add(folder, folder, manifest: nil, common)
        }
    }
}

struct WorkloadAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a container image with its manifest, or replace the one of the same name.",
        discussion: """
            The image is a folder with workload.yaml and image/ (an OCI image layout), or, with --manifest, a layout, \
            an archive (docker save, podman save, skopeo copy, buildah) or docker://REFERENCE, which skopeo fetches. \
            No program of the image is run, and root is not needed.

            EXAMPLES
              usweep workload add images/aes-go
              usweep workload add aes-go.tar --manifest aes-go
              usweep workload add docker://docker.io/vhiveease/aes-go --manifest aes-go
            """)

    @Argument(help: ArgumentHelp("Folder, archive or docker://REFERENCE.", valueName: "image"))
    var image: String

    @Option(
        name: .long, help: ArgumentHelp("Folder of workload.yaml (default: the image's own).", valueName: "dir"),
        completion: .directory)
    var manifest: String?

    @OptionGroup var unpacking: UnpackingOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        try unpacking.add(image, Paths.absolute(image), manifest: manifest.map(Paths.absolute), common)
    }
}

/// How images are unpacked.
struct UnpackingOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Largest size of an image, unpacked.", valueName: "size"))
    var limit = "8GiB"

    func add(_ shown: String, _ path: String, manifest: String?, _ common: CommonOptions) throws {
        let store = WorkloadStore(in: common.artifactsFolder)
        let added = try store.add(shown, path: path, manifest: manifest, limit: Quantity.bytes(limit))
        let record = added.record
        common.console.say(
            "\(record.manifest.name): \(added.replaces ? "replaced" : "added"), \(PeopleText.size(record.diskBytes)) "
                + "(\(PeopleText.size(record.unpackedBytes)) unpacked), disk \(record.disk.short)")
        if added.devices > 0 {
            common.console.say(
                "warning: \(PeopleText.count(added.devices, "device file")) of the image left out; the container has "
                    + "the usual ones in /dev")
        }
    }
}

struct WorkloadListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the workloads that exist here, and those that can be built.",
        discussion: """
            EXAMPLES
              usweep workload list
              usweep workload list --output json
            """)

    @OptionGroup var common: CommonOptions

    func run() throws { try WorkloadListCommand.list(common) }

    static func list(_ common: CommonOptions) throws {
        let list = try WorkloadListing(WorkloadStore(in: common.artifactsFolder))
        for problem in list.problems { common.console.say("warning: \(problem)") }
        if common.output == .json { return try Console.print(list.document.encoded) }
        try Console.write(Array(list.table().utf8))
    }
}

struct WorkloadShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what is known about a workload.",
        discussion: """
            EXAMPLES
              usweep workload show aes-python
              usweep workload show aes-python --output json
            """)

    @Argument(
        help: ArgumentHelp("The workload.", valueName: "name"),
        completion: Completions.workloads)
    var name: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let store = WorkloadStore(in: common.artifactsFolder)
        let record = try store.shelf.record(of: name)
        if common.output == .json { return try Console.print(record.json.encoded) }
        try Console.print(WorkloadView(record, folder: store.shelf.folder(of: name)).lines.joined(separator: "\n"))
    }
}

struct WorkloadRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove workloads; sweeps that were launched with them keep their files.",
        discussion: """
            EXAMPLES
              usweep workload remove aes-python
            """)

    @Argument(
        help: ArgumentHelp("The workloads.", valueName: "name"),
        completion: Completions.workloads)
    var names: [String]

    @OptionGroup var common: CommonOptions

    func run() throws {
        let store = WorkloadStore(in: common.artifactsFolder)
        for name in names {
            try store.remove(name)
            common.console.say("\(name): removed")
        }
    }
}

struct WorkloadTryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Boot a workload on this machine, call it, and show what it did.",
        discussion: """
            Shows each call's instructions, and the container's log. Nothing is kept.

            EXAMPLES
              usweep workload try aes-python
              usweep workload try aes-python --invocations 10 --guest ops/guest/out
            """)

    @Argument(
        help: ArgumentHelp("The workload.", valueName: "name"),
        completion: Completions.workloads)
    var name: String

    @Option(name: .long, help: ArgumentHelp("Calls to measure.", valueName: "n"))
    var invocations = 5

    @Option(name: .long, help: ArgumentHelp("Calls before those, to warm up.", valueName: "n"))
    var warm = 5

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Engine that boots it: \(WorkloadTrial.engines.joined(separator: ", ")) "
                + "(default: \(WorkloadTrial.engines.first ?? "none")).", valueName: "name"),
        completion: Completions.engines)
    var engine: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The guest that ops/guest/build made (default: that of the source tree).", valueName: "dir"),
        completion: .directory)
    var guest: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if invocations < 1 || invocations > 1_000 { throw ValidationError("--invocations must be 1 to 1000.") }
        if warm < 0 || warm > 100_000 { throw ValidationError("--warm must be 0 to 100000.") }
    }

    func run() throws {
        let trial = try WorkloadTrial(
            name, WorkloadStore(in: common.artifactsFolder), engine: engine, guest: guest.map(Paths.absolute),
            warm: warm, invocations: invocations)
        let said = try trial.run { common.console.say($0) }
        switch common.output {
        case .json: try Console.print(said.document.encoded)
        case .table: try Console.print(try said.lines.joined(separator: "\n"))
        case .quiet: break
        }
        if let problem = said.problem { throw Failure(.refused, problem) }
    }
}
