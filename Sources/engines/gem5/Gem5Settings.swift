package import Model

/// What a sweep of engine `gem5` says of it.
package struct Gem5Settings: Sendable, Hashable {
    /// What is simulated.
    package enum System: Sendable, Hashable {
        /// One of this project's own.
        case named(String, Options)
        /// The user's own configuration script.
        case script(Script)
    }

    /// What is fixed for a system of this project's own, by the checkpoint at the latest.
    package struct Options: Sendable, Hashable {
        /// The guest's memory in bytes; nil: the system's own.
        package var memoryBytes: Int64?
        /// nil: the system's own.
        package var cores: Int?
        /// The setup runs on the host's processor. Its checkpoints may fail to restore into other core models.
        package var usesKVM = false
    }

    /// A configuration script of the user's own, with what its runs must show.
    package struct Script: Sendable, Hashable {
        /// Where it stands in an attempt's folder.
        package var path: String
        package var arguments: [String] = []
        /// Of the run that makes the checkpoint, into the folder `{checkpoint}`; nil: the sweep makes none.
        package var setupArguments: [String]?
        /// Statistics blocks that a run must leave; nil: one a measured invocation.
        package var blocks: Int?
        /// Text that a line of standard output must hold; nil: any.
        package var line: String?
    }

    /// Where evaluations start from.
    package enum Checkpoint: Sendable, Hashable {
        /// The sweep makes it, once a workload.
        case setup
        /// A folder for each workload, `{workload}` standing for its name.
        case directory(String)
        /// What the store of checkpoints has under this name, or this digest or its beginning.
        case named(String)
    }

    /// What is booted. Paths are absolute.
    package enum Guest: Sendable, Hashable {
        /// The folder that `ops/guest/build` made.
        case folder(String)
        /// A kernel and a disk image of the user's own.
        case files(kernel: String, disk: String)
    }

    package var system = System.named("simple", Options())
    /// gem5 runs without address space layout randomisation: it makes gem5 fail now and then on some machines.
    package var fixesAddresses = false
    package var guest: Guest?
    package var checkpoint = Checkpoint.setup
    /// The core whose statistics are the results; nil: the second, where the systems of this project have the function.
    package var core: Gem5Core?

    package static let systems = ["simple", "skylake", "two-machine"]

    package init(_ settings: JSON) {
        switch settings["system"] {
        case .string(let name): system = .named(name, Options())
        case .object(let members):
            let object = JSON.object(members)
            fixesAddresses = object["aslr"] == .bool(false)
            system = object["script"]?.text.map { .script(Script($0, object)) }
                ?? .named(object["name"]?.text ?? "simple", Options(object))
        case nil, .null, .bool, .number, .array: break
        }
        switch settings["guest"] {
        case .string(let path): guest = .folder(path)
        case .object(let members):
            let object = JSON.object(members)
            if let kernel = object["kernel"]?.text, let disk = object["disk"]?.text {
                guest = .files(kernel: kernel, disk: disk)
            }
        case nil, .null, .bool, .number, .array: break
        }
        if let path = settings["checkpoint"]?["directory"]?.text {
            checkpoint = .directory(path)
        } else if let name = settings["checkpoint"]?.text, name != Gem5Settings.setup {
            checkpoint = .named(name)
        }
        core = settings[Gem5Settings.coreKey]?.text.flatMap { Gem5Core($0) }
    }

    /// Whether a sweep of it makes its checkpoints itself.
    package var makesCheckpoints: Bool {
        guard checkpoint == .setup else { return false }
        return if case .script(let script) = system { script.setupArguments != nil } else { true }
    }

    /// As `checkpoint:` says it.
    static let setup = "setup"
    package static let coreKey = "measure.core"

    /// The workload of a script that is the user's own, where the sweep names none: it has one built in.
    package var scriptWorkload: String? {
        guard case .script(let script) = system else { return nil }
        let file = script.path.split(separator: "/").last ?? ""
        let name = String(file.hasSuffix(".py") ? file.dropLast(3) : file)
        return Names.isPlain(name) ? name : "script"
    }

    package var isScript: Bool {
        if case .script = system { true } else { false }
    }

    /// In the arguments of a script of the user's own, the path of the workload's disk.
    static let workloadDisk = "workload-disk"

    /// Whether workloads are container images: this project's guest holds no function itself; a disk of the user's own
    /// may. A script of the user's own is given the workload's disk where it asks for it.
    package var takesImages: Bool {
        switch system {
        case .named: if case .folder = guest { true } else { false }
        case .script(let script):
            (script.arguments + (script.setupArguments ?? [])).contains {
                Placeholders.names($0).contains(Gem5Settings.workloadDisk)
            }
        }
    }

    /// Of the guest, where a sweep does not say: the configuration package's.
    static let standardMemory: Int64 = 2 << 30
    static let standardCores = 2
    /// What a PC has below its devices.
    static let mostMemory: Int64 = 3 << 30
}

extension Gem5Settings.Options {
    fileprivate init(_ object: JSON) {
        memoryBytes = object["memory"]?.integer
        cores = object["cores"]?.integer.map(Int.init)
        usesKVM = object["kvm"] == .bool(true)
    }
}

extension Gem5Settings.Script {
    fileprivate init(_ path: String, _ object: JSON) {
        self.path = path
        arguments = object["arguments"]?.texts ?? []
        setupArguments = object["setup"]?.texts
        blocks = object["blocks"]?.integer.map(Int.init)
        line = object["line"]?.text
    }
}
