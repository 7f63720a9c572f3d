import Formats
import Foundation
import Model
import Testing

/// A real `usweep-agent gateway` whose PATH has stand-ins for Slurm's commands.
@Suite("A gateway and Slurm's commands")
struct GatewayTests {
    /// The coordinator's end.
    private final class Gateway {
        private let process = Process()
        private let input = Pipe()
        private let output = Pipe()
        private var reader = FrameReader()
        let scratch: Scratch
        let log: String

        struct Ended: Error {}

        /// - Parameter commands: scripts of /bin/sh by their names; `$LOG` is a file that they may write to.
        init(_ commands: [String: String]) throws {
            signal(SIGPIPE, SIG_IGN)
            scratch = try Scratch()
            let bin = scratch.path + "/path"
            log = scratch.path + "/log"
            try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
            for (name, script) in commands {
                let path = "\(bin)/\(name)"
                try Data("#!/bin/sh\nLOG='\(log)'\n\(script)\n".utf8).write(to: URL(filePath: path))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            process.executableURL = URL(filePath: Attached.program)
            process.arguments = ["gateway", "--workdir", scratch.path + "/work"]
            // A machine with Slurm has its commands there.
            process.environment = ["PATH": commands.isEmpty ? bin : "\(bin):/usr/bin:/bin"]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            var preamble: [UInt8] = []
            while !preamble.ends(with: Preamble.bytes) {
                guard let byte = try output.fileHandleForReading.read(upToCount: 1)?.first else { throw Ended() }
                preamble.append(byte)
            }
        }

        deinit { if process.isRunning { process.terminate() } }

        func send(_ request: GatewayRequest) throws {
            try input.fileHandleForWriting.write(contentsOf: Data(try request.frame.encoded))
        }

        func next() throws -> GatewayReport {
            while true {
                if let frame = try reader.next() { return try GatewayReport(frame) }
                let bytes = output.fileHandleForReading.availableData
                guard !bytes.isEmpty else { throw Ended() }
                reader.append(bytes)
            }
        }

        /// The first report of that sort.
        func first<Value>(_ pick: (GatewayReport) -> Value?) throws -> Value {
            while true { if let value = pick(try next()) { return value } }
        }

        /// Its input ends; waits until it has ended.
        func end() throws -> Int32 {
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            return process.terminationStatus
        }

        func waitUntilExit() { process.waitUntilExit() }

        var logged: [String] {
            ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
        }
    }

    private static let queue = #"echo "usweep|7|RUNNING|$(($(date +%s) + 600))|n1|study.1|None""#

    private static func submission(_ arguments: [String] = ["--time=10"]) -> GatewayRequest {
        .submit(GatewaySubmission(name: "study.1", arguments: arguments, folder: "pilots/study/1"))
    }

    private static func submitted(_ report: GatewayReport) -> (job: String?, problem: String)? {
        if case .submitted("study.1", let job, let problem) = report { (job, problem) } else { nil }
    }

    private static func jobs(_ report: GatewayReport) -> [SlurmJob]? {
        if case .queue(let jobs) = report { jobs } else { nil }
    }

    private static func blindness(_ report: GatewayReport) -> String? {
        if case .blind(let problem) = report { problem } else { nil }
    }

    @Test("The queue is told behind a banner, again and again")
    func watches() throws {
        let gateway = try Gateway(["squeue": "echo 'Welcome | to | hpc | a | b | c'\n\(Self.queue)"])
        try gateway.send(.watch(names: "study.", milliseconds: 10))
        for _ in 0..<3 {
            let jobs = try gateway.first(Self.jobs)
            #expect(jobs.map(\.id) == ["7"])
            #expect(590...600 ~= jobs.first?.secondsLeft ?? 0)
        }
        #expect(try gateway.end() == 0)
    }

    @Test("A queue that cannot be seen is no empty queue", arguments: [
        (["squeue": "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"],
            "slurm_load_jobs error: Unable to contact slurm controller"),
        (["squeue": "\(Self.queue); kill -9 $$"], "signal 9"),
        (["squeue": "exec yes"], "it printed more than 8 MiB"),
    ] as [([String: String], String)])
    func blind(_ commands: [String: String], _ problem: String) throws {
        let gateway = try Gateway(commands)
        try gateway.send(.watch(names: "study.", milliseconds: 60_000))
        #expect(try gateway.first(Self.blindness).contains(problem))
    }

    @Test("A host without Slurm says which program is missing")
    func withoutSlurm() throws {
        let gateway = try Gateway([:])
        try gateway.send(.watch(names: "study.", milliseconds: 60_000))
        #expect(try gateway.next() == .missing(program: "squeue"))
    }

    @Test("A job is submitted with its options as they are, and a script that runs the agent")
    func submits() throws {
        let script = #"echo hello; for a in "$@"; do echo "$a" >> "$LOG"; done; cat >> "$LOG"; echo '42;hpc'"#
        let gateway = try Gateway(["sbatch": script])
        try gateway.send(Self.submission(["--time=10", "--constraint=a b;$(id)"]))
        #expect(try gateway.first(Self.submitted).job == "42")
        let logged = gateway.logged
        #expect(logged.contains("--parsable") && logged.contains("--job-name=study.1"))
        #expect(logged.contains("--constraint=a b;$(id)"))
        #expect(logged.contains("#!/bin/sh"))
        #expect(logged.last?.hasSuffix("' pilot --workdir '\(gateway.scratch.path)/work/pilots/study/1'") == true)
        #expect(FileManager.default.fileExists(atPath: gateway.scratch.path + "/work/pilots/study/1"))
    }

