/// A model of the times of runs as a sum of effects, in octaves: the usual time, and what the sweep, the workload, the
/// value of each axis, the host and the point add to it.
///
/// Each effect is the median of what the other effects leave unexplained, reduced towards 0 if few runs show it (by n /
/// (n + k)). The effects are computed one after the other, in several passes (Tukey's median polish, for incomplete
/// tables). Medians are used so that a single run that took a hundred times as long changes nothing.
package struct RunTimeFit: Sendable {
    /// What is known of a run that ended; -1: it has none of that.
    struct Row {
        var origin: Int
        var host: Int
        var group: Int
        var point: Int
        var levels: [Int]
    }

    /// What the median run took.
    let base: Double
    private var groups: Effects
    private var axes: [Effects]
    private var hosts: Effects
    private var points: [Int: Double] = [:]
    private var pairs: [Pair] = []
    /// Between these, from what is predicted, lie four of five runs.
    private(set) var low = 0.0
    private(set) var high = 0.0
    /// Per axis, how far a value may lie of which no run has ended.
    private(set) var doubts: [Double] = []
    package let count: Int

    /// The k of each factor: the number of runs after which half of the observed effect is applied. Runs of one
    /// workload or point are much alike; hosts and other sweeps differ less than runs do.
    private enum Doubt { static let group = 0.5, axis = 1.0, host = 3.0, origin = 1.0, pair = 1.0, point = 0.25 }

    private static let rounds = 3

    init(
        _ octaves: [Double], groups groupCount: Int, hosts hostCount: Int, axes levelCounts: [Int], origins: Int,
        hasRepeats: Bool, rows: [Row]
    ) {
        count = octaves.count
        base = RunTimeFit.median(octaves)
        groups = Effects(groupCount, doubt: Doubt.group)
        axes = levelCounts.map { Effects($0, doubt: Doubt.axis) }
        hosts = Effects(hostCount, doubt: Doubt.host)
        var sweeps = Effects(origins, doubt: Doubt.origin)
        var rest = octaves.map { [base] in $0 - base }
        for _ in 0..<RunTimeFit.rounds {
            sweeps.polish(&rest, rows.map(\.origin))
            groups.polish(&rest, rows.map(\.group))
            for axis in axes.indices { axes[axis].polish(&rest, rows.map { $0.levels[axis] }) }
            hosts.polish(&rest, rows.map(\.host))
        }
        var freedom = sweeps.weight + groups.weight + hosts.weight + axes.reduce(0) { $0 + $1.weight }
        freedom += addPairs(&rest, rows)
        // What is predicted is of this sweep, whose offset is the first.
        for group in groups.values.indices { groups.values[group] += sweeps.values[0] }
        if hasRepeats { freedom += polishPoints(&rest, rows) }
        setSpread(rest, freedom)
        doubts = axes.map(\.unknown)
    }

    /// Two axes, or the group (-1) and an axis, whose values belong together: a level for each combination.
    private struct Pair: Sendable {
        var first: Int
        var second: Int
        var secondCount: Int
        var effects: Effects

        func level(_ first: Int, _ second: Int) -> Int {
            first < 0 || second < 0 ? -1 : first * secondCount + second
        }
    }

    private static let mostPairs = 2
    private static let mostCells = 4_096

    /// Where what single values add leaves much that a pair explains: the best, then the best beside it. Only pairs of
    /// which there are two runs for each combination, on average.
    private mutating func addPairs(_ rest: inout [Double], _ rows: [Row]) -> Double {
        var freedom = 0.0
        for _ in 0..<RunTimeFit.mostPairs {
            let before = rest.reduce(0) { $0 + abs($1) }
            var best: (pair: Pair, rest: [Double], left: Double)?
            for candidate in candidates(rows.count) {
                var (pair, trial) = (candidate, rest)
                pair.effects.polish(&trial, rows.map { pair.level(level($0, pair.first), level($0, pair.second)) })
                let left = trial.reduce(0) { $0 + abs($1) }
                if left < best?.left ?? before * 0.8 { best = (pair, trial, left) }
            }
            guard let best else { break }
            pairs.append(best.pair)
            rest = best.rest
            freedom += best.pair.effects.weight
        }
        return freedom
    }

    private func candidates(_ count: Int) -> [Pair] {
        let factors = [-1] + axes.indices
        let counts = [groups.values.count] + axes.map(\.values.count)
        var found: [Pair] = []
        for first in factors.indices where counts[first] > 1 {
            for second in factors.indices.dropFirst(first + 1) where counts[second] > 1 {
                let (cells, isOver) = counts[first].multipliedReportingOverflow(by: counts[second])
                guard !isOver, cells <= min(RunTimeFit.mostCells, count / 2),
                    !pairs.contains(where: { $0.first == factors[first] && $0.second == factors[second] })
                else { continue }
                found.append(
                    Pair(
                        first: factors[first], second: factors[second], secondCount: counts[second],
                        effects: Effects(cells, doubt: Doubt.pair)))
            }
        }
        return found
    }

    private func level(_ row: Row, _ factor: Int) -> Int { factor < 0 ? row.group : row.levels[factor] }

    private mutating func polishPoints(_ rest: inout [Double], _ rows: [Row]) -> Double {
        let known = Set(rows.map(\.point)).filter { $0 >= 0 }.sorted()
        let places = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, $0) })
        var effects = Effects(known.count, doubt: Doubt.point)
        effects.polish(&rest, rows.map { places[$0.point] ?? -1 })
        for (point, place) in places { points[point] = effects.values[place] }
        return effects.weight
    }

    /// What is left over is less than what a prediction misses by, as each run had its part in the effects.
    private mutating func setSpread(_ rest: [Double], _ freedom: Double) {
        let sorted = rest.sorted()
        let count = Double(sorted.count)
        let widening = (count / max(1, count - freedom)).squareRoot()
        let unsure = 2 / count
        low = min(0, sorted[sorted.count / 10]) * widening - unsure
        high = max(0, sorted[sorted.count - 1 - sorted.count / 10]) * widening + unsure
    }

    // MARK: What is predicted

    func offset(ofGroup group: Int, point: Int?, level: (_ point: Int, _ axis: Int) -> Int) -> Double {
        var sum = groups.values.indices ~= group ? groups.values[group] : 0
        guard let point else { return sum }
        for axis in axes.indices {
            let level = level(point, axis)
            if level >= 0 { sum += axes[axis].values[level] }
        }
        for pair in pairs {
            let first = pair.first < 0 ? group : level(point, pair.first)
            let place = pair.level(first, level(point, pair.second))
            if place >= 0 { sum += pair.effects.values[place] }
        }
        return sum + (points.isEmpty ? 0 : points[point] ?? 0)
    }

    func slowness(of host: Int) -> Double { hosts.values.indices ~= host ? hosts.values[host] : 0 }

    /// Of a workload, or a value, of which nothing has ended, nothing is known but what others take: four times as
    /// much, or a quarter.
    static let doubt = 2.0

    /// How far a run may lie from what is predicted because few are like it, in octaves: each value, and the workload,
    /// is known from three runs on.
    func doubt(ofGroup group: Int, level: (_ axis: Int) -> Int) -> Double {
        let count = groups.counts.indices ~= group ? groups.counts[group] : 0
        var most = RunTimeFit.doubt * RunTimeFit.unknownShare(count)
        for axis in axes.indices where doubts[axis] > 0 {
            let level = level(axis)
            if level >= 0 { most = max(most, doubts[axis] * RunTimeFit.unknownShare(axes[axis].counts[level])) }
        }
        return most
    }

    private static func unknownShare(_ count: Int) -> Double { count >= 3 ? 0 : 1 / Double(count + 1) }

    /// The largest doubt about a value of which nothing has ended.
    var doubtAboutUnseen: Double {
        axes.indices.reduce(0) { axes[$1].counts.contains(0) ? max($0, doubts[$1]) : $0 }
    }

    /// Whether the values of an axis are seen to make little difference: a third, at most.
    func isFlat(axis: Int) -> Bool { doubts[axis] < 0.4 }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The effects of the levels of one factor.
    private struct Effects {
        var values: [Double]
        var counts: [Int]
        let doubt: Double

        init(_ levels: Int, doubt: Double) {
            values = Array(repeating: 0, count: levels)
            counts = Array(repeating: 0, count: levels)
            self.doubt = doubt
        }

        /// How far a level may lie of which nothing is known: where many are known, as far as these are apart.
        var unknown: Double {
            let known = values.indices.filter { counts[$0] > 0 }.map { values[$0] }
            guard known.count >= 8 else { return RunTimeFit.doubt }
            return min(RunTimeFit.doubt, (known.max() ?? 0) - (known.min() ?? 0))
        }

        /// How many numbers it takes out of the data.
        var weight: Double { counts.reduce(0) { $0 + share($1) } }

        private func share(_ count: Int) -> Double { Double(count) / (Double(count) + doubt) }

        /// Moves what each level shows from `rest` into its effect.
        mutating func polish(_ rest: inout [Double], _ levels: [Int]) {
            // With one level there is nothing to tell apart: it is what is usual.
            guard values.count > 1 else { return counts = values.map { _ in rest.count } }
            for place in rest.indices where levels[place] >= 0 { rest[place] += values[levels[place]] }
            let order = rest.indices.filter { levels[$0] >= 0 }.sorted {
                (levels[$0], rest[$0]) < (levels[$1], rest[$1])
            }
            var start = 0
            while start < order.count {
                let level = levels[order[start]]
                var end = start
                while end < order.count, levels[order[end]] == level { end += 1 }
                let (below, above) = (order[(start + end - 1) / 2], order[(start + end) / 2])
                counts[level] = end - start
                values[level] = (rest[below] + rest[above]) / 2 * share(end - start)
                start = end
            }
            for place in rest.indices where levels[place] >= 0 { rest[place] -= values[levels[place]] }
        }
    }
}
