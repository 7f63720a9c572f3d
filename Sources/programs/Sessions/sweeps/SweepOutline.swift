import Engines
import Ledger
package import Model

/// What launching a sweep file would do.
package struct SweepOutline {
    package let specification: Specification
    package let inventory: Inventory?
    /// What a host is sent at most before its first run.
    package let stagedBytes: Int64
    /// nil: no sweep of that name was launched.
    package let earlier: EarlierLaunch?

    package var sweep: Sweep { specification.sweep }
    package var hostNames: [String] { inventory?.hosts.map(\.name) ?? [] }
    package var points: Points { specification.points }
    package var runCount: Int { points.count * sweep.measure.repeats }
    package var setupCount: Int { specification.engine.setups.count }

    /// - Throws: ``Failure`` also where no host of the inventory could ever take a run.
    package init(_ sweep: Sweep, _ inventory: Inventory?, in folder: ArtifactsFolder) throws {
        let specification = try Specification(sweep)
        if let inventory { try specification.checkHosts(inventory) }
        self.specification = specification
        self.inventory = inventory
        stagedBytes = specification.engine.inputs.reduce(Int64(0)) { $0 + $1.size }
        earlier = try folder.newest(named: sweep.name).map { try EarlierLaunch($0, specification, in: folder) }
    }

    package var document: JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweep", .string(sweep.name)),
            JSON.Member("engine", .string(sweep.engine)),
            JSON.Member("workloads", .array(sweep.workloads.map { .string($0) })),
            JSON.Member(
                "axes",
                .object(sweep.allAxes.map { JSON.Member($0.name, .array($0.values.map { .string($0) })) })),
            JSON.Member("points", .integer(points.count)), JSON.Member("runs", .integer(runCount)),
            JSON.Member("done", .integer(earlier?.change.succeeded ?? 0)),
            JSON.Member("existing", earlier?.document ?? .null), JSON.Member("staged_bytes", .integer(stagedBytes)),
            JSON.Member("hosts", .array(hostNames.map { .string($0) })),
        ])
    }
}

extension Specification {
    /// - Throws: ``Failure`` (`badSpecification`) where no host has the memory that a run needs: to wait for one would
    ///   be to wait for ever.
    func checkHosts(_ inventory: Inventory) throws {
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
