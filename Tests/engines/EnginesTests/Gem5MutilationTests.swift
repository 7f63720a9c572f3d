import Model
import Results
import TestKit
import Testing
@testable import Engines

/// A run that is what it should be, reduced to what its contract relies on, so that each line of it can be lost or
/// changed in turn.
struct IntactRun {
    var contract: Gem5Contract
    /// Of one run everything is tried.
    let isThorough: Bool
    var files: [String: [Substring]]

    private static let runs: [String: (invocations: Int, l2: String, predictor: String?)] = [
        "o3-tournament-256K": (5, "256KiB", "TournamentBP"), "o3-tournament-1M": (5, "1MiB", "TournamentBP"),
        "o3-tournament-1M-again": (5, "1MiB", "TournamentBP"), "o3-tage-1M": (5, "1MiB", "LTAGE"),
        "timing-1M": (5, "1MiB", nil), "timing-warm3-1M": (3, "1MiB", nil),
    ]
    static let names = runs.keys.sorted()

    init(_ name: String) throws {
        let run = try #require(IntactRun.runs[name])
        isThorough = name == "o3-tage-1M"
        var metrics = ["cpi", "ipc", "itlb.mpki", "dtlb.mpki"]
        for cache in ["l1i", "l1d", "l2"] { metrics += ["\(cache).mpki", "\(cache).miss-ratio"] }
        if run.predictor != nil { metrics += ["branch.mpki", "branch.miss-ratio"] }
        contract = Fixture.contract(
            invocations: run.invocations, l2: run.l2, predictor: run.predictor, metrics: metrics)
        files = [:]
        for file in ["simout.txt", "simerr.txt", "stats.txt", "config.ini", "board.pc.com_1.device"] {
            let text = String(decoding: try #require(try Fixture.file(name, file)), as: UTF8.self)
            files[file] = text.split(separator: "\n", omittingEmptySubsequences: false)
        }
        let globs = GlobSet(Gem5Counter.library(.number(1)).flatMap(\.alternatives).joined().map(Glob.init))
        files["stats.txt"]?.removeAll { line in
            let name = Array(IntactRun.name(line).utf8)
            return !line.hasPrefix("--") && !line.isEmpty && !globs.matches(name.span.bytes)
        }
        let sections = contract.parameters.map { "[\($0.path)]" } + ["[board.processor.cores0.core]"]
            + ["[board.processor.cores1.core]"]
        var isKept = false
        files["config.ini"]?.removeAll { line in
            if line.hasPrefix("[") { isKept = sections.contains(String(line)) }
            return !isKept
        }
    }

    static func name(_ line: Substring) -> Substring { line.prefix { $0 != " " } }

    func verdict(_ file: String? = nil, _ change: (inout [Substring]) -> Void = { _ in }) throws -> Verdict {
        try contract.judge(failure: nil, evidence: "", files: files.evidence(file, change))
    }

    /// - Parameter changes: what takes the place of some lines of a file, each in turn.
    func expectRefused(
        _ file: String, _ range: ClosedRange<Int>, _ changes: [[Substring]],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for change in changes {
            let verdict = try verdict(file) { $0.replaceSubrange(range, with: change) }
            #expect(
                verdict.failure == .contractBroken || verdict.failure == .checkpointIncompatible,
                "line \(range.lowerBound + 1): \(change)", sourceLocation: sourceLocation)
        }
    }

    /// The lines of statistics that a metric is made of: of each counter's names the first that is there.
    func relied() -> [Int] {
        let lines = files["stats.txt"] ?? []
        let formulas = MetricFormula.gem5.filter { contract.requiredMetrics.contains($0.name) }
        let needed = ["ticks"] + formulas.flatMap(\.counters)
        return Gem5Counter.library(.number(1)).filter { counter in
            needed.contains(counter.name) || counter.isAid && !counter.name.hasSuffix(".replacements")
        }.flatMap { counter -> [Int] in
            for patterns in counter.alternatives {
                let globs = patterns.map(Glob.init)
                let found = lines.indices.filter { line in
                    globs.contains { $0.matches(String(IntactRun.name(lines[line]))) }
                }
                if !found.isEmpty { return found }
            }
            return []
        }
    }
}

@Suite("Each line that gem5's contract relies on, lost or changed, is missed")
struct Gem5MutilationTests {
    @Test("Nothing else is relied on", arguments: IntactRun.names)
    func intact(_ name: String) throws {
        let run = try IntactRun(name)
        let verdict = try run.verdict()
        #expect(verdict.blocks?.blocks.count == run.contract.invocations, "\(verdict.evidence)")
        #expect(try verdict == Fixture.verdict(name, run.contract))
    }

