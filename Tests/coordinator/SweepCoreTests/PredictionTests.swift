import Model
import Testing
@testable import SweepCore

@Suite("What runs take is learnt from those that ended")
struct PredictionTests {
    private static let second = Timing.second

    /// 4 values of `size`, each twice as slow as the one before, by 3 values of `core` (1, 1.5 and 9 times as slow).
    static func traits(repeats: Int = 1) throws -> RunTraits {
        var sweep = Sweep(name: "s", engine: "command")
        sweep.axes = [Axis(name: "core", values: ["a", "b", "c"]), Axis(name: "size", values: ["1", "2", "4", "8"])]
        sweep.measure.repeats = repeats
        let points = try Points(sweep, recipe: "")
        return RunTraits(points: points, repeats: repeats, runs: RunList(1..<12 * repeats + 1))
    }

    static func wall(_ run: RunNumber, slowness: Double = 1) -> Nanoseconds {
        let (core, size) = ((run - 1) / 4, (run - 1) % 4)
        return Nanoseconds([1.0, 1.5, 9.0][core] * Double(1 << size) * slowness * 1e9)
    }

    static func state(hosts: Int = 1, history: [PastRun] = []) throws -> SweepState {
        var plan = Plan(groups: [Plan.Group(runs: 1..<13)], hosts: (0..<hosts).map { "h\($0)" })
        plan.traits = try traits()
        plan.history = history
        return SweepState(plan: plan)
    }

    @Test("Octaves are binary logarithms, and back", arguments: [1, 2, 3, 1_000, 999_999_937, 1 << 42, 1 << 50])
    func octaves(span: Nanoseconds) {
        let octaves = Octaves.of(span)
        #expect(abs(Octaves.ratio(octaves) / Double(span) - 1) < 1e-8)
        #expect(abs(Double(Octaves.span(octaves)) / Double(span) - 1) < 1e-3)
        #expect(abs(Octaves.of(2 * span) - octaves - 1) < 1e-9)
    }

    @Test("Without data nothing is predicted; with one run, all take as long as that")
    func fewData() throws {
        var state = try Self.state()
        let isFirst = state.times.refit()
        #expect(!isFirst)
        #expect(state.prediction(1, host: 0) == nil)
        state.times.note(1, group: 0, host: 0, wall: 100 * Self.second)
        let isSecond = state.times.refit()
        #expect(isSecond)
        let prediction = try #require(state.prediction(12, host: 0))
        #expect(prediction.expected == 100 * Self.second)
        #expect(prediction.low < 30 * Self.second && prediction.high > 300 * Self.second)
    }

    @Test("Effects of axes are told apart: what has not run is predicted from its neighbours")
    func axes() throws {
        var state = try Self.state()
        for run in 1...12 where ![4, 7, 10].contains(run) {
            state.times.note(run, group: 0, host: 0, wall: Self.wall(run))
        }
        _ = state.times.refit()
        for run in [4, 7, 10] {
            let expected = try #require(state.prediction(run, host: 0)).expected
            #expect(abs(Octaves.of(expected) - Octaves.of(Self.wall(run))) < 1.2, "run \(run)")
        }
        let order = [1, 7, 4, 10, 12].map { state.prediction($0, host: 0)?.expected ?? 0 }
        #expect(order == order.sorted())
    }

    @Test("A host's speed is learnt, and one run that took a hundred times as long moves little")
    func hosts() throws {
        var state = try Self.state(hosts: 2)
        for _ in 0..<6 {
            for run in 1...12 {
                let host = run % 2
                state.times.note(run, group: 0, host: host, wall: Self.wall(run, slowness: host == 1 ? 3 : 1))
                state.times.note(run, group: 0, host: 1 - host, wall: Self.wall(run, slowness: host == 1 ? 1 : 3))
            }
        }
        _ = state.times.refit()
        let ratio = state.times.slowness(of: 1) - state.times.slowness(of: 0)
        #expect(abs(ratio - Octaves.of(3 * Self.second) + Octaves.of(Self.second)) < 0.2)
        let before = try #require(state.prediction(6, host: 0)).expected
        for _ in 0..<20 { state.times.note(5, group: 0, host: 0, wall: Self.wall(5)) }
        state.times.note(6, group: 0, host: 0, wall: 100 * Self.wall(6))
        _ = state.times.refit()
        let after = try #require(state.prediction(6, host: 0)).expected
        #expect(abs(Octaves.of(after) - Octaves.of(before)) < 0.5)
    }

    @Test("Earlier sweeps tell what is usual, and this one's own runs then correct it")
    func history() throws {
        let traits = try Self.traits()
        let past = (1...12).map { run in
            PastRun(
                group: 0, levels: traits.levels([
                    Assignment(axis: "size", value: ["1", "2", "4", "8"][(run - 1) % 4]),
                    Assignment(axis: "core", value: ["a", "b", "c"][(run - 1) / 4]),
                    Assignment(axis: "gone", value: "x"),
                ]), host: -1, origin: 1, wall: Self.wall(run))
        }
        var state = try Self.state(history: past)
        _ = state.times.refit()
        let first = try #require(state.prediction(12, host: 0)).expected
        #expect(abs(Octaves.of(first) - Octaves.of(Self.wall(12))) < 1)
        // All take ten times as long now.
        for run in 1...9 { state.times.note(run, group: 0, host: 0, wall: Self.wall(run, slowness: 10)) }
        _ = state.times.refit()
        let later = try #require(state.prediction(12, host: 0)).expected
        #expect(abs(Octaves.of(later) - Octaves.of(Self.wall(12, slowness: 10))) < 1)
    }