    @Test("What refuses a job is told in its own words", arguments: [
        (["sbatch": "echo 'sbatch: error: Batch job submission failed: Invalid qos specification' >&2; exit 1"],
            "Batch job submission failed: Invalid qos specification"),
        (["sbatch": "exit 3"], "exit status 3"), (["sbatch": "echo thanks"], "it printed no job number"),
        ([:], "sbatch cannot be started"),
    ] as [([String: String], String)])
    func refuses(_ commands: [String: String], _ problem: String) throws {
        let gateway = try Gateway(commands)
        try gateway.send(Self.submission())
        let answer = try gateway.first(Self.submitted)
        #expect(answer.job == nil)
        #expect(answer.problem.contains(problem))
    }

    @Test("A slow sbatch holds nothing up: the queue is told meanwhile")
    func slow() throws {
        let gateway = try Gateway(["sbatch": "read x < \"$LOG.go\"; echo 8", "squeue": Self.queue])
        #expect(mkfifo(gateway.log + ".go", 0o600) == 0)
        try gateway.send(Self.submission())
        try gateway.send(.watch(names: "study.", milliseconds: 10))
        for _ in 0..<2 { _ = try gateway.first(Self.jobs) }
        try "go\n".write(toFile: gateway.log + ".go", atomically: false, encoding: .utf8)
        #expect(try gateway.first(Self.submitted).job == "8")
    }

    @Test("A folder that leads elsewhere, and jobs that are no numbers, reach no command")
    func hostileNames() throws {
        let commands = ["sbatch", "srun", "scancel"].map { ($0, "echo \"$0 $*\" >> \"$LOG\"") }
        let gateway = try Gateway(Dictionary(commands) { first, _ in first })
        try gateway.send(.submit(GatewaySubmission(name: "study.1", arguments: [], folder: "../../etc")))
        #expect(try gateway.first(Self.submitted).problem == "its folder is a link to another place")
        try gateway.send(.open(channel: 1, job: "7 --uid=0", folder: "pilots/study/1", .srun))
        guard case .closed(1, _) = try gateway.next() else {
            Issue.record("it was opened")
            return
        }
        try gateway.send(.cancel(jobs: ["--user=root", "7;8"]))
        #expect(try gateway.end() == 0)
        #expect(gateway.logged.isEmpty)
    }

    @Test("A channel carries every byte both ways, and takes no more than was promised")
    func channels() throws {
        let gateway = try Gateway(["srun": "exec cat"])
        try gateway.send(.open(channel: 5, job: "7", folder: "pilots/study/1", .srun))
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var (sent, credit) = (0, GatewayWindow.bytes)
        var (received, owed): ([UInt8], Int) = ([], 0)
        while received.count < bytes.count {
            while sent < bytes.count, credit > 0 {
                let count = min(GatewayWindow.piece, credit, bytes.count - sent)
                try gateway.send(.data(channel: 5, Array(bytes[sent..<sent + count])))
                (sent, credit) = (sent + count, credit - count)
            }
            switch try gateway.next() {
            case .credit(5, let count): credit += count
            case .data(5, let piece):
                received += piece
                owed += piece.count
                #expect(owed <= GatewayWindow.bytes, "more than the window")
                if owed >= GatewayWindow.bytes / 2 || received.count == bytes.count {
                    try gateway.send(.credit(channel: 5, owed))
                    owed = 0
                }
            case .closed, .queue, .blind, .submitted, .data, .credit, .left, .missing:
                Issue.record("something else")
                return
            }
        }
        #expect(received == bytes)
        try gateway.send(.close(channel: 5))
        let end = try gateway.first { if case .closed(5, let reason) = $0 { reason } else { nil } }
        #expect(end == "srun ended with status 0", "its input ended, and with it cat")
    }

    @Test("Why a channel ends is told in srun's words")
    func brokenChannel() throws {
        let gateway = try Gateway(["srun": "printf abc; echo 'srun: error: Unable to confirm allocation' >&2; exit 1"])
        try gateway.send(.open(channel: 1, job: "7", folder: "pilots/study/1", .srun))
        var bytes: [UInt8] = []
        let reason: String = try gateway.first { report in
            if case .data(1, let piece) = report { bytes += piece }
            if case .closed(1, let reason) = report { return reason }
            return nil
        }
        #expect(bytes == Array("abc".utf8))
        #expect(reason == "Unable to confirm allocation")
    }

    @Test("At the end all jobs are cancelled, and the folder goes when they have ended")
    func finishes() throws {
        let squeue = """
            if [ -e "$LOG" ]; then S=CANCELLED; else S=RUNNING; fi
            echo "usweep|7|$S|N/A|n1|study.1|None"
            """
        let gateway = try Gateway([
            "squeue": squeue, "sbatch": "echo 7", "scancel": "echo \"$*\" >> \"$LOG\"",
        ])
        try gateway.send(Self.submission())
        _ = try gateway.first(Self.submitted)
        try gateway.send(.watch(names: "study.", milliseconds: 50))
        try gateway.send(.finish(jobs: ["7"], folder: "pilots/study"))
        #expect(throws: Gateway.Ended.self) { while true { _ = try gateway.next() } }
        gateway.waitUntilExit()
        #expect(gateway.logged == ["7"])
        #expect(!FileManager.default.fileExists(atPath: gateway.scratch.path + "/work/pilots"))
    }
}

extension [UInt8] {
    fileprivate func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}
