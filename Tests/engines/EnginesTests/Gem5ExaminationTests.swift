import Foundation
import Model
import Testing
@testable import Engines

/// The machine of the tests: the package as it is in the repository.
private struct Repository: LaunchingMachine {
    func contents(_ path: String, atMost limit: Int64) -> [UInt8]? {
        FileManager.default.contents(atPath: path).map(Array.init)
    }
    func size(_ path: String) -> Int64? { contents(path, atMost: .max).map { Int64($0.count) } }
    func input(_ path: String, at place: String) throws -> InputFile {
        let bytes = contents(path, atMost: .max) ?? []
        return InputFile(
            path: place, source: path, digest: SHA256.digest(bytes), size: Int64(bytes.count), isExecutable: false)
    }
    func inputs(inFolder path: String, at place: String, where isWanted: (String) -> Bool) throws -> [InputFile] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter(isWanted).sorted().map {
            try input("\(path)/\($0)", at: "\(place)/\($0)")
        }
    }
    func checkpoint(_ name: String, of workload: String) throws -> StoredCheckpoint {
        throw Failure(.missingFile, "there is no checkpoint '\(name)'")
    }
    func places(_ variable: String, beside: String, inRepository: String) -> [String] { ["\(root)/\(inRepository)"] }
}

@Suite("What doctor tries with gem5")
struct Gem5ExaminationTests {
    private static let known = ["engine-gem5": "gem5 version 24.0.0.1", "gem5-x86": "yes", "kvm": "yes"]

    /// Runs the trial against the stand-in, as a host would, and gives what is found.
    private func findings(standIn more: String) throws -> [EngineExamination.Fitness] {
        let folder = "/tmp/gem5-trial-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { _ = try? FileManager.default.removeItem(atPath: folder) }
        let program = "\(folder)/it's gem5"
        try FileManager.default.copyItem(
            atPath: "\(root)/Tests/whole/EndToEndTests/Gem5/gem5-standin", toPath: program)
        let plan = #"{"recordings": "", "state": ""\#(more)}"#
        try Data(plan.utf8).write(to: URL(filePath: "\(folder)/standin.json"))
        let script = try #require(try EngineExamination.gem5.trial(program, Self.known, Repository()))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "say() { echo \"$1=$2\"; }\n\(script)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var facts = Self.known
        for line in said.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { facts[parts[0]] = parts[1] }
        }
        return EngineExamination.gem5.judge(facts)
    }

    @Test("KVM that gem5 can use")
    func works() throws {
        let findings = try findings(standIn: "")
        #expect(findings == [.fine("KVM was tried with gem5, and can be used for setups (system: {kvm: true})")])
    }

    @Test("What gem5 lacks is said, with what helps where that is known")
    func lacking() throws {
        let perf = try findings(standIn: #", "kvm": "PerfKvmCounter::attach failed (13)""#)
        #expect(perf == [
            .doubtful(
                "a setup with kvm: true fails on this host: gem5 cannot use this host's KVM: PerfKvmCounter::attach "
                    + "failed (13); performance events may be forbidden: sysctl kernel.perf_event_paranoid=1 allows "
                    + "them")
        ])
        let other = try findings(standIn: #", "kvm": "KVM: Failed to create VM""#)
        #expect(other == [
            .doubtful(
                "a setup with kvm: true fails on this host: gem5 cannot use this host's KVM: KVM: Failed to create VM")
        ])
    }

    @Test("Where there is nothing to try, nothing is tried")
    func nothing() throws {
        for fact in ["kvm", "gem5-x86"] {
            var facts = Self.known
            facts[fact] = nil
            #expect(try EngineExamination.gem5.trial("/gem5", facts, Repository()) == nil)
        }
        #expect(EngineExamination.gem5.judge(Self.known) == [
            .doubtful("KVM could not be tried with gem5: a setup with kvm: true may fail at once")
        ])
    }
}
