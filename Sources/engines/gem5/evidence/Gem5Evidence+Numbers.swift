import Model
import Results

/// Numbers of statistics blocks that must agree with others, or cannot be.
extension Gem5Evidence {
    /// gem5's own number of ticks in a second; the package `ops/gem5` leaves it.
    private static let frequency = "1000000000000"

    /// A block tells of the time of its invocation, and was written at its end. Scripts reset the statistics at its
    /// begin or at the end of the one before.
    func checkTicks(_ gathered: Gem5Blocks, count: Int?) throws(Breach) {
        guard let path = contract.status, count == gathered.blocks.count else { return }
        let events = try events.get().filter { $0.event["number"]?.integer != 0 }
        func ticks(_ name: String) throws(Breach) -> [Sum] {
            try events.filter { $0.event["event"]?.text == name }.map { found throws(Breach) in
                guard let tick = found.event["tick"]?.integer else {
                    throw Breach("\(path), line \(found.line): \(name) has no tick")
                }
                return Sum(tick)
            }
        }
        let (begins, ends) = (try ticks("invocation-begin"), try ticks("invocation-end"))
        for (index, end) in ends.enumerated() {
            let place = "\(contract.statistics), block \(index + 1)"
            let resets = [begins[index], index > 0 ? ends[index - 1] : begins[0]]
            let found = gathered.blocks[index]["ticks"]
            guard resets.contains(where: { found == (end - $0).text }) else {
                throw Breach(
                    "\(place): its \(found ?? "missing") ticks (simTicks) are not those of invocation \(index + 1)")
            }
            let last = gathered.aids[index][Gem5Counter.finalTick]
            guard last == end.text else {
                let shown = "its \(Gem5Counter.finalTick) is \(last ?? "missing")"
                throw Breach("\(place): \(shown), but invocation \(index + 1) ended at \(end.text)")
            }
        }
    }

    /// What holds of any script's blocks.
    ///
    /// - Returns: what is odd, but may be.
    func checkNumbers(_ gathered: Gem5Blocks, _ configuration: Gem5Configuration) throws(Breach) -> [String] {
        let core = Core(gathered.core, configuration)
        var remarks: [String] = []
        var before: Sum?
        for (index, numbers) in zip(gathered.blocks, gathered.aids).map(Numbers.init).enumerated() {
            let place = "\(contract.statistics), block \(index + 1)"
            if let problem = numbers.problem(before, core) { throw Breach("\(place): \(problem)") }
            guard contract.status == nil || numbers.frequency?.text == Gem5Evidence.frequency else {
                throw Breach(
                    "\(place): \(Gem5Counter.frequency) is \(numbers.frequency?.text ?? "missing"), not "
                        + Gem5Evidence.frequency)
            }
            if remarks.isEmpty, let remark = numbers.remark(before, core) { remarks.append("\(place): \(remark)") }
            before = numbers.end ?? before
        }
        return remarks
    }

    /// What its configuration says of the core under test; nil: nothing.
    private struct Core {
        /// How many micro-operations it can commit in a cycle.
        var width: Int64?
        /// Of its clock, in ticks.
        var period: Int64?

        init(_ path: String?, _ configuration: Gem5Configuration) {
            guard let path else { return }
            width = configuration[path, "commitWidth"].flatMap { Int64($0) }
            // The processor of a host counts its own cycles.
            let isModelled = configuration[path, "type"].map { !$0.hasSuffix("KvmCPU") } ?? false
            period = isModelled ? configuration.period(of: path) : nil
        }
    }

    /// The numbers of a block that are compared; nil: not there.
    private struct Numbers {
        var ticks: Sum?
        var cycles: Sum?
        var instructions: Sum?
        /// When it was written, in ticks.
        var end: Sum?
        var frequency: Sum?

        init(_ block: Block, _ aids: Block) {
            ticks = block["ticks"].flatMap { Sum($0) }
            cycles = block[Gem5Core.witness].flatMap { Sum($0) }
            instructions = block["instructions"].flatMap { Sum($0) }
            end = aids[Gem5Counter.finalTick].flatMap { Sum($0) }
            frequency = aids[Gem5Counter.frequency].flatMap { Sum($0) }
        }

        /// What cannot be of any gem5; nil: nothing.
        ///
        /// - Parameter before: when the block before was written.
        func problem(_ before: Sum?, _ core: Core) -> String? {
            let (ticks, cycles) = (ticks?.value, cycles?.value)
            if let end = end?.value {
                if let before = before?.value, end <= before {
                    return "its \(Gem5Counter.finalTick) is not after that of the block before: a block is there "
                        + "twice, or they are in another order"
                }
                if let ticks, ticks > end { return "more ticks (simTicks) than there were (\(Gem5Counter.finalTick))" }
                // A core that was asleep counts all of that time when it wakes: it may have begun before the block.
                if let cycles, let period = core.period, (cycles - 1) * Double(period) > end {
                    return "more cycles than there can have been since the simulation began"
                }
            }
            guard let cycles else { return nil }
            if cycles > 0, ticks == 0 { return "\(Gem5Core.statistic) is not 0, though no time has passed (simTicks)" }
            guard let instructions = instructions?.value else { return nil }
            if cycles == 0, instructions > 0 { return "instructions, but no cycles (\(Gem5Core.statistic))" }
            if let width = core.width, instructions > (cycles + 1) * Double(width) {
                return "more instructions than a core can commit that is \(width) wide"
            }
            return nil
        }

        /// What is odd; nil: nothing.
        func remark(_ before: Sum?, _ core: Core) -> String? {
            guard let ticks = ticks?.value else { return nil }
            if let before = before?.value, let end = end?.value, ticks > end - before {
                return "it reaches back before the block before: the script did not reset the statistics in between"
            }
            if let cycles = cycles?.value, let period = core.period, cycles * Double(period) > 1.1 * ticks {
                return "more cycles than its time has (simTicks): the core slept before it, or its statistics were not "
                    + "reset"
            }
            if let frequency, frequency.text != Gem5Evidence.frequency {
                return "its ticks are not picoseconds: \(Gem5Counter.frequency) is \(frequency.text)"
            }
            return nil
        }
    }
}