    @Test("Statistics", arguments: IntactRun.names)
    func statistics(_ name: String) throws {
        let run = try IntactRun(name)
        let relied = run.relied()
        let lines = try #require(run.files["stats.txt"])
        #expect(relied.count >= run.contract.invocations! * 15)
        for index in relied {
            let line = lines[index]
            let value = try #require(line.split(separator: " ").dropFirst().first)
            func with(_ other: String) -> Substring {
                line.replacing(" \(value) ", with: " \(other) ", maxReplacements: 1)
            }
            var changes: [[Substring]] = [[], [line, line], [with("nan")]]
            if run.isThorough {
                changes += [[with("inf")], [with("-inf")], [with("")], [with("0x10")], [with("12z")], [with("\u{0}")]]
                changes += ["", "\u{1}\u{2}garbage", IntactRun.name(line)].map { [$0] }
                if value != "0" { changes.append([with("-\(value)")]) }
            }
            try run.expectRefused("stats.txt", index...index, changes)
        }
    }

    @Test("Numbers that gem5 says more than once", arguments: IntactRun.names)
    func redundant(_ name: String) throws {
        let run = try IntactRun(name)
        let lines = try #require(run.files["stats.txt"])
        let names = ["overall", "simTicks", "finalTick", "simFreq"]
        for index in run.relied() where names.contains(where: { lines[index].contains($0) }) {
            let value = try #require(lines[index].split(separator: " ").dropFirst().first)
            let last = try #require(value.last?.wholeNumberValue)
            let others = [value.dropLast(), value.dropLast() + String((last + 1) % 10), value + "0"]
            try run.expectRefused("stats.txt", index...index, others.map {
                [lines[index].replacing(" \(value) ", with: " \($0) ", maxReplacements: 1)]
            })
        }
    }

    @Test("What gem5 leaves out is zero, where the other counts and the cache itself are there")
    func zeros() throws {
        var run = try IntactRun("o3-tage-1M")
        run.contract.requiredMetrics = ["l2.mpki"]
        let lines = try #require(run.files["stats.txt"])
        func index(_ statistic: String) throws -> Int {
            try #require(lines.firstIndex { $0.contains("l2-cache-1.\(statistic) ") })
        }
        let (hits, misses) = (try index("overallHits::total"), try index("overallMisses::total"))
        let accesses = try index("overallAccesses::total")
        let none = try run.verdict("stats.txt") {
            $0[hits] = $0[accesses].replacing("Accesses", with: "Hits")
            $0[misses] = ""
        }
        #expect(none.blocks?.blocks[0]["l2.misses"] == "0", "\(none.evidence)")
        // The first caches missed 2,814 times.
        let lost = try run.verdict("stats.txt") { for index in [hits, misses, accesses] { $0[index] = "" } }
        #expect(lost.evidence.contains("l2 has neither hits nor misses, though it was used"), "\(lost)")
        let above = ["l1i-cache-1.", "l1d-cache-1."]
        let unused = try run.verdict("stats.txt") { lines in
            for index in [hits, misses, accesses] { lines[index] = "" }
            let end = lines.firstIndex { $0.hasPrefix("---------- End") } ?? 0
            for index in lines[..<end].indices where above.contains(where: { lines[index].contains($0) }) {
                lines[index] = ""
            }
        }
        #expect(unused.blocks?.blocks[0]["l2.accesses"] == "0", "\(unused.evidence)")
        let replacements = try index("replacements")
        let absent = try run.verdict("stats.txt") {
            for index in [hits, misses, accesses, replacements] { $0[index] = "" }
        }
        #expect(absent.failure == .contractBroken)
    }

    @Test("Marks of blocks, and whole blocks", arguments: IntactRun.names)
    func blocks(_ name: String) throws {
        let run = try IntactRun(name)
        let lines = try #require(run.files["stats.txt"])
        let marks = lines.indices.filter { lines[$0].hasPrefix("--") }
        #expect(marks.count == 2 * run.contract.invocations!)
        for index in marks {
            let line = lines[index]
            try run.expectRefused(
                "stats.txt", index...index, [[], [line, line], ["---------- Begun"], [line.prefix(30)]])
        }
        let ranges = stride(from: 0, to: marks.count, by: 2).map { marks[$0]...marks[$0 + 1] }
        for range in ranges {
            // Lost, there twice, and another one's in its place.
            let other = lines[ranges[range == ranges[0] ? 1 : 0]]
            try run.expectRefused("stats.txt", range, [[], Array(lines[range] + lines[range]), Array(other)])
        }
    }

