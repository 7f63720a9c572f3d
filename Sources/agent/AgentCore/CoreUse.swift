import Model
import Ports

/// A physical core of this machine.
public struct ProcessorCore: Sendable, Hashable {
    /// Its hyper-threads, as the kernel numbers processors.
    public var processors: [Int]
    /// The memory node that it belongs to.
    public var node: Int

    public init(processors: [Int], node: Int) {
        self.processors = processors
        self.node = node
    }
}

/// Which cores the programs are kept on that are bound to some.
struct CoreUse: Sendable {
    private let cores: [ProcessorCore]
    private let nodes: [Int]
    /// Per core, how many slots are bound to it.
    private var uses: [Int]
    /// Whether others keep it busy, as far as is known.
    private var isBusy: [Bool]
    private var held: [AttemptKey: [Int]] = [:]

    init(_ cores: [ProcessorCore]) {
        self.cores = cores
        nodes = Array(Set(cores.map(\.node))).sorted()
        uses = cores.map { _ in 0 }
        isBusy = cores.map { _ in false }
    }

    /// - Parameter processors: those that were busy of late, by whatever runs on them.
    mutating func note(busy processors: Set<Int>) {
        isBusy = cores.map { core in core.processors.contains(where: processors.contains) }
    }

    /// Binds a program, and says to which processors; empty: to none, as there is nothing to choose.
    mutating func take(_ key: AttemptKey, slots: Int, _ binding: SlotBinding) -> [Int] {
        guard binding != .unbound, cores.count > 1 else { return [] }
        let count = min(max(1, slots), cores.count)
        let chosen = choose(count)
        for core in chosen { uses[core] += 1 }
        held[key] = chosen
        let kept: [Int]
        switch binding {
        case .unbound: kept = []
        case .core: kept = chosen
        case .numa:
            let touched = Set(chosen.map { cores[$0].node })
            kept = cores.indices.filter { touched.contains(cores[$0].node) }
        }
        return kept.flatMap { cores[$0].processors }.sorted()
    }

    mutating func giveBack(_ key: AttemptKey) {
        for core in held.removeValue(forKey: key) ?? [] { uses[core] -= 1 }
    }

    /// The cores that are used least: of one node where one has so many, the one that has most to spare.
    private func choose(_ count: Int) -> [Int] {
        var best: (cost: [Int], cores: [Int])?
        for node in nodes {
            let all = cores.indices.filter { cores[$0].node == node }
            guard all.count >= count else { continue }
            let chosen = Array(leastUsed(all).prefix(count))
            let cost = [
                chosen.reduce(0) { $0 + uses[$1] }, chosen.count { isBusy[$0] && uses[$0] == 0 },
                all.reduce(0) { $0 + uses[$1] } * 1_000 / all.count,
            ]
            if best.map({ cost.lexicographicallyPrecedes($0.cost) }) ?? true { best = (cost, chosen) }
        }
        return best?.cores ?? Array(leastUsed(Array(cores.indices)).prefix(count))
    }

    private func leastUsed(_ some: [Int]) -> [Int] {
        some.sorted { (uses[$0], isBusy[$0] ? 1 : 0, $0) < (uses[$1], isBusy[$1] ? 1 : 0, $1) }
    }
}
