// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order of their layers: an arrow may only point down, and ArchitectureTests reads every import
// to make sure.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "usweep",
    products: [
        .executable(name: "usweep", targets: ["usweep"]),
        .executable(name: "usweep-agent", targets: ["usweep-agent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C beneath everything: spawning on a worker host, and the model that QEMU loads (GPL-2.0-or-later; the
        // plugin itself is linked by ops/guest/build, because hosts have no Swift library for a dynamic product).
        .target(name: "CAgent"),
        .target(name: "ChildProcess"),
        .target(
            name: "QEMUModel", exclude: ["LICENSE.md", "plugin.c", "turns.c"],
            cSettings: [.unsafeFlags(["-std=c11", "-Wall", "-Wextra", "-Werror"])]),
        .systemLibrary(name: "CLibSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        // Layer 0: nouns and messages.
        target("Model"),
        target("Wire", ["Model"]),
        // Layer 1: ports and pure logic.
        target("Ports", ["Model"]),
        target("Results", ["Model"]),
        target("SweepCore", ["Model", deque]),
        target("AgentCore", ["Model", "Wire", "Ports"]),
        // Layer 2: crash-safe logic over the Files port, and the polling that adapters share.
        target("ObjectStore", ["Model", "Ports"]),
        target("AgentJournal", ["Model", "Wire", "Ports"]),
        target("Polling"),
        // Layer 3: adapters.
        target("SweepFiles", ["Model", "Results", .product(name: "Yams", package: "Yams")]),
        target("SSHTransport", ["Model", "Ports", "Polling", "CLibSSH2"]),
        target("ProgramTransport", ["Model", "Ports", "Polling"]),
        target("Ledger", ["Model", "Wire", "Ports", grdb]),
        target("Engines", ["Model", "Results"]),
        target("LocalFiles", ["CAgent", "Model", "Ports"]),
        target("QEMUDriver", ["ChildProcess"]),
        // Layer 4: the shells around the cores.
        target("CoordinatorRuntime", ["Model", "Wire", "Ports", "SweepCore", "ObjectStore", "Engines"]),
        target(
            "AgentRuntime",
            ["CAgent", "Model", "Wire", "Ports", "AgentCore", "ObjectStore", "AgentJournal", "LocalFiles"]),
        // Layer 5: programs.
        .executableTarget(
            name: "usweep",
            dependencies: [
                "Model", "Ports", "Results", "SweepCore", "ObjectStore", "SweepFiles", "SSHTransport",
                "ProgramTransport", "Ledger", "Engines", "LocalFiles", "CoordinatorRuntime", arguments,
            ], swiftSettings: strict),
        .executableTarget(
            name: "usweep-agent", dependencies: ["AgentRuntime", "LocalFiles", "Model", "QEMUDriver"],
            swiftSettings: strict),
        .executableTarget(name: "usweep-bench", dependencies: ["Model", "Wire", "Results"], swiftSettings: strict),
        .executableTarget(name: "usweep-ledger-bench", dependencies: ["Model", "Ledger"], swiftSettings: strict),
        // The whole cluster on one thread, by seed.
        target(
            "Simulation",
            [
                "Model", "Wire", "Ports", "SweepCore", "AgentCore", "ObjectStore", "AgentJournal", "Engines",
                "CoordinatorRuntime", "AgentRuntime",
            ]),
        .executableTarget(name: "usweep-simulate", dependencies: ["Simulation", "Model"], swiftSettings: strict),
        // Tests.
        tests("ArchitectureTests", []),
        target("TestKit", ["Model", "Ports", "Polling"]),
        tests("ModelTests", ["Model"]),
        tests("SimulationTests", ["Simulation", "Ledger", "Model", "usweep-simulate"]),
        tests("ResultsTests", ["Model", "Results"], exclude: ["Fixtures"]),
        tests("EnginesTests", ["Engines", "Model"]),
        tests("WireTests", ["Model", "Wire", "TestKit"]),
        tests("SweepCoreTests", ["SweepCore", "Model"]),
        tests("AgentCoreTests", ["AgentCore", "Model", "Ports", "TestKit", "Wire"]),
        tests(
            "CoordinatorRuntimeTests",
            ["CoordinatorRuntime", "Engines", "LocalFiles", "Model", "ObjectStore", "Ports", "SweepCore", "Wire"]),
        tests("SweepFilesTests", ["SweepFiles", "Model"]),
        tests("LedgerTests", ["Model", "Wire", "Ledger", grdb]),
        tests("TransportTests", ["Model", "Ports", "Polling", "SSHTransport", "ProgramTransport", "TestKit"]),
        tests("EndToEndTests", ["Model", "Polling", "TestKit", "Wire", "usweep"], exclude: ["Gem5"]),
        tests("QEMUModelTests", ["QEMUModel"]),
        tests("QEMUDriverTests", ["QEMUDriver", "Engines", "Model", "TestKit", "usweep-agent"]),
        tests("AgentJournalTests", ["AgentJournal", "LocalFiles", "Model", "Ports", "Wire"]),
        tests("ObjectStoreTests", ["ObjectStore", "LocalFiles", "Model"]),
        tests(
            "AgentRuntimeTests",
            ["AgentRuntime", "LocalFiles", "CAgent", "Model", "ObjectStore", "Wire", "Ports", "usweep-agent"]),
    ]
)
