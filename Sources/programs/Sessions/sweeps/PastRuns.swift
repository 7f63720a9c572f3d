import CoordinatorRuntime
import Engines
import Ledger
import Model
import SweepCore

/// Runs of earlier sweeps of an artifacts folder that ended well: how long they took tells how long others take.
struct PastRuns {
    private let entries: [ArtifactsFolder.Entry]

    /// Of so many sweeps, the newest ones, so many runs each, the last ones. Sweeps of more points are left out, as
    /// these would have to be worked out.
    private static let mostSweeps = 8
    private static let mostRuns = 256
    private static let mostPoints = 100_000

    /// - Parameter entry: the sweep itself: what it has on record it knows already.
    init(in folder: ArtifactsFolder, except entry: ArtifactsFolder.Entry?) {
        let others = ((try? folder.entries()) ?? []).filter { $0.fullName != entry?.fullName }
        entries = Array(others.prefix(PastRuns.mostSweeps))
    }

    /// The sweep that such runs are of.
    func name(ofOrigin origin: Int) -> String { entries[origin - 1].fullName }

    /// How many slots a host had when it last joined one of the sweeps; nil: it never did.
    func slots(of host: String) -> Int? {
        entries.lazy.compactMap { entry in
            let hosts = try? Ledger.read(entry.ledger, sweep: entry.name).hosts()
            return hosts?.first { $0.host == host }?.slots
        }.first
    }

    /// Those that tell something of a sweep's runs: of the same engine, with a workload or an axis' value in common.
    /// The newest sweep is the last one. A ledger that cannot be read tells nothing.
    func like(
        _ specification: Specification, _ setups: [Setting.Setup], _ inventory: Inventory, _ plan: Plan
    ) -> [PastRun] {
        guard let traits = plan.traits else { return [] }
        var runs: [PastRun] = []
        for (number, entry) in entries.enumerated().reversed() {
            guard let sweep = try? PastSweep(entry, engine: specification.sweep.engine) else { continue }
            for attempt in sweep.attempts {
                let levels = sweep.assignments(of: attempt).map(traits.levels) ?? []
                let isLike = attempt.workload != nil || attempt.isSetup || levels.contains { $0 >= 0 }
                guard isLike || entry.name == specification.sweep.name,
                    let group = PastRuns.group(of: attempt, specification.sweep, setups),
                    plan.groups.indices ~= group
                else { continue }
                let host = inventory.hosts.firstIndex { $0.name == attempt.host } ?? -1
                runs.append(
                    PastRun(group: group, levels: levels, host: host, origin: number + 1, wall: attempt.wall))
            }
        }
        return runs
    }

    /// The group of the plan whose runs are of the same kind and workload: first those of the workloads, one for each
    /// checkpoint, then a setup each; of several checkpoints or boots the first stands for all.
    private static func group(of attempt: PastAttempt, _ sweep: Sweep, _ setups: [Setting.Setup]) -> Int? {
        let (workloads, checkpoints) = (sweep.workloads, sweep.measure.ages.count)
        guard attempt.isSetup else {
            guard let workload = attempt.workload else { return workloads.isEmpty ? 0 : nil }
            return workloads.firstIndex(of: workload).map { $0 * checkpoints }
        }
        let setup = setups.firstIndex { setup in
            switch setup.task {
            case .setup(let workload, _): workload == attempt.workload
            case .boot: attempt.workload == nil
            case .evaluation: false
            }
        }
        return setup.map { max(1, workloads.count) * checkpoints + $0 }
    }

    private struct PastSweep {
        private let points: Points
        private let repeats: Int
        let attempts: [PastAttempt]

        private struct TellsNothing: Error {}

        init(_ entry: ArtifactsFolder.Entry, engine: String) throws {
            let ledger = try Ledger.read(entry.ledger, sweep: entry.name)
            let sweep = try Document.sweep(try ledger.metadata().specification)
            let size = sweep.allAxes.reduce(max(1, sweep.workloads.count) * sweep.measure.ages.count) {
                $0.multipliedCapped(max(1, $1.values.count))
            }
            guard sweep.engine == engine, 0...PastRuns.mostPoints ~= size else { throw TellsNothing() }
            points = try Points(sweep, recipe: "")
            repeats = sweep.measure.repeats
            attempts = try ledger.lastSuccesses(PastRuns.mostRuns)
        }

        /// nil: it was no evaluation.
        func assignments(of attempt: PastAttempt) -> [Assignment]? {
            let point = attempt.place / repeats
            return attempt.isSetup || point >= points.count ? nil : points.assignments(point)
        }
    }
}
