import Model
@testable import Simulation
import Testing

/// The figures of `ops/bench/schedule`, with fewer draws: they follow from a seed, and no clock is read. The limits
/// leave room for a few parts of a hundred, as every change of what is begun when moves them a little.
@Suite("When sweeps end")
struct ScheduleTests {
    private let hosts = ScheduleHost.threeSpeeds(slots: 4)

    /// The end of a sweep by its lower bound.
    private func end(_ trace: ScheduleTrace) -> Double {
        var trial = ScheduleTrial(trace, on: hosts)
        return trial.run().end / ScheduleBaseline.lowerBound(trace.lengths, on: hosts)
    }

    private static let seeds: ClosedRange<UInt64> = 1...4

    @Test(
        "Sweeps end soon after the earliest moment",
        arguments: [
            ("lognormal", 1.03), ("a function 10 x", 1.05), ("5 % 10 x by chance", 1.3), ("all by chance", 1.3),
        ])
    func ends(name: String, limit: Double) throws {
        let traces = try Self.seeds.map { seed in
            try #require(try ScheduleTrace.synthetic(seed: seed).first { $0.name == name })
        }
        let mean = traces.reduce(0) { $0 + end($1) } / Double(traces.count)
        #expect((1...limit).contains(mean))
    }

    @Test(
        "One sick host of twenty delays a sweep by less than 3 % of what it takes on the others",
        arguments: [ScheduleHost.Sickness.fails, .slows(20), .slows(4)])
    func sick(_ sickness: ScheduleHost.Sickness) throws {
        var (others, all) = (hosts, hosts)
        others.remove(at: 7)
        all[7].sickness = sickness
        var delay = 0.0
        for seed in Self.seeds {
            let trace = try ScheduleTrace.synthetic(seed: seed)[0]
            var (healthy, sick) = (ScheduleTrial(trace, on: others), ScheduleTrial(trace, on: all))
            let measured = sick.run()
            #expect(measured.notSucceeded == 0)
            delay += measured.end / healthy.run().end - 1
        }
        #expect(delay / Double(Self.seeds.count) < 0.03)
    }

    /// 240 runs, of which a few take most of the time, on 20 hosts: what tells of them is seen in little of it.
    @Test("Where few long runs decide, knowing the hosts is worth more than knowing the values, and history helps")
    func fewLong() throws {
        let hosts = ScheduleHost.threeSpeeds(slots: 1)
        var (here, later, known, speeds) = (0.0, 0.0, 0.0, 0.0)
        for seed in Self.seeds {
            var chance = Chance(seed: seed, stream: 80)
            let names = ["tool", "level", "size", "data"]
            let spreads = [1.2, 0.4, 1, 0.4]
            let effects = zip(spreads, [4, 5, 4, 3]).map { spread, count in
                (0..<count).map { _ in spread * (2 * chance.unit() - 1) }
            }
            let axes = zip(names, effects).map { Axis(name: $0, values: $1.indices.map(String.init)) }
            let trace = try ScheduleTrace("few long", axes: axes) { values in
                60 * Libm.exp(zip(effects, values).reduce(chance.unit()) { $0 + $1.0[$1.1] })
            }
            let bound = ScheduleBaseline.lowerBound(trace.lengths, on: hosts)
            var (first, second) = (ScheduleTrial(trace, on: hosts), ScheduleTrial(trace, on: hosts, hasHistory: true))
            here += first.run().end / bound / 4
            later += second.run().end / bound / 4
            known += ScheduleBaseline.known(trace, on: hosts) / bound / 4
            speeds += ScheduleBaseline.known(trace, on: hosts, knowsSpeeds: true) / bound / 4
        }
        #expect((1..<1.3).contains(here) && (1..<here).contains(later) && (1...known).contains(speeds))
    }

    @Test("Where all lengths are known, the longest run first, where it ends first, comes close to the bound")
    func foreseen() throws {
        let trace = try ScheduleTrace.synthetic(seed: 1)[0]
        let foreseen = ScheduleBaseline.foreseen(trace.lengths, on: hosts)
        #expect(foreseen <= 1.01 * ScheduleBaseline.lowerBound(trace.lengths, on: hosts))
        let moved = try trace.rearranged(seed: 3, times: 2)
        #expect(moved.lengths.sorted() == trace.lengths.map { 2 * $0 }.sorted() && moved.lengths != trace.lengths)
    }
}
