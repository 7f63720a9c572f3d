/// The combinations of a sweep's axes: grid, zips, exclusions, additions.
struct Expansion {
    let columns: [Axis]
    /// Per column, the values of its axis, then those that only `include` names.
    let pools: [[String]]
    private let wheels: [Wheel]
    private let excluded: [[Choice]]
    private let included: [[UInt32]]

    /// One axis of the grid, or the axes of a zip, whose values go together.
    private struct Wheel {
        var columns: Range<Int>
        /// For each position the index of a value for each of its columns.
        var rows: [[UInt32]]
        var rowSet: Set<[UInt32]>
    }

    /// A column and the index of a value in its pool.
    private struct Choice {
        var column: Int
        var value: UInt32
    }

    init(_ sweep: Sweep) throws {
        columns = sweep.allAxes
        var (pools, indices) = try Expansion.pools(columns)
        wheels = try Expansion.wheels(sweep, indices)
        var columnOf: [String: Int] = [:]
        for (column, axis) in columns.enumerated() {
            guard columnOf.updateValue(column, forKey: axis.name) == nil else {
                throw Failure(.badSpecification, "axis '\(axis.name)' is a duplicate")
            }
        }
        excluded = try sweep.exclude.map { entry in
            guard !entry.isEmpty else { throw Failure(.badSpecification, "an entry of 'exclude' names no axis") }
            return try entry.map { assignment in
                guard let column = columnOf[assignment.axis], let value = indices[column][assignment.value] else {
                    throw Expansion.unknown(assignment, in: "exclude")
                }
                return Choice(column: column, value: value)
            }
        }
        var included: [[UInt32]] = []
        for entry in sweep.include {
            var choice = [UInt32?](repeating: nil, count: columns.count)
            for assignment in entry {
                guard let column = columnOf[assignment.axis] else {
                    throw Expansion.unknown(assignment, in: "include")
                }
                choice[column] = indices[column][assignment.value] ?? UInt32(pools[column].count)
                if choice[column] == UInt32(pools[column].count) {
                    indices[column][assignment.value] = choice[column]
                    pools[column].append(assignment.value)
                }
            }
            let complete = choice.compactMap { $0 }
            guard !complete.isEmpty, complete.count == columns.count else {
                throw Failure(.badSpecification, "an entry of 'include' does not name every axis")
            }
            included.append(complete)
        }
        self.included = included
        self.pools = pools
    }

    /// How many combinations there are before `exclude`.
    func upperBound() throws -> Int {
        var product = 1
        for wheel in wheels { product = product.multipliedCapped(wheel.rows.count) }
        let (sum, overflow) = product.addingReportingOverflow(included.count)
        return overflow ? .max : sum
    }

    /// One index a column for each combination, in order.
    func choices() throws -> [UInt32] {
        var choices: [UInt32] = []
        choices.reserveCapacity(try upperBound() * columns.count)
        var positions = [Int](repeating: 0, count: wheels.count)
        var choice = [UInt32](repeating: 0, count: columns.count)
        let lengths = wheels.map(\.rows.count)
        repeat {
            for (wheel, position) in zip(wheels, positions) {
                for (column, value) in zip(wheel.columns, wheel.rows[position]) { choice[column] = value }
            }
            if !isExcluded(choice) { choices.append(contentsOf: choice) }
        } while Expansion.turn(&positions, lengths)
        var seen: Set<[UInt32]> = []
        for entry in included {
            guard seen.insert(entry).inserted, !isOnGrid(entry) else {
                throw Failure(
                    .badSpecification, "two points are the same: \(describe(entry)); remove it from 'include'")
            }
            choices.append(contentsOf: entry)
        }
        return choices
    }

    private func isExcluded(_ choice: [UInt32]) -> Bool {
        excluded.contains { entry in entry.allSatisfy { choice[$0.column] == $0.value } }
    }

    private func isOnGrid(_ choice: [UInt32]) -> Bool {
        let isReached = wheels.allSatisfy { $0.rowSet.contains(Array(choice[$0.columns])) }
        return isReached && !isExcluded(choice)
    }

    private func describe(_ choice: [UInt32]) -> String {
        columns.indices.map { "\(columns[$0].name)=\(Names.shown(pools[$0][Int(choice[$0])]))" }
            .joined(separator: ", ")
    }

    // MARK: Preparation

    private static func wheels(_ sweep: Sweep, _ indices: [[String: UInt32]]) throws -> [Wheel] {
        var wheels: [Wheel] = []
        var next = 0
        for group in sweep.axes.map({ [$0] }) + sweep.zips {
            guard let first = group.first else { throw Failure(.badSpecification, "a group of 'zip' has no axis") }
            guard group.allSatisfy({ $0.values.count == first.values.count }) else {
                throw Failure(.badSpecification, "the axes of the zip with '\(first.name)' differ in length")
            }
            var wheel = Wheel(columns: next..<next + group.count, rows: [], rowSet: [])
            for position in first.values.indices {
                let row = group.indices.compactMap { indices[next + $0][group[$0].values[position]] }
                guard wheel.rowSet.insert(row).inserted else {
                    let text = group.map { "\($0.name)=\(Names.shown($0.values[position]))" }.joined(separator: ", ")
                    throw Failure(.badSpecification, "\(text) is a duplicate; remove one")
                }
                wheel.rows.append(row)
            }
            wheels.append(wheel)
            next += group.count
        }
        return wheels
    }

    /// Per column, its different values, and the index of each. In a zip one value may stand several times.
    private static func pools(_ columns: [Axis]) throws -> (pools: [[String]], indices: [[String: UInt32]]) {
        var pools: [[String]] = []
        var indices: [[String: UInt32]] = []
        for axis in columns {
            guard !axis.values.isEmpty else { throw Failure(.badSpecification, "axis '\(axis.name)' has no value") }
            var pool: [String] = []
            var index: [String: UInt32] = [:]
            for value in axis.values where index[value] == nil {
                index[value] = UInt32(pool.count)
                pool.append(value)
            }
            pools.append(pool)
            indices.append(index)
        }
        return (pools, indices)
    }

    private static func unknown(_ assignment: Assignment, in list: String) -> Failure {
        let text = "\(assignment.axis): \(Names.shown(assignment.value))"
        return Failure(.badSpecification, "'\(list)' names '\(text)', which no axis has")
    }

    /// Turns the last wheel by one, carrying to the left. False after the last position.
    private static func turn(_ positions: inout [Int], _ lengths: [Int]) -> Bool {
        for wheel in positions.indices.reversed() {
            positions[wheel] += 1
            if positions[wheel] < lengths[wheel] { return true }
            positions[wheel] = 0
        }
        return false
    }
}
