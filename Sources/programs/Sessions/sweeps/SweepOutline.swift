import Engines
import Ledger
package import Model
import Results

/// What launching a sweep file would do.
package struct SweepOutline {
    package let specification: Specification
    /// With those of its hosts alone that the sweep may use; nil: none was named.
    package let inventory: Inventory?
    /// What a host is sent at most before its first run.
    package let stagedBytes: Int64
    /// nil: no sweep of that name was launched.
    package let earlier: EarlierLaunch?
    package let estimate: TimeEstimate

    package var sweep: Sweep { specification.sweep }
    package var hostNames: [String] { inventory?.hosts.map(\.name) ?? [] }
    package var points: Points { specification.points }
    package var runCount: Int { points.count * sweep.measure.repeats }
    /// Which checkpoints the sweep starts from that it does not make itself, and whether they fit. One that does not
    /// fit and is not forced is refused before.
    package var checkpoints: [String] {
        specification.engine.checkpointRemarks.map { remark in
            let name = "\(remark.workload): \(remark.digest.map(\.short) ?? "without a record")"
            let fit = sweep.forced(remark.workload).map { "does not fit, and is forced: \($0)" }
                ?? (remark.unknown.isEmpty
                    ? "fits" : "cannot be checked; not known: \(PeopleText.list(remark.unknown, atMost: 8))")
            return "\(name), \(fit)"
                + (remark.decided.isEmpty ? "" : "; its guest has \(PeopleText.list(remark.decided))")
        }
    }
    /// What is to be known of axes at points that start from a checkpoint, an axis each; the others are set up when a
    /// checkpoint is restored.
    package var restoreRemarks: [String] { specification.restoreRemarks }
    /// How many invocations all runs measure together, at least and at most; nil: only their program knows.
    package var invocations: ClosedRange<Int>? {
        guard !specification.engine.descriptor.phases.isEmpty else { return nil }
        let (most, until) = (sweep.measure.invocations, sweep.measure.until)
        let least = until == nil ? most : min(StoppingRule.least, most)
        // Ten million runs of a million each at most.
        return runCount * least...runCount * most
    }
    package var setupCount: Int { specification.setupTasks.count }
    package var bootCount: Int { specification.engine.boots.count }

    /// - Parameter forces: whether checkpoints are used that do not fit.
    /// - Throws: ``Failure`` also where no host of the inventory could ever take a run.
    package init(
        _ sweep: Sweep, _ inventory: Inventory?, in folder: ArtifactsFolder, forces: Bool = false
    ) throws {
        let specification = try Specification(sweep, forces: forces)
        self.specification = specification
        self.inventory = try inventory.map { try specification.usable($0) }
        stagedBytes = specification.engine.inputs.reduce(Int64(0)) { $0 + $1.size }
        earlier = try folder.newest(named: sweep.name).map { try EarlierLaunch($0, specification, in: folder) }
        estimate = try TimeEstimate(specification, self.inventory, earlier, in: folder)
    }

    /// - Parameter withPoints: whether every point is listed.
    package func document(withPoints: Bool = false) -> JSON {
        let list = withPoints ? [JSON.Member("point_list", .array((0..<points.count).map(points.document)))] : []
        return .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(sweep.name)),
            JSON.Member("engine", .string(sweep.engine)),
            JSON.Member("workloads", .array(sweep.workloads.map { .string($0) })),
            JSON.Member(
                "axes",
                .object(sweep.allAxes.map { JSON.Member($0.name, .array($0.values.map { .string($0) })) })),
            JSON.Member("checkpoints", .array(sweep.measure.checkpoints.map { .integer(Int64($0)) })),
            JSON.Member("points", .integer(points.count)), JSON.Member("runs", .integer(runCount)),
            JSON.Member("invocations", invocations.map(SweepOutline.bounds) ?? .null),
            JSON.Member("done", .integer(earlier?.change.succeeded ?? 0)),
            JSON.Member("existing", earlier?.document ?? .null), JSON.Member("staged_bytes", .integer(stagedBytes)),
            JSON.Member("forced", .array(sweep.forced.map(SweepOutline.document))),
            JSON.Member("restore_remarks", .array(restoreRemarks.map { .string($0) })),
            JSON.Member("hosts", .array(hostNames.map { .string($0) })), JSON.Member("time", estimate.document),
        ] + list)
    }
}

extension SweepOutline {
    private static func document(_ forced: ForcedCheckpoint) -> JSON {
        .object([
            JSON.Member("workload", .string(forced.workload)),
            JSON.Member("differences", .array(forced.differences.map { .string($0.sentence) })),
        ])
    }

    private static func bounds(_ range: ClosedRange<Int>) -> JSON {
        .object([
            JSON.Member("least", .integer(Int64(range.lowerBound))),
            JSON.Member("most", .integer(Int64(range.upperBound))),
        ])
    }
}

