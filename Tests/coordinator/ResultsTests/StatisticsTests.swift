import Foundation
import Model
import TestKit
import Testing
@testable import Results


/// Everything that a scanner finds, as text.
private struct Listing: StatisticsVisitor, Equatable {
    struct Entry: Equatable {
        var name: String
        var text: String
        var bits: UInt64
    }
    var blocks: [[Entry]] = []
    var complete: [Int] = []

    mutating func begin(block: Int) { blocks.append([]) }
    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        blocks[blocks.count - 1].append(Entry(name: name.text, text: text.text, bits: value.bitPattern))
    }
    mutating func end(block: Int) { complete.append(block) }
}

private func scan(_ bytes: [UInt8], piece: Int = .max) -> (StatisticsScanner, Listing) {
    var scanner = StatisticsScanner()
    var listing = Listing()
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, piece == .max ? bytes.count : start + piece)
        scanner.scan(Array(bytes[start..<end]).span.bytes, &listing)
        start = end
    }
    scanner.finish(&listing)
    return (scanner, listing)
}

private func scan(_ text: String, piece: Int = .max) -> (StatisticsScanner, Listing) {
    scan(Array(text.utf8), piece: piece)
}

private func block(_ lines: String) -> String {
    """

    ---------- Begin Simulation Statistics ----------
    \(lines)

    ---------- End Simulation Statistics   ----------

    """
}

@Suite("gem5's text statistics")
struct StatisticsTests {
    @Test("Every kind of line", arguments: [1, 2, 3, 7, 64, .max])
    func kinds(_ piece: Int) {
        let text = block(
            """
            simTicks                                    142386804                       # Number of ticks (Tick)
            a.ipc                                        0.628000                       # with a # in it
            a.avg                                             nan
            a.top                                             inf                       # (Unspecified)
            a.bottom                                         -inf
            a.tiny                                   1.500000e-09                       # (Second)
            a.minus                                            -3
            a.op::IntAlu                                    19339     74.21%     74.38% # Class of instruction. (Count)
            a.op::total                                     26061                       # Class of instruction. (Count)
            a.dist::samples                                     5
            a.dist::0-9                                         5    100.00%    100.00%
            a.dist::overflows                                   0      0.00%    100.00%
            a.sparse::4096                                      1     20.00%     20.00%
            a.two_0::cpu.data                                   7
            a.row                    |           3     60.00%     60.00% |           2     40.00%    100.00% # one line
            """)
        let (scanner, listing) = scan(text, piece: piece)
        #expect(scanner.complaint == nil)
        #expect(listing.complete == [1])
        #expect(
            listing.blocks[0].map { "\($0.name)=\($0.text)" } == [
                "simTicks=142386804", "a.ipc=0.628000", "a.avg=nan", "a.top=inf", "a.bottom=-inf",
                "a.tiny=1.500000e-09", "a.minus=-3", "a.op::IntAlu=19339", "a.op::total=26061", "a.dist::samples=5",
                "a.dist::0-9=5", "a.dist::overflows=0", "a.sparse::4096=1", "a.two_0::cpu.data=7", "a.row::0=3",
                "a.row::1=2",
            ])
    }

    @Test("Numbers are the nearest there are", arguments: 1...4)
    func numbers(_ seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15
        func next() -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random
        }
        for _ in 0..<20_000 {
            let digits = String(next() >> (next() % 64))
            let cut = Int(next() % UInt64(digits.count + 1))
            var text = next() % 8 == 0 ? "-" : ""
            text += digits.prefix(digits.count - cut).isEmpty ? "0" : digits.prefix(digits.count - cut)
            if cut > 0 { text += "." + digits.suffix(cut) }
            if next() % 16 == 0 { text += "e\(Int(next() % 600) - 300)" }
            let value = Array(text.utf8).withUnsafeBytes { StatisticNumber.value(of: $0.bytes) }
            #expect(value?.bitPattern == strtod(text, nil).bitPattern, "\(text)")
        }
    }

    @Test(
        "What is no number is none",
        arguments: ["", "-", "+", ".", "1.", "1.2.3", "12x", "0x10", "infinity", "NaN", "1e", "--1", "1e5e5", "١"])
    func noNumbers(_ text: String) {
        // Swift and C agree that "1." is a number; gem5 never writes it.
        let value = Array(text.utf8).withUnsafeBytes { StatisticNumber.value(of: $0.bytes) }
        #expect(value == nil || text == "1.")
    }

    @Test("Blocks may differ, and lines may end as on other systems")
    func differing() {
        let text = block("a 1\nb 2") + block("b 3\nc 4") + block("")
        let (scanner, listing) = scan(text)
        #expect(scanner.completeBlocks == 3)
        #expect(listing.blocks.map { $0.map(\.name) } == [["a", "b"], ["b", "c"], []])
        let other = scan(text.replacingOccurrences(of: "\n", with: "\r\n"), piece: 5)
        #expect(other.1 == listing)
        #expect(other.0.complaint == nil)
    }

    @Test("A file cut anywhere never has a block too many")
    func cut() {
        let whole = Array((block("a 1 # x (Count)\nb::c 22.5 1.00% 1.00%") + block("a 2")).utf8)
        let blocks = whole.indices.map { scan(Array(whole[..<$0])).0.completeBlocks }
        #expect(blocks == blocks.sorted())
        #expect(blocks.last == 2)
        for (length, count) in blocks.enumerated() {
            let (scanner, listing) = scan(Array(whole[..<length]))
            #expect(listing.complete.count == count)
            let isBetween = length <= 1 || count == scanner.begunBlocks
            #expect((scanner.complaint == nil) == (isBetween && count > 0), "\(length)")
            // A value without the end of its line may lack digits.
            for entry in listing.blocks.joined() { #expect(["1", "2", "22.5"].contains(entry.text)) }
        }
    }

    @Test("Garbage is found out of place, with its line")
    func garbage() {
        let bytes: [UInt8] = Array("\u{1}\u{0}binary".utf8) + [0xFF, 0xFE, 10]
        #expect(scan(bytes).0.complaint?.hasPrefix("line 1 ") == true)
        #expect(scan([]).0.complaint == "it has no statistics block")
        #expect(scan([0x1F, 0x8B, 8, 0, 10]).0.complaint?.hasPrefix("it is compressed") == true)
        #expect(scan("\n\n").0.complaint == "it has no statistics block")
        #expect(scan(block("a 1") + "---------- End Simulation Statistics   ----------\n").0.problem?.line == 6)
        #expect(scan("\n---------- Begin Simulation Statistics ----------\na 1\n" + block("a 1")).0.problem?.line == 5)
        for line in ["a", "a b", "a 12x", "a # 1", " a 1", "a |", "a | 1% |x"] {
            let (scanner, listing) = scan(block("b 1\n\(line)"))
            if line == "a |" { continue }
            #expect(scanner.completeBlocks == 0, "\(line)")
            #expect(listing.complete.isEmpty)
            #expect(scanner.problem?.line == 4, "\(line)")
        }
    }

    @Test("A line of megabytes is read; one without an end is not kept")
    func long() {
        let name = String(repeating: "n", count: 3 << 20)
        let (scanner, listing) = scan(block("\(name) 5"), piece: 1 << 16)
        #expect(scanner.complaint == nil)
        #expect(listing.blocks[0].first?.name.utf8.count == 3 << 20)
        var endless = StatisticsScanner()
        var nothing = Listing()
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0..<40 { endless.scan(piece.span.bytes, &nothing) }
        endless.finish(&nothing)
        #expect(endless.completeBlocks == 0)
        #expect(endless.begunBlocks == 0)
    }

    @Test("A row that is too long is out of place as a whole, though its beginning would be a row", arguments: [1, 3])
    func longRow(_ megabytes: Int) {
        let element = "| 1 0.10% 0.10% "
        let row = "row " + String(repeating: element, count: StatisticsScanner.longestLine / element.utf8.count + 9)
        let (scanner, listing) = scan(block(row + "\nsimTicks 5") + block("simTicks 6"), piece: megabytes << 20)
        #expect(scanner.begunBlocks == 2 && scanner.completeBlocks == 1)
        #expect(listing.complete == [2] && listing.blocks[0].map(\.name) == ["simTicks"])
        #expect(scanner.problem != nil)
    }

    @Test(
        "Blocks of real files",
        arguments: [
            ("o3-tage-1M", 5, 5), ("timing-warm3-1M", 3, 3), ("fail-disk-full", 1, 2), ("fail-sigkill", 4, 4),
            ("fail-too-many-invocations", 21, 21), ("fail-sigint", 5, 5), ("fail-bad-value", 0, 0),
        ])
    func fixtures(_ run: String, _ complete: Int, _ begun: Int) throws {
        let bytes = try Fixture.statistics(run)
        let (scanner, listing) = scan(bytes)
        #expect(scanner.completeBlocks == complete)
        #expect(scanner.begunBlocks == begun)
        #expect(scanner.problem == nil)
        #expect(scan(bytes, piece: 4_099).1 == listing)
    }

    @Test("A real file, value by value, as awk reads it")
    func awk() throws {
        let bytes = try Fixture.statistics("o3-tage-1M")
        let (_, listing) = scan(bytes)
        let expected = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("-") }.map {
            $0.split(separator: " ", omittingEmptySubsequences: true).prefix(2).joined(separator: "=")
        }
        #expect(listing.blocks.joined().map { "\($0.name)=\($0.text)" } == expected)
    }
}

