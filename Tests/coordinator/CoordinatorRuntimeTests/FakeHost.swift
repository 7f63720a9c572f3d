import Formats
import Model
import Ports
@testable import CoordinatorRuntime


/// An agent that plays a part, at the far end of a stream without threads: whatever is sent is answered at once into
/// the coordinator's inbox, and taken from there with its next step.
final class FakeHost: @unchecked Sendable {
    let name: String
    /// What it does with a message; false: what an honest agent does.
    var part: (FakeHost, CoordinatorMessage) -> Bool = { _, _ in false }
    /// What it says when the script of the login begins.
    var greeting = "usweep-shell 1 Linux x86_64\n"
    /// What its hello says.
    var versions = WireVersion.oldest...WireVersion.current
    var leases: [HeldLease] = []
    /// Whether it ever says hello.
    var saysHello = true
    /// What it reported and nobody has acknowledged.
    private(set) var kept: [AttemptReport] = []
    /// Files that it left, by digest.
    var files: [Digest: [UInt8]] = [:]

    private(set) var heard: [CoordinatorMessage] = []
    /// The kinds of all frames that came.
    private(set) var kinds: Set<UInt8> = []
    /// What came before the first frame.
    private(set) var login: [UInt8] = []
    private(set) var streams = 0
    private(set) var closings = 0
    private var observer: (@Sendable (StreamEvent) -> Void)?
    private var isStreaming = false
    private var reader = FrameReader()

    init(_ name: String) { self.name = name }

    // MARK: What a test asks it to do

    func say(_ messages: AgentMessage...) {
        for message in messages {
            if let frame = message.frame(for: min(versions.upperBound, WireVersion.current)) {
                say(bytes: (try? frame.encoded) ?? [])
            }
        }
    }

    func say(bytes: [UInt8]) { observer?(.received(bytes)) }

    func breakOff() { end(StreamEnd(kind: .unreachable, message: "The connection broke.")) }

    func end(_ end: StreamEnd) {
        observer?(.closed(end))
        observer = nil
    }

    /// Success of an attempt that left `results.json`.
    func succeed(_ id: AttemptID, _ content: [UInt8], wall: Nanoseconds = 1_000) {
        let digest = SHA256.digest(content)
        files[digest] = content
        let artifact = Artifact(path: "results.json", digest: digest, size: Int64(content.count))
        let report = AttemptReport(id: id, wallNanoseconds: wall, artifacts: [artifact])
        kept.append(report)
        say(.outcome(report))
    }

    var reads: [ObjectRange] { heard.compactMap { if case .read(let range) = $0 { range } else { nil } } }
    var grants: [Shard] { heard.compactMap { if case .grant(let shard) = $0 { shard } else { nil } } }
    var acknowledged: [AttemptID] {
        heard.flatMap { if case .acknowledge(let ids) = $0 { ids } else { [AttemptID]() } }
    }
    var pieces: [ObjectBytes] { heard.compactMap { if case .bytes(let piece) = $0 { piece } else { nil } } }

    // MARK: The stream

    func opened(_ observer: @escaping @Sendable (StreamEvent) -> Void) {
        streams += 1
        login = []
        isStreaming = false
        reader = FrameReader()
        self.observer = observer
        observer(.opened)
        say(bytes: Array(greeting.utf8))
    }

    /// A stream to an agent that something else has started.
    func attached(_ observer: @escaping @Sendable (StreamEvent) -> Void) {
        streams += 1
        isStreaming = true
        reader = FrameReader()
        self.observer = observer
        say(bytes: Preamble.bytes)
    }

    func take(_ bytes: [UInt8]) {
        guard observer != nil else { return }
        if !isStreaming {
            login += bytes
            guard HostScript.data(of: login)?.count(where: { $0 == UInt8(ascii: "\n") }) == 3 else { return }
            isStreaming = true
            say(bytes: Array("usweep-have\n".utf8) + Preamble.bytes)
            return
        }
        reader.append(bytes)
        while let frame = try? reader.next(), let message = try? CoordinatorMessage(frame) {
            kinds.insert(frame.kind)
            heard.append(message)
            if case .acknowledge(let ids) = message { kept.removeAll { ids.contains($0.id) } }
            if !part(self, message) { answer(message) }
        }
    }

    func closed() {
        closings += observer == nil ? 0 : 1
        observer = nil
    }

    private func answer(_ message: CoordinatorMessage) {
        switch message {
        case .hello:
            guard saysHello else { return }
            greet()
            for report in kept { say(.outcome(report)) }
        case .grant(let shard):
            for entry in shard.entries {
                let id = AttemptID(run: entry.run, lease: shard.lease, attempt: entry.firstAttempt)
                succeed(id, Array("{\"value\": \(entry.run)}".utf8))
            }
        case .read(let range): say(answer(to: range))
        case .release: say(.released)
        case .probe(let path): say(.probed(EngineProbe(path: path, digest: SHA256.digest("engine"))))
        case .revoke, .cancel, .acknowledge, .bytes, .packed, .tail, .heartbeat, .holder, .share, .elsewhere,
            .cacheLimit, .terms: break
        }
    }

    func greet() {
        say(
            .hello(
                AgentHello(
                    oldest: versions.lowerBound, current: versions.upperBound, bootID: name, hostName: name,
                    slots: 2, processors: 2, memoryBytes: 1 << 30, freeBytes: 1 << 30, workdir: "/w", wallClock: 1,
                    leases: leases)))
    }

    func answer(to range: ObjectRange) -> AgentMessage {
        guard let bytes = files[range.digest] else { return .missing(range.digest, reason: "it is gone") }
        let piece = bytes.dropFirst(Int(range.offset)).prefix(range.length)
        return .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: Array(piece)))
    }
}

/// Joins the coordinator to hosts that play their parts.
struct FakeTransport: Transport {
    let hosts: [FakeHost]

    private struct Line: Connection {
        let host: FakeHost?
        func send(_ bytes: [UInt8]) { host?.take(bytes) }
        func close() { host?.closed() }
    }

    func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let host = hosts.first { $0.name == target.name }
        host?.opened(observer)
        return Line(host: host)
    }
}
