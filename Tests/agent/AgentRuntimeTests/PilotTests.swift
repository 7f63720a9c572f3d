import Foundation
import Formats
import Glibc
import Model
import Testing
@testable import AgentRuntime

/// A real `usweep-agent pilot`, as a job's script starts it.
@Suite(.serialized) struct PilotTests {
    private let scratch: Scratch
    private let process = Process()

    init() throws {
        scratch = try Scratch()
        process.executableURL = URL(filePath: Attached.program)
        process.arguments = ["pilot", "--workdir", scratch.path]
        process.environment = ["PATH": "/usr/bin:/bin", "USWEEP_PILOT": "77", "SLURM_CPUS_ON_NODE": "1"]
    }

    private func attach() throws -> (Attached, AgentHello) {
        let attached = try Attached(scratch.path, waits: true)
        return (attached, try attached.hello(slots: nil))
    }

    private func grant(_ attached: Attached, _ run: RunNumber, _ text: String) throws {
        let entry = Shard.Entry(run: run, firstAttempt: 1, attempts: 1, job: script(text))
        try attached.send(.grant(Shard(lease: run, entries: [entry])))
        try attached.send(.heartbeat)
    }

    /// Reads until the stream ends.
    private func outcomesToTheEnd(_ attached: Attached) -> [AttemptReport] {
        var outcomes: [AttemptReport] = []
        while let message = try? attached.next() {
            if case .outcome(let report) = message { outcomes.append(report) }
        }
        return outcomes
    }

    @Test("It is found by who waits for it, and says which job it is and what it was given")
    func waits() throws {
        let early = try Attached(scratch.path, waits: true)
        try process.run()
        let hello = try early.hello(slots: nil)
        #expect(hello.bootID.hasSuffix(" job 77"))
        #expect(hello.slots == 1)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("What a job leaves on its node goes with it, but for what another job's agent is at work in")
    func clears() throws {
        let root = "\(scratch.path)/node"
        let workdir = Workdir(root: root, sockets: root, named: "\(scratch.path)/home")
        try FileManager.default.createDirectory(atPath: workdir.attempts, withIntermediateDirectories: true)
        let isThere = { FileManager.default.fileExists(atPath: workdir.attempts) }
        AgentProgram.clear(workdir, after: Failure.Code.heldElsewhere.exitStatus)
        #expect(isThere())
        AgentProgram.clear(workdir, after: 0)
        #expect(!isThere())
    }

    @Test("A second job that lands in the folder of one that runs ends, and says that it is held")
    func twice() throws {
        try process.run()
        let (attached, _) = try attach()
        let second = Process()
        second.executableURL = process.executableURL
        second.arguments = process.arguments
        second.environment = process.environment
        try second.run()
        second.waitUntilExit()
        #expect(second.terminationStatus == Failure.Code.heldElsewhere.exitStatus)
        try grant(attached, 1, "echo 1 > result")
        while true { if case .outcome(let report) = try attached.next(), report.failure == nil { break } }
        process.terminate()
        _ = outcomesToTheEnd(attached)
        process.waitUntilExit()
    }

    @Test("SIGTERM ends what runs, and that is told as no failure of the run")
    func ends() throws {
        try process.run()
        let (attached, _) = try attach()
        try grant(attached, 1, "echo $$ > \(scratch.path)/pid; exec sleep 1000")
        while true { if case .started = try attached.next() { break } }
        process.terminate()
        #expect(outcomesToTheEnd(attached).isEmpty)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try Attached.pids(inFolder: scratch.path).isEmpty)
    }

    @Test("What had ended before SIGTERM is handed over first")
    func handsOver() throws {
        try process.run()
        let (attached, _) = try attach()
        try grant(attached, 1, "echo 1 > result")
        var id: AttemptID?
        while id == nil { if case .outcome(let report) = try attached.next() { id = report.id } }
        try grant(attached, 2, "echo $$ > \(scratch.path)/pid; exec sleep 1000")
        while true { if case .started(let ids) = try attached.next(), ids.contains(where: { $0.run == 2 }) { break } }
        process.terminate()
        // It goes on answering: its end waits for the acknowledgement.
        let digest = SHA256.digest("1\n")
        for _ in 0..<5_000 {
            try attached.send(.read(ObjectRange(digest: digest, offset: 0, length: 2)))
            while true { if case .bytes(let piece) = try attached.next(), piece.digest == digest { break } }
        }
        // What still runs is Slurm's to end meanwhile.
        let pid = try #require(try Attached.number(in: scratch.path + "/pid"))
        #expect(Attached.isAlive(pid))
        try attached.send(.acknowledge([try #require(id)]))
        #expect(outcomesToTheEnd(attached).isEmpty)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("What Slurm gave the job, by its variables", arguments: [
        (["USWEEP_PILOT": "7", "SLURM_CPUS_ON_NODE": "4", "SLURM_MEM_PER_NODE": "2048"], 4, 2 << 30),
        (["USWEEP_PILOT": "7", "SLURM_CPUS_ON_NODE": "4", "SLURM_MEM_PER_CPU": "512"], 4, 2 << 30),
        (["USWEEP_PILOT": "7", "SLURM_CPUS_ON_NODE": "x", "SLURM_MEM_PER_CPU": "512"], nil, nil),
        (["USWEEP_PILOT": "7", "SLURM_CPUS_ON_NODE": "0", "SLURM_MEM_PER_NODE": "0"], nil, nil),
        (["USWEEP_PILOT": "7", "SLURM_CPUS_ON_NODE": "9", "SLURM_MEM_PER_CPU": "9223372036854775807"], 9, nil),
    ] as [([String: String], Int?, Int64?)])
    func given(_ variables: [String: String], _ processors: Int?, _ memory: Int64?) throws {
        let job = try #require(PilotJob { variables[$0] })
        #expect(job.number == "7")
        #expect(job.processors == processors)
        #expect(job.memoryBytes == memory)
        #expect(PilotJob { $0 == "SLURM_JOB_ID" ? "7" : nil } == nil)
    }
}
