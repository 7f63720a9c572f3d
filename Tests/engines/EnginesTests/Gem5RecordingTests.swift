import Engines
import Foundation
import Model
import Results
import Testing

/// What a real gem5 24.0 left that ran the package `ops/gem5`, reduced to what the contract relies on.
private struct Recording {
    let engine: Gem5Engine
    let points: Points
    var files: [String: [Substring]] = [:]

    init(_ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../whole/EndToEndTests/Gem5/recordings/\(name)").standardized.path
        let arguments = try #require(FileManager.default.contents(atPath: "\(folder)/arguments.json"))
        let asked = try JSON(parsing: Array(arguments))
        let memory = (name.hasSuffix("hotel") ? 768 : name.hasPrefix("state") ? 512 : 256) << 20
        var sweep = Sweep(
            name: "s", engine: "gem5", settings: settings(#"{"system": {"name": "skylake", "memory": \#(memory)}}"#))
        sweep.workloads = [asked["function"]?.text ?? ""]
        sweep.measure = Measure(warm: 2, invocations: 3)
        sweep.metrics = ["cpi", "l1i.mpki", "l1d.mpki", "l2.mpki", "llc.mpki", "branch.mpki", "itlb.mpki"]
        guard case .object(let members) = asked["set"] else { throw Failure(.badData, "no 'set'") }
        sweep.axes = members.map { Axis(name: $0.name, values: [$0.value.text ?? ""]) }
        if let state = asked["state"]?.text { sweep.axes.append(Axis(name: "state", values: [state])) }
        let input = InputFile(
            path: "guest/vmlinux", source: "/x", digest: SHA256.digest("x"), size: 1, isExecutable: false)
        engine = try Gem5Engine(sweep, guest: .init(kernel: input, disk: input), scripts: [])
        points = try Points(sweep, recipe: sweep.recipe)
        files["stderr.txt"] = []
        for file in ["status.jsonl", "stats.txt", "config.ini", "system.pc.com_1.device"] {
            files["m5out/\(file)"] = try unpackedLines("\(folder)/\(file).xz")
        }
        files["m5out/stats.txt"]?.removeAll { !Recording.isRelied($0) }
        var isKept = false
        files["m5out/config.ini"]?.removeAll { line in
            if line.hasPrefix("[") {
                isKept = line.hasPrefix("[system.cpu") && !line.dropFirst(12).contains(".mmu")
                    || ["[system]", "[system.workload]", "[system.clk_domain]"].contains(line)
            }
            return !isKept
        }
    }

    /// Of the core under test, and of the cache that it shares.
    private static let relied: Set<Substring> = {
        let caches = ["cpu1.icache", "cpu1.dcache", "cpu1.l2cache", "l3cache"].flatMap { cache in
            ["overallHits::total", "overallMisses::total", "overallAccesses::total", "replacements"].map {
                "\(cache).\($0)"
            }
        }
        let others = ["numCycles", "commitStats0.numInsts", "mmu.itb.rdMisses", "mmu.itb.wrMisses"]
            + ["branchPred.mispredicted_0::total"]
        let whole: [Substring] = ["simTicks", "finalTick", "simFreq"]
        return Set((caches + others.map { "cpu1.\($0)" }).map { "system.\($0)"[...] } + whole)
    }()

    private static func isRelied(_ line: Substring) -> Bool {
        line.isEmpty || line.hasPrefix("--") || relied.contains(line.prefix { $0 != " " })
    }

    func verdict(_ file: String? = nil, _ change: (inout [Substring]) -> Void = { _ in }) throws -> EngineVerdict {
        let report = AttemptReport(id: AttemptID(run: 1, lease: 1, attempt: 1), failure: nil)
        return try engine.judge(
            .evaluation(point: 0, repetition: 1), points, report, files.evidence(file, change))
    }

    func expectRefused(_ file: String, _ index: Int, _ changes: [[Substring]]) throws {
        for change in changes {
            let verdict = try verdict(file) { $0.replaceSubrange(index...index, with: change) }
            #expect(verdict.failure == .contractBroken, "\(file), line \(index + 1): \(change)")
        }
    }
}

@Suite("What the package leaves: each line that the contract relies on, lost or changed, is missed")
struct Gem5RecordingTests {
    private let run: Recording

    init() throws { run = try Recording("point-12") }

    @Test func intact() throws {
        let verdict = try run.verdict()
        #expect(verdict.failure == nil, "\(verdict.evidence)")
        #expect(try verdict.blocks.map { try Blocks($0).blocks.count } == 3)
    }

    /// Cycles per instruction as computed from the recorded statistics by a script of ten lines.
    @Test("A function that is found warm, lukewarm or with empty caches, and an event that says so", arguments: [
        ("warm", [1.548, 1.434, 1.722]), ("lukewarm", [3.614, 3.093, 3.904]), ("cold-caches", [3.210, 2.782, 3.528]),
        // With services in containers of their own.
        ("warm-hotel", [1.505, 1.804, 1.510]), ("lukewarm-hotel", [1.951, 2.154, 1.994]),
        // In the first measured call Node.js still compiles: it takes eight times the instructions of the third.
        ("warm-nodejs", [0.910, 2.159, 2.317]), ("lukewarm-nodejs", [0.975, 2.055, 2.362]),
    ])
    func states(name: String, cpi: [Double]) throws {
        let state = name.replacing(/-(hotel|nodejs)$/, with: "")
        let run = try Recording("state-\(name)")
        let verdict = try run.verdict()
        #expect(verdict.failure == nil, "\(verdict.evidence)")
        let blocks = try #require(try verdict.blocks.map { try Blocks($0).blocks })
        for (block, cpi) in zip(blocks, cpi) {
            let cycles = try #require(block["cycles"].flatMap(Double.init))
            let instructions = try #require(block["instructions"].flatMap(Double.init))
            #expect(abs(cycles / instructions - cpi) < 0.001)
        }
        let lines = try #require(run.files["m5out/status.jsonl"])
        let events = lines.indices.filter { lines[$0].contains("\"event\":\"state\"") }
        #expect(events.count == (state == "warm" ? 0 : 3))
        for index in events {
            let line = lines[index]
            try run.expectRefused(
                "m5out/status.jsonl", index,
                [[], [line, line], [line.replacing("\"\(state)\"", with: "\"warm\"")[...]],
                    [line.replacing("\"number\":", with: "\"number\":7")[...]]])
        }
    }

    @Test func events() throws {
        let lines = try #require(run.files["m5out/status.jsonl"])
        let relied = lines.indices.filter { index in
            ["\"invocation-", "\"parameters\"", "\"end\""].contains { lines[index].contains($0) }
        }
        #expect(relied.count == 1 + 2 * 5 + 1)
        for (index, next) in zip(relied, relied.dropFirst() + [relied[0]]) {
            let line = lines[index]
            let told = line.firstRange(of: ",\"wall\"")?.lowerBound ?? line.endIndex
            var changes: [[Substring]] = [[], [line, line], [lines[next]], [line.replacing("\":", with: "x\":")]]
            changes += stride(from: 1, to: line.count, by: 11).map { [line.prefix($0)] }
            // The times of what only warms, and of the end, are nobody's.
            let isTimed = line.contains("\"number\"") && !line.contains("\"number\":0")
            let end = isTimed ? told : line.firstRange(of: ",\"tick\"")?.lowerBound ?? told
            for place in line[..<end].indices where line[place].isNumber && !line.contains("\"set\"") {
                guard !line[..<place].hasSuffix("\"code\":") else { continue }
                let digit = (line[place].wholeNumberValue! + 1) % 10
                changes.append([line[..<place] + String(digit) + line[line.index(after: place)...]])
            }
            try run.expectRefused("m5out/status.jsonl", index, changes)
            let swapped = try run.verdict("m5out/status.jsonl") { $0.swapAt(index, next) }
            // Where nothing was simulated in between, it says the same.
            #expect(swapped.failure == .contractBroken || line.contains("parameters"), "\(line)")
        }
        // Whatever is not whole, is no event.
        for index in lines.indices.dropLast() {
            try run.expectRefused("m5out/status.jsonl", index, [[lines[index].dropLast()], ["\u{0}\u{1}"]])
        }
    }

    @Test func parameters() throws {
        let lines = try #require(run.files["m5out/config.ini"])
        let wanted = [("l2cache", "size"), ("branchPred", "type"), ("", "numROBEntries")]
        for (object, name) in wanted {
            let section = "[system.cpu1\(object.isEmpty ? "" : ".")\(object)]"
            let header = try #require(lines.firstIndex { $0 == section })
            let index = try #require(lines[header...].firstIndex { $0.hasPrefix("\(name)=") })
            let (line, other) = (lines[index], Substring("\(name)=1"))
            try run.expectRefused(
                "m5out/config.ini", index, [[], [line.dropLast()], [line + "7"], [other], [line, other]])
            try run.expectRefused("m5out/config.ini", header, [[], ["[other]"], [lines[header].dropLast()]])
        }
        let status = try #require(run.files["m5out/status.jsonl"])
        let event = try #require(status.firstIndex { $0.contains("\"parameters\"") })
        for (old, new) in [
            ("\"value\":\"1048576\"", "\"value\":\"262144\""), ("1MiB", "256KiB"), ("\"l2.size\"", "\"l2.assoc\""),
            ("\"name\":\"size\"", "\"name\":\"assoc\""), ("system.cpu1.l2cache", "system.cpu1.l3cache"),
        ] {
            try run.expectRefused("m5out/status.jsonl", event, [[status[event].replacing(old, with: new)]])
        }
    }

    @Test("Another machine than the sweep's")
    func machine() throws {
        let lines = try #require(run.files["m5out/config.ini"])
        for (section, name, others, problem) in [
            ("[system]", "mem_ranges", ["0:536870912", "0:1 4096:268435456"], "system.mem_ranges is"),
            ("[system.workload]", "object_file", ["/other/vmlinux", "other/guest2/vmlinux"], "object_file is"),
            ("[system.cpu1]", "type", ["BaseTimingSimpleCPU", "BaseAtomicSimpleCPU"], "system.cpu1.type is"),
        ] {
            let header = try #require(lines.firstIndex { $0 == section })
            let index = try #require(lines[header...].firstIndex { $0.hasPrefix("\(name)=") })
            for other in others {
                let verdict = try run.verdict("m5out/config.ini") { $0[index] = "\(name)=\(other)" }
                #expect(verdict.failure == .contractBroken && verdict.evidence.contains(problem), "\(verdict.evidence)")
            }
            try run.expectRefused("m5out/config.ini", index, [[]])
        }
        let more = try run.verdict("m5out/config.ini") { $0 += ["[system.cpu2]", "type=BaseO3CPU"] }
        #expect(more.evidence == "m5out/config.ini: 3 cores, where 2 were asked for")
    }

    @Test("An invocation without a tick, and ticks that no sum holds")
    func impossibleTicks() throws {
        let verdict = try run.verdict("m5out/status.jsonl") { lines in
            let begin = lines.firstIndex { $0.contains("invocation-begin") && $0.contains("\"number\":1,") } ?? 0
            for index in lines.indices[begin...] {
                let parts = lines[index].split(separator: ",").filter { !$0.hasPrefix("\"tick\":") || index > begin }
                lines[index] = parts.map { $0.hasPrefix("\"tick\":") ? "\"tick\":\(Int64.max)" : String($0) }
                    .joined(separator: ",")[...]
            }
        }
        #expect(verdict.failure == .contractBroken)
        #expect(verdict.evidence.hasSuffix("invocation-begin has no tick"), "\(verdict.evidence)")
    }

    @Test("A block in the place of another, with its simulated time put right")
    func swappedBlock() throws {
        let verdict = try run.verdict("m5out/stats.txt") { lines in
            let (begins, ends) = (
                lines.indices.filter { lines[$0].hasPrefix("---------- Begin") },
                lines.indices.filter { lines[$0].hasPrefix("---------- End") }
            )
            let ticks = lines[begins[1]...].first { $0.hasPrefix("simTicks") } ?? ""
            let first = lines[begins[0]...ends[0]].map { $0.hasPrefix("simTicks") ? ticks : $0 }
            lines.replaceSubrange(begins[1]...ends[1], with: first)
        }
        #expect(verdict.failure == .contractBroken)
        #expect(verdict.evidence.contains("block 2: its finalTick is "), "\(verdict.evidence)")
    }

    @Test func statistics() throws {
        let lines = try #require(run.files["m5out/stats.txt"])
        let relied = lines.indices.filter { !lines[$0].isEmpty && !lines[$0].contains("replacements ") }
        #expect(relied.count >= 3 * 20)
        for index in relied {
            let line = lines[index]
            var changes: [[Substring]] = [[], [line, line], ["garbage"]]
            if let value = line.split(separator: " ").dropFirst().first, !line.hasPrefix("--") {
                changes += ["nan", "inf", "-1", "x"].map { [line.replacing(" \(value) ", with: " \($0) ")] }
            }
            try run.expectRefused("m5out/stats.txt", index, changes)
        }
    }

    @Test func files() throws {
        for file in run.files.keys.sorted() {
            var without = run
            without.files[file] = nil
            #expect(try without.verdict().failure == .contractBroken, "\(file)")
        }
    }

    @Test("A run that stood still: how far it was, and what the guest said last")
    func stalled() throws {
        var run = run
        run.files["m5out/status.jsonl"]?.removeLast(3)
        run.files["m5out/system.pc.com_1.device"] = ["[    1.0] booted", "[   12.5] rcu: INFO: stall\u{1b}", ""]
        for failure in [FailureClass.stalledSimulator, .timeout] {
            let report = AttemptReport(
                id: AttemptID(run: 1, lease: 1, attempt: 1), failure: failure, evidence: "it waits: 0.01 s of CPU time")
            let left = EvidenceFiles { [files = run.files] path in
                files[path].map { Array($0.joined(separator: "\n").utf8) }
            }
            let verdict = try run.engine.judge(.evaluation(point: 0, repetition: 1), run.points, report, left)
            #expect(verdict.failure == failure)
            for part in [
                "it waits: 0.01 s", "in phase 'measure', 3 invocations begun, 2 ended",
                "system.pc.com_1.device ends with: [   12.5] rcu: INFO: stall\\u{1b}",
            ] {
                #expect(verdict.evidence.contains(part), "\(verdict.evidence)")
            }
        }
    }
}
