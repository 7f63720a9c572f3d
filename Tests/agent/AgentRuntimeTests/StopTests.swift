import AgentCore
import Formats
import Model
import Ports
import Storage
import Testing
@testable import AgentRuntime

/// A stream whose far end a test holds.
private final class HeldStream: FrameStream {
    var coming: [Frame] = []
    private(set) var sent: [Frame] = []
    let unsentCount = 0
    var isBroken = false

    func send(_ frame: Frame) { sent.append(frame) }
    func flush() {}
    func receive() -> [Frame] {
        defer { coming = [] }
        return coming
    }
    func close() { isBroken = true }
}

/// A host on which nothing happens by itself.
private final class StillHost: HostSystem, SetupTrials, PeerNetwork {
    let now: Nanoseconds = 1_000_000_000
    let wallClock: Nanoseconds = 1_000_000_000
    let bootID = "boot"
    let hostName = "still"
    let processors = 2
    let cores: [ProcessorCore] = []
    let processorTimes: [Int: Nanoseconds] = [:]
    let memoryBytes: Int64 = 1 << 30
    let memoryKills: Int64 = 0
    let nextDeadline: Nanoseconds? = nil

    func log(_ message: StaticString, _ values: String...) {}
    func begin(_ sweep: String, _ text: String, now: Nanoseconds) {}
    func ended(now: Nanoseconds) -> [(sweep: String, problem: String?)] { [] }
    func listen(_ address: String) throws(Failure) -> Int { 0 }
    func stopListening() {}
    func connect(_ place: SharingPlace) -> (any PeerStream)? { nil }
    func nonce() -> [UInt8] { [] }
}

/// Agents that are told to end.
@Suite struct StopTests {
    private static func commands(_ stream: HeldStream) throws -> [SupervisorCommand] {
        try stream.sent.map { try SupervisorCommand($0) }
    }

    private static func starts(_ commands: [SupervisorCommand]) -> [RunNumber] {
        commands.compactMap { if case .start(let key, _) = $0 { key.id.run } else { nil } }
    }

    private static func grant(_ run: RunNumber, lease: LeaseNumber) -> Frame {
        let job = Job(arguments: [.text("/bin/true")])
        let entry = Shard.Entry(run: run, firstAttempt: 1, attempts: 1, job: job)
        return CoordinatorMessage.grant(Shard(lease: lease, entries: [entry])).frame
    }

    @Test("What becomes ready after that is not begun, nor is the supervisor told to stay")
    func beginsNothing() throws {
        let scratch = try Scratch()
        let workdir = Workdir(root: scratch.path, sockets: scratch.path, named: scratch.path)
        try Workdir.make(workdir, LocalFiles())
        let (supervisor, coordinator, host) = (HeldStream(), HeldStream(), StillHost())
        supervisor.coming = [SupervisorReport.inventory([], isLast: true).frame]
        let server = try AgentServer(
            workdir, program: "/nowhere/usweep-agent", host: host, files: LocalFiles(), setups: host, network: host
        ) { .stream(supervisor) }
        server.accept(coordinator)
        let hello = CoordinatorHello(sweep: "s1", leaseTerm: 400_000_000_000, slots: 2)
        coordinator.coming = [CoordinatorMessage.hello(hello).frame, Self.grant(1, lease: 1)]
        for _ in 0..<20 { #expect(try server.step(isReady: { _ in true })) }
        #expect(try Self.starts(Self.commands(supervisor)) == [1])

        server.stop()
        for frame in [Self.grant(2, lease: 2), CoordinatorMessage.release.frame] {
            coordinator.coming = [frame]
            for _ in 0..<20 { #expect(try server.step(isReady: { _ in true })) }
        }
        let commands = try Self.commands(supervisor)
        #expect(commands.last == .stop)
        #expect(Self.starts(commands) == [1])
    }
}
