/// Runs in an order, in little memory where their numbers follow each other: of a sweep that was never edited, however
/// large, one range.
public struct RunList: Sendable, Hashable, RandomAccessCollection {
    /// In order; none is empty, and no two neighbours could be one.
    public private(set) var ranges: [Range<RunNumber>] = []
    /// Per range, the place of its first run, from 0.
    private var starts: [Int] = []
    public private(set) var count = 0

    public init() {}

    public init(_ runs: Range<RunNumber>) { append(runs) }

    /// - Returns: nil where a number is below 1, a range is empty, or a run stands twice.
    public init?(ranges: [Range<RunNumber>]) {
        var end = 1
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.lowerBound >= end, !range.isEmpty else { return nil }
            end = range.upperBound
        }
        for range in ranges { append(range) }
    }

    public mutating func append(_ run: RunNumber) { append(run..<run + 1) }

    /// - Parameter runs: none of which is in the list.
    public mutating func append(_ runs: Range<RunNumber>) {
        if runs.isEmpty { return }
        if let last = ranges.last, last.upperBound == runs.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<runs.upperBound
        } else {
            starts.append(count)
            ranges.append(runs)
        }
        count += runs.count
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    /// The run at a place, from 0.
    public subscript(place: Int) -> RunNumber {
        let index = RunList.lastIndex(in: starts) { $0 <= place } ?? 0
        return ranges[index].lowerBound + place - starts[index]
    }

    /// The runs at some places, in the same order.
    public func part(_ places: Range<Int>) -> RunList {
        var part = RunList()
        guard !places.isEmpty, var index = RunList.lastIndex(in: starts, where: { $0 <= places.lowerBound }) else {
            return part
        }
        while index < ranges.count, starts[index] < places.upperBound {
            let range = ranges[index]
            let first = range.lowerBound + Swift.max(0, places.lowerBound - starts[index])
            let end = range.lowerBound + Swift.min(range.count, places.upperBound - starts[index])
            part.append(first..<end)
            index += 1
        }
        return part
    }

    /// The greatest run number; 0: there is no run.
    public var highest: RunNumber { ranges.reduce(0) { Swift.max($0, $1.upperBound - 1) } }

    /// The index of the last element for which a condition holds that holds for none after one for which it does not.
    static func lastIndex<Element>(in sorted: [Element], where condition: (Element) -> Bool) -> Int? {
        var (low, high) = (-1, sorted.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if condition(sorted[middle]) { low = middle } else { high = middle }
        }
        return low < 0 ? nil : low
    }
}

/// Where each run of a list stands in it.
public struct RunPlaces: Sendable {
    /// By their first run.
    private let ranges: [(runs: Range<RunNumber>, place: Int)]

    public init(_ list: RunList) {
        var place = 0
        var ranges: [(runs: Range<RunNumber>, place: Int)] = []
        for range in list.ranges {
            ranges.append((range, place))
            place += range.count
        }
        self.ranges = ranges.sorted { $0.runs.lowerBound < $1.runs.lowerBound }
    }

    /// From 0; nil: it is not in the list.
    public func place(of run: RunNumber) -> Int? {
        guard let index = RunList.lastIndex(in: ranges, where: { $0.runs.lowerBound <= run }),
            ranges[index].runs.contains(run)
        else { return nil }
        return ranges[index].place + run - ranges[index].runs.lowerBound
    }
}
