import Foundation
import TestKit
import Testing

/// Real program, real static agent, real sshd.
@Suite("End to end over SSH", .serialized)
struct EndToEndTests {
    private static let simple = """
        sweep: simple
        engine: command
        command: [/bin/sh, -c, 'echo "{\\"value\\": $((USWEEP_X * USWEEP_X))}" > results.json']
        axes: {x: [1, 2, 3, 4, 5, 6]}
        results: results.json
        metrics: [value]

        """

    /// Runs that say that they began, then wait for the file `go`.
    static func waiting(_ folder: String, values: Int = 4) -> String {
        """
        sweep: waiting
        engine: command
        command: [/bin/sh, -c, 'touch \(folder)/began-$USWEEP_X-$USWEEP_ATTEMPT; \
        while [ ! -e \(folder)/go ]; do sleep 0.05; done; echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [\((1...values).map(String.init).joined(separator: ", "))]}
        results: results.json
        metrics: [value]

        """
    }

    @Test("Two hosts, merged table, pulled artifacts; launching again does nothing")
    func whole() throws {
        let study = try Study()
        let launched = try study.launch(Self.simple)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("value") == ["1", "4", "9", "16", "25", "36"])
        let before = try study.table()
        #expect(try study.launch(Self.simple).status == 0)
        #expect(try study.table() == before)
        #expect(try study.column("attempts", of: "runs") == Array(repeating: "1", count: 6))
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        #expect(study.text("pulled/3-x=3/results.json") == "{\"value\": 9}\n")
        #expect(study.text("pulled/3-x=3/point.json").contains("\"3\""))
        let large = try study.run("results", "--where", "value>9", "--where", "x=4,5", "--columns", "run,value")
        let cells = large.output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(cells == [["run", "value"], ["4", "16"], ["5", "25"]])
        #expect(try study.run("results").output.hasPrefix("run  point "))
        let none = try study.run("results", "--where", "x=7")
        #expect(none.status == 64 && none.errors.contains("x has no value '7'; there are 1, 2, 3, 4, 5 and 6"))
        let few = try study.run("results", "--where", "x=1", "--where", "value>9")
        #expect(few.status == 0 && few.errors == "no run matches: --where 'x=1' --where 'value>9'\n")
        let twice = try study.run("results", "--format", "csv", "--to", "a.csv", "--to=b.csv")
        #expect(twice.status == 64 && twice.errors.contains("--to takes one value, and is given twice"))
        #expect(try study.run("results", "--where", "y=7").errors.contains("there are: x, value, workload"))
        #expect(try study.run("status", "--output", "json").output.contains("\"outcome\":\"succeeded\""))
        #expect(try study.run("logs", "2").status == 0)
        #expect(try study.run("doctor", "--ledger").status == 0)
        #expect(try study.run("results", "--format", "sqlite", "--to", "all.sqlite").status == 0)
        let header = try Data(contentsOf: URL(fileURLWithPath: "\(study.folder)/all.sqlite")).prefix(15)
        #expect(String(decoding: header, as: UTF8.self) == "SQLite format 3")
        #expect(try study.run("results", "--format", "sqlite").status == 64)
    }

    @Test("A host that is down from the start")
    func hostDown() throws {
        let study = try Study()
        study.cut(1)
        let launched = try study.launch(Self.simple)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try Set(study.column("host", of: "runs")) == ["h0"])
    }

    @Test("A host that dies with its agent in the middle: complete, each point once")
    func hostDies() throws {
        let study = try Study()
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let running = try study.start(
            ["launch", "sweep.yaml", "-i", "inventory.yaml"], environment: ["USWEEP_LEASE_SECONDS": "3"])
        #expect(study.eventually { (1...4).allSatisfy { study.exists("began-\($0)-1") } })
        study.cut(1)
        try study.write("go", "")
        let ended = running.wait()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try study.column("value") == ["1", "2", "3", "4"])
        #expect(try Set(study.column("host", of: "runs")) == ["h0"])
    }

    @Test("Exit 1 twice, then success: three attempts, one result")
    func retries() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            """
            sweep: retry
            engine: command
            command: [/bin/sh, -c, 'test $USWEEP_ATTEMPT -ge 3 || exit 1; echo "{\\"value\\": 7}" > results.json']
            axes: {x: [1]}
            results: results.json
            metrics: [value]

            """)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("value") == ["7"])
        #expect(try study.column("attempts", of: "runs") == ["3"])
        #expect(try study.run("logs", "1").output.contains("attempt 2 on h0"))
    }

    @Test("A run that never ends: class timeout, exit 3, the rest merged")
    func timeouts() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            """
            sweep: endless
            engine: command
            command: [/bin/sh, -c, 'test $USWEEP_X = 1 || while :; do sleep 1; done; \
            echo "{\\"value\\": 1}" > results.json']
            axes: {x: [1, 2]}
            results: results.json
            metrics: [value]
            limits: {time: 2s}

            """)
        #expect(launched.status == 3)
        #expect(try study.column("class") == ["", "timeout"])
        #expect(try study.column("outcome") == ["succeeded", "failed"])
    }

    @Test("A run that makes no progress: class stalled-simulator, exit 3, the rest merged")
    func stalls() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            """
            sweep: stalled
            engine: command
            command: [/bin/sh, -c, 'echo "point $USWEEP_X"; test $USWEEP_X = 1 || exec sleep infinity; \
            echo "{\\"value\\": 1}" > results.json']
            axes: {x: [1, 2]}
            results: results.json
            metrics: [value]
            limits: {stall: 1s}
            retry: {attempts: 2}

            """)
        #expect(launched.status == 3, "\(launched.errors)")
        #expect(try study.column("class") == ["", "stalled-simulator"])
        #expect(try study.column("outcome") == ["succeeded", "failed"])
        #expect(try study.column("value") == ["1", ""])
        #expect(try study.column("attempts", of: "runs") == ["1", "2"])
        let logs = try study.run("logs", "2").output
        #expect(logs.contains("none of its files changed for 1 s (limits: stall)"), "\(logs)")
        #expect(try study.run("logs", "2", "--file", "stdout.txt").output == "point 2\n")
    }

    @Test("Exit 0 without evidence is quarantined, never merged")
    func quarantine() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launchWithScripts(
            """
            sweep: evidence
            engine: command
            command: [/bin/sh, '{x}.sh']
            inputs: [none.sh, torn.sh, nan.sh, lacking.sh, good.sh]
            axes: {x: [none, torn, nan, lacking, good]}
            results: results.json
            metrics: [value]

            """)
        #expect(launched.status == 3)
        let bad = Array(repeating: "quarantined", count: 4)
        #expect(try study.column("outcome") == bad + ["succeeded"])
        #expect(try study.column("value") == ["", "", "", "", "5"])
    }

    @Test("Hostile values are text")
    func hostile() throws {
        let study = try Study(hosts: 1)
        let launched = try study.launch(
            """
            sweep: hostile
            engine: command
            command: [/bin/sh, -c, 'test "$1" = "$USWEEP_X" && echo "{\\"value\\": ${#1}}" > results.json', sh, '{x}']
            axes: {x: ["$(touch \(study.folder)/x); 'a b'", "a,\\"b\\""]}
            results: results.json
            metrics: [value]

            """)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(!study.exists("x"))
        #expect(try study.table().contains("$(touch \(study.folder)/x); 'a b'"))
        #expect(try study.table().contains("\"a,\"\"b\"\"\""))
    }

    @Test("A full disk: class disk-full, success elsewhere", .enabled(if: getuid() == 0, "needs root for a tmpfs"))
    func diskFull() throws {
        let study = try Study(hosts: 2, slots: 1)
        try study.limitDisk(of: 0, megabytes: 24)
        // Nobody is done before the small disk was tried.
        let launched = try study.launch(
            """
            sweep: large
            engine: command
            command: [/bin/sh, -c, 'head -c 40000000 /dev/zero > big || { touch \(study.folder)/full; exit 1; }; \
            while [ ! -e \(study.folder)/full ]; do sleep 0.05; done; rm big; \
            echo "{\\"value\\": 1}" > results.json']
            axes: {x: [1, 2, 3]}
            results: results.json
            metrics: [value]

            """)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(launched.errors.contains("disk-full"))
        #expect(try Set(study.column("host", of: "runs")) == ["h1"])
    }

    @Test("The coordinator is killed: launched again, it ends with the bytes of an undisturbed sweep")
    func coordinatorDies() throws {
        let study = try Study()
        try study.write("sweep.yaml", Self.waiting(study.folder, values: 8))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { (1...4).allSatisfy { study.exists("began-\($0)-1") } })
        running.signal(SIGKILL)
        _ = running.wait()
        try study.write("go", "")
        let resumed = try study.run("resume")
        #expect(resumed.status == 0, "\(resumed.errors)")
        let disturbed = try study.table()
        #expect(!study.exists("began-1-2"), "a run that still ran was adopted, not started again")
        let calm = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new")
        #expect(calm.status == 0, "\(calm.errors)")
        #expect(try study.table() == disturbed)
    }

    @Test("Ctrl-C leaves what runs, says how to go on, and exits 130")
    func interrupted() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-1-1") && study.exists("began-2-1") })
        running.signal(SIGINT)
        let ended = running.wait()
        #expect(ended.status == 130)
        #expect(ended.errors.contains("usweep resume"))
        try study.write("go", "")
        #expect(try study.run("resume").status == 0)
    }

    @Test("Launches of one new sweep at the same moment make one sweep; the others are told who works on it")
    func together() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let launches = try (0..<3).map { _ in try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"]) }
        #expect(study.eventually { study.exists("began-1-1") && study.exists("began-2-1") })
        try study.write("go", "")
        let ended = launches.map { $0.wait() }
        #expect(ended.map { $0.status ?? -1 }.sorted() == [0, 75, 75], "\(ended.map(\.errors))")
        #expect(ended.filter { $0.status == 75 }.allSatisfy { $0.errors.contains("another coordinator") })
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(study.folder)/artifacts")
        #expect(left.filter { $0.hasPrefix("waiting-") }.count == 1, "\(left)")
        #expect(!left.contains { $0.hasSuffix(".lock") }, "\(left)")
    }

    @Test("Cancelled from another process; runs end on their hosts")
    func cancelled() throws {
        let study = try Study(hosts: 1)
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-1-1") && study.exists("began-2-1") })
        #expect(try study.run("cancel").status == 0)
        #expect(running.wait().status == 3)
        #expect(try study.column("outcome") == Array(repeating: "cancelled", count: 4))
    }

    @Test("Exit statuses of wrong input")
    func statuses() throws {
        let study = try Study(hosts: 1)
        #expect(try study.run("launch").status == 64)
        #expect(try study.run("launch", "nowhere.yaml", "-i", "inventory.yaml").status == 66)
        let wrong = try study.launch(Self.simple.replacingOccurrences(of: "metrics", with: "metrix"))
        #expect(wrong.status == 65)
        #expect(wrong.errors.contains("sweep.yaml:6:1") && wrong.errors.contains("metrics"))
        try study.write("file", "")
        try study.write("sweep.yaml", Self.simple)
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--artifacts", "file/in").status == 74)
        try "".write(toFile: study.hosts[0].knownHostsFile, atomically: true, encoding: .utf8)
        let stranger = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new")
        #expect(stranger.status == 75)
        #expect(stranger.errors.contains("SHA256:"))
        #expect(try study.run("--generate-completion-script", "bash").output.contains("usweep"))
    }

    @Test("Every record is on the disk before its acknowledgement leaves")
    func durability() throws {
        let study = try Study(hosts: 1, slots: 1)
        try study.write("sweep.yaml", Self.simple)
        let calls = "trace=fdatasync,pwrite64,sendto,write"
        let tracer = ["strace", "-f", "-y", "-s", "0", "-e", calls, "-o", "trace.txt"]
        let ended = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"], under: tracer).wait()
        #expect(ended.status == 0, "\(ended.errors)")
        // The thread that commits is the one that hands messages to the transport, by a byte that wakes it: between
        // its writes to the ledger's log and their sync it must wake nobody. (What GRDB writes while it sets the log
        // up, with one sync for its header, holds no record.)
        let lines = study.text("trace.txt").split(separator: "\n")
        let thread = try #require(lines.first { $0.contains("ledger.sqlite-wal") }?.split(separator: " ").first)
        var (isDirty, syncs, wakes) = (false, 0, 0)
        for line in lines where line.split(separator: " ").first == thread {
            if line.contains("ledger.sqlite") {
                if line.contains("-wal"), line.contains("pwrite64(") { isDirty = true }
                if line.contains("-wal"), line.contains("fdatasync(") { (isDirty, syncs) = (false, syncs + 1) }
            } else if line.contains("<socket:") || line.contains("<pipe:") || line.contains("eventfd") {
                wakes += syncs > 1 ? 1 : 0
                #expect(syncs < 2 || !isDirty, "\(line)")
            }
        }
        #expect(wakes >= 3)
        #expect(syncs >= 3)
    }
}

extension Study {
    /// A sweep with one script an ending that only the run contract can tell from success.
    func launchWithScripts(_ sweep: String) throws -> Ended {
        try write("none.sh", "exit 0\n")
        try write("torn.sh", "printf '{\"value\": 5' > results.json\n")
        try write("nan.sh", "echo '{\"value\": \"NaN\"}' > results.json\n")
        try write("lacking.sh", "echo '[{\"value\": 5}, {\"other\": 5}]' > results.json\n")
        try write("good.sh", "echo '{\"value\": 5}' > results.json\n")
        return try launch(sweep)
    }
}
