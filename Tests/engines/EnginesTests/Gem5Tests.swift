import Model
import Results
import TestKit
import Testing
@testable import Engines

@Suite("gem5's run contract")
struct Gem5Tests {
    @Test(
        "Runs that are what they should be",
        arguments: [
            ("o3-tournament-256K", "256KiB", "TournamentBP"), ("o3-tournament-1M", "1MiB", "TournamentBP"),
            ("o3-tournament-1M-again", "1MiB", "TournamentBP"), ("o3-tage-1M", "1MiB", "LTAGE"),
        ])
    func good(_ run: String, _ l2: String, _ predictor: String) throws {
        let metrics = Fixture.contract().requiredMetrics + ["branch.mpki"]
        let found = try Fixture.verdict(run, Fixture.contract(l2: l2, predictor: predictor, metrics: metrics))
        #expect(found.blocks?.blocks.count == 5, "\(found.evidence)")
    }

    @Test func timingCore() throws {
        #expect(try Fixture.verdict("timing-1M", Fixture.contract()).blocks?.blocks.count == 5)
        #expect(try Fixture.verdict("timing-warm3-1M", Fixture.contract(invocations: 3)).blocks?.blocks.count == 3)
        let predicted = try Fixture.verdict("timing-1M", Fixture.contract(metrics: ["branch.mpki"]))
        #expect(predicted.failure == .contractBroken)
        #expect(predicted.evidence.contains("block 1: the metric 'branch.mpki'"))
    }

