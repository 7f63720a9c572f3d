import Engines
import Foundation
import Model
import Ports
import Storage
import SweepCore
@testable import CoordinatorRuntime


/// A ledger that remembers, and fails when it is told to.
final class FakeLedger: LedgerStore, @unchecked Sendable {
    struct Broken: Error {}

    private(set) var records: [Record] = []
    private(set) var commits = 0
    /// The commit that throws, from 1; nil: none.
    var failing: Int?

    func commit(_ records: [Record]) throws {
        commits += 1
        if commits == failing { throw Broken() }
        self.records += records
    }

    var ends: [(id: AttemptID, failure: FailureClass?)] {
        records.compactMap {
            if case .attemptEnded(let report, _, let failure, _, _, _) = $0 { (report.id, failure) } else { nil }
        }
    }

    var evidence: [String] {
        records.compactMap { if case .attemptEnded(_, _, _, let text, _, _) = $0 { text } else { nil } }
    }
}

final class FakeTime: TimeSource, @unchecked Sendable {
    var now: Nanoseconds = Timing.second

    func monotonic() -> Nanoseconds { now }
    func wall() -> Nanoseconds { now }
}

/// The real loop over a real object store, with hosts, ledger and clock that a test turns.
final class Bench {
    let hosts: [FakeHost]
    let ledger = FakeLedger()
    let time = FakeTime()
    let inbox = Inbox()
    let workshop: HeldWorkshop
    let folder: String
    let store: ObjectStore
    let loop: CoordinatorLoop

    /// - Parameters:
    ///   - pilots: of the cluster, those that are used; nil: all.
    ///   - inputs: contents by name.
    ///   - engine: with one setup; nil: the engine `command`.
    init(
        runs: Int = 1, hosts names: [String] = ["h0"], inputs: [(String, [UInt8])] = [], engine: SetupEngine? = nil,
        cache: CheckpointStore? = nil, argument: String? = nil, cluster: (site: SlurmSite, way: any Transport)? = nil,
        pilots numbers: [Int]? = nil
    ) throws {
        let all = Array(1...(cluster?.site.nodes.upperBound ?? 1))
        let pilots: [Model.Host] = (numbers ?? all).compactMap { number in
            guard let site = cluster?.site else { return nil }
            var host = Model.Host(target: HostTarget(name: site.hostName(ofPilot: number), address: "login"))
            host.pilot = Pilot(site: site, number: number)
            return host
        }
        let names = pilots.isEmpty ? names : pilots.map(\.name)
        workshop = HeldWorkshop(inbox)
        folder = "\(NSTemporaryDirectory())usweep-loop-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try ObjectStore(root: "\(folder)/objects", files: LocalFiles())
        hosts = names.map { FakeHost($0) }
        var sweep = Sweep(
            name: "s", engine: "command",
            settings: .object([
                JSON.Member("command", .array((["/bin/true"] + (argument.map { [$0] } ?? [])).map { .string($0) })),
                JSON.Member("results", .string("results.json")),
            ]))
        sweep.axes = [Axis(name: "x", values: (1...runs).map(String.init))]
        sweep.metrics = ["value"]
        for (name, bytes) in inputs {
            let digest = try store.publish(bytes)
            sweep.inputs.append(
                InputFile(
                    path: name, source: "/nowhere", digest: digest, size: Int64(bytes.count), isExecutable: false))
        }
        var groups = [Plan.Group(runs: 1..<runs + 1)]
        var setups: [Setting.Setup] = []
        if engine != nil {
            sweep.workloads = ["w"]
            setups = [Setting.Setup(.setup(workload: "w"), pin: "checkpoint:w")]
            groups[0].requires = "checkpoint:w"
            groups.append(Plan.Group(runs: runs + 1..<runs + 2, provides: "checkpoint:w"))
        }
        let chosen: any Engine = if let engine { engine } else { CommandEngine(sweep) }
        let setting = Setting(
            sweepID: "s-1", hosts: pilots.isEmpty ? names.map { Host(target: HostTarget(name: $0)) } : pilots,
            agentBinary: [1, 2, 3],
            engine: chosen, points: try Points(sweep, recipe: ""), sweep: sweep,
            runs: RunList(1..<runs + setups.count + 1), setups: setups, timing: Timing(), checkpoints: cache)
        let plan = Plan(groups: groups, hosts: names, pinsEngine: engine != nil)
        let transport = cluster?.way ?? FakeTransport(hosts: hosts)
        loop = CoordinatorLoop(
            core: Coordinator(state: SweepState(plan: plan), now: time.now), setting: setting, ledger: ledger,
            store: store, transport: transport, inbox: inbox, workshop: workshop, time: time)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var host: FakeHost { hosts[0] }

    /// Steps until it ends, or something holds; time passes only when nothing else happens. Nil: neither.
    @discardableResult
    func run(until isEnough: () -> Bool = { false }) throws -> Ending? {
        for _ in 0..<20_000 {
            let items = inbox.take(timeout: 0)
            if items.isEmpty { time.now += Timing.second / 4 }
            if let ending = try loop.step(items) { return ending }
            if isEnough() { return nil }
        }
        return nil
    }

    /// One step, with what came.
    @discardableResult
    func step() throws -> Ending? { try loop.step(inbox.take(timeout: 0)) }

    /// What a host's trouble is.
    func problem(_ host: Int = 0) -> String { loop.hostView(host).problem }
}
