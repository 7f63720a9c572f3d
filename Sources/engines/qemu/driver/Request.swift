import Model
import Results

/// What the driver was asked to do.
enum Request: Equatable {
    case boot(Boot)
    case setup(Setup)
    case evaluate(Evaluation)

    /// What all of a checkpoint's runs have in common.
    struct Machine: Equatable {
        var qemu: String
        var kernel: String
        var initrd: String
        /// In MiB.
        var memory: Int
    }

    /// A function, with those beside it.
    struct Workload: Equatable {
        var name: String
        /// The file with the workload's containers.
        var disk: String
        /// Those of workloads that run beside it.
        var others: [String] = []
        /// Calls before the checkpoint is taken, or, after a restore, before the first one measured.
        var warm: Int
    }

    /// Boots a guest that any workload's setup can go on from.
    struct Boot: Equatable {
        var machine: Machine
        /// For how many disks the machine has a place.
        var disks: Int
    }

    struct Setup: Equatable {
        var machine: Machine
        var workload: Workload
        /// The checkpoint of a booted guest to go on from; nil: it boots.
        var booted: String?
        /// Whether the terminal shows what the function says.
        var showsLog = false
    }

    struct Evaluation: Equatable {
        var machine: Machine
        var workload: Workload
        var plugin: String
        var checkpoint: String
        /// The most, where ``until`` may end it before.
        var invocations: Int
        /// nil: all invocations are measured.
        var until: StoppingRule?
        /// Of the model.
        var settings: [Setting]
        var driving = Driving()
    }

    /// Which settings there are is for the model to say, which refuses the others by their names.
    struct Setting: Equatable {
        var name: String
        var value: String
    }

    var machine: Machine {
        switch self {
        case .boot(let boot): boot.machine
        case .setup(let setup): setup.machine
        case .evaluate(let evaluation): evaluation.machine
        }
    }

    /// nil: none yet.
    var workload: Workload? {
        switch self {
        case .boot: nil
        case .setup(let setup): setup.workload
        case .evaluate(let evaluation): evaluation.workload
        }
    }

    /// The checkpoint to restore; nil: the guest boots.
    var restored: String? {
        switch self {
        case .boot: nil
        case .setup(let setup): setup.booted
        case .evaluate(let evaluation): evaluation.checkpoint
        }
    }

    var isEvaluation: Bool { if case .evaluate = self { true } else { false } }
}

/// A text as JSON, with its quotes; control characters are escaped.
func quoted(_ text: String) -> String { JSON.string(text).encoded }

/// Why a command line was not understood, in one sentence.
struct UsageError: Error, Equatable {
    var message: String
    init(_ message: String) { self.message = message }
}

extension Request {
    static let usage = """
        usage: qemu boot MACHINE --disks N
               qemu setup MACHINE WORKLOAD [--booted FILE] [--log]
               qemu evaluate MACHINE WORKLOAD --plugin FILE --checkpoint FILE --invocations N
                 [--until RULE] [--set NAME=VALUE]...
        MACHINE: --qemu PATH --kernel FILE --initrd FILE --memory MIB
        WORKLOAD: --workload NAME --disk FILE [--other FILE]... --warm N
        """

    /// - Parameter arguments: the verb first.
    init(_ arguments: [String]) throws(UsageError) {
        guard let verb = arguments.first else { throw UsageError("a verb is missing: boot, setup or evaluate") }
        guard ["boot", "setup", "evaluate"].contains(verb) else {
            throw UsageError("the verb is boot, setup or evaluate, not '\(verb)'")
        }
        var options = try Options(arguments.dropFirst())
        let machine = Machine(
            qemu: try options.take("qemu"), kernel: try options.take("kernel"), initrd: try options.take("initrd"),
            memory: try options.count("memory", from: 64))
        switch verb {
        case "boot": self = .boot(Boot(machine: machine, disks: try options.count("disks", from: 1)))
        case "setup":
            self = .setup(
                Setup(
                    machine: machine, workload: try Workload(&options), booted: try options.takeIfAny("booted"),
                    showsLog: options.takeFlag("log")))
        default: self = .evaluate(try Evaluation(machine, &options))
        }
        try options.finish()
    }
}

