import Formats
import Foundation
import Model
import Storage
import Testing
@testable import AgentRuntime

/// What an attempt left, where it is more than memory or a frame holds.
@Suite struct LeftFilesTests {
    @Test("Very many files are listed in pieces, so many as may be held, and what a verdict needs among them")
    func many() {
        let names = (0..<6_000).map { "x\($0)" } + ["results.json"]
        var left = LeftFiles(
            "/nowhere", AlteredFiles(names: names), staged: ["x7"], needed: ["results.json"], isThere: true,
            mostNames: 5_000)
        var pieces = 1
        var budget = 400_000
        while !left.list(budget: &budget) {
            budget = 400_000
            pieces += 1
        }
        #expect(pieces >= 12)
        #expect(left.all.count == 5_001)
        #expect(left.all.contains { $0.name == "results.json" } && !left.all.contains { $0.name == "x7" })
        #expect(left.remark.hasSuffix("and 994 more"), "\(left.remark)")
        left.thin()
        #expect(left.all.count == LeftFiles.maximumFiles)
        #expect(left.all.contains { $0.name == "results.json" })
    }

    @Test("A folder that is not there is said to be gone")
    func gone() {
        var left = LeftFiles("/nowhere", LocalFiles(), staged: [], isThere: true)
        var budget = 1 << 20
        let isListed = left.list(budget: &budget)
        #expect(isListed && left.isGone && left.all.isEmpty)
    }

    @Test("What a verdict needs and is not a file is named, and nothing else of that kind")
    func notFiles() throws {
        let scratch = try Scratch()
        for name in ["results.json", "m5out", "real"] {
            try #require(mkdir("\(scratch.path)/\(name)", 0o700) == 0)
        }
        try #require(mkfifo("\(scratch.path)/pipe", 0o600) == 0 && mkfifo("\(scratch.path)/other", 0o600) == 0)
        try #require(symlink("real", "\(scratch.path)/link.csv") == 0)
        #expect(FileManager.default.createFile(atPath: "\(scratch.path)/results.json/part", contents: Data()))
        var left = LeftFiles(
            scratch.path, LocalFiles(), staged: [], needed: ["results.json", "pipe", "link.csv"], isThere: true)
        var budget = 1 << 20
        let isListed = left.list(budget: &budget)
        #expect(isListed && left.all.map(\.name) == ["results.json/part"])
        let folder = "(a folder, not a file)"
        let pipe = "\"pipe\" (a pipe, a socket or a device, not a file)"
        for part in ["\"results.json\" \(folder)", "\"link.csv\" \(folder)", pipe] {
            #expect(left.remark.contains(part), "\(left.remark)")
        }
        #expect(!left.remark.contains("other") && !left.remark.contains("m5out"), "\(left.remark)")
    }

    @Test("Holes are nothing that a run wrote; a file that is too large with them is left out, and no other")
    func sparse() throws {
        let scratch = try Scratch()
        for (name, size) in [("disk.img", Int64(100) << 30), ("small.img", 1 << 20), ("results.json", 2)] {
            let path = "\(scratch.path)/\(name)"
            #expect(FileManager.default.createFile(atPath: path, contents: Data("{}".utf8)))
            try #require(truncate(path, off_t(size)) == 0)
        }
        var left = LeftFiles(scratch.path, LocalFiles(), staged: [], isThere: true)
        var budget = 1 << 20
        let isListed = left.list(budget: &budget)
        let found = left.cut(to: 64 << 10, \.taken)
        #expect(isListed && found == nil && left.all.count == 3, "\(found ?? "")")
        left.leaveSparse(beyond: 1 << 30)
        #expect(left.all.map(\.name) == ["results.json", "small.img"])
        let start = "not collected: \"disk.img\" (a sparse file of 100 GiB, of which "
        #expect(left.remark.hasPrefix(start), "\(left.remark)")
        let whole = left.cut(to: 64 << 10, \.size)
        #expect(whole?.hasPrefix("it left 1 MiB: small.img 1 MiB") == true, "\(whole ?? "")")
    }

    @Test("The fullest report fits a frame in every version, whatever the sizes of the files and the evidence")
    func fullest() throws {
        let perName = LeftFiles.maximumNameBytes / LeftFiles.maximumFiles
        let artifacts = (0..<LeftFiles.maximumFiles).map { number in
            let name = "\(number)/"
            let rest = String(repeating: "n", count: perName - name.utf8.count)
            return Artifact(path: name + rest, digest: SHA256.digest(name), size: .max)
        }
        let id = AttemptID(run: 1 << 40, lease: 1 << 40, attempt: 1 << 40)
        let evidence = String(repeating: "e", count: Collector.longestEvidence)
        let report = AttemptReport(
            id: id, failure: .checkpointIncompatible, evidence: evidence, wallNanoseconds: .max,
            peakMemoryBytes: .max, artifacts: artifacts, startedAt: .max)
        for version in WireVersion.oldest...WireVersion.current {
            let frame = try #require(AgentMessage.outcome(report).frame(for: version))
            #expect(try frame.encoded.count > 100_000)
        }
    }
}
