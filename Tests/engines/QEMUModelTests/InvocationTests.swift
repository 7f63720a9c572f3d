import QEMUModel
import Testing

private let translate: model_translate = { _, page in page == 9 ? UInt64.max : page }

/// What is told of an invocation as a whole.
@Suite("Footprints and tasks")
struct InvocationTests {
    private func opened(line: UInt64 = 64) -> QEMUModel.model {
        var options = QEMUModel.options()
        options_default(&options)
        options.l1i = cache_shape(size: 4 << 10, ways: 2)
        options.l1d = cache_shape(size: 4 << 10, ways: 2)
        options.dtlb_entries = 2
        options.line = line
        var model = QEMUModel.model()
        #expect(model_open(&model, &options))
        return model
    }

    @Test("Footprints are what a set of lines gives, whatever the caches hold", arguments: [UInt64(16), 64, 1_024])
    func footprints(line: UInt64) {
        var model = opened(line: line)
        defer { model_close(&model) }
        var random = Seeded(line)
        var before: (code: Set<UInt64>, data: Set<UInt64>) = ([], [])
        for turn in 0..<6 {
            // Between invocations nothing is noted.
            for _ in 0..<500 { step(&model, &random, line, span: 0..<200) }
            model_begin(&model)
            var now: (code: Set<UInt64>, data: Set<UInt64>) = ([], [])
            let span = UInt64(10 * turn)..<UInt64(10 * turn + 40)
            for _ in 0..<3_000 {
                let used = step(&model, &random, line, span: span)
                now = (now.code.union(used.code), now.data.union(used.data))
            }
            model_end(&model)
            check(model.code, now.code, before.code, line)
            check(model.data, now.data, before.data, line)
            before = now
        }
        #expect(before.data.count > 100 * 64 / Int(line))
    }

    private func check(_ found: footprint, _ now: Set<UInt64>, _ before: Set<UInt64>, _ line: UInt64) {
        #expect(found.lines.now == UInt64(now.count))
        #expect(found.pages.now == UInt64(Set(now.map { ($0 * line) >> 12 }).count))
        #expect(found.lines.both == UInt64(now.intersection(before).count))
        var lines = found.lines
        #expect(seen_either(&lines) == (before.isEmpty ? 0 : UInt64(now.union(before).count)))
    }

    /// One fetch or access in these pages; the lines that it uses.
    @discardableResult
    private func step(
        _ model: inout QEMUModel.model, _ random: inout Seeded, _ line: UInt64, span: Range<UInt64>
    ) -> (code: Set<UInt64>, data: Set<UInt64>) {
        let address = UInt64.random(in: span, using: &random) << 12 | UInt64.random(in: 0..<4_096, using: &random)
        let number = address / line
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            if !model_code_hit(&model, USER, address >> 12, UInt32(number)) {
                model_code_page(&model, USER, address >> 12)
                model_fetch(&model, USER, UInt32(number), 2)
                return ([number, number + 1], [])
            }
            return ([number], [])
        default:
            model_data(&model, USER, address, 8, false, translate, nil)
            let lines = [number, (address + 7) / line].filter { ($0 * line) >> 12 != 9 }
            return ([], Set(lines))
        }
    }

    @Test("What is counted goes to the task that runs; what it is may show later")
    func tasks() {
        var model = opened()
        defer { model_close(&model) }
        var tasks = QEMUModel.tasks()
        #expect(tasks_open(&tasks))
        defer { tasks_close(&tasks) }
        func work(_ count: Int) { for _ in 0..<count { model_branch(&model, KERNEL, 4, true) } }
        func go(to task: UInt64) { tasks_switch(&tasks, &model, task) }
        let (program, idle, thread, stranger) = (UInt64(0xa00), UInt64(0xb00), UInt64(0xc00), UInt64(0xd00))
        work(1)  // Nobody knows whose.
        go(to: stranger)
        tasks_show(&tasks, TASK_PROGRAM)
        tasks_show(&tasks, TASK_STRANGER)
        go(to: idle)
        work(5)
        tasks_show(&tasks, TASK_IDLE)
        model_begin(&model)
        tasks_begin(&tasks)
        work(10)
        go(to: program)
        work(100)
        tasks_show(&tasks, TASK_PROGRAM)
        go(to: thread)
        work(1_000)
        go(to: program)
        work(100)
        go(to: stranger)
        work(10_000)
        tasks_show(&tasks, TASK_PROGRAM)
        go(to: thread)
        work(1_000)
        tasks_settle(&tasks, &model)
        let branches = Int(BRANCHES.rawValue)
        #expect(withUnsafeBytes(of: tasks.idle) { $0.bindMemory(to: UInt64.self)[branches] } == 10)
        #expect(withUnsafeBytes(of: tasks.others) { $0.bindMemory(to: UInt64.self)[branches] } == 12_000)
    }

    @Test("However many tasks come and go, the one that runs is known")
    func manyTasks() {
        var model = opened()
        defer { model_close(&model) }
        var tasks = QEMUModel.tasks()
        #expect(tasks_open(&tasks))
        defer { tasks_close(&tasks) }
        for task in 1...UInt64(20_000) {
            tasks_switch(&tasks, &model, task * 0x2_4c0)
            tasks_show(&tasks, TASK_PROGRAM)
            #expect(tasks.current.pointee.address == task * 0x2_4c0)
            #expect(tasks.current.pointee.kind == TASK_PROGRAM)
        }
    }
}