extension Specification {
    /// The hosts of an inventory that the sweep may use: those with all of its labels, its engine and what a run takes.
    ///
    /// - Throws: ``Failure`` (`badSpecification`) where no host has them, or the memory or slots that a run needs: to
    ///   wait for one would be to wait for ever.
    func usable(_ inventory: Inventory) throws -> Inventory {
        var usable = inventory
        usable.hosts.removeAll { host in !sweep.hostLabels.allSatisfy(host.labels.contains) }
        if usable.hosts.isEmpty, !inventory.hosts.isEmpty { throw unlabelled(inventory) }
        try removeHostsWithoutEngine(&usable)
        let labelled = usable.hosts
        usable.hosts.removeAll { !sweep.needs.lacking(in: $0.resources).isEmpty }
        if usable.hosts.isEmpty, !labelled.isEmpty { throw lacking(labelled) }
        try checkCores(usable)
        try checkMemory(usable)
        try checkJobTime(usable)
        return usable
    }

    private func removeHostsWithoutEngine(_ inventory: inout Inventory) throws {
        let name = engine.descriptor.name
        guard let binary = engine.descriptor.binary, binary.defaultPath == nil, !inventory.hosts.isEmpty else { return }
        inventory.hosts.removeAll { host in !host.engines.contains { $0.name == name } }
        guard inventory.hosts.isEmpty else { return }
        throw Failure(
            .badSpecification, "engines: the inventory says of no host that this sweep may use where \(name) is; write "
                + "'engines: {\(name): PATH}' for a host that has it")
    }

    private func lacking(_ hosts: [Host]) -> Failure {
        let list = { (resources: [CountedResource]) in
            resources.map { "\($0.name): \($0.count)" }.joined(separator: ", ")
        }
        let needs = list(sweep.needs.resources)
        let found = hosts.filter { !$0.resources.isEmpty }.map { "\($0.name) has {\(list($0.resources))}" }
        return Failure(
            .badSpecification, "resources: a run takes {\(needs)}, but no host of the inventory has that many ("
                + (found.isEmpty ? "none lists resources" : PeopleText.list(found, atMost: 8))
                + "); add 'resources: {\(needs)}' to a host that has it, or lower it in the sweep file")
    }

    private func checkCores(_ inventory: Inventory) throws {
        let known = inventory.hosts.compactMap { host in host.slots.map { (name: host.name, slots: $0) } }
        guard known.count == inventory.hosts.count, let largest = known.max(by: { $0.slots < $1.slots }),
            largest.slots < sweep.needs.cores
        else { return }
        throw Failure(
            .badSpecification, "cores: a run takes \(PeopleText.count(sweep.needs.cores, "slot")), but the largest "
                + "host, \(largest.name), has \(largest.slots); lower 'cores', or raise 'slots' of a host")
    }

    private func checkJobTime(_ inventory: Inventory) throws {
        let sites = inventory.hosts.compactMap { $0.pilot?.site }
        guard let limit = sweep.limits.job.time, sites.count == inventory.hosts.count,
            let longest = sites.max(by: { $0.time < $1.time }), longest.time < limit
        else { return }
        throw Failure(
            .badSpecification, "limits.time: a run may take \(PeopleText.span(limit)), but the longest job of the "
                + "inventory, on \(longest.name), ends after \(PeopleText.span(longest.time)); lower 'limits.time', or "
                + "raise 'time' of the cluster")
    }

    private func unlabelled(_ inventory: Inventory) -> Failure {
        var known: [String] = []
        for label in inventory.hosts.flatMap(\.labels) where !known.contains(label) { known.append(label) }
        let labels = sweep.hostLabels.joined(separator: ", ")
        let wanted = sweep.hostLabels.count == 1 ? "the label '\(labels)'" : "all of the labels \(labels)"
        let found = known.isEmpty ? "none of its hosts has a label"
            : "its hosts have " + PeopleText.list(known.map { "'\($0)'" }, atMost: 20)
        return Failure(
            .badSpecification, "hosts.labels: no host of the inventory has \(wanted) (\(found)); write "
                + "'labels: [\(labels)]' for a host of the inventory, or remove 'hosts' from the sweep file")
    }

    private func checkMemory(_ inventory: Inventory) throws {
        guard let needed = sweep.limits.job.memoryBytes else { return }
        let known = inventory.hosts.compactMap { host in host.memoryBytes.map { (name: host.name, bytes: $0) } }
        guard known.count == inventory.hosts.count, let largest = known.max(by: { $0.bytes < $1.bytes }),
            largest.bytes < needed
        else { return }
        throw Failure(
            .badSpecification, "limits.memory: a run needs \(PeopleText.size(needed)), and no host of the inventory "
                + "has that much; the largest is \(largest.name) with \(PeopleText.size(largest.bytes)): lower "
                + "'limits.memory', or add a host")
    }
}