@Suite("Patterns for names")
struct GlobTests {
    @Test(arguments: [
        ("*", "", true), ("*", "a.b", true), ("a", "a", true), ("a", "ab", false), ("a?c", "abc", true),
        ("a?c", "ac", false), ("system.*.ipc", "system.cpu0.core.ipc", true), ("*.ipc", "a.ipc.x", false),
        ("a*b*c", "aXbYbZc", true), ("a*b*c", "acb", false), ("**", "x", true), ("", "", true), ("", "x", false),
        ("[a]", "a", false), ("[a]", "[a]", true),
    ])
    func matching(_ pattern: String, _ name: String, _ expected: Bool) {
        #expect(Glob(pattern).matches(name) == expected)
    }

    @Test func manyStarsTakeNoForever() {
        let name = String(repeating: "a", count: 10_000)
        #expect(!Glob(String(repeating: "a*", count: 30) + "b").matches(name))
    }

    @Test("Patterns together find what each finds alone")
    func together() {
        let parts = ["a", "b", "a.b", "ab", "*", "?", "::total", ""]
        var state: UInt64 = 7
        func word(_ parts: [String]) -> String {
            (0..<4).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return parts[Int(state >> 33) % parts.count]
            }.joined()
        }
        var found = 0
        for _ in 0..<300 {
            let globs = (0..<6).map { _ in Glob(word(parts)) }
            let set = GlobSet(globs)
            for _ in 0..<30 {
                let name = word(["a", "b", "a.b", "ab", "::total", ""])
                var matching: [Int] = []
                set.forEachMatch(Array(name.utf8).span.bytes) { matching.append($0) }
                #expect(matching.sorted() == globs.indices.filter { globs[$0].matches(name) }, "\(name): \(globs)")
                found += matching.count
            }
        }
        #expect(found > 1_000)
        #expect(GlobSet([]).isEmpty && !GlobSet([]).matches(Array("a".utf8).span.bytes))
    }
}
