import Model
import Testing
@testable import SweepCore

@Suite("What runs take of hosts")
struct RoomTests {
    private static let gpu = [CountedResource("gpu", 1)]

    @Test("A host has room for as many runs as its slots and resources allow", arguments: [
        (RunNeeds(), 3, [], 3), (RunNeeds(cores: 2), 7, [], 3), (RunNeeds(cores: 8), 7, [], 0),
        (RunNeeds(resources: gpu), 7, [], 0), (RunNeeds(resources: gpu), 7, [CountedResource("gpu", 2)], 2),
        (RunNeeds(cores: 4, resources: gpu), 7, [CountedResource("fpga", 9), CountedResource("gpu", 2)], 1),
        (RunNeeds(resources: [CountedResource("gpu", 2)]), 7, [CountedResource("gpu", 3)], 1),
    ] as [(RunNeeds, Int, [CountedResource], Int)])
    func room(_ needs: RunNeeds, _ slots: Int, _ resources: [CountedResource], _ runs: Int) {
        #expect(needs.room(slots: slots, resources: resources) == runs)
        #expect(needs.lacking(in: resources).isEmpty || runs == 0)
    }

    private func cluster(_ needs: RunNeeds, _ resources: [[CountedResource]]) -> Cluster {
        var plan = Plan(groups: [Plan.Group(runs: 1..<101)], hosts: resources.indices.map { "h\($0)" })
        plan.needs = needs
        plan.resources = resources
        return Cluster(SweepState(plan: plan))
    }

    @Test("Each host is given what it has room for, and more when a run has ended")
    func granting() {
        var cluster = cluster(RunNeeds(cores: 2, resources: Self.gpu), [Self.gpu, [CountedResource("gpu", 8)]])
        cluster.step(.joined(host: 0, Cluster.facts(0, slots: 8)), .joined(host: 1, Cluster.facts(1, slots: 7)))
        #expect(cluster.core.state.openRuns == [1, 3])
        #expect(cluster.core.view(of: 1, running: 3, now: 0).slots == 3)
    }

    @Test("A host that never has as many slots is refused by name")
    func refused() {
        var cluster = cluster(RunNeeds(cores: 4), [[], []])
        let effects = cluster.step(.joined(host: 0, Cluster.facts(0, slots: 3)))
        let reasons = effects.compactMap { effect in
            if case .disconnect(0, let reason) = effect { reason } else { nil }
        }
        #expect(reasons == ["a run takes 4 slots (cores), but this host has 3"])
        cluster.step(.joined(host: 1, Cluster.facts(1, slots: 4)))
        #expect(cluster.core.state.openRuns == [0, 1])
    }
}
