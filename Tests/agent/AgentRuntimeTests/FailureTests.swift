import Formats
import Foundation
import Model
import Testing

@Suite(.serialized) struct FailureTests {
    /// The processes whose numbers a run printed are there no more.
    private func expectDead(_ count: Int, _ report: AttemptReport, _ agent: Attached) throws {
        let pids = String(decoding: try agent.fetch(report, "stdout.txt"), as: UTF8.self)
            .split { $0 == "\n" || $0 == " " }.compactMap { Int32($0) }
        #expect(pids.count == count)
        for pid in pids { #expect(!Attached.isAlive(pid)) }
    }

    @Test func failsTwiceThenSucceeds() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let job = script("echo \"try $USWEEP_ATTEMPT\" >&2; [ $USWEEP_ATTEMPT -ge 6 ]")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job, attempts: 3, first: 4)])))
        let reports = try agent.outcomes(3)
        #expect(reports.map(\.id.attempt) == [4, 5, 6])
        #expect(reports.map(\.failure) == [.exitNonzero, .exitNonzero, nil])
        #expect(reports[0].evidence == "exit status 1; standard error ends with \"try 4\"")
    }

    @Test func classesOfEnds() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(slots: 2)
        let entries = [
            entry(1, script("kill -SEGV $$")),
            entry(2, Job(arguments: [.text("/nonexistent/simulator")])),
            entry(3, script("echo 'write: No space left on device' >&2; exit 1")),
            entry(4, script("sleep 1000", time: 200_000_000)),
            entry(5, script("exit 5")),
        ]
        try agent.send(.grant(Shard(lease: 1, entries: entries)))
        let reports = try agent.outcomes(5)
        #expect(reports.map(\.failure) == [.simulatorCrash, .spawn, .diskFull, .timeout, .exitNonzero])
        #expect(
            reports[1].evidence
                == "the program could not be started: there is no file /nonexistent/simulator on this host")
    }

    @Test func grandchildrenDoNotOutliveTheirAttempt() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let job = script("setsid sleep 1000 & echo $! ; (sleep 1001 & echo $!)")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let report = try agent.outcome()
        #expect(report.failure == nil)
        try expectDead(2, report, agent)
    }

    @Test("Daemons that hide whose they are end with their attempt, too")
    func hiddenDaemons() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(slots: 2)
        // A second run is under way, so that it is not clear from the number of runs whose they are.
        let gate = Gate(scratch)
        let daemons = script(
            """
            for i in 1 2 3 4 5; do
              env -i setsid sh -c 'sleep 1000 & echo $! $$; exec sleep 1000' &
            done
            while [ $(wc -w < stdout.txt) -lt 10 ]; do sleep 0.02; done
            """)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, gate.waits()), entry(2, daemons)])))
        let report = try agent.outcome()
        #expect(report.id.run == 2 && report.failure == nil, "\(report)")
        try expectDead(10, report, agent)
        gate.open()
        #expect(try agent.outcome().failure == nil)
    }

    @Test("A program that kills its parent loses itself alone, and that counts against it")
    func killsItsParent() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(slots: 2)
        let gate = Gate(scratch)
        let kills = script("echo $$; (setsid sleep 1000 & echo $!); kill -9 $PPID; sleep 1000")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, gate.waits()), entry(2, kills, attempts: 2)])))
        let reports = try agent.outcomes(2)
        #expect(reports.map(\.id.attempt) == [1, 2])
        #expect(reports.map(\.failure) == [.simulatorCrash, .simulatorCrash])
        #expect(reports[0].evidence.contains("kill PPID"), "\(reports[0].evidence)")
        try expectDead(2, reports[0], agent)
        gate.open()
        let other = try agent.outcome()
        #expect(other.id == AttemptID(run: 1, lease: 1, attempt: 1) && other.failure == nil, "\(other)")
    }

    @Test("What could not be started is named, and why")
    func namesWhatIsMissing() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        var job = Job(arguments: [.text("./prog.sh")])
        var entries: [Shard.Entry] = []
        let texts = ["#!/bin/sh\r\ntrue\n", "#!/opt/no/python9\ntrue\n", "#!/bin/sh\n", "#!/bin/sh\n"]
        for (index, text) in texts.enumerated() {
            let bytes = Array(text.utf8)
            agent.objects[SHA256.digest(bytes)] = bytes
            job.inputs = [
                Job.Input(
                    path: "prog.sh", digest: SHA256.digest(bytes), size: Int64(bytes.count), isExecutable: index != 2)
            ]
            job.arguments = [.text(index == 3 ? "prog.sh" : "./prog.sh")]
            entries.append(entry(index + 1, job))
        }
        entries.append(entry(5, Job(arguments: [.text("gem5-wrapper")])))
        try agent.send(.grant(Shard(lease: 1, entries: entries)))
        let start = "the program could not be started: "
        let evidence = try agent.outcomes(5).map { $0.evidence.replacing(start, with: "") }
        #expect(
            evidence == [
                "the lines of ./prog.sh end with a carriage return, as on Windows, so that its interpreter is not "
                    + "found: sed -i 's/\\r$//' ./prog.sh",
                "./prog.sh asks for the interpreter /opt/no/python9 in its first line, which is not on this host",
                "./prog.sh is not executable: chmod +x ./prog.sh",
                "there is no program prog.sh in the PATH of this host; for the run's own file write ./prog.sh",
                "there is no program gem5-wrapper in the PATH of this host",
            ])
    }

    /// A run of an executable file of its own, `./prog`.
    private func run(_ number: RunNumber, of bytes: [UInt8], _ agent: Attached) -> Shard.Entry {
        agent.objects[SHA256.digest(bytes)] = bytes
        let input = Job.Input(
            path: "prog", digest: SHA256.digest(bytes), size: Int64(bytes.count), isExecutable: true)
        return entry(number, Job(arguments: [.text("./prog")], inputs: [input]))
    }

    @Test("A script without a line for the system is run by /bin/sh, as shells do, with its name and arguments")
    func bareScript() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let bytes = Array("\ntest \"$0 $1\" = './prog a b'\n".utf8)
        agent.objects[SHA256.digest(bytes)] = bytes
        let input = Job.Input(
            path: "prog", digest: SHA256.digest(bytes), size: Int64(bytes.count), isExecutable: true)
        let job = Job(arguments: [.text("./prog"), .text("a b")], inputs: [input])
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let report = try agent.outcomes(1)[0]
        #expect(report.failure == nil, "\(report)")
    }

    @Test("What the system cannot execute, and what is not a script, is said for what it is")
    func cannotBeExecuted() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        // An ELF file of a machine that no host emulates (ia64, e_machine 50).
        var binary: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 121)
        (binary[16], binary[18], binary[20]) = (2, 50, 1)
        let contents: [[UInt8]] = [
            Array("#!/etc/passwd\n".utf8), Array("#!/etc\n".utf8), binary,
            [0xef, 0xbb, 0xbf] + Array("#!/bin/sh\ntrue\n".utf8), Array("true\n\0".utf8), [],
        ]
        let entries = contents.enumerated().map { run($0.offset + 1, of: $0.element, agent) }
        try agent.send(.grant(Shard(lease: 1, entries: entries)))
        let reports = try agent.outcomes(contents.count)
        let start = "the program could not be started: "
        let evidence = reports.map { $0.evidence.replacing(start, with: "") }
        #expect(reports.allSatisfy { $0.failure == .spawn }, "\(evidence)")
        let interpreter = "./prog asks for an interpreter in its first line that cannot be executed: "
        #expect(evidence[0] == interpreter + "/etc/passwd is not executable: chmod +x /etc/passwd")
        #expect(evidence[1] == interpreter + "/etc is a folder")
        #expect(evidence[2].hasPrefix("./prog is built for ia64, and this host is "), "\(evidence[2])")
        #expect(evidence[3].hasSuffix("see its first line: sed -i '1s/^\\xef\\xbb\\xbf//' ./prog"), "\(evidence[3])")
        #expect(evidence[4].hasPrefix("./prog is neither a binary nor a script: "), "\(evidence[4])")
        #expect(evidence[5] == "./prog is an empty file")
    }

    @Test("Line ends of Windows behind an interpreter that runs are named beside its words")
    func carriageReturnOfAnArgument() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let texts = ["#!/usr/bin/env sh\r\ntrue\n", "#!/bin/sh -\r\ntrue\n", "#!/bin/sh\nexit 9\n"]
        let entries = texts.enumerated().map { run($0.offset + 1, of: Array($0.element.utf8), agent) }
        try agent.send(.grant(Shard(lease: 1, entries: entries)))
        let reports = try agent.outcomes(texts.count)
        #expect(reports.allSatisfy { $0.failure == .exitNonzero })
        let mended = reports.map { $0.evidence.hasSuffix("its interpreter is not found: sed -i 's/\\r$//' ./prog") }
        #expect(mended == [true, true, false], "\(reports.map(\.evidence))")
    }

    @Test("A program is looked for in the PATH that the run itself gets")
    func ownPath() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let folder = "\(scratch.path)/tools"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        #expect(
            FileManager.default.createFile(
                atPath: "\(folder)/own-tool", contents: Data("#!/bin/sh\nexit 7\n".utf8),
                attributes: [.posixPermissions: 0o755]))
        let job = Job(
            arguments: [.text("own-tool")], environment: [EnvironmentVariable("PATH", "/nowhere:\(folder):/bin")])
        var other = job
        other.arguments = [.text("no-tool")]
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job), entry(2, other)])))
        let reports = try agent.outcomes(2)
        #expect(reports[0].failure == .exitNonzero && reports[0].evidence.hasPrefix("exit status 7"), "\(reports[0])")
        #expect(
            reports[1].evidence
                == "the program could not be started: there is no program no-tool in the PATH of this run (env)")
    }

    @Test("A setup that fails refuses the host once, with its words, and starts nothing")
    func failingSetup() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        #expect(throws: Attached.Ended.self) { try agent.hello(setup: "echo no such module >&2; false") }
        guard case .refused(let reason)? = agent.seen.last else { return #expect(agent.seen.isEmpty == false) }
        #expect(
            reason == "the host's setup (key setup of the inventory) ends with status 1; its output ends with "
                + "\"no such module\"")
        let other = try Attached(scratch.path)
        try other.hello(setup: "export A=1")
        try other.send(.grant(Shard(lease: 1, entries: [entry(1, script("[ $A = 1 ]"))])))
        #expect(try other.outcome().failure == nil)
    }

    @Test("A setup that ends the shell would let no run begin: it refuses the host", arguments: [
        "exit 0", "exec true", "return 0", "true; exit",
    ])
    func setupThatEndsTheShell(_ setup: String) throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        #expect(throws: Attached.Ended.self) { try agent.hello(setup: setup) }
        guard case .refused(let reason)? = agent.seen.last else { return #expect(agent.seen.isEmpty == false) }
        #expect(reason.contains("ends the shell, so that no run would begin"), "\(reason)")
    }

    @Test("Wherever a setup goes, a run starts in its own folder")
    func setupThatGoesElsewhere() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(setup: "cd / && export A=1")
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, script("echo $A > mine"))])))
        let report = try agent.outcome()
        #expect(report.failure == nil && report.artifacts.contains { $0.path == "mine" }, "\(report)")
    }

    @Test("A setup that fails later starts no program")
    func setupThatFailsLater() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(setup: "[ ! -e '\(scratch.path)/broken' ]")
        _ = FileManager.default.createFile(atPath: "\(scratch.path)/broken", contents: nil)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, script("echo ran"))])))
        let report = try agent.outcome()
        #expect(report.failure == .spawn)
        #expect(
            report.evidence.hasPrefix("it was not started, since the setup of this host failed"), "\(report.evidence)")
    }

    @Test func killedAgentTakesUpWhatRuns() throws {
        let scratch = try Scratch()
        var agent = try Attached(scratch.path)
        try agent.hello()
        // The run waits for a file, so that it ends only after the agent was killed.
        let gate = Gate(scratch)
        let job = gate.waits("mkfifo fifo; echo $$ > pid; ")
        try agent.send(.grant(Shard(lease: 3, entries: [entry(9, job)])))
        try agent.started(9)
        for pid in try Attached.processes("serve", scratch.path) { kill(pid, SIGKILL) }
        #expect(throws: Attached.Ended.self) { while true { _ = try agent.next() } }
        gate.open()
        agent = try Attached(scratch.path)
        let hello = try agent.hello()
        #expect(hello.leases == [HeldLease(lease: 3, runs: [9])])
        let report = try agent.outcome()
        #expect(report.id == AttemptID(run: 9, lease: 3, attempt: 1))
        #expect(report.failure == nil)
        #expect(report.artifacts.map(\.path) == ["pid", "stderr.txt", "stdout.txt"])
        try agent.acknowledge([report])
        try agent.send(.grant(Shard(lease: 3, entries: [entry(9, job), entry(10, script("true"))])))
        #expect(try agent.outcome().id.run == 10)
    }

    @Test func killedSupervisorLosesWhatRan() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, script("sleep 1000")), entry(2, script("true"))])))
        try agent.started(1)
        for pid in try Attached.processes("supervise", scratch.path) { kill(pid, SIGKILL) }
        let reports = try agent.outcomes(2)
        #expect(reports.map(\.failure) == [.supervisorLost, nil])
    }

    @Test func cancelAndRevoke() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        try agent.send(
            .grant(Shard(lease: 1, entries: [entry(1, script("sleep 1000")), entry(2, script("sleep 1000"))])))
        try agent.send(.grant(Shard(lease: 2, entries: [entry(3, script("sleep 1000"))])))
        try agent.started(1)
        try agent.send(.revoke([2]))
        try agent.send(.cancel([1, 2]))
        #expect(try agent.outcomes(2).map(\.failure) == [.cancelled, .cancelled])
        try agent.send(.grant(Shard(lease: 4, entries: [entry(4, script("true"))])))
        #expect(try agent.outcome().id.run == 4)
    }

    @Test func malformedFrameDropsTheConnectionAlone() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        try agent.send(bytes: [UInt8](repeating: 0xff, count: 64))
        #expect(throws: Attached.Ended.self) { while true { _ = try agent.next() } }
        let second = try Attached(scratch.path)
        try second.hello()
        try second.send(.grant(Shard(lease: 1, entries: [entry(1, script("true"))])))
        #expect(try second.outcome().failure == nil)
    }
}