    @Test("A value of the other sweep that this one has not is no level")
    func levels() throws {
        let levels = try Self.traits().levels([Assignment(axis: "size", value: "16")])
        #expect(levels == [-1, -1])
    }

    @Test("Each value of each axis is tried first, then the longest; what failed goes before all")
    func order() throws {
        var state = try Self.state()
        state.order()
        // 1 shows a and 1, 2 to 4 the other sizes, 5 and 9 the other cores.
        let firsts = state.take(6, for: 0, within: LengthBounds()) { $0 == 0 }
        #expect(firsts == [1, 2, 3, 4, 5, 9])
        for run in [1, 2, 3, 4, 5, 9] {
            let report = AttemptReport(
                id: AttemptID(run: run, lease: 1, attempt: 1), wallNanoseconds: Self.wall(run))
            state.apply(
                .attemptEnded(report, host: "h0", failure: nil, evidence: "", blocks: nil, endedAt: 0))
            state.apply(.runEnded(run: run, state: .succeeded, failure: nil, attempt: 1))
        }
        state.order()
        let rest = state.take(6, for: 0, within: LengthBounds()) { $0 == 0 }
        #expect(rest == [12, 11, 10, 8, 7, 6])
    }

    @Test("A host of which nothing is known begins with the shortest runs, and one that is known with the longest")
    func probes() throws {
        var plan = Plan(groups: [Plan.Group(runs: 1..<49)], hosts: ["h0", "h1"])
        let traits = try Self.traits(repeats: 4)
        plan.traits = traits
        plan.history = (1...12).map { point in
            let values = [
                Assignment(axis: "core", value: ["a", "b", "c"][(point - 1) / 4]),
                Assignment(axis: "size", value: ["1", "2", "4", "8"][(point - 1) % 4]),
            ]
            return PastRun(group: 0, levels: traits.levels(values), host: 1, origin: 1, wall: Self.wall(point))
        }
        var cluster = Cluster(SweepState(plan: plan))
        cluster.join(0, slots: 1)
        var begun: [RunNumber] = []
        for _ in 0..<9 {
            let lease = cluster.core.state.leasesOfHost[0][0]
            let run = cluster.core.state.openRuns(of: lease, host: 0)[0]
            begun.append(run)
            if begun.count == 9 { break }
            cluster.step(.ended(host: 0, Cluster.ended(run, lease: lease, wall: Self.wall((run + 3) / 4))))
        }
        // Each value first; then the shortest until eight have ended, then the longest.
        #expect(begun == [1, 5, 9, 13, 17, 33, 2, 3, 45])
        #expect(cluster.join(1, slots: 1).granted(to: 1) == [46])
    }

    @Test("A value of which nothing has ended is doubted, and its first run looked at at once")
    func unseen() throws {
        var state = try Self.state(hosts: 2)
        for _ in 0..<3 {
            for run in 1...4 { state.times.note(run, group: 0, host: 1, wall: Self.wall(run)) }
        }
        _ = state.times.refit()
        let known = try #require(state.prediction(4, host: 0))
        let unknown = try #require(state.prediction(12, host: 0))
        #expect(known.high < 2 * known.expected)
        #expect(unknown.high > 4 * unknown.expected && unknown.low < unknown.expected / 4)
        // c is nine times as slow.
        state.times.note(12, group: 0, host: 0, wall: Self.wall(12))
        let isNew = state.times.refit()
        #expect(isNew)
        let later = try #require(state.prediction(12, host: 0))
        #expect(later.expected > 2 * unknown.expected)
    }

    @Test("A run tells of its host only where others have shown what such runs take")
    func knownElsewhere() throws {
        var state = try Self.state(hosts: 2)
        for run in 1...8 { state.times.note(run, group: 0, host: 1, wall: Self.wall(run)) }
        for _ in 0..<5 { state.times.note(12, group: 0, host: 0, wall: Self.wall(12)) }
        _ = state.times.refit()
        #expect(!state.times.isKnown(12, group: 0, elsewhereThan: 0))
        for run in 9...12 { state.times.note(run, group: 0, host: 1, wall: Self.wall(run)) }
        #expect(state.times.isKnown(12, group: 0, elsewhereThan: 0))
        #expect(!state.times.isKnown(1, group: 0, elsewhereThan: 1))
    }

