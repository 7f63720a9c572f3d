/// The same machine, slow and obvious: lists in order of use. What the model does is compared with it.
struct SlowCache {
    let sets: UInt64
    let ways: Int
    var content: [UInt64: [UInt64]] = [:]

    init(sets: UInt64, ways: Int) {
        self.sets = sets
        self.ways = ways
    }

    mutating func use(_ line: UInt64) -> Bool {
        var set = content[line % sets] ?? []
        let hit = set.contains(line)
        set.removeAll { $0 == line }
        set.insert(line, at: 0)
        if set.count > ways { set.removeLast() }
        content[line % sets] = set
        return hit
    }
}

struct SlowTLB {
    let entries: Int
    var pages: [UInt64] = []

    init(entries: Int) { self.entries = entries }

    mutating func use(_ page: UInt64) -> Bool {
        let hit = pages.contains(page)
        pages.removeAll { $0 == page }
        pages.insert(page, at: 0)
        if pages.count > entries { pages.removeLast() }
        return hit
    }

    mutating func flush(all: Bool) { pages.removeAll { all || $0 < 1 << 51 } }
}

struct SlowPredictor {
    let bits: Int
    let usesHistory: Bool
    var counters: [UInt64: Int] = [:]
    var outcomes: [Bool] = []

    init(bits: Int, usesHistory: Bool) {
        self.bits = bits
        self.usesHistory = usesHistory
    }

    mutating func use(_ address: UInt64, taken: Bool) -> Bool {
        var history: UInt64 = 0
        for outcome in outcomes.suffix(bits) { history = history * 2 + (outcome ? 1 : 0) }
        let index = (usesHistory ? address ^ history : address) % (1 << UInt64(bits))
        let counter = counters[index] ?? 1
        counters[index] = taken ? min(counter + 1, 3) : max(counter - 1, 0)
        outcomes.append(taken)
        if outcomes.count > bits { outcomes.removeFirst() }
        return (counter > 1) == taken
    }
}

/// A small generator of its own (xorshift64*, Vigna 2014), so that a seed gives the same trace everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}
