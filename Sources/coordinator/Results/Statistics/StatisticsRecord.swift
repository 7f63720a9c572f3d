package import Model

/// The statistics of a file, to hold another file against: all but what gem5 says of the host (`host*`), which is never
/// the same.
public struct StatisticsRecord: StatisticsVisitor {
    /// What two files differ in.
    public struct Difference: Sendable, Hashable {
        /// The first that is not the same, in the order of the first file, and its block, from 1.
        public var name: String
        public var block: Int
        /// nil: that file does not have it.
        public var first: String?
        public var second: String?
        /// How many statistics differ, and how many there are in the longer file.
        public var differing: Int
        public var count: Int
    }

    /// Names and values, one after the other.
    private var bytes: [UInt8] = []
    /// Where each ends: of a name, of its value, of the next name.
    private var ends: [Int] = []
    /// Of each statistic.
    private var blocks: [Int] = []
    private var block = 0

    public init() {}

    public var count: Int { blocks.count }

    // MARK: Visits

    public mutating func begin(block: Int) { self.block = block }

    public mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
        if name.withUnsafeBytes({ $0.starts(with: "host".utf8) }) { return }
        add(name)
        add(text)
        blocks.append(block)
    }

    public mutating func end(block: Int) {}

    private mutating func add(_ span: RawSpan) {
        span.withUnsafeBytes { bytes.append(contentsOf: $0) }
        ends.append(bytes.count)
    }

    // MARK: Comparing

    /// Equal for two files between which there is no ``difference(from:)``.
    package var digest: Digest {
        var hash = SHA256()
        hash.update(bytes)
        // Where each begins and ends is part of it: names and values stand without anything between them.
        for numbers in [ends, blocks] { numbers.withUnsafeBytes { hash.update($0) } }
        return hash.finish()
    }

    private func name(_ index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[2 * index - 1])..<ends[2 * index]]
    }

    private func value(_ index: Int) -> ArraySlice<UInt8> { bytes[ends[2 * index]..<ends[2 * index + 1]] }

    /// nil: the same statistics with the same values.
    public func difference(from other: StatisticsRecord) -> Difference? {
        if bytes == other.bytes, ends == other.ends, blocks == other.blocks { return nil }
        var found: Difference?
        func note(_ name: ArraySlice<UInt8>, _ block: Int, _ first: ArraySlice<UInt8>?, _ second: ArraySlice<UInt8>?) {
            if found == nil {
                func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
                found = Difference(
                    name: text(name), block: block, first: first.map(text), second: second.map(text), differing: 0,
                    count: max(count, other.count))
            }
            found?.differing += 1
        }
        var (left, right) = (0, 0)
        while left < count || right < other.count {
            if left < count, right < other.count, blocks[left] == other.blocks[right], name(left) == other.name(right) {
                if value(left) != other.value(right) { note(name(left), blocks[left], value(left), other.value(right)) }
                (left, right) = (left + 1, right + 1)
            } else if left < count, !isAhead(left, other, right) {
                note(name(left), blocks[left], value(left), nil)
                left += 1
            } else {
                note(other.name(right), other.blocks[right], nil, other.value(right))
                right += 1
            }
        }
        return found
    }

    /// Whether this statistic comes further down in the other file, so that it is the other's that has no partner.
    private func isAhead(_ left: Int, _ other: StatisticsRecord, _ right: Int) -> Bool {
        guard right < other.count else { return false }
        guard blocks[left] == other.blocks[right] else { return blocks[left] > other.blocks[right] }
        // What is new stands together: a component's statistics follow one another.
        let last = min(other.count, right + StatisticsRecord.reach)
        return (right..<last).contains { other.blocks[$0] == blocks[left] && other.name($0) == name(left) }
    }

    private static let reach = 4_096
}
