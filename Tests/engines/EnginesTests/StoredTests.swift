import Foundation
import Formats
import Model
import SweepFiles
import Testing
@testable import Engines

/// Sweep files with what the version of 2026-11-25 (8136c16) made of them: the specification that it put into ledgers,
/// and the points' digests. Guests and checkpoints were in `/lab`.
@Suite("Sweeps of 8136c16")
struct StoredTests {
    static let names = [
        "command", "command-small", "qemu", "gem5-default", "gem5-named", "gem5-options", "gem5-script",
        "gem5-script-bare",
    ]
    private let folder = "\(root)/Tests/engines/EnginesTests/Stored"

    private func golden(_ name: String) throws -> (specification: String, points: [String]) {
        let bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(name).json"))
        let document = try JSON(parsing: Array(bytes))
        return (
            try #require(document["specification"]?.text),
            try #require(document["points"]?.elements).compactMap(\.text)
        )
    }

    private func digests(_ sweep: Sweep) throws -> [String] {
        let points = try Points(sweep, recipe: sweep.recipe)
        return (0..<points.count).map { points.digest($0).hex }
    }

    @Test("Points keep their digests", arguments: names)
    func points(_ name: String) throws {
        let sweep = try SweepFile.read(path: "\(folder)/\(name).yaml")
        #expect(try digests(sweep) == golden(name).points)
    }

    @Test("A stored specification is the sweep that was written, with the same points", arguments: names)
    func specification(_ name: String) throws {
        let (text, points) = try golden(name)
        var stored = try Sweep(document: text)
        #expect(try digests(stored) == points)
        // The file lay at /lab/sweeps when it was launched.
        let written = try String(contentsOfFile: "\(folder)/\(name).yaml", encoding: .utf8)
        var read = try SweepFile.parse(written, file: name, folder: folder)
        read.settings = try JSON(
            parsing: Array(
                read.settings.encoded.replacing("\(root)/Tests/engines/EnginesTests", with: "/lab").utf8))
        for index in read.inputs.indices {
            read.inputs[index].source.replace(folder, with: "/lab/sweeps")
        }
        #expect(Gem5Settings(stored.settings) == Gem5Settings(read.settings))
        #expect(CommandSettings(stored.settings) == CommandSettings(read.settings))
        #expect(try Sweep(document: stored.document) == stored)
        stored.settings = read.settings
        #expect(stored == read)
    }

    @Test("What can change a result changes the recipe")
    func recipe() throws {
        let systems = [
            #"{}"#, #"{"system": "skylake"}"#, #"{"system": {"script": "a"}}"#,
            #"{"system": {"script": "a", "arguments": ["b"]}}"#, #"{"system": {"script": "a", "setup": []}}"#,
            #"{"system": {"name": "simple", "memory": 1073741824}}"#, #"{"system": {"name": "simple", "cores": 4}}"#,
            #"{"system": {"name": "simple", "kvm": true}}"#, #"{"checkpoint": {"directory": "d"}}"#,
        ]
        let commands = [
            #"{"command": ["x"]}"#, #"{"command": ["x", ""]}"#, #"{"command": ["x", "y"]}"#, #"{"command": ["x y"]}"#,
            #"{"command": ["x"], "results": "r"}"#,
        ]
        func file(_ path: String) -> InputFile {
            InputFile(path: path, source: "/\(path)", digest: SHA256.digest(path), size: 1, isExecutable: false)
        }
        let changes: [(inout Sweep) -> Void] = [
            { $0.measure.warm = 1 }, { $0.measure.invocations = 2 }, { $0.measure.setupInvocations = 1 },
            { $0.inputs = [file("a")] }, { $0.inputs = [file("b")] }, { $0.inputs = [file("a"), file("b")] },
            {
                $0.inputs = [file("a")]
                $0.inputs[0].isExecutable = true
            },
        ]
        var recipes = try systems.map { try Sweep(name: "s", engine: "gem5", settings: settings($0)).recipe }
        recipes += try commands.map { try Sweep(name: "s", engine: "command", settings: settings($0)).recipe }
        recipes.append(try Sweep(name: "s", engine: "qemu").recipe)
        for change in changes {
            var sweep = Sweep(name: "s", engine: "qemu")
            change(&sweep)
            recipes.append(try sweep.recipe)
        }
        #expect(Set(recipes).count == recipes.count)
    }

    @Test("What changes no result leaves the recipe")
    func sameRecipe() throws {
        let base = Sweep(name: "s", engine: "gem5", settings: settings(#"{"guest": "/g"}"#))
        let changes: [(inout Sweep) -> Void] = [
            { $0.name = "other" }, { $0.axes = [Axis(name: "a", values: ["1"])] }, { $0.measure.repeats = 9 },
            { $0.limits.sweep = 1 }, { $0.limits.job.time = 1 }, { $0.attempts = 9 }, { $0.metrics = ["m"] },
            { $0.settings = settings(#"{"guest": "/h"}"#) }, { $0.workloads = ["w"] },
            { $0.settings = settings(#"{"guest": "/g", "system": {"name": "simple", "aslr": false}}"#) },
        ]
        for change in changes {
            var sweep = base
            change(&sweep)
            #expect(try sweep.recipe == base.recipe)
        }
    }
}
