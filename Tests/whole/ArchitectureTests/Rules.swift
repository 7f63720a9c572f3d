/// A file of the project, by its path from the root.
struct SourceFile {
    var path: String
    var text: String

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The target of a file `Sources/WING/TARGET/...`, or of a wing that is one target with folders of its own.
    var target: String? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 2, parts[0] == "Sources" else { return nil }
        for (folder, target) in Layers.parts where path.hasPrefix("Sources/\(folder)/") { return target }
        if let whole = Layers.wholes[parts[1]] { return whole }
        return parts.count > 3 ? parts[2] : parts[1]
    }
}

/// Where a rule is broken.
struct Violation: Hashable, CustomStringConvertible {
    enum Rule: Hashable {
        case unknownTarget, emptyTarget, unknownModule, upwards, sideways, core, impure, agent
        case longFile, longLine, forbidden, topLevel, twice, wording, particular
    }

    var rule: Rule
    var path: String
    var detail: String

    var description: String { "\(path): \(detail)" }
}

/// The layers of the project: arrows point down only.
enum Layers {
    /// Folders of `Sources`: what one looks for first.
    static let wings: Set = [
        "agent", "coordinator", "development", "engines", "programs", "shared", "transports",
    ]
    /// Wings that are one target, with a folder for each of its kind.
    static let wholes = ["engines": "Engines", "transports": "Transports"]
    /// Folders within such wings that are targets of their own.
    static let parts: [(folder: String, target: String)] = [
        ("engines/qemu/driver", "QEMUDriver"), ("engines/qemu/model", "QEMUModel"),
        ("transports/CLibSSH2", "CLibSSH2"), ("transports/CLibCrypto", "CLibCrypto"),
    ]

    /// The targets, all of which must be here.
    static let table: [String: Int] = [
        "CSystem": -1, "QEMUModel": -1, "CLibSSH2": -1, "CLibCrypto": -1, "CZlib": -1, "CZstd": -1, "CManual": -1,
        "CHostScripts": -1,
        "CReport": -1,
        "CMath": -1,
        "Model": 0, "Formats": 0,
        "Ports": 1, "Results": 1, "SweepCore": 1, "AgentCore": 1,
        "Storage": 2, "Engines": 2, "Figures": 2,
        "SweepFiles": 3, "Transports": 3, "Ledger": 3, "QEMUDriver": 3,
        "CoordinatorRuntime": 4, "AgentRuntime": 4,
        "Sessions": 5, "usweep-agent": 5,
        "Simulation": 6, "usweep": 6, "usweep-simulate": 7, "usweep-bench": 7,
    ]

    /// Within one layer, these alone may be imported, and by these alone.
    static let sideways: [String: Set<String>] = [
        "Model": ["Formats"],
        "Ports": ["Results", "SweepCore", "AgentCore"],
    ]

    static let cores: Set = ["SweepCore", "AgentCore"]

    /// The shells know the ports, not what is behind them, but for these.
    static let adaptersOfShells: [String: Set<String>] = [
        "CoordinatorRuntime": ["Engines"], "AgentRuntime": [],
    ]

    /// Modules from elsewhere, and who may import them. nil: everybody above layer 1.
    static let others: [String: Set<String>?] = [
        "Glibc": nil, "Synchronization": nil, "Darwin": nil,
        "Foundation": ["SweepFiles", "Ledger", "Sessions", "usweep"],
        "GRDB": ["Ledger"], "Yams": ["SweepFiles"], "ArgumentParser": ["usweep"],
        "DequeModule": ["SweepCore", "AgentCore", "CoordinatorRuntime", "Transports", "Sessions", "usweep"],
    ]

    /// What the program on the hosts must not hold, by whatever way.
    static let notInTheAgent: Set = ["Foundation", "GRDB", "CLibSSH2", "CLibCrypto", "Yams", "ArgumentParser"]

    /// What layers 0 and 1 get as arguments instead: time, chance, and the order in which things happen.
    static let impureWords: Set = ["Task", "await", "async", "ContinuousClock", "SuspendingClock"]
    static let impureTexts = ["Date(", ".random", ".now", "SystemRandomNumberGenerator"]

    /// Words are compared whole, the rest as it stands.
    static let forbiddenTexts = ["try!", " as!", "fatalError("]
    /// Not in sources: a descriptor that is marked as closed on `exec` some time after it was made comes to be in what
    /// another thread starts meanwhile.
    static let leakingTexts = ["Glibc.pipe(", "Foundation.pipe(", " pipe(&"]
    /// Not in sources but for the one place that gives the system's reason instead.
    static let rawReasons = (text: ".localizedDescription", file: "SystemReason.swift")
    static let marks: Set = ["TODO", "FIXME"]

    /// What is particular to an engine stands in its folder: nobody else has a type of it, or compares its name.
    static let engineTypes = ["Gem5", "QEMU"]
    static let engineNames: Set = ["gem5", "qemu"]
    /// Beside it the verbs that runs start of the agent.
    static let engineUsers = ["Sources/engines/", "Sources/programs/usweep-agent/EngineVerbs.swift"]

    static let longestFile = 500
    static let longestLine = 120

    static let folders: Set = ["Sources", "Tests", "inventory", "sweeps", "artifacts", "ops"]
    static let documents: Set = [
        "Package.swift", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    ]
}
