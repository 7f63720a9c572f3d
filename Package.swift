// swift-tools-version: 6.2
import PackageDescription

// Targets stand wing by wing, as in the folders; within the table of ArchitectureTests each has its layer: an arrow may
// only point down, and that test reads every import to make sure.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// A target in `Sources/WING/NAME`.
func target(_ name: String, in wing: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(wing)/\(name)", swiftSettings: strict)
}

func program(_ name: String, in wing: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/\(wing)/\(name)", swiftSettings: strict)
}

func tests(
    _ name: String, in wing: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(wing)/\(name)", exclude: exclude, swiftSettings: strict)
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

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
        // shared: what both sides of a stream know. Nouns; formats; ports; the crash-safe storage over the files port.
        .target(name: "CSystem", path: "Sources/shared/CSystem"),
        target("Model", in: "shared", ["CSystem"]),
        target("Formats", in: "shared", ["CSystem", "Model"]),
        target("Ports", in: "shared", ["Model"]),
        .systemLibrary(
            name: "CZlib", path: "Sources/shared/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CZstd", path: "Sources/shared/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        target("Storage", in: "shared", ["CSystem", "CZlib", "CZstd", "Model", "Formats", "Ports"]),
        // coordinator: decides, commits, acts; reads sweeps, keeps the ledger, merges tables.
        .target(
            name: "CMath", path: "Sources/coordinator/CMath",
            cSettings: [.unsafeFlags(["-std=c11", "-Wall", "-Wextra", "-Werror"])], linkerSettings: [.linkedLibrary("m")]),
        // The shell scripts that run on hosts.
        .target(
            name: "CHostScripts", path: "Sources/coordinator/CHostScripts",
            exclude: ["common", "bring", "store", "held", "clean", "doctor", "manager", "survived", "slurm"].map { "\($0).sh" },
            cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Wextra", "-Werror"])]),
        target("Results", in: "coordinator", ["CMath", "Model"]),
        target("Figures", in: "coordinator", ["Model", "Results"]),
        target("SweepCore", in: "coordinator", ["Model", deque]),
        target("SweepFiles", in: "coordinator", ["Model", "Results", "Engines", yams]),
        target("Ledger", in: "coordinator", ["Model", "Formats", "Ports", grdb]),
        target(
            "CoordinatorRuntime", in: "coordinator",
            ["CHostScripts", "Model", "Formats", "Ports", "Results", "SweepCore", "Storage", "Engines", deque]),
        // agent: owns attempts on a host.
        target("AgentCore", in: "agent", ["Model", "Formats", "Ports", deque]),
        target("AgentRuntime", in: "agent", ["CSystem", "Model", "Formats", "Ports", "AgentCore", "Storage"]),
        // engines: a folder each. QEMU's has two more parts: what drives it on a host, and the model that it loads
        // (GPL-2.0-or-later; linked by ops/guest/build, because hosts have no Swift library for a dynamic product).
        .target(
            name: "Engines", dependencies: ["Model", "Results"], path: "Sources/engines",
            exclude: ["qemu/driver", "qemu/model"], swiftSettings: strict),
        .target(
            name: "QEMUDriver", dependencies: ["CSystem", "Model", "Results"], path: "Sources/engines/qemu/driver",
            swiftSettings: strict),
        .target(
            name: "QEMUModel", path: "Sources/engines/qemu/model", exclude: ["LICENSE.md", "plugin.c", "turns.c"],
            cSettings: [.unsafeFlags(["-std=c11", "-Wall", "-Wextra", "-Werror"])]),
        // transports: a folder each, and the polling that they share.
        .systemLibrary(
            name: "CLibSSH2", path: "Sources/transports/CLibSSH2", pkgConfig: "libssh2",
            providers: [.apt(["libssh2-1-dev"])]),
        .systemLibrary(
            name: "CLibCrypto", path: "Sources/transports/CLibCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]),
        .target(
            name: "Transports", dependencies: ["CSystem", "Model", "Ports", "CLibSSH2", "CLibCrypto", deque],
            path: "Sources/transports", exclude: ["CLibSSH2", "CLibCrypto"], swiftSettings: strict),
        // programs: what they do is a library that a dashboard can use; the commands parse and print.
        .target(
            name: "CManual", path: "Sources/programs/CManual",
            cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Wextra", "-Werror"])]),
        .target(
            name: "CReport", path: "Sources/programs/CReport", exclude: ["report.css", "report.js"],
            cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Wextra", "-Werror"])]),
        target(
            "Sessions", in: "programs",
            [
                "CSystem", "CManual", "CReport", "Model", "Formats", "Ports", "Results", "Figures", "SweepCore", "Storage",
                "SweepFiles", "Transports", "Ledger", "Engines", "CoordinatorRuntime", deque,
            ]),
        program(
            "usweep", in: "programs",
            [
                "CSystem", "Sessions", "Model", "Ports", "Results", "Figures", "SweepCore", "Storage", "SweepFiles",
                "Transports", "Ledger", "Engines", "CoordinatorRuntime", arguments, deque,
            ]),
        program("usweep-agent", in: "programs", ["AgentRuntime", "Engines", "Storage", "Model", "Results", "QEMUDriver"]),
        // development: the whole cluster on one thread, by seed; the programs behind ops/bench.
        target(
            "Simulation", in: "development",
            [
                "Model", "Formats", "Ports", "Results", "SweepCore", "AgentCore", "Storage", "Engines",
                "CoordinatorRuntime", "AgentRuntime",
            ]),
        program("usweep-simulate", in: "development", ["Simulation", "Model"]),
        program(
            "usweep-bench", in: "development",
            ["Model", "Formats", "Ports", "Storage", "Results", "Ledger", "Engines", "Simulation"]),
        // Tests, in the same wings.
        .target(
            name: "TestKit", dependencies: ["Model", "Ports", "Transports"], path: "Tests/support/TestKit",
            swiftSettings: strict),
        tests("ModelTests", in: "shared", ["Model"]),
        tests("FormatsTests", in: "shared", ["Model", "Formats", "TestKit"]),
        tests("StorageTests", in: "shared", ["Storage", "Model", "Ports", "Formats"]),
        tests("ResultsTests", in: "coordinator", ["Model", "Results", "Engines", "TestKit"], exclude: ["Fixtures"]),
        tests(
            "FiguresTests", in: "coordinator", ["Model", "Results", "Figures", "TestKit"], exclude: ["Golden"]),
        tests("SweepCoreTests", in: "coordinator", ["SweepCore", "Model", "Formats", "TestKit"]),
        tests("SweepFilesTests", in: "coordinator", ["SweepFiles", "Model", "Engines", "Transports", "TestKit"]),
        tests("LedgerTests", in: "coordinator", ["Model", "Formats", "Ledger", "Engines", "TestKit", grdb]),
        tests(
            "CoordinatorRuntimeTests", in: "coordinator",
            ["CoordinatorRuntime", "Engines", "Model", "Storage", "Ports", "Results", "SweepCore", "Formats"]),
        tests("AgentCoreTests", in: "agent", ["AgentCore", "Model", "Ports", "TestKit", "Formats"]),
        tests(
            "AgentRuntimeTests", in: "agent",
            [
                "AgentRuntime", "AgentCore", "CSystem", "Model", "Storage", "Formats", "Ports", "TestKit",
                "usweep-agent",
            ]),
        tests(
            "EnginesTests", in: "engines",
            ["Engines", "SweepFiles", "Model", "Formats", "Results", "QEMUModel", "QEMUDriver", "TestKit"],
            exclude: ["Stored"]),
        tests("QEMUModelTests", in: "engines", ["QEMUModel"]),
        tests(
            "QEMUDriverTests", in: "engines",
            ["QEMUDriver", "Engines", "Model", "Results", "TestKit", "usweep-agent", "usweep"]),
        tests("TransportsTests", in: "transports", ["Model", "Ports", "Transports", "TestKit"]),
        tests(
            "SessionsTests", in: "programs",
            [
                "Sessions", "Model", "Engines", "Ledger", "SweepFiles", "SweepCore", "CoordinatorRuntime", "Ports",
                "Transports", "Results", "Figures", "Formats", "usweep", "TestKit", grdb,
            ]),
        tests(
            "SimulationTests", in: "development",
            ["Simulation", "Ledger", "Model", "Formats", "Ports", "AgentCore", "AgentRuntime", "usweep-simulate"]),
        tests("ArchitectureTests", in: "whole", []),
        tests(
            "EndToEndTests", in: "whole", ["Model", "Transports", "TestKit", "Formats", "usweep"],
            exclude: ["Gem5", "Browser"]),
    ]
)
