import Formats
import Foundation
import Glibc
import Model
import Ports
import Storage
import TestKit
import Testing
@testable import AgentRuntime

@Suite("Connections by files on a shared folder") struct SpoolTests {
    private let scratch: Scratch
    private let folder: String

    init() throws {
        scratch = try Scratch()
        folder = "\(scratch.path)/spool/77-1"
    }

    @Test("Pieces arrive whole, in their order, and are gone then")
    func pieces() throws {
        var login = try SpoolEnd(folder, .login)
        var job = try SpoolEnd(folder, .job)
        for number in 1...12 { try login.write(Array("piece \(number)".utf8)) }
        try job.write([1])
        for number in 1...12 { #expect(try job.read() == Array("piece \(number)".utf8)) }
        #expect(try job.read() == nil)
        #expect(try login.read() == [1])
        #expect(try login.isTaken())
        #expect(!job.hasEnded)
        try login.write([])
        #expect(try job.read() == nil)
        #expect(job.hasEnded)
        #expect(try LocalFiles().list("\(folder)/down").isEmpty)
        try login.write([1])
        #expect(try login.isTaken(), "nothing follows the last piece")
    }

    @Test("What was not renamed yet is not read, and links are not followed")
    func halves() throws {
        var job = try SpoolEnd(folder, .job)
        let down = "\(folder)/down"
        try "half".write(toFile: "\(down)/1.part", atomically: false, encoding: .utf8)
        #expect(try job.read() == nil)
        try FileManager.default.createSymbolicLink(atPath: "\(down)/1", withDestinationPath: "/etc/passwd")
        #expect(try job.read() == nil)
    }

    @Test("A writer is ahead by so many pieces only")
    func room() throws {
        var login = try SpoolEnd(folder, .login)
        var job = try SpoolEnd(folder, .job)
        var count = 0
        while try login.hasRoom() {
            try login.write([7])
            count += 1
        }
        #expect(count == SpoolEnd.mostUnread)
        _ = try job.read()
        #expect(try login.hasRoom())
    }

    private func job() throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: Attached.program)
        process.arguments = ["spool", "--workdir", scratch.path]
        process.environment = ["PATH": "/usr/bin:/bin", "USWEEP_PILOT": "77"]
        try process.run()
        return process
    }

    private func bridge() throws -> Attached {
        try Attached(SpoolEnd.fresh(toJob: "77", of: scratch.path), verb: "bridge")
    }

    @Test("The agent of a job is reached, gets runs and objects, and tells what came of them; so does who comes later")
    func reaches() throws {
        // What was opened to an earlier job of this pilot.
        _ = try SpoolEnd("\(scratch.path)/spool/76-1", .login)
        let early = try bridge()
        let process = try job()
        #expect(try early.hello(slots: nil).bootID.hasSuffix(" job 77"))
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let digest = SHA256.digest(bytes)
        early.objects[digest] = bytes
        var job = script("cksum < input > result")
        job.inputs = [Job.Input(path: "input", digest: digest, size: Int64(bytes.count))]
        let entry = Shard.Entry(run: 1, firstAttempt: 1, attempts: 1, job: job)
        try early.send(.grant(Shard(lease: 1, entries: [entry])))
        try early.send(.heartbeat)
        var outcome: AttemptReport?
        while outcome == nil { if case .outcome(let report) = try early.next() { outcome = report } }
        #expect(outcome?.failure == nil)
        early.close()
        let later = try bridge()
        #expect(try later.hello(slots: nil).bootID.hasSuffix(" job 77"))
        process.terminate()
        while (try? later.next()) != nil {}
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try LocalFiles().list("\(scratch.path)/spool").map(\.name) == ["format"])
        #expect(try String(contentsOfFile: "\(scratch.path)/spool/format", encoding: .utf8) == "usweep spool 1\n")
    }

    @Test("A job of before there were versions is spoken with, one of a newer program is not, and nothing is written")
    func versions() throws {
        let files = LocalFiles()
        #expect(try SpoolEnd.isKnown(to: folder, files), "no job has made the folder yet")
        try files.ensureFolders("\(scratch.path)/spool")
        #expect(try SpoolEnd.isKnown(to: folder, files))
        try SpoolEnd.sayVersion(in: "\(scratch.path)/spool", files)
        #expect(try SpoolEnd.isKnown(to: folder, files))
        try "usweep spool 2\n".write(toFile: "\(scratch.path)/spool/format", atomically: true, encoding: .utf8)
        #expect(try !SpoolEnd.isKnown(to: folder, files))
        #expect(SpoolBridge.run(folder) == 1)
        #expect(try files.list("\(scratch.path)/spool").map(\.name) == ["format"])
        #expect(try FormatsPage.version(of: "spool of a Slurm job") == 1)
        #expect(try FormatsPage.version(of: "agent's journal") == Int(AgentJournal.major))
        #expect(try FormatsPage.version(of: "supervisor's journal") == Int(AgentJournal.major))
    }

    @Test("A job ends when its agent does, also if the login node does not take its last words")
    func ends() throws {
        let process = try job()
        let attached = try bridge()
        _ = try attached.hello(slots: nil)
        let agent = try #require(try Attached.processes("pilot", scratch.path).first)
        kill(agent, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + SIGKILL)
    }
}
