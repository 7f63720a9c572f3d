import Formats
import Glibc
import Model

/// Speaks as an agent whose runs have all ended and whose artifacts the coordinator has already: whatever it is
/// granted, it reports as ended at once. What is left for the coordinator to do is to judge and to merge.
struct AgentBench {
    /// What each run left, in the order of their numbers.
    private let artifacts: [[Artifact]]
    private let workdir: String
    private var out: [UInt8] = Preamble.bytes

    /// - Parameter outcomes: a file with a line a run: `PATH DIGEST SIZE` for each artifact.
    init(outcomes: String, workdir: String) throws {
        guard let file = fopen(outcomes, "r") else { throw Failure(.missingFile, "\(outcomes) cannot be opened") }
        defer { fclose(file) }
        var artifacts: [[Artifact]] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            let words = String(cString: line).split(whereSeparator: \.isWhitespace).map(String.init)
            artifacts.append(try stride(from: 0, to: words.count - 2, by: 3).map { index in
                guard let digest = Digest(hex: words[index + 1]), let size = Int64(words[index + 2]) else {
                    throw Failure(.badArchive, "\(outcomes), line \(artifacts.count + 1) is damaged")
                }
                return Artifact(path: words[index], digest: digest, size: size)
            })
        }
        self.artifacts = artifacts
        self.workdir = workdir
    }

    /// Answers until the stream ends.
    mutating func run() throws {
        var reader = FrameReader()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        flush()
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            guard count > 0 else { return }
            reader.append(buffer[..<count])
            while let frame = try reader.next() { answer(try CoordinatorMessage(frame)) }
            flush()
        }
    }

    private mutating func answer(_ message: CoordinatorMessage) {
        switch message {
        case .hello(let hello):
            say(
                .hello(
                    AgentHello(
                        oldest: WireVersion.oldest, current: WireVersion.current, bootID: workdir, hostName: workdir,
                        slots: hello.slots ?? 1, processors: 1, memoryBytes: 1 << 50, freeBytes: 1 << 50,
                        workdir: workdir, wallClock: 1, leases: [])))
        case .probe(let path): say(.probed(EngineProbe(path: path, digest: SHA256.digest("engine"))))
        case .grant(let shard):
            for entry in shard.entries {
                let id = AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt)
                say(
                    .outcome(
                        AttemptReport(
                            id: id, wallNanoseconds: 60_000_000_000, peakMemoryBytes: 1 << 30,
                            artifacts: artifacts[entry.run - 1])))
            }
        case .release: say(.released)
        case .revoke, .cancel, .acknowledge, .read, .bytes, .packed, .tail, .heartbeat, .holder, .share,
            .elsewhere, .cacheLimit, .terms:
            break
        }
    }

    private mutating func say(_ message: AgentMessage) { out += (try? message.frame.encoded) ?? [] }

    private mutating func flush() {
        var rest = out[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        out = []
    }
}
