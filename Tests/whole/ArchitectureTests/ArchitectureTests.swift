import Foundation
import Testing

@Suite("The project keeps its own rules")
struct ArchitectureTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All sources under these folders, in the order of their paths.
    private static func files(_ folders: [String]) throws -> [SourceFile] {
        var files: [SourceFile] = []
        for folder in folders {
            let paths = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path).sorted()
            for path in paths where [".swift", ".c", ".h"].contains(where: path.hasSuffix) {
                let text = try String(contentsOf: root.appending(path: "\(folder)/\(path)"), encoding: .utf8)
                files.append(SourceFile("\(folder)/\(path)", text))
            }
        }
        return files
    }

    private func expectNone(_ violations: [Violation]) {
        for violation in violations { Issue.record("\(violation)") }
    }

    @Test("Layers, purity, sizes and forbidden words")
    func sources() throws {
        let files = try Self.files(["Sources", "Tests"])
        #expect(files.contains { $0.path == "Sources/coordinator/SweepCore/Coordinator.swift" })
        expectNone(Checker.violations(files) + Checker.emptyTargets(files))
    }

    @Test("One word, one thing: no two types have one name")
    func typeNames() throws {
        expectNone(TypeNames.duplicates(try Self.files(["Sources"])))
    }

    @Test("Texts that people read are plain technical English, as far as a machine can tell")
    func wording() throws {
        expectNone(try Self.files(["Sources"]).flatMap { Wording.violations($0) })
    }

    @Test("The wings are those of the table")
    func folders() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "Sources").path)
        #expect(names.filter { !$0.hasPrefix(".") }.sorted() == Layers.wings.sorted())
    }

    @Test("The agent links nothing that a host would have to have")
    func agent() throws {
        let files = try Self.files(["Sources"])
        expectNone(Checker.agent(files))
        // The same walk finds much in the other program.
        #expect(Checker.agent(files, program: "usweep").count == Layers.notInTheAgent.count)
    }

    @Test(
        "The top level is fixed",
        .enabled(if: FileManager.default.fileExists(atPath: root.appending(path: ".git").path), "no checkout"))
    func topLevel() throws {
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git", "-c", "safe.directory=*", "-C", Self.root.path, "ls-files", "-z"]
        let output = Pipe()
        git.standardOutput = output
        try git.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        #expect(git.terminationStatus == 0)
        expectNone(Checker.topLevel(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }))
    }
}
