internal import Results

/// In which order the values of an axis stand in a figure, and whether their distances mean something.
///
/// Sizes, times and numbers go by their amounts, whatever order the sweep file has them in: nobody means `1MiB` to
/// stand before `256KiB`. Where one value is a word, the order of the sweep file holds for all.
public struct AxisOrder: Sendable, Hashable {
    public let values: [String]
    /// Of numbers that are not steps of a geometric row; nil: the values stand one step apart.
    public let positions: [Double]?
    /// Whether all are sizes, times or numbers.
    public let isMeasure: Bool

    /// - Parameter values: each once, in the order of the sweep file.
    public init(_ values: [String]) {
        let amounts = values.compactMap(Amount.init)
        guard amounts.count == values.count, Set(amounts.map(\.kind)).count == 1 else {
            self.init(words: values)
            return
        }
        // The order of the file decides between equal amounts: 1024KiB and 1MiB.
        let order = amounts.indices.sorted { (amounts[$0].value, $0) < (amounts[$1].value, $1) }
        let sorted = order.map { amounts[$0].value }
        let isLinear = amounts[0].kind == .number && AxisOrder.isLinear(sorted)
        self.init(order.map { values[$0] }, positions: isLinear ? sorted : nil, isMeasure: true)
    }

    /// Of names, which are no amounts even where they look like them.
    public init(words: [String]) { self.init(words, positions: nil, isMeasure: false) }

    private init(_ values: [String], positions: [Double]?, isMeasure: Bool) {
        self.values = values
        self.positions = positions
        self.isMeasure = isMeasure
    }

    /// What a text is worth as a number, a size in bytes or a time in nanoseconds; nil: it is a word.
    public static func amount(of text: String) -> Double? { Amount(text)?.value }

    /// Powers of two stand one step apart, as in every paper; 1, 2, 3, 10 do not.
    private static func isLinear(_ sorted: [Double]) -> Bool {
        guard sorted.count > 2, Set(sorted).count == sorted.count, (sorted[sorted.count - 1] - sorted[0]).isFinite
        else { return false }
        let ratios = zip(sorted, sorted.dropFirst()).map { $1 / $0 }
        guard let first = ratios.first, sorted[0] > 0 else { return true }
        return ratios.contains { ($0 / first - 1).magnitude > 0.01 }
    }
}
