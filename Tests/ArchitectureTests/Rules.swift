/// A file of the project, by its path from the root.
struct SourceFile {
    var path: String
    var text: String

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The target of a file `Sources/TARGET/...`.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
}

/// Where a rule is broken.
struct Violation: Hashable, CustomStringConvertible {
    enum Rule: Hashable {
        case unknownTarget, emptyTarget, unknownModule, upwards, sideways, core, impure, agent
        case longFile, longLine, forbidden, topLevel
    }

    var rule: Rule
    var path: String
    var detail: String

    var description: String { "\(path): \(detail)" }
}

/// The layers of the project: arrows point down only.
enum Layers {
    /// The bottom first. Folders of `Sources`, which must all be here.
    static let table: [String: Int] = [
        "CAgent": -1, "ChildProcess": -1, "QEMUModel": -1, "CLibSSH2": -1,
        "Model": 0, "Wire": 0,
        "Ports": 1, "Results": 1, "SweepCore": 1, "AgentCore": 1,
        "ObjectStore": 2, "AgentJournal": 2, "Polling": 2,
        "SweepFiles": 3, "SSHTransport": 3, "ProgramTransport": 3, "Ledger": 3, "Engines": 3, "LocalFiles": 3,
        "QEMUDriver": 3,
        "CoordinatorRuntime": 4, "AgentRuntime": 4,
        "usweep": 5, "usweep-agent": 5, "usweep-bench": 5, "usweep-ledger-bench": 5,
        "TestKit": 6, "Simulation": 6, "usweep-simulate": 7,
    ]

    /// Within one layer, these alone may be imported, and by these alone.
    static let sideways: [String: Set<String>] = [
        "Model": ["Wire"],
        "Ports": ["Results", "SweepCore", "AgentCore"],
    ]

    static let cores: Set = ["SweepCore", "AgentCore"]

    /// The shells know the ports, not what is behind them, but for these.
    static let adaptersOfShells: [String: Set<String>] = [
        "CoordinatorRuntime": ["Engines"], "AgentRuntime": ["LocalFiles"],
    ]

    /// Modules from elsewhere, and who may import them. nil: everybody above layer 1.
    static let others: [String: Set<String>?] = [
        "Glibc": nil, "Synchronization": nil, "Darwin": nil,
        "Foundation": ["SweepFiles", "Ledger", "usweep", "TestKit"],
        "GRDB": ["Ledger"], "Yams": ["SweepFiles"], "ArgumentParser": ["usweep"], "DequeModule": ["SweepCore"],
    ]

    /// What the program on the hosts must not hold, by whatever way.
    static let notInTheAgent: Set = ["Foundation", "GRDB", "CLibSSH2", "Yams", "ArgumentParser"]

    /// What layers 0 and 1 get as arguments instead: time, chance, and the order in which things happen.
    static let impureWords: Set = ["Task", "await", "async", "ContinuousClock", "SuspendingClock"]
    static let impureTexts = ["Date(", ".random", ".now", "SystemRandomNumberGenerator"]

    /// Words are compared whole, the rest as it stands.
    static let forbiddenTexts = ["try!", " as!", "fatalError("]
    static let marks: Set = ["TODO", "FIXME"]

    static let longestFile = 500
    static let longestLine = 120

    static let folders: Set = ["Sources", "Tests", "inventory", "sweeps", "artifacts", "ops"]
    static let documents: Set = [
        "Package.swift", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    ]
}
