import Foundation
import Model
import Ports
import Storage
import TestKit
import Testing
@testable import Sessions

/// Files of lines that this and other versions keep, and archives that anybody may have made.
@Suite("Lists that are kept, and archives from elsewhere")
struct ListFileTests {
    private let folder: String

    init() throws {
        folder = "\(NSTemporaryDirectory())usweep-lists-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func write(_ name: String, _ text: String) throws {
        let path = URL(fileURLWithPath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: path)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "accepted"
        } catch { return (error as? Failure)?.message ?? "\(error)" }
    }

    @Test("Which sweep was the last is read of older programs, and left to newer ones")
    func recent() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (index, name) in ["a-aaaaaaaa", "b-bbbbbbbb"].enumerated() {
            try write("\(name)/ledger.sqlite", "")
            let time = Date(timeIntervalSince1970: 1_000_000 + Double(index))
            try FileManager.default.setAttributes(
                [.modificationDate: time], ofItemAtPath: "\(folder)/\(name)/ledger.sqlite")
        }
        let artifacts = ArtifactsFolder(path: folder)
        let byClock = try artifacts.entries()
        #expect(byClock.map(\.name) == ["b", "a"])
        for first in ["", "usweep recent 2\n"] {
            try write("recent", "\(first)a-aaaaaaaa\nb-bbbbbbbb\n")
            #expect(try artifacts.entries().map(\.name) == ["a", "b"])
        }
        try artifacts.noteUse(of: byClock[0])
        #expect(try text("recent") == "usweep recent 2\nb-bbbbbbbb\na-aaaaaaaa\n")
        try write("recent", "usweep recent 3\na-aaaaaaaa\n")
        #expect(try artifacts.entries().map(\.name) == ["b", "a"], "by the clock")
        try artifacts.noteUse(of: byClock[1])
        #expect(try text("recent") == "usweep recent 3\na-aaaaaaaa\n")
        #expect(try FormatsPage.version(of: "order of sweeps") == 2)
    }

    @Test("What older programs pulled is removed when it is no longer the sweep's; a newer one's list refuses the pull")
    func pulled() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write(".pulled/study.plain", "run1/stats.txt\nrun2/stats.txt\n")
        for run in ["run1", "run2"] { try write("\(run)/stats.txt", run) }
        var files = try PulledFiles(in: folder, sweep: "study", layout: "plain")
        try files.add(["run1/stats.txt"])
        try files.finish()
        #expect(try text(".pulled/study.plain") == "usweep pulled 2\nrun1/stats.txt\n")
        #expect(try text("run1/stats.txt") == "run1")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/run2"))
        files = try PulledFiles(in: folder, sweep: "other", layout: "plain")
        try files.add(["run3/stats.txt"])
        #expect(try text(".pulled/other.plain") == "usweep pulled 2\nrun3/stats.txt\n", "before anything is there")
        try write(".pulled/other.plain", "usweep pulled 3\nx\n")
        for sweep in ["study", "other"] {
            let refused = message { _ = try PulledFiles(in: folder, sweep: sweep, layout: "plain") }
            #expect(refused.contains(".pulled/other.plain was written by a newer usweep"), "\(refused)")
        }
        #expect(try text(".pulled/other.plain") == "usweep pulled 3\nx\n")
        #expect(try text("run1/stats.txt") == "run1")
        #expect(try FormatsPage.version(of: "lists of pulled files") == 2)
    }

    @Test("An archive with a document or a map that is too large is refused, and nothing is taken from it")
    func archives() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let digest = SHA256.digest("x").hex
        func refusal(document: Int, map: String) throws -> String {
            for name in ["in", "out"] { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
            try write("in/bundle.json", "")
            #expect(FileManager.default.createFile(atPath: "\(folder)/in/bundle.json", contents: Data(count: document)))
            try write("in/maps/\(digest)", map)
            try FileManager.default.createDirectory(atPath: "\(folder)/in/objects", withIntermediateDirectories: true)
            let tar = Process()
            tar.executableURL = URL(filePath: "/usr/bin/env")
            let words = ["tar", "--format=ustar", "-cf", "\(folder)/archive", "-C", "\(folder)/in"]
            tar.arguments = words + ["bundle.json", "maps", "objects"]
            try tar.run()
            tar.waitUntilExit()
            try write("out/x", "")
            let store = try ObjectStore(root: "\(folder)/store", files: LocalFiles())
            return message {
                _ = try ObjectArchive(document: "bundle.json", kind: "a checkpoint")
                    .read("\(folder)/archive", in: "\(folder)/out", into: store)
            }
        }
        #expect(try refusal(document: 10, map: digest) == "accepted")
        let map = try refusal(document: 10, map: digest + " ")
        #expect(map.contains("cannot be used as a checkpoint: maps/\(digest) has") && map.contains("Nothing was taken"))
        let document = try refusal(document: 65 << 20, map: digest)
        #expect(document.contains("cannot be used as a checkpoint: bundle.json has"), "\(document)")
    }
}
