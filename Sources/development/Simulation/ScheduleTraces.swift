import Model

extension ScheduleTrace {
    /// Whose effects and chance multiply: 20 functions, 4 cores, 5 sizes, 5 predictors.
    ///
    /// - Parameters:
    ///   - slow: a function whose runs take ten times as long.
    ///   - slowOneIn: one of so many runs takes ten times as long, by chance.
    private static func multiplied(
        _ name: String, seed: UInt64, functions: Double, cores: Double, chance spread: Double, slow: Int? = nil,
        slowOneIn: Int? = nil
    ) throws -> ScheduleTrace {
        var chance = Chance(seed: seed, stream: 77)
        func effects(_ count: Int, _ spread: Double) -> [Double] { (0..<count).map { _ in spread * chance.normal() } }
        let parts = [
            effects(20, functions), effects(4, cores), effects(5, 0.1), effects(5, 0.15),
        ]
        let names = ["function", "core", "size", "predictor"]
        let axes = zip(names, parts).map { Axis(name: $0, values: $1.indices.map(String.init)) }
        func effect(_ values: [Int]) -> Double {
            zip(parts, values).reduce(values[0] == slow ? Libm.log(10) : 0) { $0 + $1.0[$1.1] }
        }
        var trace = try ScheduleTrace(name, axes: axes) { values in
            let sum = spread * chance.normal() + effect(values)
            return 600 * Libm.exp(sum) * (slowOneIn.map { chance.oneIn($0) } == true ? 10 : 1)
        }
        trace.foreseeable = trace.levels.map(effect)
        return trace
    }

    /// Per run, what its values add to the logarithm of its length: the means over all that have them. As each
    /// combination is there once, these are the effects that fit best.
    var effects: [Double] {
        let (levels, logarithms) = (levels, lengths.map { Libm.log($0) })
        var sums = logarithms.map { _ in 0.0 }
        for axis in points.axes.indices {
            var means = points.values(ofAxis: axis).map { _ in (sum: 0.0, count: 0.0) }
            for (level, logarithm) in zip(levels, logarithms) {
                means[level[axis]].sum += logarithm
                means[level[axis]].count += 1
            }
            for (run, level) in levels.enumerated() { sums[run] += means[level[axis]].sum / means[level[axis]].count }
        }
        return sums
    }

    /// 2,000 runs each, half of them shorter than about ten minutes. The first three have what a sweep has: functions
    /// and cores that differ, and a rest by chance; of the last one nothing can be foreseen.
    public static func synthetic(seed: UInt64) throws -> [ScheduleTrace] {
        [
            try multiplied("lognormal", seed: seed, functions: 0.6, cores: 0.5, chance: 0.25),
            try multiplied("a function 10 x", seed: seed, functions: 0.3, cores: 0.2, chance: 0.2, slow: 13),
            try multiplied("5 % 10 x by chance", seed: seed, functions: 0.3, cores: 0.2, chance: 0.2, slowOneIn: 20),
            try multiplied("all by chance", seed: seed, functions: 0, cores: 0, chance: 0.8),
        ]
    }
}

extension Chance {
    /// Normally distributed, with mean 0 and deviation 1 (Box, Muller: A note on the generation of random normal
    /// deviates, 1958).
    mutating func normal() -> Double {
        (-2 * Libm.log(1 - unit())).squareRoot() * Libm.cos(2 * Double.pi * unit())
    }
}

/// Schedules that others would make.
public enum ScheduleBaseline {
    /// When all has ended that is handed out in this order, each run to the slot that is free first.
    ///
    /// - Parameter lengths: in the order in which they are handed out.
    public static func listed(_ lengths: [Double], on hosts: [ScheduleHost]) -> Double {
        assigned(lengths, on: hosts) { free, _ in free }
    }

    /// The same with all lengths known before: the longest first, each to the slot where it ends first.
    public static func foreseen(_ lengths: [Double], on hosts: [ScheduleHost]) -> Double {
        assigned(lengths.sorted(by: >), on: hosts) { free, span in free + span }
    }

    /// The same with the effect of each value known, and nothing else of a run: the one that is longest by that first,
    /// to the slot that is free first.
    ///
    /// - Parameter knowsSpeeds: whether the longest go to the fastest hosts. Otherwise nothing tells these apart.
    public static func known(_ trace: ScheduleTrace, on hosts: [ScheduleHost], knowsSpeeds: Bool = false) -> Double {
        let effects = trace.foreseeable ?? trace.effects
        let order = trace.lengths.indices.sorted { (effects[$1], $0) < (effects[$0], $1) }
        let ranked = knowsSpeeds ? hosts.sorted { $0.speed > $1.speed } : hosts
        return listed(order.map { trace.lengths[$0] }, on: ranked)
    }

    private static func assigned(
        _ lengths: [Double], on hosts: [ScheduleHost], _ cost: (_ free: Double, _ span: Double) -> Double
    ) -> Double {
        var slots = hosts.flatMap { host in (0..<host.slots).map { _ in (free: 0.0, speed: host.speed) } }
        for length in lengths {
            var best = (slot: 0, cost: Double.infinity)
            for (slot, other) in slots.enumerated() {
                let cost = cost(other.free, length / other.speed)
                if cost < best.cost { best = (slot, cost) }
            }
            slots[best.slot].free += length / slots[best.slot].speed
        }
        return slots.map(\.free).max() ?? 0
    }

    /// The mean over some random orders.
    public static func random(_ lengths: [Double], on hosts: [ScheduleHost], orders: Int) -> Double {
        var chance = Chance(seed: 1, stream: 78)
        var sum = 0.0
        for _ in 0..<orders {
            sum += listed(chance.shuffled(lengths), on: hosts)
        }
        return sum / Double(orders)
    }

    /// Before which no schedule ends: all work by all slots, or the longest run on the fastest host.
    public static func lowerBound(_ lengths: [Double], on hosts: [ScheduleHost]) -> Double {
        let capacity = hosts.reduce(0) { $0 + $1.speed * Double($1.slots) }
        let fastest = hosts.map(\.speed).max() ?? 1
        return max(lengths.reduce(0, +) / capacity, (lengths.max() ?? 0) / fastest)
    }
}
