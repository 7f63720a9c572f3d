import Model
import Results
import Testing
@testable import Engines

/// What a script of the user's own left: nothing but gem5's own files.
private struct OwnRun {
    /// Of a block, by gem5's names.
    typealias Numbers = [String: String]

    static let blocks: [Numbers] = [
        ["simTicks": "4000000", "finalTick": "10000000", "system.cpu1.numCycles": "9000"],
        ["simTicks": "3000000", "finalTick": "14000000", "system.cpu1.numCycles": "7000"],
    ]

    var blocks = OwnRun.blocks
    var output = "done\n"
    var terminal = "[    1.0] booted\n"

    private var statistics: String {
        blocks.map { block in
            let usual = ["simFreq": "1000000000000", "system.cpu1.commitStats0.numInsts": "5000"]
            let numbers = usual.merging(block) { $1 }
            return (["---------- Begin Simulation Statistics ----------"]
                + numbers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) #" }
                + ["---------- End Simulation Statistics   ----------", ""]).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static let configuration = """
        [system.clk_domain]
        clock=400
        [system.cpu1]
        type=BaseO3CPU
        clk_domain=system.clk_domain
        commitWidth=8

        """

    func examine() throws -> (verdict: Verdict, remark: String) {
        var contract = Gem5Contract(
            invocations: blocks.count, status: nil, terminals: ["system.terminal"], requiredMetrics: ["cpi"])
        contract.saysCore = true
        return try contract.examine(failure: nil, evidence: "", files: EvidenceFiles { path in
            switch path {
            case "stats.txt": Array(statistics.utf8)
            case "config.ini": Array(OwnRun.configuration.utf8)
            case "stdout.txt": Array(output.utf8)
            case "system.terminal": Array(terminal.utf8)
            case "simerr.txt": []
            default: nil
            }
        })
    }

    static func with(_ block: Int, _ name: String, _ value: String) -> OwnRun {
        var run = OwnRun()
        run.blocks[block][name] = value
        return run
    }
}

@Suite("Numbers of gem5 that cannot be, of a script of the user's own, and what is said of those that are odd")
struct Gem5NumbersTests {
    private static let whose = "the numbers are those of system.cpu1 and its caches"

    @Test func good() throws {
        let (verdict, remark) = try OwnRun().examine()
        #expect(verdict.blocks?.blocks.count == 2, "\(verdict.evidence)")
        #expect(remark == Self.whose)
    }

    @Test("One number that another one contradicts", arguments: [
        ("system.cpu1.numCycles", "0", "instructions, but no cycles (numCycles)"),
        ("system.cpu1.numCycles", "99999999999999", "more cycles than there can have been"),
        ("system.cpu1.commitStats0.numInsts", "99999999999999", "a core can commit that is 8 wide"),
        ("simTicks", "0", "numCycles is not 0, though no time has passed"),
        ("simTicks", "14000001", "more ticks (simTicks) than there were (finalTick)"),
        ("finalTick", "10000000", "its finalTick is not after that of the block before"),
        ("finalTick", "9999999", "its finalTick is not after that of the block before"),
    ])
    func impossible(_ name: String, _ value: String, _ problem: String) throws {
        let (verdict, _) = try OwnRun.with(1, name, value).examine()
        #expect(verdict.failure == .contractBroken)
        #expect(verdict.evidence.hasPrefix("stats.txt, block 2: "), "\(verdict.evidence)")
        #expect(verdict.evidence.contains(problem), "\(verdict.evidence)")
    }

    @Test("What is odd, but may be, is said", arguments: [
        ("simTicks", "4000001", "it reaches back before the block before"),
        ("system.cpu1.numCycles", "16000", "more cycles than its time has"),
        ("simFreq", "1000000000", "its ticks are not picoseconds: simFreq is 1000000000"),
    ])
    func odd(_ name: String, _ value: String, _ said: String) throws {
        let (verdict, remark) = try OwnRun.with(1, name, value).examine()
        #expect(verdict.failure == nil, "\(verdict.evidence)")
        #expect(remark.hasPrefix("\(Self.whose); stats.txt, block 2: \(said)"), "\(remark)")
    }

    @Test("A block twice, and blocks in another order")
    func order() throws {
        for places in [[0, 0], [1, 0]] {
            var run = OwnRun()
            run.blocks = places.map { OwnRun.blocks[$0] }
            #expect(try run.examine().verdict.evidence.contains("a block is there twice, or they are in another order"))
        }
    }

    @Test("A number that is too large together with others is none, and stays out of what is kept")
    func infinite() throws {
        // 1e308: two of them are more than a Double holds.
        let large = "1" + String(repeating: "0", count: 308)
        var run = OwnRun.with(0, "system.cpu1.mmu.dtb.rdMisses", large)
        run.blocks[0]["system.cpu1.mmu.dtb.wrMisses"] = large
        let (verdict, _) = try run.examine()
        let blocks = try #require(verdict.blocks)
        #expect(blocks.blocks[0]["dtlb.misses"] == nil)
        #expect(try Blocks(blocks.text) == blocks)
    }

    @Test("gem5's words on standard output, where a script prints them")
    func words() throws {
        var run = OwnRun()
        run.output = "x\nExiting @ tick 5 because user interrupt received\n"
        let interrupted = try run.examine().verdict
        #expect(interrupted.failure == .contractBroken)
        #expect(interrupted.evidence.hasPrefix("stdout.txt, line 2: Exiting @ tick 5"), "\(interrupted.evidence)")
        run.output = "Exiting @ tick 5 because simulate() limit reached\n"
        let (limited, remark) = try run.examine()
        #expect(limited.failure == nil && remark.contains("stdout.txt, line 1: Exiting @ tick 5"), "\(remark)")
    }

    @Test("Programs of the guest that its kernel ended are told of; a panic of the kernel is a failure", arguments: [
        ("[    9.1] Out of memory: Killed process 77 (python3) total-vm:1kB", true),
        ("[    9.1] Memory cgroup out of memory: Killed process 7 (node)", true),
        ("[    9.1] node[59]: segfault at 0 ip 00007f12 sp 00007ffd error 4 in node", true),
        ("[    9.1] traps: node[59] general protection fault ip:7f12 sp:7ffd error:0", true),
        ("it says: out of memory", false),
    ])
    func trouble(_ line: String, _ isTold: Bool) throws {
        var run = OwnRun()
        run.terminal += line + "\n"
        let (verdict, remark) = try run.examine()
        #expect(verdict.failure == nil, "\(verdict.evidence)")
        #expect(remark == Self.whose + (isTold ? "; system.terminal, line 2: \(line)" : ""))
        run.terminal += "[   12.3] Kernel panic - not syncing: x\n"
        #expect(try run.examine().verdict.failure == .guestPanic)
    }

    @Test("The consoles of a script's machines, as gem5 calls them on x86, Arm and RISC-V")
    func consoles() {
        for name in ["system.pc.com_1.device", "board.pc.com_1.device", "system.terminal", "board.platform.terminal"] {
            #expect(Gem5Files.consoles.contains("m5out/\(name)"))
        }
    }

    @Test("Sizes of ranges of addresses", arguments: [
        ("0:268435456", Int64(268_435_456)), ("0:8 16:24", 16), ("0:9223372036854775807 0:9223372036854775807", nil),
        ("", nil), ("8:8", nil), ("0:8:1", nil), ("-9223372036854775808:9223372036854775807", nil), ("x:1", nil),
    ] as [(String, Int64?)])
    func ranges(_ text: String, _ bytes: Int64?) { #expect(Gem5Configuration.bytes(ofRanges: text) == bytes) }
}
