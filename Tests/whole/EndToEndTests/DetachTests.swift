import Foundation
import TestKit
import Testing

/// Coordinators that nobody waits for.
@Suite("Detached coordinators", .serialized)
struct DetachTests {
    /// Runs that say that they began, then wait for the file `go`, and succeed unless there is a file `fail`.
    private static func waiting(_ folder: String) -> String {
        """
        sweep: detached
        engine: command
        command: [/bin/sh, -c, 'touch \(folder)/began-$USWEEP_X; while [ ! -e \(folder)/go ]; do sleep 0.05; done; \
        test ! -e \(folder)/fail && echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [1, 2, 3]}
        results: results.json
        retry: {attempts: 1}

        """
    }

    private static func pid(_ study: Study) throws -> pid_t {
        let status = try study.run("status", "--output", "json").output
        return try #require(status.firstMatch(of: /"pid":([0-9]+)/).flatMap { pid_t($0.1) })
    }

    @Test("It outlives the terminal that it was launched from; follow shows it and ends as it does")
    func hangup() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        // script(1) gives the launch a terminal of its own.
        let launch = "\(Study.program) launch \(study.folder)/sweep.yaml -i inventory.yaml --detach > id.txt && "
            + "echo $$ > shell && exec sleep 600"
        let terminal = try study.start(["-qec", launch, "/dev/null"], program: "script")
        #expect(study.eventually { !study.text("shell").isEmpty && study.exists("began-1") })
        let shell = try #require(pid_t(study.text("shell").dropLast()))
        let identifier = String(study.text("id.txt").dropLast())
        #expect(identifier.count == 8)
        terminal.signal(SIGKILL)
        _ = terminal.wait()
        #expect(study.eventually { !Study.isAlive(shell) }, "what was left in the terminal got its hangup")
        let pid = try Self.pid(study)
        #expect(Study.isAlive(pid))

        let second = try study.run("resume", identifier)
        #expect(second.status == 75)
        #expect(second.errors.contains("pid \(pid) on "))
        let follower = try study.start(["follow", identifier, "--output", "json"])
        #expect(study.eventually { study.text("\(follower.name).out").contains("\"begin\"") })
        try study.write("go", "")
        let followed = follower.wait()
        #expect(followed.status == 0, "\(followed.errors)")
        let lines = followed.output.split(separator: "\n")
        #expect(lines.count { $0.contains(#""event":"run""#) && $0.contains("succeeded") } == 3, "\(followed.output)")
        #expect(lines.allSatisfy { $0.hasPrefix("{\"version\":1,") })
        #expect(try study.run("follow").status == 0, "also when it is over")
        #expect(try study.column("value") == ["1", "2", "3"])
    }

    @Test("A coordinator that is killed: follow says so, resume goes on in the background, failures are exit 3")
    func killed() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let launched = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--detach", "--output", "json")
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(study.eventually { study.exists("began-1") && study.exists("began-2") })
        let follower = try study.start(["follow"])
        #expect(study.eventually { study.text("\(follower.name).err").contains("following") })
        let first = try Self.pid(study)
        kill(first, SIGKILL)
        let ended = follower.wait()
        #expect(ended.status == 130)
        #expect(ended.errors.contains("pid \(first)") && ended.errors.contains("usweep resume"))
        #expect(try study.run("status").output.contains("was killed"))
        #expect(try study.run("resume", "--detach").status == 0)
        #expect(try Self.pid(study) != first)
        // Ending the one who watches touches nothing.
        let watcher = try study.start(["follow"])
        #expect(study.eventually { study.text("\(watcher.name).err").contains("following") })
        watcher.signal(SIGINT)
        _ = watcher.wait()
        try study.write("fail", "")
        try study.write("go", "")
        #expect(try study.run("follow").status == 3)
        #expect(try study.column("outcome") == ["failed", "failed", "failed"])
    }

    @Test("The output of a run that is going is fetched through its coordinator")
    func logs() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder).replacingOccurrences(
            of: "touch ", with: "echo so far so good; echo oh >&2; touch "))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--detach").status == 0)
        #expect(study.eventually { study.exists("began-1") && study.exists("began-2") })
        let shown = try study.run("logs", "1")
        #expect(shown.status == 0, "\(shown.errors)")
        #expect(shown.output.contains("stdout.txt (so far)\nso far so good\n"), "\(shown.output)")
        #expect(shown.output.contains("stderr.txt (so far)\noh\n"))
        #expect(try study.run("logs", "1", "--file", "stdout.txt").output == "so far so good\n")
        #expect(try study.run("logs", "1", "--file", "none.txt").status == 66)
        let pid = try Self.pid(study)
        kill(pid, SIGKILL)
        #expect(study.eventually { !Study.isAlive(pid) })
        let alone = try study.run("logs", "1")
        #expect(alone.status == 66 && alone.errors.contains("attempts/detached-"), "\(alone.errors)")
    }

    @Test("One that is asked before its loop begins, with its ledger open, lives, and does what it was asked")
    func early() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        // The first name that it changes is that of the list of sweeps, between ledger and loop. There it stops.
        let tracer = ["strace", "-e", "trace=rename", "-e", "inject=rename:signal=SIGSTOP:when=1", "-o", "trace.txt"]
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"], under: tracer)
        #expect(study.eventually { study.text("trace.txt").contains("stopped by SIGSTOP") })
        let pid = try Self.pid(study)
        let asked = try study.run("cancel")
        #expect(asked.status == 0, "\(asked.errors)")
        kill(pid, SIGCONT)
        let ended = running.wait()
        #expect(ended.status == 3, "\(ended.errors)")
        #expect(ended.errors.contains("stopping: cancelled by 'usweep cancel'"), "\(ended.errors)")
        #expect(try study.column("outcome") == ["cancelled", "cancelled", "cancelled"])
    }

    @Test("What cannot begin is refused while somebody listens")
    func refused() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let wrong = try study.run(
            "launch", "sweep.yaml", "-i", "inventory.yaml", "--detach", environment: ["USWEEP_AGENT": "/nowhere"])
        #expect(wrong.status == 66)
        #expect(wrong.errors.contains("/nowhere"))
    }

    @Test("Ctrl-C twice cancels what runs")
    func twice() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-1") && study.exists("began-2") })
        // Again and again: the second one counts for three seconds only, and this machine may be slow.
        #expect(
            study.eventually {
                running.signal(SIGINT)
                return study.text("\(running.name).err").contains("stopping: ")
            })
        let ended = running.wait()
        #expect(ended.status == 130)
        #expect(try study.column("outcome") == ["cancelled", "cancelled", "cancelled"], "\(ended.errors)")
    }
}
