import Model

extension ScheduleTrace {
    /// Whose effects and chance multiply: 20 functions, 4 cores, 5 sizes, 5 predictors.
    private static func multiplied(
        _ name: String, seed: UInt64, functions: Double, cores: Double, chance spread: Double,
        tenfold: (_ function: Int, inout Chance) -> Bool
    ) throws -> ScheduleTrace {
        var chance = Chance(seed: seed, stream: 77)
        func effects(_ count: Int, _ spread: Double) -> [Double] { (0..<count).map { _ in spread * chance.normal() } }
        let parts = [
            effects(20, functions), effects(4, cores), effects(5, 0.1), effects(5, 0.15),
        ]
        let names = ["function", "core", "size", "predictor"]
        let axes = zip(names, parts).map { Axis(name: $0, values: $1.indices.map(String.init)) }
        return try ScheduleTrace(name, axes: axes) { values in
            let sum = zip(parts, values).reduce(spread * chance.normal()) { $0 + $1.0[$1.1] }
            return 600 * Libm.exp(sum) * (tenfold(values[0], &chance) ? 10 : 1)
        }
    }

    /// 2,000 runs each, half of them shorter than about ten minutes. The first three have what a sweep has: functions
    /// and cores that differ, and a rest by chance; of the last one nothing can be foreseen.
    public static func synthetic(seed: UInt64) throws -> [ScheduleTrace] {
        [
            try multiplied("lognormal", seed: seed, functions: 0.6, cores: 0.5, chance: 0.25) { _, _ in false },
            try multiplied("a function 10 x", seed: seed, functions: 0.3, cores: 0.2, chance: 0.2) { function, _ in
                function == 13
            },
            try multiplied("5 % 10 x by chance", seed: seed, functions: 0.3, cores: 0.2, chance: 0.2) {
                $1.oneIn(20)
            },
            try multiplied("all by chance", seed: seed, functions: 0, cores: 0, chance: 0.8) { _, _ in false },
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
        var slots = hosts.flatMap { host in (0..<host.slots).map { _ in (free: 0.0, speed: host.speed) } }
        for length in lengths {
            var best = 0
            for slot in slots.indices where slots[slot].free < slots[best].free { best = slot }
            slots[best].free += length / slots[best].speed
        }
        return slots.map(\.free).max() ?? 0
    }

    /// The mean over some random orders.
    public static func random(_ lengths: [Double], on hosts: [ScheduleHost], orders: Int) -> Double {
        var chance = Chance(seed: 1, stream: 78)
        var sum = 0.0
        for _ in 0..<orders {
            var order = lengths
            for place in order.indices.dropFirst().reversed() { order.swapAt(place, chance.below(place + 1)) }
            sum += listed(order, on: hosts)
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
