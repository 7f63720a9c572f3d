import Model
import Testing

@testable import Results

/// The contract of the runs in `Fixtures/gem5`, whose script wrote its events to standard output.
private func contract(
    invocations: Int = 5, l2: String = "1MiB", kernel: String = "/lab/guest/vmlinux", predictor: String? = nil,
    metrics: [String] = ["cpi", "ipc", "l1i.mpki", "l1d.mpki", "l2.mpki", "itlb.mpki"]
) -> Gem5Contract {
    var parameters = [
        Gem5Contract.Parameter("board.cache_hierarchy.l2-cache-1", "size", l2),
        Gem5Contract.Parameter("board.workload", "object_file", kernel),
    ]
    if let predictor { parameters.append(.init("board.processor.cores1.core.branchPred", "type", predictor)) }
    return Gem5Contract(
        invocations: invocations, status: "simout.txt", statusPrefix: "event ", terminals: ["board.pc.com_1.device"],
        cores: 2, parameters: parameters, requiredMetrics: metrics)
}

private func verdict(
    _ run: String, _ contract: Gem5Contract, failure: FailureClass? = nil, changed: [String: [UInt8]?] = [:]
) throws -> Verdict {
    try contract.judge(failure: failure, evidence: "as the agent saw it") { path in
        if let change = changed[path] { return change }
        return try Fixture.file(run, path)
    }
}

extension Verdict {
    fileprivate var blocks: Blocks? {
        if case .accepted(let blocks) = self { blocks } else { nil }
    }

    fileprivate var failure: FailureClass? {
        if case .broken(let failure, _) = self { failure } else { nil }
    }

    fileprivate var evidence: String {
        if case .broken(_, let evidence) = self { evidence } else { "" }
    }
}

@Suite("gem5's run contract")
struct Gem5Tests {
    @Test(
        "Runs that are what they should be",
        arguments: [
            ("o3-tournament-256K", "256KiB", "TournamentBP"), ("o3-tournament-1M", "1MiB", "TournamentBP"),
            ("o3-tournament-1M-again", "1MiB", "TournamentBP"), ("o3-tage-1M", "1MiB", "LTAGE"),
        ])
    func good(_ run: String, _ l2: String, _ predictor: String) throws {
        let metrics = contract().requiredMetrics + ["branch.mpki"]
        let found = try verdict(run, contract(l2: l2, predictor: predictor, metrics: metrics))
        #expect(found.blocks?.blocks.count == 5, "\(found.evidence)")
    }

    @Test func timingCore() throws {
        #expect(try verdict("timing-1M", contract()).blocks?.blocks.count == 5)
        #expect(try verdict("timing-warm3-1M", contract(invocations: 3)).blocks?.blocks.count == 3)
        let predicted = try verdict("timing-1M", contract(metrics: ["branch.mpki"]))
        #expect(predicted.failure == .contractBroken)
        #expect(predicted.evidence.contains("block 1: the metric 'branch.mpki'"))
    }

    @Test("The counters of a block are gem5's, and its own ratios come out")
    func numbers() throws {
        let blocks = try #require(try verdict("o3-tage-1M", contract(metrics: ["branch.mpki"])).blocks)
        let second = blocks.blocks[1]
        #expect(second["cycles"] == "147225")
        #expect(second["l1d.misses"] == "359")
        #expect(second["l1i.accesses"] == "37241")
        #expect(second["l2.misses"] == "86")
        let metrics = blocks.metrics(ofBlock: 1, MetricFormula.gem5)
        let cpi = try #require(metrics.first { $0.name == "cpi" }.flatMap { Double($0.value) })
        let ipc = try #require(metrics.first { $0.name == "ipc" }.flatMap { Double($0.value) })
        #expect(abs(cpi - 0.579015) < 1e-6)
        #expect(abs(ipc - 1.727071) < 1e-6)
        // Cold caches and predictors make the first invocation slow.
        let first = try #require(blocks.metrics(ofBlock: 0, MetricFormula.gem5).first { $0.name == "cpi" })
        #expect(try #require(Double(first.value)) > 2 * cpi)
    }

