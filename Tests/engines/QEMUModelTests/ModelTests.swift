import QEMUModel
import Testing

/// Virtual pages lie in another order than physical ones; page 9 is a device.
private func place(_ page: UInt64) -> UInt64 { page == 9 ? UInt64.max : page ^ 0x5 }

private let translate: model_translate = { _, page in place(page) }

/// The whole machine again, slow and obvious.
private struct SlowModel {
    var l1i: SlowCache, l1d: SlowCache, l2: SlowCache, llc: SlowCache
    var itlb: SlowTLB, dtlb: SlowTLB
    var counts = [UInt64](repeating: 0, count: Int(COUNTERS.rawValue))
    let line: UInt64
    var latestCode: UInt64?

    init(_ options: QEMUModel.options) {
        func cache(_ shape: cache_shape) -> SlowCache {
            SlowCache(sets: shape.size / shape.ways / options.line, ways: Int(shape.ways))
        }
        (l1i, l1d, l2, llc) = (cache(options.l1i), cache(options.l1d), cache(options.l2), cache(options.llc))
        itlb = SlowTLB(entries: Int(options.itlb_entries))
        dtlb = SlowTLB(entries: Int(options.dtlb_entries))
        line = options.line
    }

    mutating func add(_ counter: QEMUModel.counter) { counts[Int(counter.rawValue)] += 1 }

    mutating func beyond(_ line: UInt64) {
        add(L2_ACCESSES)
        if l2.use(line) { return }
        add(L2_MISSES)
        add(LLC_ACCESSES)
        if !llc.use(line) { add(LLC_MISSES) }
    }

    mutating func fetch(_ line: UInt64) {
        if line == latestCode { return }
        latestCode = line
        add(L1I_ACCESSES)
        if l1i.use(line) { return }
        add(L1I_MISSES)
        beyond(line)
    }

    mutating func data(_ address: UInt64, size: UInt64, store: Bool) {
        add(store ? STORES : LOADS)
        var touched: [UInt64] = []
        for byte in address..<address + size where !touched.contains(byte / line) {
            touched.append(byte / line)
            let page = byte >> 12
            if touched.count == 1 || page != (byte - 1) >> 12 {
                if !dtlb.use(page) { add(DTLB_MISSES) }
            }
            if place(page) == UInt64.max { continue }
            let physical = (place(page) << 12 | byte & 0xfff) / line
            add(L1D_ACCESSES)
            if l1d.use(physical) { continue }
            add(L1D_MISSES)
            beyond(physical)
        }
    }
}

@Suite("The model of a core")
struct ModelTests {
    @Test("All levels behave like the reference on random accesses", arguments: [UInt64(1), 2, 3, 4])
    func randomAccesses(seed: UInt64) {
        var options = QEMUModel.options()
        options_default(&options)
        options.l1i = cache_shape(size: 1 << 10, ways: 2)
        options.l1d = cache_shape(size: 2 << 10, ways: 4)
        options.l2 = cache_shape(size: 8 << 10, ways: 8)
        options.llc = cache_shape(size: 32 << 10, ways: 4)
        options.itlb_entries = 3
        options.dtlb_entries = 4
        options.line = seed % 2 == 0 ? 64 : 32
        var model = QEMUModel.model()
        #expect(model_open(&model, &options))
        defer { model_close(&model) }
        var slow = SlowModel(options)
        var random = Seeded(seed)
        for _ in 0..<40_000 { step(&model, &slow, &random, lineSize: options.line) }
        for index in 0..<COUNTERS.rawValue where index != INSTRUCTIONS.rawValue {
            let counted = model_count(&model, counter(index), USER)
            #expect(counted == slow.counts[Int(index)], "counter \(index)")
            #expect(model_count(&model, counter(index), KERNEL) == 0)
        }
        #expect(slow.counts[Int(LLC_MISSES.rawValue)] > 100, "the trace must reach memory")
    }

    private func step(
        _ model: inout QEMUModel.model, _ slow: inout SlowModel, _ random: inout Seeded, lineSize: UInt64
    ) {
        let page = UInt64.random(in: 0..<12, using: &random)
        let address = page << 12 | UInt64.random(in: 0..<4096, using: &random)
        switch Int.random(in: 0..<400, using: &random) {
        case 0:
            model_flush(&model, true)
            slow.itlb.flush(all: true)
            slow.dtlb.flush(all: true)
        case 1..<120:
            let code = page | 1 << 20
            model_code_page(&model, USER, code)
            if !slow.itlb.use(code) { slow.add(ITLB_MISSES) }
            let count = UInt32.random(in: 1...3, using: &random)
            let first = UInt32(address / lineSize)
            model_fetch(&model, USER, first, count)
            for line in first..<first + count { slow.fetch(UInt64(line)) }
        default:
            let size = UInt32(1) << UInt32.random(in: 0...3, using: &random)
            let store = Bool.random(using: &random)
            // Several accesses nearby, as programs make them.
            for near in 0..<UInt64.random(in: 1...4, using: &random) {
                model_data(&model, USER, address + near * 8, size, store, translate, nil)
                slow.data(address + near * 8, size: UInt64(size), store: store)
            }
        }
    }

    @Test("User and kernel are counted apart, and a reset keeps what the caches hold")
    func sides() {
        var options = QEMUModel.options()
        options_default(&options)
        var model = QEMUModel.model()
        #expect(model_open(&model, &options))
        defer { model_close(&model) }
        model_data(&model, USER, 0x1000, 8, false, translate, nil)
        model_data(&model, KERNEL, 0x103c, 8, true, translate, nil)  // two lines, one of them there
        model_branch(&model, KERNEL, 0x77, true)
        #expect(model_count(&model, LOADS, USER) == 1)
        #expect(model_count(&model, STORES, KERNEL) == 1)
        #expect(model_count(&model, L1D_ACCESSES, KERNEL) == 2)
        #expect(model_count(&model, L1D_MISSES, KERNEL) == 1)
        #expect(model_count(&model, LLC_MISSES, USER) == 1)
        #expect(model_count(&model, BRANCH_MISSES, KERNEL) == 1)
        model_begin(&model)
        model_data(&model, USER, 0x1000, 8, false, translate, nil)
        #expect(model_count(&model, L1D_MISSES, USER) == 0)
        #expect(model_count(&model, DTLB_MISSES, USER) == 0)
    }

    @Test("Emptied, it misses everywhere, and has counted what it had")
    func emptied() {
        var options = QEMUModel.options()
        options_default(&options)
        var model = QEMUModel.model()
        #expect(model_open(&model, &options))
        defer { model_close(&model) }
        func use() {
            model_data(&model, USER, 0x1000, 8, false, translate, nil)
            model_code_page(&model, USER, 3)
            model_fetch(&model, USER, 0x77, 1)
            for _ in 0..<2 { model_branch(&model, USER, 0x77, true) }
        }
        use()
        let first = counts(&model)
        use()
        #expect(counts(&model)[Int(LLC_MISSES.rawValue)] == first[Int(LLC_MISSES.rawValue)])
        model_begin(&model)
        model_empty(&model)
        use()
        #expect(counts(&model) == first)
        model_empty(&model)
        #expect(counts(&model) == first)
    }

    private func counts(_ model: inout QEMUModel.model) -> [UInt64] {
        (0..<COUNTERS.rawValue).map { model_count(&model, counter($0), USER) }
    }
}