    @Test("The counters of a block are gem5's, and its own ratios come out")
    func numbers() throws {
        let blocks = try #require(try Fixture.verdict("o3-tage-1M", Fixture.contract(metrics: ["branch.mpki"])).blocks)
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

    @Test("The slots of an out-of-order core are all accounted for, as computed by hand; an in-order one has none")
    func topDown() throws {
        let blocks = try #require(try Fixture.verdict("o3-tage-1M", Fixture.contract(metrics: ["branch.mpki"])).blocks)
        let metrics = blocks.metrics(ofBlock: 1, MetricFormula.gem5)
        func value(_ name: String) throws -> Double {
            try #require(metrics.first { $0.name == name }.flatMap { Double($0.value) }, "\(name)")
        }
        // Of block 2: 8 wide; squashing 470, idle 22,234, blocked 20,040, serializing 13,084, running 66,314 and
        // unblocking 24,921 cycles; 486,562 micro-operations renamed, 470,794 committed; 147,225 cycles.
        #expect(try value("active-cycles") == 147_063)
        #expect(try value("slots") == 8 * 147_063)
        let slots = 8.0 * 147_063
        let parts: [(String, Int)] = [
            ("retiring", 470_794), ("bad-speculation", 486_562 - 470_794 + 3_760), ("frontend", 907_752 - 486_562),
            ("frontend.latency", 177_872), ("frontend.bandwidth", 729_880 - 486_562), ("backend", 264_992),
            ("backend.full", 160_320), ("backend.serializing", 104_672),
        ]
        for (name, expected) in parts {
            #expect(abs(try value("topdown.\(name)") - Double(expected) / slots) < 1e-12, "\(name)")
        }
        for block in blocks.blocks.indices {
            let parts = blocks.metrics(ofBlock: block, MetricFormula.gem5).filter {
                ["topdown.retiring", "topdown.bad-speculation", "topdown.frontend", "topdown.backend"].contains($0.name)
            }
            #expect(parts.count == 4 && abs(parts.compactMap { Double($0.value) }.reduce(0, +) - 1) < 1e-12)
        }
        #expect(abs(try value("idle.share") - 162.0 / 147_225) < 1e-12)
        let timing = try #require(try Fixture.verdict("timing-1M", Fixture.contract()).blocks)
        #expect(!timing.metrics(MetricFormula.gem5).contains { $0.name.hasPrefix("topdown") || $0.name == "width" })
        let names = Set(Gem5Counter.metrics.map(\.name))
        #expect(MetricFormula.gem5.allSatisfy { names.contains($0.name) } && names.contains("topdown.backend.full"))
    }

    @Test("What the committed instructions do, as computed by hand, of any core")
    func mix() throws {
        // Of block 2, its micro-operations: 470,794 and 471,977; of these 459,322 and 460,521 scalar.
        let runs: [(name: String, loads: Int, stores: Int, branches: Int, float: Int, instructions: Int)] = [
            ("o3-tage-1M", 47_456, 46_286, 42_873, 603 + 16, 254_268),
            ("timing-1M", 47_643, 46_346, 43_017, 603, 254_850),
        ]
        for run in runs {
            let contract = Fixture.contract(predictor: run.name == "timing-1M" ? nil : "LTAGE")
            let blocks = try #require(try Fixture.verdict(run.name, contract).blocks)
            let metrics = blocks.metrics(ofBlock: 1, MetricFormula.gem5)
            func value(_ name: String) throws -> Double {
                try #require(metrics.first { $0.name == name }.flatMap { Double($0.value) }, "\(name)")
            }
            let simd = 3_014 + 2_412 + 5_427
            let parts = [
                ("load", "loads", run.loads), ("store", "stores", run.stores), ("branch", "branches", run.branches),
                ("float", "float", run.float), ("simd", "simd", simd),
            ]
            for (share, counter, expected) in parts {
                #expect(try value(counter) == Double(expected), "\(run.name) \(counter)")
                #expect(abs(try value("\(share).share") - Double(expected) / Double(run.instructions)) < 1e-12)
            }
        }
    }

    @Test("The mix is found under the names of earlier versions; without one of its classes there is none of SIMD")
    func mixOfEarlier() throws {
        let scalars = [
            "No_OpClass", "IntAlu", "IntMult", "IntDiv", "MemRead", "MemWrite", "FloatMemRead", "FloatMemWrite",
            "IprAccess", "InstPrefetch",
        ]
        let floats = ["Add", "Cmp", "Cvt", "Mult", "MultAcc", "Div", "Misc", "Sqrt"].map { "Float\($0)" }
        func block(_ cpu: String, _ counters: [(String, Int)], _ classes: [String]) throws -> Block {
            var lines = ["---------- Begin Simulation Statistics ----------", "simTicks 1000 # (Tick)"]
            lines += counters.map { "\(cpu).\($0.0) \($0.1) #" } + classes.map { "\(cpu).\($0) 2 #" }
            lines += ["---------- End Simulation Statistics   ----------", ""]
            var scanner = StatisticsScanner()
            var blocks = Gem5Blocks(Gem5Counter.library(.number(1)))
            scanner.scan(Array(lines.joined(separator: "\n").utf8).span.bytes, &blocks)
            scanner.finish(&blocks)
            return try #require(blocks.blocks.first)
        }
        let all = scalars + floats + ["SimdAlu"]
        let ordered = try block(
            "system.cpu1", [("commit.loads", 4), ("commit.memRefs", 9), ("commit.opsCommitted", 50)],
            all.map { "commit.committedInstType_0::\($0)" } + all.map { "statIssuedInstType_0::\($0)" })
        #expect(ordered["loads"] == "4" && ordered["stores"] == nil)
        #expect(ordered["scalar"] == "20" && ordered["float"] == "16")
        #expect(Blocks([ordered]).metrics(MetricFormula.gem5).first { $0.name == "simd" }?.value == "14")
        let simple = try block(
            "system.cpu1", [("exec_context.thread_0.numLoadInsts", 4), ("exec_context.thread_0.numStoreInsts", 5)],
            all.map { "exec_context.thread_0.statExecutedInstType::\($0)" })
        #expect(simple["loads"] == "4" && simple["stores"] == "5" && simple["float"] == "16")
        let lost = try block(
            "system.cpu1", [("commitStats0.numOps", 50)],
            all.filter { $0 != "IprAccess" }.map { "commitStats0.committedInstType::\($0)" })
        #expect(lost["float"] == "16" && lost["scalar"] == nil)
        #expect(!Blocks([lost]).metrics(MetricFormula.gem5).contains { $0.name.hasPrefix("simd") })
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
        var blocks = Gem5Blocks(Gem5Counter.library(.number(1)) + own)
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

    @Test("A checkpoint may name any sizes")
    func checkpointOfAnySize() {
        let store = "[board.physmem.store0]\n"
        let facts = Gem5CheckpointFacts(Array("\(store)range_size=\(Int64.max)\nrange_size=\(Int64.max)\n".utf8))
        #expect(facts.memoryBytes == 1 << 51)
        #expect(Gem5CheckpointFacts(Array("\(store)range_size=-8\n".utf8)).memoryBytes == 0)
    }

    @Test func theSamePointTwiceIsTheSame() throws {
        let first = try Fixture.verdict("o3-tournament-1M", Fixture.contract())
        #expect(try first == Fixture.verdict("o3-tournament-1M-again", Fixture.contract()))
        #expect(try first != Fixture.verdict("o3-tournament-256K", Fixture.contract(l2: "256KiB")))
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
            ("fail-cores-1", 5, nil, .checkpointIncompatible, "config.ini: 1 core"),
            ("fail-guest-panic", 5, .timeout, .guestPanic, "Unable to mount root fs"),
            ("fail-guest-panic", 5, .stalledSimulator, .guestPanic, "board.pc.com_1.device, line"),
            ("silent-cores-4", 5, nil, .checkpointIncompatible, "config.ini: 4 cores"),
            ("silent-other-kernel", 5, nil, .contractBroken, "board.workload.object_file is"),
        ] as [(String, Int, FailureClass?, FailureClass, String)])
    func bad(
        _ run: String, _ invocations: Int, _ seen: FailureClass?, _ expected: FailureClass, _ evidence: String
    ) throws {
        let found = try Fixture.verdict(run, Fixture.contract(invocations: invocations, metrics: []), failure: seen)
        #expect(found.failure == expected, "\(found.evidence)")
        #expect(found.evidence.contains(evidence), "\(found.evidence)")
    }

    @Test("Other parameters than the point's are found")
    func parameters() throws {
        let other = try Fixture.verdict("o3-tage-1M", Fixture.contract(l2: "512KiB"))
        #expect(other.evidence.contains("size is 1048576, not 512KiB"))
        let tournament = Fixture.contract(predictor: "TournamentBP")
        #expect(try Fixture.verdict("o3-tage-1M", tournament).failure == .contractBroken)
        var unknown = Fixture.contract()
        unknown.parameters.append(.init("board.cache_hierarchy.l9", "size", "1MiB"))
        let missing = try Fixture.verdict("o3-tage-1M", unknown)
        #expect(missing.evidence.contains("there is no board.cache_hierarchy.l9.size"))
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
        let found = try Fixture.verdict(
            "o3-tage-1M", Fixture.contract(), failure: .exitNonzero,
            changed: ["simerr.txt": Array("warn: x\n\(text)".utf8)])
        #expect(found.failure == expected)
        #expect(found.evidence.hasPrefix("simerr.txt, line 2: "))
        // The same words with status 0 are no success either.
        let zero = try Fixture.verdict("o3-tage-1M", Fixture.contract(), changed: ["simerr.txt": Array(text.utf8)])
        #expect(zero.failure == expected)
    }

    @Test("A crash is told by gem5's word for it, not by the last line of its stack")
    func crash() throws {
        let found = try Fixture.verdict(
            "o3-tage-1M", Fixture.contract(), failure: .simulatorCrash,
            changed: ["simerr.txt": Array("gem5 has encountered a segmentation fault!\n\ngem5(+0xe4)[0x5f]\n".utf8)])
        #expect(found.failure == .simulatorCrash)
        #expect(found.evidence.hasPrefix("simerr.txt, line 1: gem5 has encountered a segmentation fault!"))
        let later = try Fixture.verdict(
            "o3-tage-1M", Fixture.contract(), failure: .simulatorCrash,
            changed: [
                "simerr.txt": Array("src/x.cc:1: fatal: bad value\ngem5 has encountered a segmentation fault!\n".utf8),
            ])
        #expect(later.failure == .simulatorFatal && later.evidence.contains("fatal: bad value"), "\(later)")
    }

    /// Each as a call of `fatal` prints it, and as one of `fatal_if` does; what a run that makes a checkpoint means by
    /// it comes second.
    @Test(
        "What gem5 22 to 24 say of checkpoints",
        arguments: [
            ("Can't unserialize 'system.cpu.xc.0:hvip'", .checkpointIncompatible, .checkpointIncompatible),
            (
                "Can't load checkpoint file 'checkpoint/aes/cpt.warm/m5.cpt'", .checkpointIncompatible,
                .checkpointIncompatible
            ),
            (
                "Memory range size has changed! Saw 3221225472, expected 536870912", .checkpointIncompatible,
                .checkpointIncompatible
            ),
            (
                "Array size mismatch on system.cpu.regs:_regs (Got 4, expected 8)'", .checkpointIncompatible,
                .checkpointIncompatible
            ),
            ("TLB size less than the one in checkpoint!", .checkpointIncompatible, .checkpointIncompatible),
            (
                "Restoring from checkpoints with dirty caches is not supported in the classic memory system.",
                .checkpointIncompatible, .checkpointIncompatible
            ),
            (
                "Can't open physical memory checkpoint file 'system.physmem.store0.pmem'", .checkpointIncompatible,
                .simulatorFatal
            ),
            (
                "Close failed on physical memory checkpoint file 'system.physmem.store0.pmem'",
                .checkpointIncompatible, .diskFull
            ),
            ("Write failed on physical memory checkpoint file 'a.pmem'", .diskFull, .diskFull),
            ("Unable to open file m5out/checkpoint/aes/cpt.warm/m5.cpt for writing", .simulatorFatal, .diskFull),
            ("couldn't mkdir m5out/checkpoint/aes/cpt.warm/", .simulatorFatal, .diskFull),
            ("Could not mmap 3221225472 bytes for range [0:0xc0000000]!", .outOfMemory, .outOfMemory),
            ("Insufficient memory to allocate compression state for a.pmem", .outOfMemory, .outOfMemory),
            ("something else", .simulatorFatal, .simulatorFatal),
        ] as [(String, FailureClass, FailureClass)])
    func checkpointMessages(_ text: String, _ evaluation: FailureClass, _ setup: FailureClass) {
        for prefix in ["fatal: ", "fatal: fatal condition !cp.find(section, name, str) occurred: ", "panic: "] {
            let line = Array("src/sim/serialize.hh:379: \(prefix)\(text)".utf8)[...]
            for hasFailed in [false, true] {
                func meaning(_ isSetup: Bool) -> FailureClass? {
                    Gem5Message.meaning(of: line, isSetup: isSetup, hasFailed: hasFailed)
                }
                #expect(meaning(false) == evaluation, "\(prefix)")
                #expect(meaning(true) == setup, "\(prefix)")
            }
        }
        // A warning, or what the guest prints, ends nothing.
        let warning = Array("src/sim/serialize.hh:379: warn: \(text)".utf8)[...]
        #expect(Gem5Message.meaning(of: warning, isSetup: false, hasFailed: true) == nil)
    }

    @Test("Of a run that ended well, words of other programs are no end", arguments: [
        ("fatal: not a git repository (or any of the parent directories): .git", true),
        ("UserWarning: ValueError: ignored", true),
        ("build/X86/x.cc:12: warn: non-fatal: retrying", false),
        ("build/X86/x.cc: the word fatal: is in a text", true),
    ])
    func otherWords(_ text: String, _ meansFailure: Bool) {
        let line = Array(text.utf8)[...]
        #expect(Gem5Message.meaning(of: line, isSetup: false, hasFailed: false) == nil)
        #expect((Gem5Message.meaning(of: line, isSetup: false, hasFailed: true) != nil) == meansFailure)
    }

    @Test("A kernel's panic is told from what programs of the guest say", arguments: [
        ("Kernel panic - not syncing: no init", true), ("[    4.2] Kernel panic - not syncing: VFS", true),
        ("login: [    4.2] Kernel panic - not syncing: VFS", true), ("[    4.2] Oops: 0002 [#1] PREEMPT SMP", true),
        ("Oops: 0000 [#1] SMP NOPTI", true), ("Oops: invalid request, try again", false),
        ("[    9.1] BUG: unable to handle page fault for address: ffff", true),
        ("[    9.1] kernel BUG at mm/slub.c:305!", true), ("no Kernel panic - not syncing here", false),
        ("error: BUG: unable to handle this", false), ("[info] Oops: not a kernel", false),
    ])
    func kernelPanics(_ line: String, _ isPanic: Bool) { #expect(KernelPanic.isIn(Array(line.utf8)[...]) == isPanic) }

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