extension Request.Evaluation {
    fileprivate init(_ machine: Request.Machine, _ options: inout Options) throws(UsageError) {
        let workload = try Request.Workload(&options)
        var settings = try options.settings()
        let driving = try Driving(taking: &settings, hasOthers: !workload.others.isEmpty)
        let until = try options.rule("until")
        self.init(
            machine: machine, workload: workload, plugin: try options.take("plugin"),
            checkpoint: try options.take("checkpoint"), invocations: try options.count("invocations", from: 1),
            until: until, settings: settings, driving: driving)
    }
}

extension Request.Workload {
    fileprivate init(_ options: inout Options) throws(UsageError) {
        self.init(
            name: try Self.name(options.take("workload")), disk: try options.take("disk"),
            others: options.takeAll("other"), warm: try options.count("warm", from: 0))
    }

    /// The name becomes a word of a checkpoint's record.
    private static func name(_ name: String) throws(UsageError) -> String {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard allowed, (1...64).contains(name.utf8.count) else {
            throw UsageError("--workload has 1 to 64 letters a to z, digits and hyphens, unlike \(quoted(name))")
        }
        return name
    }
}

extension Request.Setting {
    /// Words of the plugin's argument that are not the model's: QEMU's own, and the files of a run.
    private static let reserved = ["file", "arg", "out", "marks"]

    /// - Parameter text: `NAME=VALUE`, both of visible characters.
    fileprivate init(_ text: String) throws(UsageError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { 0x21...0x7E ~= $0 } }) else {
            throw UsageError("--set needs NAME=VALUE, not \(quoted(text))")
        }
        guard parts[0].utf8.allSatisfy(Self.isAllowed) else {
            throw UsageError("--set: a name has letters a to z, digits, '.' and '-', unlike \(quoted(parts[0]))")
        }
        guard !Self.reserved.contains(parts[0]) else {
            throw UsageError("--set: \(parts[0]) is not a setting of the model")
        }
        self.init(name: parts[0], value: parts[1])
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

private struct Options {
    private var given: [(name: String, value: String)] = []

    init(_ arguments: ArraySlice<String>) throws(UsageError) {
        var rest = arguments
        while let name = rest.popFirst() {
            guard name.hasPrefix("--") else {
                throw UsageError("what is \(quoted(name))? An option starts with --")
            }
            guard name != "--log" else {
                given.append(("log", ""))
                continue
            }
            guard let value = rest.popFirst() else { throw UsageError("\(name) needs a value") }
            given.append((String(name.dropFirst(2)), value))
        }
    }

    mutating func take(_ name: String) throws(UsageError) -> String {
        guard let index = given.firstIndex(where: { $0.name == name }) else { throw UsageError("--\(name) is missing") }
        let value = given.remove(at: index).value
        guard !value.isEmpty else { throw UsageError("--\(name) is empty") }
        return value
    }

    mutating func takeIfAny(_ name: String) throws(UsageError) -> String? {
        given.contains { $0.name == name } ? try take(name) : nil
    }

    mutating func rule(_ name: String) throws(UsageError) -> StoppingRule? {
        guard let text = try takeIfAny(name) else { return nil }
        guard let rule = StoppingRule(document: text) else {
            throw UsageError("--\(name) is not a rule that this agent knows; it may be older than usweep")
        }
        return rule
    }

    mutating func takeAll(_ name: String) -> [String] {
        defer { given.removeAll { $0.name == name } }
        return given.filter { $0.name == name }.map(\.value)
    }

    mutating func takeFlag(_ name: String) -> Bool {
        guard let index = given.firstIndex(where: { $0.name == name }) else { return false }
        given.remove(at: index)
        return true
    }

    mutating func count(_ name: String, from least: Int) throws(UsageError) -> Int {
        let text = try take(name)
        guard let number = Int(text), (least...1_000_000).contains(number) else {
            throw UsageError("--\(name) is a whole number from \(least) to 1000000, not \(quoted(text))")
        }
        return number
    }

    mutating func settings() throws(UsageError) -> [Request.Setting] {
        var settings: [Request.Setting] = []
        for option in given where option.name == "set" {
            let setting = try Request.Setting(option.value)
            guard !settings.contains(where: { $0.name == setting.name }) else {
                throw UsageError("--set \(setting.name) is given twice")
            }
            settings.append(setting)
        }
        given.removeAll { $0.name == "set" }
        return settings
    }

    func finish() throws(UsageError) {
        if let left = given.first { throw UsageError("--\(left.name) is unknown here, or given twice") }
    }
}
