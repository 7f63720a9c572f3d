import QEMUModel
import Testing

@Suite("Caches, translation buffers and predictors")
struct PartsTests {
    @Test("A cache of two ways forgets the line that was used longest ago")
    func twoWays() {
        var cache = QEMUModel.cache()
        #expect(cache_open(&cache, 2, 2))
        defer { cache_close(&cache) }
        // Lines 0, 2, 4 share set 0; 1 is alone in set 1.
        let trace: [(line: UInt32, hit: Bool)] = [
            (0, false), (2, false), (0, true), (4, false), (0, true), (2, false), (4, false), (1, false), (1, true),
            (0, false),
        ]
        for (step, use) in trace.enumerated() { #expect(cache_use(&cache, use.line) == use.hit, "step \(step)") }
    }

    @Test("One set of all ways, and one way of all sets, behave like the reference", arguments: [
        (sets: UInt64(1), ways: UInt32(8)), (16, 1), (64, 8), (8, 12), (4, 64),
    ])
    func randomCache(shape: (sets: UInt64, ways: UInt32)) {
        var cache = QEMUModel.cache()
        #expect(cache_open(&cache, shape.sets, shape.ways))
        defer { cache_close(&cache) }
        var slow = SlowCache(sets: shape.sets, ways: Int(shape.ways))
        var random = Seeded(shape.sets * 1000 + UInt64(shape.ways))
        let span = shape.sets * UInt64(shape.ways) * 2
        var hits = 0
        for step in 0..<30_000 {
            let near = Bool.random(using: &random)
            let line = UInt64.random(in: 0..<(near ? max(span / 8, 2) : span), using: &random)
            let hit = cache_use(&cache, UInt32(line))
            hits += hit ? 1 : 0
            #expect(hit == slow.use(line), "step \(step), line \(line)")
        }
        #expect(hits > 3_000 && hits < 29_000, "the trace must show hits and misses")
    }

    @Test("A buffer of two entries forgets the page used longest ago, and programs' pages when flushed")
    func twoEntries() {
        var buffer = tlb()
        #expect(tlb_open(&buffer, 2))
        defer { tlb_close(&buffer) }
        let kernel = UInt64(1) << 51 | 7
        func use(_ page: UInt64) -> Bool {
            if tlb_find(&buffer, page) >= 0 { return true }
            tlb_fill(&buffer, page, page + 100)
            return false
        }
        #expect(!use(1))
        #expect(!use(kernel))
        #expect(use(1))
        #expect(!use(3))  // instead of the kernel's
        #expect(use(1))
        #expect(!use(kernel))  // instead of 3
        tlb_flush(&buffer, false)
        #expect(!use(1))
        #expect(use(kernel))
        #expect(buffer.content[Int(tlb_find(&buffer, kernel))].frame == kernel + 100)
        tlb_flush(&buffer, true)
        #expect(!use(kernel))
    }

    @Test("Translation buffers behave like the reference, flushes included", arguments: [UInt32(1), 2, 64, 100, 1536])
    func randomBuffer(entries: UInt32) {
        var buffer = tlb()
        #expect(tlb_open(&buffer, entries))
        defer { tlb_close(&buffer) }
        var slow = SlowTLB(entries: Int(entries))
        var random = Seeded(UInt64(entries) + 77)
        for step in 0..<20_000 {
            if Int.random(in: 0..<500, using: &random) == 0 {
                let all = Int.random(in: 0..<4, using: &random) == 0
                tlb_flush(&buffer, all)
                slow.flush(all: all)
            }
            let upper: UInt64 = Bool.random(using: &random) ? 1 << 51 : 0
            let page = upper | UInt64.random(in: 0..<UInt64(entries + 2), using: &random)
            let hit = tlb_find(&buffer, page) >= 0
            if !hit { tlb_fill(&buffer, page, 0) }
            #expect(hit == slow.use(page), "step \(step)")
        }
    }

    @Test("A bimodal counter changes its mind after two surprises")
    func bimodal() {
        var predictor = QEMUModel.predictor()
        #expect(predictor_open(&predictor, PREDICTOR_BIMODAL, 4))
        defer { predictor_close(&predictor) }
        // Counter 1, 2, 3, 3, 2, 1, 0, 0, 1: the prediction comes before the step.
        let trace: [(taken: Bool, right: Bool)] = [
            (true, false), (true, true), (true, true), (false, false), (false, false), (false, true), (false, true),
            (true, false),
        ]
        for (step, use) in trace.enumerated() {
            #expect(predictor_use(&predictor, 0x35, use.taken) == use.right, "step \(step)")
        }
        #expect(!predictor_use(&predictor, 0x45, true), "the same four bits: the same counter, at 1 now")
        #expect(predictor_use(&predictor, 0x35, true))
    }

    @Test("Gshare learns a branch that alternates, bimodal does not")
    func alternating() {
        func misses(_ kind: predictor_kind) -> Int {
            var predictor = QEMUModel.predictor()
            #expect(predictor_open(&predictor, kind, 6))
            defer { predictor_close(&predictor) }
            return (0..<1_000).count { !predictor_use(&predictor, 0x1234, $0 % 2 == 0) }
        }
        #expect(misses(PREDICTOR_GSHARE) < 20)
        #expect(misses(PREDICTOR_BIMODAL) > 400)
    }

    @Test("Predictors behave like the reference", arguments: [1, 5, 12], [false, true])
    func randomPredictor(bits: Int, usesHistory: Bool) {
        var predictor = QEMUModel.predictor()
        #expect(predictor_open(&predictor, usesHistory ? PREDICTOR_GSHARE : PREDICTOR_BIMODAL, UInt32(bits)))
        defer { predictor_close(&predictor) }
        var slow = SlowPredictor(bits: bits, usesHistory: usesHistory)
        var random = Seeded(UInt64(bits) * 3 + (usesHistory ? 1 : 0))
        for step in 0..<20_000 {
            let address = 0x40_0000 + UInt64.random(in: 0..<300, using: &random) * 3
            let taken = address % 5 < 2 || Int.random(in: 0..<8, using: &random) == 0
            #expect(predictor_use(&predictor, address, taken) == slow.use(address, taken: taken), "step \(step)")
        }
    }
}
