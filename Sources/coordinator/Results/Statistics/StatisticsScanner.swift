import Model

/// What a ``StatisticsScanner`` finds, in the order of the file.
public protocol StatisticsVisitor {
    /// A block begins; blocks count from 1.
    mutating func begin(block: Int)
    /// A statistic of the block: its full name (`system.cpu.numCycles`, `system.cpu.op_class::IntAlu`), its value as
    /// it stands in the file, and the nearest `Double`, which may be no number or infinite.
    mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double)
    /// The block has its end and no line in it was out of place.
    mutating func end(block: Int)
}

/// Reads the text statistics of gem5 (`stats.txt`) as they stream by, in pieces of any size, in constant memory.
///
/// The format (gem5, `src/base/stats/text.cc`): blocks between two marker lines; in them one value a line, as
/// `name value # description (unit)`. An element of a vector, of a distribution or of a histogram is a line of its
/// own, `name::element value share% cumulated% # ...`; a vector that was declared to fit one line is
/// `name | value share% cumulated% | value ...`, whose elements are numbered from 0 here.
public struct StatisticsScanner: Sendable {
    /// A line that no gem5 writes.
    public struct Problem: Sendable, Hashable {
        /// From 1.
        public var line: Int
        public var text: String
    }

    /// Blocks that were whole.
    public private(set) var completeBlocks = 0
    /// Blocks that began.
    public private(set) var begunBlocks = 0
    /// The first line out of place, if any.
    public private(set) var problem: Problem?
    public private(set) var lines = 0
    private var isInBlock = false
    private var isBlockWhole = true
    /// The beginning of a line whose end has not come yet.
    private var rest: [UInt8] = []
    /// Whether that line is longer than ``longestLine`` already.
    private var isTooLong = false
    private var hasEnded = false

    /// The longest line that is read, in bytes; what is longer is out of place.
    public static let longestLine = 16 << 20

    public init() {}

    /// Whether the file ended inside a block.
    public var isTruncated: Bool { isInBlock }

    /// What is wrong with the whole file, once it is finished; nil: nothing.
    public var complaint: String? {
        if let problem {
            if problem.line == 1, problem.text.unicodeScalars.starts(with: ["\u{1F}", "\u{FFFD}"]) {
                return "it is compressed; unpack it first (gunzip)"
            }
            return "line \(problem.line) is not a statistic of gem5: \(VisibleText.of(problem.text))"
        }
        if isTruncated { return "it ends inside block \(begunBlocks); \(completeBlocks) are complete" }
        return begunBlocks == 0 ? "it has no statistics block" : nil
    }

    /// Takes in the next bytes of the file.
    public mutating func scan(_ bytes: RawSpan, _ visitor: inout some StatisticsVisitor) {
        var start = 0
        if !rest.isEmpty {
            let end = bytes.offset(of: .newline, from: 0)
            append(bytes.extracting(0..<end))
            guard end < bytes.byteCount else { return }
            endRest(&visitor)
            start = end + 1
        }
        while true {
            let end = bytes.offset(of: .newline, from: start)
            guard end < bytes.byteCount else { break }
            line(bytes.extracting(start..<end), &visitor)
            start = end + 1
        }
        append(bytes.extracting(start..<bytes.byteCount))
    }

    /// The file has ended. Its last line may lack its newline.
    public mutating func finish(_ visitor: inout some StatisticsVisitor) {
        guard !hasEnded else { return }
        hasEnded = true
        if !rest.isEmpty, !isCutShort { endRest(&visitor) }
        rest = []
    }

    /// A last line without a newline counts only if it is the whole of an end marker: a value may have lost digits.
    private var isCutShort: Bool {
        !(rest.span.bytes.starts(with: Marker.end) && rest.suffix(10).allSatisfy { $0 == UInt8(ascii: "-") })
    }