    @Test("Events", arguments: IntactRun.names)
    func events(_ name: String) throws {
        let run = try IntactRun(name)
        let lines = try #require(run.files["simout.txt"])
        let relied = lines.indices.filter { index in
            ["invocation-begin", "invocation-end", "\"end\""].contains { lines[index].contains($0) }
                && !lines[index].contains("\"number\": 0")
        }
        #expect(relied.count == 2 * run.contract.invocations! + 1)
        for (index, next) in zip(relied, relied.dropFirst() + [relied[0]]) {
            let line = lines[index]
            var changes: [[Substring]] = [[], [line, line], [lines[next]], [line.replacing("\": ", with: "x\": ")]]
            let lengths = stride(from: 6, to: line.count, by: run.isThorough ? 1 : 29)
            changes += lengths.map { [line.prefix($0)] }
            // This script resets the statistics when an invocation ends: of the other times nothing follows.
            let end = line.contains("invocation-end") ? nil : line.firstRange(of: ", \"tick\"")?.lowerBound
            for place in line[..<(end ?? line.endIndex)].indices where line[place].isNumber {
                let digit = (line[place].wholeNumberValue! + 1) % 10
                changes.append([line[..<place] + String(digit) + line[line.index(after: place)...]])
            }
            try run.expectRefused("simout.txt", index...index, changes)
            let verdict = try run.verdict("simout.txt") { $0.swapAt(index, next) }
            #expect(verdict.failure == .contractBroken, "\(line) comes later")
        }
    }

    @Test("The configuration", arguments: IntactRun.names)
    func configuration(_ name: String) throws {
        let run = try IntactRun(name)
        let lines = try #require(run.files["config.ini"])
        for parameter in run.contract.parameters {
            let section = try #require(lines.firstIndex(of: "[\(parameter.path)]"))
            let index = try #require(lines[section...].firstIndex { $0.hasPrefix("\(parameter.name)=") })
            let line = lines[index]
            let other = Substring("\(parameter.name)=7")
            let changes = [[], [line.dropLast()], [line + "0"], [other], [line, other]]
            try run.expectRefused("config.ini", index...index, changes)
        }
        for index in lines.indices where lines[index].hasPrefix("[") {
            try run.expectRefused("config.ini", index...index, [[], [lines[index].dropLast()], ["[other]"]])
        }
    }

    @Test("Files, and last words among other lines", arguments: IntactRun.names)
    func words(_ name: String) throws {
        let run = try IntactRun(name)
        for file in run.files.keys.sorted() {
            var without = run
            without.files[file] = nil
            #expect(try without.verdict().failure == .contractBroken, "\(file)")
        }
        let words: [(String, String, FailureClass)] = [
            ("simerr.txt", "src/mem/x.cc:1: panic: Unexpected packet", .simulatorFatal),
            ("simerr.txt", "src/sim/y.cc:22: fatal: Could not open", .simulatorFatal),
            ("simerr.txt", "src/a.cc:5: panic: panic condition !ptr occurred: no", .simulatorFatal),
            ("simerr.txt", "gem5.opt: src/b.cc:7: void f(): Assertion `x' failed.", .simulatorFatal),
            ("simerr.txt", "Traceback (most recent call last):", .simulatorFatal),
            ("simerr.txt", "terminate called after throwing an instance of 'std::bad_alloc'", .outOfMemory),
            ("simerr.txt", "OSError: [Errno 28] No space left on device", .diskFull),
            ("board.pc.com_1.device", "[    4.2] Kernel panic - not syncing: Fatal exception", .guestPanic),
            ("board.pc.com_1.device", "[    4.2] BUG: kernel NULL pointer dereference, address: 0", .guestPanic),
            ("board.pc.com_1.device", "[    4.2] kernel BUG at mm/slub.c:305!", .guestPanic),
            ("board.pc.com_1.device", "[    4.2] Oops: 0002 [#1] PREEMPT SMP", .guestPanic),
        ]
        for (file, text, failure) in words {
            let count = run.files[file]?.count ?? 0
            for place in [0, count / 2, count] {
                let verdict = try run.verdict(file) { $0.insert(Substring(text), at: place) }
                #expect(verdict.failure == failure, "\(text)")
                #expect(verdict.evidence.hasPrefix("\(file), line \(place + 1): "), "\(verdict.evidence)")
            }
        }
    }
}
