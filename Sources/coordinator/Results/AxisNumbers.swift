import Model

/// Columns of numbers beside axes whose values are all sizes (`l2.size_bytes`) or all times (`timeout_s`): the text is
/// what the sweep file says, the number is what programs sort and draw by.
package struct AxisNumbers: Sendable {
    package struct Column: Sendable, Hashable {
        package let axis: String
        /// The place of the axis among all.
        package let place: Int
        fileprivate let kind: Kind

        package var name: String { axis + kind.rawValue }
        /// As people name the unit.
        package var unit: String { kind == .bytes ? "bytes" : "seconds" }

        /// The number of a value, in ``unit``.
        package func cell(_ value: String) -> Cell {
            switch kind {
            case .bytes: (try? Quantity.bytes(value)).map { .integer($0) } ?? .empty
            case .seconds: (try? Quantity.duration(value)).map { .number(Instant.seconds($0)) } ?? .empty
            }
        }
    }

    fileprivate enum Kind: String {
        case bytes = "_bytes"
        case seconds = "_s"

        func fits(_ value: String) -> Bool {
            switch self {
            case .bytes: (try? Quantity.bytes(value)) != nil
            case .seconds: (try? Quantity.duration(value)) != nil
            }
        }
    }

    package let columns: [Column]

    /// - Parameters:
    ///   - values: of each axis, each once.
    ///   - taken: names that columns have already: they stay what they are.
    package init(axes: [String], values: [[String]], taken: some Sequence<String>) {
        let taken = Set(taken)
        columns = zip(axes, values).enumerated().compactMap { place, axis in
            let kind = [Kind.bytes, .seconds].first { kind in !axis.1.isEmpty && axis.1.allSatisfy(kind.fits) }
            return kind.map { Column(axis: axis.0, place: place, kind: $0) }
        }.filter { !taken.contains($0.name) }
    }

    package var names: [String] { columns.map(\.name) }

    /// - Parameter values: of the axes.
    package func cells(_ values: [String]) -> [Cell] { columns.map { $0.cell(values[$0.place]) } }
}
