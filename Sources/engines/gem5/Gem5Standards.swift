/// What holds in this project's own systems where a sweep has no axis for it. The numbers are those of the
/// configuration package (`ops/gem5/simple.py` and `skylake.py`, with their sources), and a test compares both; what is
/// left to gem5 is not here.
enum Gem5Standards {
    /// By the names of ``Gem5Parameter``; empty: there is no such system.
    static func of(_ system: String) -> [String: String] {
        switch system {
        case "simple": simple
        case "skylake", "two-machine": skylake
        default: [:]
        }
    }

    private static let simple = table(
        cache("l1i", "32KiB", ways: 8, latency: 1, mshrs: 4, buffers: 32)
            + cache("l1d", "32KiB", ways: 8, latency: 1, mshrs: 4, buffers: 32)
            + cache("llc", "128KiB", ways: 8, latency: 12, mshrs: 20, buffers: 56)
            + [("core", "timing"), ("branch-predictor", "tournament"), ("clock", "2.5GHz"), ("memory", "simple")])

    private static let skylake = table(
        cache("l1i", "32KiB", ways: 8, latency: 1, mshrs: 10, buffers: 32, "tagged", "tree-plru")
            + cache("l1d", "32KiB", ways: 8, latency: 1, mshrs: 10, buffers: 12, "tagged", "tree-plru")
            + cache("l2", "1MiB", ways: 8, latency: 12, mshrs: 32, buffers: 56)
            + cache("llc", "8MiB", ways: 16, latency: 36, mshrs: 32, buffers: 64)
            + [
                ("core", "o3"), ("core.rob", "336"), ("core.iq", "146"), ("core.lq", "144"), ("core.sq", "112"),
                ("core.int-registers", "270"), ("core.float-registers", "252"), ("core.fetch-buffer", "16"),
                ("core.fetch-queue", "64"), ("branch-predictor", "ltage"), ("itlb.size", "128"), ("dtlb.size", "64"),
                ("clock", "2.5GHz"), ("memory", "ddr4-2400"),
            ])

    private typealias Entry = (name: String, value: String)

    private static func cache(
        _ name: String, _ size: String, ways: Int, latency: Int, mshrs: Int, buffers: Int,
        _ prefetcher: String = "none", _ replacement: String = "lru"
    ) -> [Entry] {
        [
            ("\(name).size", size), ("\(name).ways", "\(ways)"), ("\(name).latency", "\(latency)"),
            ("\(name).mshrs", "\(mshrs)"), ("\(name).write-buffers", "\(buffers)"),
            ("\(name).prefetcher", prefetcher), ("\(name).replacement", replacement),
        ]
    }

    private static func table(_ entries: [Entry]) -> [String: String] {
        Dictionary(entries.map { ($0.name, $0.value) }) { $1 }
    }
}
