import AgentCore
import AgentRuntime
import Formats
import Model
import Ports
import Testing
@testable import Simulation

@Suite("A supervisor whose disk fails")
struct FailingDiskTests {
    private static let workdir = Workdir(root: "/w", sockets: "/w", named: "/w")
    private static let key = AttemptKey(sweep: "s1", id: AttemptID(run: 1, lease: 1, attempt: 1))

    private let world = World(trace: Trace(isOn: false))
    private let disk = Disk(seed: 1, stream: 1)

    private func supervisor(_ host: QuietHost) throws -> Supervisor {
        let files = SimulatedFiles(disk, life: Life(role: Role(name: "s", death: nil)), world: world, who: "s")
        for folder in ["/w", "/w/attempts"] where try files.status(folder) == nil { try files.makeFolder(folder) }
        return try Supervisor(FailingDiskTests.workdir, host: host, files: files, tree: host, syncer: host)
    }

    /// An agent that wants one attempt to be started.
    private func agent(of supervisor: Supervisor) -> LocalStream {
        let (near, far) = LocalStream.pair()
        near.life = Life(role: Role(name: "a", death: nil))
        far.life = near.life
        supervisor.accept(far)
        let launch = Launch(arguments: ["/bin/true"], environment: [], folder: "/w/1", timeLimit: nil, memoryBytes: 0)
        near.send(SupervisorCommand.capacity(slots: 1, memoryBytes: 1, sweeps: []).frame)
        near.send(SupervisorCommand.start(FailingDiskTests.key, launch).frame)
        near.flush()
        return near
    }

    private func step(_ supervisor: Supervisor) {
        supervisor.step(Supervisor.Seen(childEnded: false, agentIsReady: true, isSynced: false))
    }

    @Test("starts nothing that the next supervisor would not know of, and starts it when the disk works again")
    func start() throws {
        let host = QuietHost()
        let first = try supervisor(host)
        let stream = agent(of: first)
        // The record, and the new journal that is made a second later.
        disk.failures = 2
        step(first)
        #expect(host.started.isEmpty)
        host.now += 500_000_000
        step(first)
        host.now += 600_000_000
        step(first)
        #expect(host.started.isEmpty)
        #expect(disk.failures == 0)
        #expect(try supervisor(host).core.inventory.isEmpty)
        host.now += 2_000_000_000
        step(first)
        #expect(host.started == [FailingDiskTests.key])
        let known = try supervisor(host).core.inventory
        #expect(known.map(\.key) == [FailingDiskTests.key], "it must not be started again")
        stream.close()
    }
}

/// A host on which programs run on for ever.
private final class QuietHost: HostSystem, ProgramTree, BackgroundSync {
    var now: Nanoseconds = 1_000_000_000
    private(set) var started: [AttemptKey] = []

    let wallClock: Nanoseconds = 0
    let (bootID, hostName) = ("b", "h")
    let processors = 1
    let cores = [ProcessorCore(processors: [0], node: 0)]
    let processorTimes: [Int: Nanoseconds] = [:]
    let memoryBytes: Int64 = 1
    let memoryKills: Int64 = 0
    let nextDeadline: Nanoseconds? = nil

    func log(_ message: StaticString, _ values: String...) {}

    func start(_ key: AttemptKey, _ launch: Launch, on processors: [Int]) throws(SpawnProblem) { started.append(key) }
    func signal(_ key: AttemptKey, isFinal: Bool, now: Nanoseconds) {}
    func reap(now: Nanoseconds) -> [ProgramEnd] { [] }
    func killAll(below folder: String) {}
    func rest() {}
    func measureMemory(of key: AttemptKey) {}
    func mark(of folder: String) -> FolderMark { FolderMark(value: 0, newest: "") }
    func cpuNanoseconds(of key: AttemptKey) -> Int64 { 0 }
    func report(of key: AttemptKey) -> String { "" }

    func request(_ file: FileHandle, ticket: UInt64) {}
    func served() -> (ticket: UInt64, errorNumber: Int32) { (0, 0) }
    func settle() {}
}
