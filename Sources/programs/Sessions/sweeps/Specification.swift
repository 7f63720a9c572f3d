package import CoordinatorRuntime
package import Engines
import Formats
import Foundation
package import Ledger
package import Model
import Results
package import SweepCore

/// A sweep file with all that follows from it alone: its engine, its points, and what its runs are.
package struct Specification {
    package let sweep: Sweep
    package let engine: any Engine
    package let points: Points
    /// As the ledger keeps it.
    package let text: String

    /// - Parameters:
    ///   - machine: has the files that the engine needs.
    ///   - forces: whether checkpoints are used that do not fit.
    package init(_ sweep: Sweep, on machine: any LaunchingMachine = ThisMachine(), forces: Bool = false) throws {
        engine = try EngineRegistry.find(sweep.engine).engine(for: sweep, machine)
        let sweep = try sweep.forcing(engine.misfits, all: forces)
        self.sweep = sweep
        points = try Points(sweep, recipe: try sweep.recipe)
        try Specification.checkDescription(engine, points, sweep.measure.repeats)
        text = sweep.document
    }

    /// - Throws: ``Failure`` (`badSpecification`) where a run is described by more than fits a message: the run of the
    ///   point with the longest values.
    private static func checkDescription(_ engine: any Engine, _ points: Points, _ repeats: Int) throws {
        func size(_ point: Int) throws -> Int {
            let task = EngineTask.evaluation(point: point, repetition: repeats)
            // What it starts from is no part of the description.
            let checkpoint = [Job.Input(path: "checkpoint", digest: SHA256.digest(""), size: 0)]
            return try engine.job(for: task, points: points, checkpoint: checkpoint).descriptionSize
        }
        let found = try size(points.longest)
        guard found <= Job.longestDescription else {
            throw Failure(
                .badSpecification,
                "the arguments, variables and parameters of a run take \(PeopleText.size(Int64(found))) together, and "
                    + "\(PeopleText.size(Int64(Job.longestDescription))) can be sent to a host; put long values into "
                    + "a file and name it in 'inputs'")
        }
    }

    /// For each axis whose values a checkpoint knows of, what that means at points with other values.
    var restoreRemarks: [String] {
        guard !engine.setups.isEmpty || !engine.checkpointRemarks.isEmpty else { return [] }
        return sweep.restoreRemarks(axes: sweep.allAxes.map(\.name))
    }

    private var repeats: Int { sweep.measure.repeats }

    /// What makes the checkpoints that points start from, in the order of their places: of a workload all of them, then
    /// those of the next.
    var setupTasks: [EngineTask] {
        engine.setups.flatMap { workload in
            sweep.measure.ages.indices.map { EngineTask.setup(workload: workload, checkpoint: $0) }
        }
    }

    /// What the runs are of, in the order of their places: evaluations, point by point, then setups, then boots.
    package var keys: some Sequence<RunKey> {
        let (points, repeats) = (points, repeats)
        let evaluations = (0..<points.count * repeats).lazy.map { index in
            RunKey.evaluation(
                point: points.digest(index / repeats), workload: points.workload(index / repeats),
                repetition: index % repeats + 1)
        }
        let setups = engine.setups.flatMap { workload in
            sweep.measure.ages.indices.map { number in
                let recipe = engine.checkpointKey(workload, checkpoint: number)
                return RunKey.setup(workload: workload, recipe: SHA256.digest("setup 1\n\(recipe)"))
            }
        }
        let boots = engine.boots.map { RunKey.boot(recipe: SHA256.digest("boot 1\n\($0.key)")) }
        return [AnySequence(evaluations), AnySequence(setups), AnySequence(boots)].lazy.flatMap { $0 }
    }

    // MARK: Pins

    /// What this machine's files fix, by name.
    package var pins: [(name: String, digest: Digest)] {
        engine.pinnedFiles.map { (name: "guest:\($0.path)", digest: $0.digest) }
    }

    /// - Throws: ``Failure`` (`refused`) where a file is no longer the one that the sweep began with.
    package func checkPins(_ known: [(name: String, digest: Digest)]) throws {
        let changed = pins.compactMap { pin in
            known.first { $0.name == pin.name && $0.digest != pin.digest }
                .map { "  \(pin.name)  was \($0.digest)\n  \(pin.name)  is  \(pin.digest)" }
        }
        guard changed.isEmpty else {
            throw Failure(
                .refused,
                "files that this sweep is pinned to have changed, and results of different pins are not mixed; put the "
                    + "old files back, or run everything again with --repin\n\(changed.joined(separator: "\n"))")
        }
    }

    // MARK: For the core

    /// - Returns: the same runs.
    /// - Throws: ``Failure`` (`badArchive`) where there are not as many as ``keys``.
    package func checked(_ runs: RunList) throws -> RunList {
        let count = points.count * repeats + setupTasks.count + engine.boots.count
        guard runs.count == count || !hasBoots(runs) else {
            throw Failure(
                .badArchive,
                "the ledger has \(PeopleText.count(runs.count, "run")), but the sweep in it has \(count), so "
                    + "one of them was changed. Start again: usweep launch SWEEP -i INVENTORY --new")
        }
        return runs
    }

    /// - Parameters:
    ///   - runs: the ledger's, in the order of ``keys``, as many as these.
    ///   - setups: those of ``setups(_:_:)``, in the order of their runs.
    ///   - pointCount: only so many points, spread over the sweep, with the setups that they need; nil: all.
    ///   - given: pins of checkpoints that came from elsewhere, so that nobody makes them.
    package func plan(
        _ runs: RunList, setups: [Setting.Setup], highestRun: RunNumber, hosts: [Model.Host],
        only pointCount: Int? = nil, given: Set<String> = []
    ) -> Plan {
        var groups: [Plan.Group] = []
        let checkpoints = sweep.measure.ages.count
        let starts = max(1, sweep.workloads.count) * checkpoints
        let each = points.count / starts
        let chosen = pointCount.flatMap { count in
            count < points.count ? (0..<count).map { $0 * points.count / count } : nil
        }
        for index in 0..<starts {
            let all = index * each..<(index + 1) * each
            var list = runs.part(all.lowerBound * repeats..<all.upperBound * repeats)
            if let chosen {
                list = RunList()
                for point in chosen where all.contains(point) {
                    for run in runs.part(point * repeats..<(point + 1) * repeats) { list.append(run) }
                }
            }
            let setup = points.workload(index * each).flatMap { workload in
                setups.first { $0.task == .setup(workload: workload, checkpoint: index % checkpoints) }
            }
            groups.append(Plan.Group(runs: list, requires: setup?.pin))
        }
        for (index, setup) in setups.enumerated() {
            let isNeeded = groups.contains { $0.requires == setup.pin && !$0.runs.isEmpty }
            guard !given.contains(setup.pin), isNeeded || chosen == nil && given.isEmpty else { continue }
            let place = points.count * repeats + index
            groups.append(
                Plan.Group(runs: runs.part(place..<place + 1), requires: setup.requires, provides: setup.pin))
        }
        var timing = Timing()
        timing.sweep = sweep.limits.sweep
        if let term = ProcessInfo.processInfo.environment["USWEEP_LEASE_SECONDS"].flatMap(Int64.init), term > 0 {
            timing.leaseTerm = term * Timing.second
            timing.shortestSilence = 2 * timing.leaseTerm
        }
        var plan = Plan(
            groups: groups, highestRun: highestRun, hosts: hosts.map(\.name), maximumFailures: sweep.attempts,
            agentRetries: engine.descriptor.agentRetries, stopAfter: sweep.stopAfter, memory: memoryRule,
            pinsEngine: engine.descriptor.binary != nil, timing: timing)
        plan.hasSecondStarts = sweep.hasSecondStarts
        plan.traits = RunTraits(points: points, repeats: repeats, runs: runs)
        plan.needs = sweep.needs
        plan.resources = hosts.map(\.resources)
        return plan
    }

    private var memoryRule: MemoryRule {
        if let bytes = sweep.limits.job.memoryBytes { return .fixed(bytes) }
        return engine.descriptor.firstMemoryGuess.map { .learned(firstGuess: $0) } ?? .uncounted
    }

    /// Those of a sweep that was not launched yet. Their pins have other names then.
    package var newSetups: [Setting.Setup] {
        setupTasks.enumerated().map { index, task in
            let boot = boot(for: task)
            return Setting.Setup(task, pin: "setup \(index)", requires: boot.map { "boot \($0)" })
        } + engine.boots.indices.map { Setting.Setup(.boot($0), pin: "boot \($0)") }
    }

    /// The place of the boot that a setup goes on from; nil: it boots by itself.
    private func boot(for setup: EngineTask) -> Int? {
        setup.workload(points).flatMap { workload in engine.boots.firstIndex { $0.workloads.contains(workload) } }
    }

    /// Whether these are runs of a ledger in which guests are booted once; in older ones each setup boots by itself.
    private func hasBoots(_ runs: RunList) -> Bool { runs.count != points.count * repeats + setupTasks.count }

    /// The setups, then the boots, with the pins that they provide, which the ledger names.
    package func setups(_ runs: RunList, _ ledger: Ledger) throws -> [Setting.Setup] {
        let first = points.count * repeats
        func key(_ index: Int, _ what: String) throws -> (key: RunKey, pin: String) {
            let run = runs[first + index]
            guard let key = try ledger.run(run)?.plan.key, let pin = key.pin else {
                throw Failure(.badArchive, "the ledger has no \(what) as run \(run)")
            }
            return (key, pin)
        }
        let engineBoots = hasBoots(runs) ? engine.boots : []
        let boots = try engineBoots.indices.map { index in
            Setting.Setup(.boot(index), pin: try key(setupTasks.count + index, "boot of a guest").pin)
        }
        let setups = try setupTasks.enumerated().map { index, task in
            let workload = task.workload(points)
            let what = "setup of '\(workload ?? "")'"
            let found = try key(index, what)
            guard found.key.workload == workload else {
                throw Failure(.badArchive, "the ledger has no \(what) as run \(runs[first + index])")
            }
            let boot = boots.isEmpty ? nil : boot(for: task)
            return Setting.Setup(task, pin: found.pin, requires: boot.map { boots[$0].pin })
        }
        return setups + boots
    }
}

extension SpecificationChange {
    /// For people.
    var sentence: String {
        var parts = ["\(PeopleText.count(new, "new run"))", "\(kept) unchanged"]
        if back > 0 { parts.append("\(back) back again with the results that they had") }
        if gone > 0 { parts.append("\(gone) no longer part of it (their results are kept, but not shown)") }
        if newSetups > 0 { parts.append(PeopleText.count(newSetups, "new setup")) }
        return parts.joined(separator: ", ") + "; \(succeeded) have succeeded already"
    }
}

extension Sweep {
    /// - Parameter axes: those that a point names.
    func restoreRemarks(axes: [String]) -> [String] {
        guard let parameters = try? EngineRegistry.find(engine).parameters(settings) else { return [] }
        return axes.compactMap { axis in parameters.remark(afterRestoreWith: axis).map { "\(axis): \($0)" } }
    }
}
