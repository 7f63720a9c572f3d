import Model

/// The parameters of the models behind engine `qemu`: all that an axis can vary.
///
/// The plugin, which is C and under another licence, has the other list (`qemu/model/options.c`); a test holds the two
/// against each other. The driver, which is on the hosts, passes on what it is given.
enum QEMUParameter {
    static let all: [EngineParameter] =
        cache("l1i", "first-level instruction cache", "32KiB", 8) + cache("l1d", "first-level data cache", "32KiB", 8)
        + cache("l2", "second-level cache", "1MiB", 16) + cache("llc", "last-level cache", "8MiB", 16)
        + [
            EngineParameter(
                "line", unit: "bytes", standard: "64", values: "a number of bytes from 16 to 1024, a power of two",
                "size of a line, in all caches"
            ) { power(Int64($0) ?? (try? Quantity.bytes($0)), in: 16...1_024) },
            buffer("itlb", "instructions"), buffer("dtlb", "data"),
            EngineParameter(
                "branch-predictor", standard: "bimodal", values: "bimodal or gshare",
                "predictor of the direction of conditional branches"
            ) { ["bimodal", "gshare"].contains($0) ? $0 : nil },
            EngineParameter(
                "branch-predictor.bits", unit: "bits", standard: "12", values: "a number of bits from 1 to 24",
                "base-2 logarithm of the predictor's number of counters"
            ) { value in count(value).flatMap { 1...24 ~= $0 ? value : nil } },
        ] + driving

    /// What happens between the measured calls, and with what they begin.
    static let driving = Interleaving.parameters + [
        distance("every", "simulated time from one measured call to the next"),
        distance("mean", "mean of this time, which is then exponentially distributed"),
        EngineParameter(
            "arrivals.seed", standard: "1", values: "a whole number from 0 to 1000000000",
            "seed of the exponentially distributed times"
        ) { value in count(value).flatMap { $0 <= 1_000_000_000 ? value : nil } },
    ]

    private static func distance(_ name: String, _ meaning: String) -> EngineParameter {
        EngineParameter("arrivals.\(name)", unit: "time", values: "a time from 1ms to 100s", meaning) { value in
            (try? Quantity.duration(value)).flatMap { 1...100_000_000_000 ~= $0 ? String($0) : nil }
        }
    }

    private static func cache(_ name: String, _ what: String, _ size: String, _ ways: Int) -> [EngineParameter] {
        [
            EngineParameter(
                "\(name).size", unit: "bytes", standard: size,
                values: "a size from 1KiB to 1GiB that makes, with the ways, a power of two of sets",
                "size of the \(what)"
            ) { value in
                (try? Quantity.bytes(value)).flatMap { 1_024...(1 << 30) ~= $0 ? String($0) : nil }
            },
            EngineParameter(
                "\(name).ways", unit: "ways", standard: String(ways),
                values: "a number of ways from 1 to 64", "associativity of the \(what)"
            ) { value in count(value).flatMap { 1...64 ~= $0 ? value : nil } },
        ]
    }

    private static func buffer(_ name: String, _ what: String) -> EngineParameter {
        EngineParameter(
            "\(name).entries", unit: "entries", standard: "64",
            values: "a number of entries from 1 to 4096, a power of two",
            "size of the translation buffer for \(what), fully associative"
        ) { power(count($0), in: 1...4_096) }
    }

    /// nil: not a whole number in decimal digits.
    private static func count(_ value: String) -> Int64? {
        Int64(value).flatMap { $0 >= 0 && String($0) == value ? $0 : nil }
    }

    private static func power(_ n: Int64?, in range: ClosedRange<Int64>) -> String? {
        n.flatMap { range.contains($0) && $0 & ($0 - 1) == 0 ? String($0) : nil }
    }
}
