import Formats
import Foundation
import Model
import Testing

/// A folder for one test, removed at its end with the agent that works in it.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "usweep-test-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        _ = try? Attached.run(["stop", "--workdir", path])
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The coordinator's end of a real `usweep-agent attach`.
final class Attached {
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("usweep-agent").path

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var reader = FrameReader()
    private var preamble: [UInt8] = []
    /// Objects that the agent may ask for.
    var objects: [Digest: [UInt8]] = [:]
    /// Where it is told that they are, the first time that it asks.
    var redirects: [Digest: SharingPlace] = [:]
    /// Bytes of objects that were sent.
    private(set) var sent = 0
    private var redirected: Set<Digest> = []
    /// Messages that were read past.
    private(set) var seen: [AgentMessage] = []
    /// The kinds of all frames that came.
    private(set) var kinds: Set<UInt8> = []
    private let version: Int

    struct Ended: Error {}

    /// - Parameters:
    ///   - version: of the messages that it speaks.
    ///   - verb: what joins it to the agent.
    init(
        _ workdir: String, environment: [String: String] = [:], version: Int = WireVersion.current,
        program: String = Attached.program, verb: String = "attach", waits: Bool = false
    ) throws {
        self.version = version
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [verb, "--workdir", workdir] + (waits ? ["--waits"] : [])
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit { close() }

    @discardableResult
    static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    /// Processes that work in a folder or below it.
    static func pids(inFolder folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard name.allSatisfy(\.isNumber) else { return false }
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd")
            return place?.hasPrefix(folder) == true
        }
    }

    /// Process numbers of the agent's own processes in a folder, by verb.
    static func processes(_ verb: String, _ workdir: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard let pid = Int32(name), let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return nil
            }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.count > 3 && words[1] == verb && words[3] == workdir ? pid : nil
        }
    }

    /// The number that a file holds.
    static func number(in path: String) throws -> Int32? {
        Int32(try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    static func isAlive(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !text.contains(") Z ")
    }

    func close() {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
    }

    func send(_ message: CoordinatorMessage) throws {
        if let frame = message.frame(for: version) { try send(bytes: try frame.encoded) }
    }

    func send(bytes: [UInt8]) throws { try input.fileHandleForWriting.write(contentsOf: Data(bytes)) }

    @discardableResult
    func hello(
        _ sweep: String = "s1", slots: Int? = 1, setup: String? = nil, memoryBytes: Int64? = nil,
        engine: String? = nil
    ) throws -> AgentHello {
        try send(
            .hello(
                CoordinatorHello(
                    current: version, sweep: sweep, leaseTerm: 400_000_000_000, slots: slots,
                    memoryBytes: memoryBytes, enginePath: engine, setup: setup)))
        while true {
            if case .hello(let hello) = try next() { return hello }
        }
    }

    /// The next message; what the agent wants is sent meanwhile.
    func next() throws -> AgentMessage {
        while true {
            if let frame = try reader.next() {
                let message = try AgentMessage(frame)
                kinds.insert(frame.kind)
                seen.append(message)
                if case .unreached(let failure) = message { redirected.remove(failure.digest) }
                guard case .want(let range) = message else { return message }
                guard !redirected.contains(range.digest) else { continue }
                if let place = redirects.removeValue(forKey: range.digest) {
                    redirected.insert(range.digest)
                    try send(.elsewhere(ObjectSource(digest: range.digest, place: place)))
                } else if let bytes = objects[range.digest] {
                    let start = Int(range.offset)
                    let piece = Array(bytes[start..<min(start + range.length, bytes.count)])
                    try send(.bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: piece)))
                    sent += piece.count
                }
                continue
            }
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { throw Ended() }
            if preamble.count < Preamble.bytes.count {
                preamble += data
                guard preamble.count >= Preamble.bytes.count else { continue }
                #expect(preamble.starts(with: Preamble.bytes))
                reader.append(preamble[Preamble.bytes.count...])
            } else {
                reader.append(data)
            }
        }
    }

    func outcome() throws -> AttemptReport {
        while true {
            if case .outcome(let report) = try next() { return report }
        }
    }

    func outcomes(_ count: Int) throws -> [AttemptReport] {
        try (0..<count).map { _ in try outcome() }.sorted { $0.id < $1.id }
    }

    func started(_ run: RunNumber) throws {
        while true {
            if case .started(let ids) = try next(), ids.contains(where: { $0.run == run }) { return }
        }
    }

    /// The bytes of an artifact.
    func fetch(_ report: AttemptReport, _ path: String) throws -> [UInt8] {
        guard let artifact = report.artifacts.first(where: { $0.path == path }) else { throw Ended() }
        var bytes: [UInt8] = []
        while Int64(bytes.count) < artifact.size {
            try send(
                .read(
                    ObjectRange(
                        digest: artifact.digest, offset: Int64(bytes.count), length: ObjectRange.maximumLength)))
            while true {
                let message = try next()
                if case .bytes(let piece) = message {
                    bytes += piece.bytes
                    break
                }
                if case .missing = message { throw Ended() }
            }
        }
        return bytes
    }

    func acknowledge(_ reports: [AttemptReport]) throws { try send(.acknowledge(reports.map(\.id))) }
}

/// A shell script as a job.
func script(
    _ text: String, inputs: [Job.Input] = [], time: Nanoseconds? = nil, stall: Nanoseconds? = nil,
    memoryBytes: Int64? = nil, environment: [EnvironmentVariable] = []
) -> Job {
    Job(
        arguments: [.text("/bin/sh"), .text("-c"), .text(text)], environment: environment,
        pointDocument: "{\"x\":1}", inputs: inputs,
        limits: JobLimits(time: time, stall: stall, memoryBytes: memoryBytes))
}

func entry(_ run: RunNumber, _ job: Job, attempts: Int = 1, first: AttemptNumber = 1) -> Shard.Entry {
    Shard.Entry(run: run, firstAttempt: first, attempts: attempts, job: job)
}

/// What a run waits for until a test lets it go on: no time is involved.
struct Gate {
    private let path: String

    init(_ scratch: Scratch) { path = "\(scratch.path)/gate" }

    func waits(_ before: String = "") -> Job {
        script(
            before + "while [ ! -e \"$GATE\" ]; do sleep 0.05; done", environment: [EnvironmentVariable("GATE", path)])
    }

    func open() { _ = FileManager.default.createFile(atPath: path, contents: nil) }
}
