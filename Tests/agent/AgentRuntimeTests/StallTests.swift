import CSystem
import Formats
import Foundation
import Model
import Testing

@Suite(.serialized) struct StallTests {
    private static let second: Nanoseconds = 1_000_000_000

    @Test("A run that hangs is stopped with its evidence; one that writes a byte now and then is not")
    func hangs() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello(slots: 2)
        let pid = "\(scratch.path)/attempts/s1/1.1-1/pid"
        let hangs = script(
            "echo booting; echo $$ > pid; echo 'last words'; exec sleep infinity", stall: 4 * Self.second)
        // It goes on, a byte at a time, until the other was stopped.
        let slow = script(
            """
            until [ -s "$PID" ]; do sleep 0.05; done
            while kill -0 "$(cat "$PID")" 2>/dev/null; do printf x >> out/log || mkdir out; sleep 0.1; done
            """, stall: 4 * Self.second, environment: [EnvironmentVariable("PID", pid)])
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, hangs), entry(2, slow)])))
        let reports = try agent.outcomes(2)
        #expect(reports.map(\.failure) == [.stalledSimulator, nil])
        let evidence = reports[0].evidence
        #expect(evidence.hasPrefix("none of its files changed for 4 s (limits: stall); the last was \""), "\(evidence)")
        #expect(evidence.contains("; it waits: 0.0"), "\(evidence)")
        #expect(evidence.contains("; sleep (") && evidence.contains(") sleeps"), "\(evidence)")
        #expect(evidence.hasSuffix("; standard output ends with \"last words\""), "\(evidence)")
        #expect(reports[0].wallNanoseconds >= 4 * Self.second)
        #expect(try agent.fetch(reports[0], "stdout.txt") == Array("booting\nlast words\n".utf8))
        #expect(reports[1].wallNanoseconds >= 3 * Self.second, "it outlasted the other")
    }

    @Test("CPU time is no progress; nor is what a run leaves alone: a stalled run is tried again as often as it may")
    func spins() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let spins = script("while :; do :; done", stall: 2 * Self.second)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, spins, attempts: 2)])))
        let reports = try agent.outcomes(2)
        #expect(reports.map(\.failure) == [.stalledSimulator, .stalledSimulator])
        #expect(reports.map(\.id.attempt) == [1, 2])
        #expect(reports.allSatisfy { $0.evidence.contains("it computes") }, "\(reports[0].evidence)")
    }

    @Test("A run that ignores SIGTERM is killed all the same, with what it started")
    func stubborn() throws {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        let job = script(
            "trap '' TERM; sleep infinity & echo $! > pid; while :; do wait; done", stall: Self.second)
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let report = try agent.outcome()
        #expect(report.failure == .stalledSimulator)
        let text = String(decoding: try agent.fetch(report, "pid"), as: UTF8.self)
        let pid = try #require(Int32(text.dropLast()))
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    // MARK: What counts as a change

    private func mark(_ folder: String) -> UInt64 {
        var mark = sys_mark()
        sys_mark_tree(folder, &mark)
        return mark.value
    }

    @Test("Every change of a file counts, wherever it is; looking does not, nor what is elsewhere")
    func marks() throws {
        let scratch = try Scratch()
        let files = FileManager.default
        let folder = "\(scratch.path)/attempt"
        try files.createDirectory(atPath: "\(folder)/a/b", withIntermediateDirectories: true)
        let log = "\(folder)/a/b/log"
        let outside = "\(scratch.path)/outside"
        for path in [log, outside] { try Data("one".utf8).write(to: URL(fileURLWithPath: path)) }
        try files.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: outside)
        /// Whether the folder looks different after something was done.
        func changes(_ body: () throws -> Void) rethrows -> Bool {
            let before = mark(folder)
            #expect(before == mark(folder), "the same when nothing was done")
            try body()
            return mark(folder) != before
        }
        func write(_ path: String, _ text: String) throws {
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
        }
        #expect(try changes { try write(log, "x") })
        #expect(changes { _ = utimes(log, [timeval(tv_sec: 5, tv_usec: 0), timeval(tv_sec: 6, tv_usec: 0)]) })
        #expect(try changes { try files.moveItem(atPath: log, toPath: "\(folder)/a/b/other") })
        #expect(try changes { try files.createDirectory(atPath: "\(folder)/c", withIntermediateDirectories: true) })
        #expect(try changes { try files.removeItem(atPath: "\(folder)/c") })
        #expect(try !changes { _ = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a/b/other")) })
        #expect(try !changes { try write(outside, "more") }, "a link's target is not the attempt's")
        #expect(
            try !changes { try files.linkItem(atPath: "\(folder)/a/b/other", toPath: "\(scratch.path)/second") },
            "inputs are given to other attempts under further names")
        #expect(mark("\(folder)/nowhere") == 0)
    }

    @Test("The file that changed last is named")
    func newest() throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: "\(scratch.path)/a/b", withIntermediateDirectories: true)
        for (name, time) in [("first", 100), ("a/b/last", 300), ("a/second", 200)] {
            let path = "\(scratch.path)/\(name)"
            try Data().write(to: URL(fileURLWithPath: path))
            _ = utimes(path, [timeval(tv_sec: time, tv_usec: 0), timeval(tv_sec: time, tv_usec: 0)])
        }
        var mark = sys_mark()
        sys_mark_tree(scratch.path, &mark)
        let name = withUnsafeBytes(of: &mark.file) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        #expect(name == "a/b/last")
        #expect(mark.newest == 300 * Self.second)
    }
}