    @Test("Runs that become possible later find their place among the others")
    func laterGroup() throws {
        var plan = Plan(
            groups: [
                Plan.Group(runs: 1..<4), Plan.Group(runs: 4..<7, requires: "p"),
                Plan.Group(runs: 7..<8, provides: "p"),
            ], hosts: ["h0"])
        plan.history = (0..<12).map {
            PastRun(group: $0 % 2, levels: [], host: 0, origin: 1, wall: ($0 % 2 == 0 ? 10 : 80) * Self.second)
        }
        var state = SweepState(plan: plan)
        state.order()
        let before = state.take(2, for: 0, within: LengthBounds()) { $0 == 0 }
        #expect(before == [7, 1])
        let digest = try #require(Digest(bytes: Array(repeating: 1, count: 32)))
        state.apply(.pinned(name: "p", digest: digest))
        state.order()
        let after = state.take(9, for: 0, within: LengthBounds()) { $0 == 0 }
        #expect(after == [4, 5, 6, 2, 3])
    }

    @Test("The order in which runs end changes no prediction of theirs")
    func replayed() throws {
        var cluster = try Self.cluster(hosts: 1)
        cluster.join(0, slots: 3)
        for step in 0..<8 {
            let lease = cluster.core.state.leasesOfHost[0][0]
            let run = cluster.core.state.openRuns(of: lease, host: 0)[0]
            cluster.step(.ended(host: 0, Cluster.ended(run, lease: lease, wall: Self.wall(run))))
            #expect(cluster.core.state.endedCount == step + 1)
        }
        var other = cluster.replayed
        var own = cluster.core.state
        _ = (own.times.refit(), other.times.refit())
        #expect(other.digest == own.digest)
        #expect(other.times.count == own.times.count)
    }

    static func cluster(hosts: Int) throws -> Cluster {
        var plan = Plan(groups: [Plan.Group(runs: 1..<13)], hosts: (0..<hosts).map { "h\($0)" })
        plan.traits = try traits()
        plan.hasSecondStarts = true
        return Cluster(SweepState(plan: plan))
    }

    @Test("Before a host goes, only runs are begun there that end by then")
    func leaving() throws {
        var cluster = Cluster(try Self.state(history: (0..<40).map { _ in
            PastRun(group: 0, levels: [], host: 0, origin: 1, wall: 600 * Self.second)
        }))
        cluster.step(.leaves(host: 0, at: 500 * Self.second))
        #expect(cluster.join(0, slots: 2).granted(to: 0).isEmpty)
        #expect(cluster.step(.leaves(host: 0, at: 5_000 * Self.second)).granted(to: 0).count == 2)
    }

    @Test("Nothing is begun on a host that is closed, and people are told why")
    func closed() {
        var cluster = Cluster(runs: 4, hosts: 1)
        cluster.step(.closed(host: 0, reason: "outside its hours"))
        #expect(cluster.join(0, slots: 2).granted(to: 0).isEmpty)
        let view = cluster.core.view(of: 0, running: 0, now: cluster.now)
        #expect(view.standing == .paused && view.problem == "outside its hours")
        #expect(cluster.step(.closed(host: 0, reason: nil)).granted(to: 0) == [1, 2])
    }

    @Test("Time left is work by capacity, and no less than the longest run")
    func timeLeft() throws {
        var cluster = Cluster(runs: 21, hosts: 2)
        cluster.join(0, slots: 1)
        cluster.join(1, slots: 1)
        #expect(cluster.core.timeLeft(now: cluster.now) == nil)
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: 1, wall: 100 * Self.second)))
        let left = try #require(cluster.core.timeLeft(now: cluster.now))
        #expect(abs(Double(left.expected) / 1e9 - 1_000) < 60)
        #expect(left.low <= left.expected && left.expected <= left.high)
    }

    @Test("Time left is as right where hosts hold more runs than are looked at one by one")
    func timeLeftOfMany() throws {
        var cluster = Cluster(runs: 12_001, hosts: 1)
        cluster.join(0, slots: 6_000)
        for _ in 0..<12 { cluster.step() }
        let lease = try #require(cluster.lease(of: 1))
        cluster.step(.ended(host: 0, Cluster.ended(1, lease: lease, wall: 100 * Self.second)))
        #expect(cluster.core.heldRuns(on: 0) > 5_000)
        let left = try #require(cluster.core.timeLeft(now: cluster.now))
        #expect(abs(Double(left.expected) / 1e9 - 200) < 10)
    }

    @Test("Before a launch, time is foreseen from earlier sweeps; of a workload that never ran nothing is")
    func forecast() throws {
        var plan = Plan(groups: [Plan.Group(runs: 1..<13), Plan.Group(runs: 13..<15)], hosts: ["h0", "h1"])
        plan.history = (0..<40).map { _ in
            PastRun(group: 0, levels: [], host: -1, origin: 1, wall: 100 * Self.second)
        }
        let forecast = Forecast(plan) { $0 > 2 }
        #expect(forecast.runCount == 12 && forecast.unknownCount == 2)
        #expect(abs(Double(forecast.work) / 1e9 - 1_000) < 20)
        let span = try #require(forecast.span(slots: [2, 3]))
        #expect(abs(Double(span.expected) / 1e9 - 200) < 10)
        #expect(span.low <= span.expected && span.expected <= span.high)
        #expect(forecast.span(slots: []) == nil)
        #expect(Forecast(plan) { _ in false }.span(slots: [1]) == nil)
    }
}
