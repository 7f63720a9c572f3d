import AgentCore
import CSystem
import Foundation
import Model
import Ports
import Testing
@testable import AgentRuntime

/// Whatever there is to see of a keeper, it sends SIGCHLD for it: here a byte of a pipe.
private enum ChildNews {
    static let (output, input): (Int32, Int32) = {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        return (ends[0], ends[1])
    }()

    static func begin() {
        // Made before a signal can come.
        _ = input
        signal(SIGCHLD) { _ in write(ChildNews.input, "!", 1) }
    }

    static func end() { signal(SIGCHLD, SIG_DFL) }

    static func wait() {
        var buffer = [UInt8](repeating: 0, count: 64)
        read(output, &buffer, buffer.count)
    }
}

/// Programs whose start takes long: here the file for their output is a pipe that nobody reads yet, elsewhere they are
/// on a file server that is away.
@Suite(.serialized) struct KeeperTests {
    private let scratch: Scratch
    private var pipe: String { "\(scratch.path)/stdout.txt" }

    /// Where nothing is in the way.
    private var other: String { "\(scratch.path)/other" }

    init() throws {
        scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
    }

    private func launch(_ arguments: [String], in folder: String? = nil) -> Launch {
        Launch(arguments: arguments, environment: [], folder: folder ?? scratch.path, timeLimit: nil, memoryBytes: 0)
    }

    /// A keeper whose program waits for somebody to read its output.
    private func stuck(_ arguments: [String]) throws -> Keeper {
        let keeper = try Keeper()
        try #require(mkfifo(pipe, 0o600) == 0)
        try keeper.run(launch(arguments), environment: [], title: "test", on: [])
        #expect(keeper.isStarting && !keeper.isComplete)
        #expect(keeper.takeProblem() == nil && keeper.isStarting)
        return keeper
    }

    /// Lets it begin, and reads all that it writes.
    private func read() throws -> String {
        let end = try #require(FileHandle(forReadingAtPath: pipe))
        return String(decoding: try end.readToEnd() ?? Data(), as: UTF8.self)
    }

    private func waitUntil(_ isTrue: () -> Bool) {
        ChildNews.begin()
        defer { ChildNews.end() }
        while !isTrue() { ChildNews.wait() }
    }

    @Test("It is not waited for; it begins late, ends, and its keeper takes the next program")
    func late() throws {
        let keeper = try stuck(["/bin/sh", "-c", "echo late; exit 3"])
        #expect(try read() == "late\n")
        waitUntil { keeper.isComplete }
        #expect(keeper.takeProblem() == nil && !keeper.isStarting)
        #expect(keeper.kept.ended.status == 3)
        try keeper.run(launch(["/bin/sh", "-c", "exit 4"], in: other), environment: [], title: "test", on: [])
        #expect(!keeper.isStarting)
        waitUntil { keeper.isComplete }
        #expect(keeper.kept.ended.status == 4)
    }

    @Test("One that cannot be started after all is told of then, with the reason")
    func lateProblem() throws {
        let keeper = try stuck(["/nowhere/at-all"])
        #expect(try read().isEmpty)
        var problem: SpawnProblem?
        waitUntil {
            problem = keeper.takeProblem()
            return problem != nil
        }
        #expect(problem?.step == "exec")
        #expect(problem?.reason == "there is no file /nowhere/at-all on this host")
        #expect(!keeper.isStarting)
        try keeper.run(launch(["/bin/sh", "-c", "exit 4"], in: other), environment: [], title: "test", on: [])
        waitUntil { keeper.isComplete }
        #expect(keeper.kept.ended.status == 4)
    }
}