    @Test("A driving node has statistics of the same names, which do not count")
    func drivingNode() throws {
        let text = """
            ---------- Begin Simulation Statistics ----------
            simTicks 1000 # (Tick)
            testsys.cpu1.numCycles 30 #
            testsys.cpu1.commitStats0.numInsts 10 #
            testsys.l3cache.overallMisses::total 5 #
            drivesys.cpu1.numCycles 400 #
            drivesys.cpu1.commitStats0.numInsts 40 #
            drivesys.llc.overallMisses::total 7 #
            drivesys.llc_cache.overallMisses::total 8 #
            ---------- End Simulation Statistics   ----------

            """
        let own = Gem5Counter.patterns(of: [
            MetricFormula("tested", try MetricExpression(#""*.cpu1.numCycles""#)),
            MetricFormula("driving", try MetricExpression(#""drivesys.cpu1.numCycles""#)),
        ])
        var scanner = StatisticsScanner()
        var blocks = Gem5Blocks(Gem5Counter.library(core: 1) + own)
        scanner.scan(Array(text.utf8).span.bytes, &blocks)
        scanner.finish(&blocks)
        let block = try #require(blocks.blocks.first)
        #expect(block["cycles"] == "30")
        #expect(block["instructions"] == "10")
        #expect(block["llc.misses"] == "5")
        #expect(block[#""*.cpu1.numCycles""#] == "30")
        #expect(block[#""drivesys.cpu1.numCycles""#] == "400")
    }

    @Test("A checkpoint of two machines tells of the one under test")
    func checkpointOfTwoMachines() {
        let machine = """
            [testsys.cpu0.xc.0]
            [testsys.cpu1.xc.0]
            [testsys.physmem.store0]
            range_size=512
            [drivesys.cpu0.xc.0]
            [drivesys.physmem.store0]
            range_size=1024

            """
        let facts = Gem5CheckpointFacts(Array(machine.utf8))
        #expect(facts.machines == ["drivesys", "testsys"])
        #expect((facts.cores, facts.memoryBytes) == (2, 512))
        let one = Gem5CheckpointFacts(Array("[board.p.cores0.core.xc.0]\n[board.physmem.store0]\nrange_size=8\n".utf8))
        #expect((one.machines, one.cores, one.memoryBytes) == (["board"], 1, 8))
    }

    @Test func theSamePointTwiceIsTheSame() throws {
        #expect(try verdict("o3-tournament-1M", contract()) == verdict("o3-tournament-1M-again", contract()))
        #expect(
            try verdict("o3-tournament-1M", contract()) != verdict("o3-tournament-256K", contract(l2: "256KiB")))
    }

    @Test(
        "Runs that are not, with the evidence",
        arguments: [
            ("fail-too-many-invocations", 30, nil, .contractBroken, "simout.txt, line 53: the exit cause is 'm5_exit"),
            ("fail-sigint", 5, nil, .contractBroken, "the exit cause is 'user interrupt received'"),
            ("fail-sigint", 5, .cancelled, .cancelled, "as the agent saw it"),
            ("fail-sigkill", 5, .simulatorCrash, .simulatorCrash, "as the agent saw it"),
            ("fail-sigkill", 5, .outOfMemory, .outOfMemory, "as the agent saw it"),
            ("fail-sigkill", 5, nil, .contractBroken, "the last event is not 'end'"),
            ("fail-disk-full", 5, nil, .contractBroken, "stats.txt: it ends inside block 2; 1 are complete"),
            ("fail-disk-full", 5, .diskFull, .diskFull, "as the agent saw it"),
            ("fail-memory-mismatch", 5, .exitNonzero, .checkpointIncompatible, "Memory range size has changed"),
            ("fail-checkpoint-truncated", 5, .exitNonzero, .checkpointIncompatible, "board.physmem.store0.pmem"),
            ("fail-bad-value", 5, .exitNonzero, .simulatorFatal, "simerr.txt, line"),
            ("fail-cores-1", 5, .stalledSimulator, .stalledSimulator, "as the agent saw it"),
            ("fail-cores-1", 5, nil, .checkpointIncompatible, "config.ini: 1 cores"),
            ("fail-guest-panic", 5, .timeout, .guestPanic, "Unable to mount root fs"),
            ("fail-guest-panic", 5, .stalledSimulator, .guestPanic, "board.pc.com_1.device, line"),
            ("silent-cores-4", 5, nil, .checkpointIncompatible, "config.ini: 4 cores"),
            ("silent-other-kernel", 5, nil, .contractBroken, "board.workload.object_file is"),
        ] as [(String, Int, FailureClass?, FailureClass, String)])
    func bad(
        _ run: String, _ invocations: Int, _ seen: FailureClass?, _ expected: FailureClass, _ evidence: String
    ) throws {
        let found = try verdict(run, contract(invocations: invocations, metrics: []), failure: seen)
        #expect(found.failure == expected, "\(found.evidence)")
        #expect(found.evidence.contains(evidence), "\(found.evidence)")
    }

    @Test("Other parameters than the point's are found")
    func parameters() throws {
        #expect(try verdict("o3-tage-1M", contract(l2: "512KiB")).evidence.contains("size is 1048576, not 512KiB"))
        #expect(try verdict("o3-tage-1M", contract(predictor: "TournamentBP")).failure == .contractBroken)
        var unknown = contract()
        unknown.parameters.append(.init("board.cache_hierarchy.l9", "size", "1MiB"))
        #expect(try verdict("o3-tage-1M", unknown).evidence.contains("there is no board.cache_hierarchy.l9.size"))
    }

    @Test("Each event that the contract relies on, lost or changed, is missed")
    func mutilatedStatus() throws {
        let bytes = try #require(try Fixture.file("o3-tage-1M", "simout.txt"))
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        let events = lines.indices.filter { lines[$0].starts(with: Array("event ".utf8)) }
        #expect(events.count == 11)
        for index in events {
            var lost = lines
            lost.remove(at: index)
            var cut = lines
            cut[index] = Array(lines[index].dropLast(3))
            for change in [lost, cut] {
                let found = try verdict(
                    "o3-tage-1M", contract(), changed: ["simout.txt": Array(change.joined(separator: [10]))])
                #expect(found.failure == .contractBroken, "line \(index + 1)")
            }
        }
    }

    @Test("Each file that the contract relies on has to be there, and its block ends in their place")
    func mutilatedFiles() throws {
        for file in ["simout.txt", "stats.txt", "config.ini", "board.pc.com_1.device"] {
            #expect(try verdict("o3-tage-1M", contract(), changed: [file: nil as [UInt8]?]).failure == .contractBroken)
        }
        #expect(try verdict("o3-tage-1M", contract(), changed: ["stats.txt": []]).failure == .contractBroken)
        let relied = [
            "---------- ", "cores1.core.numCycles", "cores1.core.commitStats0.numInsts ",
            "l2-cache-1.overallMisses::total",
        ]
        // Of the thousands of other lines a few will do.
        let whole = String(decoding: try Fixture.statistics("o3-tage-1M"), as: UTF8.self)
        let all = whole.split(separator: "\n", omittingEmptySubsequences: false)
        let lines = all.indices.filter { index in
            index % 40 == 0 || all[index].contains("1.core.mmu.itb.")
                || all[index].contains("1d-cache-1.overall") || all[index].contains("1i-cache-1.overall")
                || relied.contains { all[index].contains($0) }
        }.map { all[$0] }
        func found(_ lines: [Substring]) throws -> Verdict {
            try verdict("o3-tage-1M", contract(), changed: ["stats.txt": Array(lines.joined(separator: "\n").utf8)])
        }
        #expect(try found(lines).blocks?.blocks.count == 5)
        var tried = 0
        for index in lines.indices where relied.contains(where: { lines[index].contains($0) }) {
            tried += 1
            var lost = lines
            lost.remove(at: index)
            #expect(try found(lost).failure == .contractBroken, "\(lines[index])")
            var garbled = lines
            garbled[index] = "\u{0}garbage"
            #expect(try found(garbled).failure == .contractBroken, "\(lines[index])")
        }
        #expect(tried >= 25)
    }

    @Test(
        "gem5's last words make the class",
        arguments: [
            ("src/a.cc:1: panic: Tried to write unmapped address\nMemory Usage", .simulatorFatal),
            ("terminate called after throwing an instance of 'std::bad_alloc'", .outOfMemory),
            ("gem5: src/x.cc:5: void f(): Assertion `x' failed.", .simulatorFatal),
            ("fatal: Could not write: No space left on device", .diskFull),
        ] as [(String, FailureClass)])
    func messages(_ text: String, _ expected: FailureClass) throws {
        let found = try verdict(
            "o3-tage-1M", contract(), failure: .exitNonzero, changed: ["simerr.txt": Array("warn: x\n\(text)".utf8)])
        #expect(found.failure == expected)
        #expect(found.evidence.hasPrefix("simerr.txt, line 2: "))
        // The same words with status 0 are no success either.
        let zero = try verdict("o3-tage-1M", contract(), changed: ["simerr.txt": Array(text.utf8)])
        #expect(zero.failure == expected)
    }

    @Test("A parameter is that of its own section, and the last word counts")
    func configuration() {
        let text = "lost=0\n[system]\na=1\nab=2\na=3\nb=x=y \r\n\n[system.cpu1]\na=4\n[system.empty]\n[system.again]"
            + "\na=5\n[system.again]\nc=6\n[odd\na=7"
        let found = Gem5Configuration(Array(text.utf8))
        #expect(found.paths == ["system", "system.cpu1", "system.empty", "system.again", "system.again"])
        #expect(found["system", "a"] == "3" && found["system", "ab"] == "2" && found["system", "b"] == "x=y ")
        #expect(found["system.cpu1", "a"] == "4" && found["system.empty", "a"] == nil)
        #expect(found["system.again", "a"] == "7" && found["system.again", "c"] == "6")
        #expect(found["", "lost"] == nil && found["system.cpu2", "a"] == nil && found["system", "c"] == nil)
    }
}