    private mutating func append(_ bytes: RawSpan) {
        guard bytes.byteCount > 0, !isTooLong else { return }
        guard rest.count + bytes.byteCount <= StatisticsScanner.longestLine else {
            // What is kept is no line of gem5's, whatever this one begins with: it is out of place when it ends.
            (rest, isTooLong) = ([0], true)
            return
        }
        bytes.withUnsafeBytes { rest.append(contentsOf: $0) }
    }

    private mutating func endRest(_ visitor: inout some StatisticsVisitor) {
        let whole = rest
        (rest, isTooLong) = ([], false)
        line(whole.span.bytes, &visitor)
    }

    // MARK: Lines

    @inline(__always)
    private mutating func line(_ bytes: RawSpan, _ visitor: inout some StatisticsVisitor) {
        lines += 1
        var bytes = bytes
        if bytes.byteCount > 0, bytes[bytes.byteCount - 1] == .carriageReturn {
            bytes = bytes.extracting(0..<bytes.byteCount - 1)
        }
        guard bytes.byteCount > 0 else { return }
        if bytes[0] == .dash, mark(bytes, &visitor) { return }
        guard isInBlock else { return misplaced(bytes) }
        let nameEnd = bytes.offset(of: .space, from: 0)
        let valueStart = bytes.offsetAfterSpaces(from: nameEnd)
        let valueEnd = bytes.offset(of: .space, from: valueStart)
        guard nameEnd > 0, valueStart < bytes.byteCount else { return misplaced(bytes) }
        let name = bytes.extracting(0..<nameEnd)
        let text = bytes.extracting(valueStart..<valueEnd)
        if let value = StatisticNumber.value(of: text) {
            visitor.statistic(name, text, value)
        } else if text[0] == .bar {
            row(name, bytes.extracting(valueStart..<bytes.byteCount), &visitor)
        } else {
            misplaced(bytes)
        }
    }

    /// - Returns: whether the line is a marker.
    private mutating func mark(_ line: RawSpan, _ visitor: inout some StatisticsVisitor) -> Bool {
        if line.starts(with: Marker.begin) {
            if isInBlock { misplaced(line) }
            begunBlocks += 1
            (isInBlock, isBlockWhole) = (true, true)
            visitor.begin(block: begunBlocks)
            return true
        }
        guard line.starts(with: Marker.end) else { return false }
        guard isInBlock else {
            misplaced(line)
            return true
        }
        isInBlock = false
        if isBlockWhole {
            completeBlocks += 1
            visitor.end(block: begunBlocks)
        }
        return true
    }

    /// A vector on one line.
    private mutating func row(_ name: RawSpan, _ rest: RawSpan, _ visitor: inout some StatisticsVisitor) {
        var elementName = name.withUnsafeBytes { Array($0) } + "::".utf8
        let prefix = elementName.count
        var position = 0
        var element = 0
        while position < rest.byteCount, rest[position] == .bar {
            let start = rest.offsetAfterSpaces(from: position + 1)
            let end = rest.offset(of: .space, from: start)
            let text = rest.extracting(start..<end)
            guard let value = StatisticNumber.value(of: text) else {
                // A bar may also end the row.
                if text.byteCount > 0, text[0] != .hash { misplaced(rest) }
                return
            }
            elementName.removeLast(elementName.count - prefix)
            elementName.append(contentsOf: String(element).utf8)
            visitor.statistic(elementName.span.bytes, text, value)
            element += 1
            position = end
            while position < rest.byteCount, rest[position] != .bar, rest[position] != .hash { position += 1 }
        }
    }

    private mutating func misplaced(_ line: RawSpan) {
        isBlockWhole = false
        guard problem == nil else { return }
        problem = Problem(line: lines, text: line.extracting(0..<min(line.byteCount, 120)).text)
    }

    private enum Marker {
        static let begin: StaticString = "---------- Begin Simulation Statistics"
        static let end: StaticString = "---------- End Simulation Statistics"
    }
}
