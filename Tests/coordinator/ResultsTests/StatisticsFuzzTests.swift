import Testing
@testable import Results


/// Statistics as gem5's `text.cc` lays them out, made up from a seed, with what must be found in them.
private struct MadeUp {
    struct Found: Equatable {
        var name: String
        var value: String
    }

    private(set) var text = ""
    private(set) var blocks: [[Found]] = []
    private var state: UInt64
    /// gem5's option of the same name: columns are padded.
    private let spaces: Bool

    init(seed: UInt64, blocks count: Int) {
        state = seed &* 0x9E37_79B9_7F4A_7C15
        spaces = seed % 2 == 0
        for _ in 0..<count { addBlock() }
    }

    private mutating func next(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }

    private mutating func pick<Item>(_ items: [Item]) -> Item { items[next(items.count)] }

    private mutating func addBlock() {
        text += "\n---------- Begin Simulation Statistics ----------\n"
        blocks.append([])
        for _ in 0..<next(12) {
            let long = String(repeating: "long.", count: 12) + "x"
            let name = pick(["simTicks", "system.cpu.ipc", "a", "système.µ", long])
            switch next(5) {
            case 0: line(name, value())
            case 1: oneLine(name)
            case 2: elements(name, ["IntAlu", "0", "cpu.data", "total"], shares: true)
            case 3: elements(name + "_1", ["samples", "mean", "gmean", "stdev", "underflows", "0-9", "10-19", "total"])
            default: elements(name, (0..<next(4)).map { String($0 * 4_096) })
            }
        }
        text += "\n---------- End Simulation Statistics   ----------\n"
    }

    private mutating func value() -> String {
        let digits = (0..<next(19) + 1).map { _ in String(next(10)) }.joined()
        return pick([
            digits, "0.\(digits)", "\(next(9)).\(digits)", "-\(digits)", "nan", "inf", "-inf", "0", "0.000000",
            "18446744073709551615", "9007199254740993", "0.10000000000000000555",
            "1" + String(repeating: "7", count: 308), "0." + String(repeating: "0", count: 299) + "1",
        ])
    }

    private mutating func elements(_ name: String, _ parts: [String], shares: Bool = false) {
        for part in parts { line("\(name)::\(part)", value(), shares: shares && part != "total") }
    }

    private func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
        let gap = String(repeating: " ", count: spaces ? max(0, width - text.count) : 0)
        return left ? text + gap : gap + text
    }

    private func tail(_ shares: Bool) -> String {
        let columns = [shares ? "12.50%" : "", shares ? "100.00%" : ""]
        return columns.filter { spaces || !$0.isEmpty }.map { " " + padded($0, 10) }.joined()
    }

    private mutating func end() {
        text += pick(["", " # words (Count)", " # with a # and | in it 5 (Ratio)", " (Tick)"]) + "\n"
    }

    private mutating func line(_ name: String, _ value: String, shares: Bool = false) {
        text += padded(name, 40, left: true) + " " + padded(value, 12) + tail(shares)
        end()
        blocks[blocks.count - 1].append(Found(name: name, value: value))
    }

    /// A vector that was declared to fit one line. Without padding even its bars touch its values.
    private mutating func oneLine(_ name: String) {
        text += padded(name, 40, left: true)
        for index in 0..<next(4) + 1 {
            let value = value()
            text += " |" + padded(value, 12) + tail(true)
            blocks[blocks.count - 1].append(Found(name: "\(name)::\(index)", value: value))
        }
        end()
    }
}

private struct Reading: StatisticsVisitor {
    var blocks: [[MadeUp.Found]] = []

    mutating func begin(block: Int) { blocks.append([]) }
    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        blocks[blocks.count - 1].append(MadeUp.Found(name: name.text, value: text.text))
        // What there is no Double for would be no number.
        #expect(text.text.hasSuffix("nan") == value.isNaN)
        #expect(text.text.hasSuffix("inf") == value.isInfinite)
    }
    mutating func end(block: Int) {}
}

@Suite("Made-up statistics are read as they were meant")
struct StatisticsFuzzTests {
    private func read(_ bytes: ArraySlice<UInt8>, piece: Int) -> (StatisticsScanner, Reading) {
        var scanner = StatisticsScanner()
        var reading = Reading()
        var rest = bytes
        while !rest.isEmpty {
            scanner.scan(Array(rest.prefix(piece)).span.bytes, &reading)
            rest = rest.dropFirst(piece)
        }
        scanner.finish(&reading)
        return (scanner, reading)
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func whole(_ seed: UInt64) {
        let made = MadeUp(seed: seed, blocks: Int(seed % 4) + 1)
        for text in [made.text, made.text.replacing("\n", with: "\r\n")] {
            let (scanner, reading) = read(Array(text.utf8)[...], piece: Int(seed) * 3 + 1)
            #expect(scanner.complaint == nil)
            #expect(scanner.completeBlocks == made.blocks.count)
            #expect(reading.blocks == made.blocks)
        }
    }

    @Test("Cut anywhere: whole blocks as they are, of a broken one no value that is not in it", arguments: [3, 4])
    func cut(_ seed: UInt64) {
        let made = MadeUp(seed: seed, blocks: 2)
        let bytes = Array(made.text.utf8)
        for length in bytes.indices {
            let (scanner, reading) = read(bytes[..<length], piece: 1 << 16)
            for (found, whole) in zip(reading.blocks, made.blocks) { #expect(whole.starts(with: found), "\(length)") }
            let count = scanner.completeBlocks
            #expect(reading.blocks.prefix(count) == made.blocks.prefix(count))
            #expect(scanner.problem == nil, "\(length)")
        }
    }
}
