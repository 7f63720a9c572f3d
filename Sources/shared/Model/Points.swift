/// All points of a sweep in the order of the specification, in little memory: 32 bytes for the digest of each
/// point, and for each combination of values an index a column, shared by all workloads.
///
/// Order: workloads vary slowest, then the axes of the grid in their order, then the zips (each as one axis), the
/// last fastest; the points of `include` follow, a workload at a time.
public struct Points: Sendable {
    /// The most points that a sweep may have.
    public static let limit = 10_000_000

    /// Axis names in column order.
    public let axes: [String]
    private let workloads: [String?]
    /// Per axis, the values of the specification, then those that only `include` names.
    private let pools: [[String]]
    /// `axes.count` entries for each combination; every workload has the same combinations.
    private let choices: [UInt32]
    private let combinations: Int
    private let digests: [Digest]

    /// Expands a specification.
    ///
    /// - Parameter recipe: everything of the recipe that is the same for all points, as text.
    /// - Throws: ``Failure`` (`badSpecification`) when two points are the same, none is left, there are more than
    ///   ``limit``, an axis has no value or one value twice, the axes of a zip differ in length, or `exclude` or
    ///   `include` name what is not there.
    public init(_ sweep: Sweep, recipe: String) throws {
        let expansion = try Expansion(sweep)
        axes = expansion.columns.map(\.name)
        workloads = sweep.workloads.isEmpty ? [nil] : sweep.workloads
        guard Set(sweep.workloads).count == sweep.workloads.count else {
            throw Failure(.badSpecification, "'workloads' has a duplicate")
        }
        let (upper, overflow) = workloads.count.multipliedReportingOverflow(by: try expansion.upperBound())
        guard !overflow, upper <= Points.limit else {
            throw Failure(.badSpecification, "the sweep has more than \(Points.limit) points; split it into several")
        }
        choices = try expansion.choices()
        pools = expansion.pools
        combinations = axes.isEmpty ? 1 : choices.count / axes.count
        guard combinations > 0 else {
            throw Failure(.badSpecification, "the sweep has no point: 'exclude' leaves none; remove an entry of it")
        }
        let inputs = PointInputs(sweep.inputs, axes: axes)
        digests = PointIdentity(axes: axes, pools: pools, recipe: recipe, inputs: inputs)
            .digests(workloads.map { ($0, sweep.identity(of: $0)) }, choices, combinations)
    }

    public var count: Int { digests.count }

    public func digest(_ index: Int) -> Digest { digests[index] }

    /// nil: the sweep has no workloads (engine `command`).
    public func workload(_ index: Int) -> String? { workloads[index / combinations] }

    /// The first of the points whose values are the longest together, in bytes.
    public var longest: Int {
        let lengths = pools.map { $0.map(\.utf8.count) }
        var (found, most) = (0, 0)
        for combination in 0..<combinations {
            let start = combination * axes.count
            let length = axes.indices.reduce(0) { $0 + lengths[$1][Int(choices[start + $1])] }
            if length > most { (found, most) = (combination, length) }
        }
        return found
    }

    /// Of each axis all values that some point may have, each once.
    public var valuesOfAxes: [[String]] { pools }

    /// Values in the order of ``axes``.
    public func values(_ index: Int) -> [String] {
        let start = index % combinations * axes.count
        return axes.indices.map { pools[$0][Int(choices[start + $0])] }
    }

    /// The values that an axis has, those of `include` among them.
    public func values(ofAxis axis: Int) -> [String] { pools[axis] }

    /// The place of a point's value among ``values(ofAxis:)``.
    public func level(_ index: Int, axis: Int) -> Int { Int(choices[index % combinations * axes.count + axis]) }

    public func assignments(_ index: Int) -> [Assignment] {
        zip(axes, values(index)).map { Assignment(axis: $0, value: $1) }
    }

    /// The point for a program to read: `{"point": digest, "workload": ..., "parameters": {...}}`.
    public func document(_ index: Int) -> JSON {
        .object([
            JSON.Member("point", .string(digest(index).hex)),
            JSON.Member("workload", workload(index).map { .string($0) } ?? .null),
            JSON.Member("parameters", .object(assignments(index).map { JSON.Member($0.axis, .string($0.value)) })),
        ])
    }
}

/// The digests of points, by what they are and not by their place in the file.
///
/// A point's digest is the SHA-256 of, one after the other: the line `usweep point 1`, the SHA-256 of the recipe,
/// the SHA-256 of `workload NAME` (of `none` without one; with an image, of `workload NAME`, `disk DIGEST` and `memory
/// BYTES`, with line feeds between them; then, of each difference of a checkpoint that is forced, `forced` and three
/// times ` LENGTH:TEXT`), and for each parameter, sorted by name, `LENGTH:NAME=LENGTH:VALUE` and a line
/// feed, lengths in bytes; then the lines of ``PointInputs``. Files of digests outlive this program, so the definition
/// changes with the number in its first line only.
struct PointIdentity {
    private let prefix: SHA256
    /// Columns in the order of their names' bytes.
    private let order: [Int]
    /// Per column and value, what goes into the digest.
    private let parts: [[[UInt8]]]
    private let pools: [[String]]
    private let inputs: PointInputs

    init(axes: [String], pools: [[String]], recipe: String, inputs: PointInputs) {
        self.pools = pools
        self.inputs = inputs
        var hash = SHA256()
        hash.update(Array("usweep point 1\n".utf8))
        hash.update(SHA256.digest(recipe).bytes)
        prefix = hash
        order = axes.indices.sorted { Array(axes[$0].utf8).lexicographicallyPrecedes(Array(axes[$1].utf8)) }
        parts = zip(axes, pools).map { name, values in
            values.map { Array("\(name.utf8.count):\(name)=\($0.utf8.count):\($0)\n".utf8) }
        }
    }

    /// - Parameter workloads: each with its ``Sweep/identity(of:)``.
    func digests(
        _ workloads: [(name: String?, identity: String)], _ choices: [UInt32], _ combinations: Int
    ) -> [Digest] {
        var digests: [Digest] = []
        digests.reserveCapacity(workloads.count * combinations)
        var text: [UInt8] = []
        for workload in workloads {
            var start = prefix
            start.update(SHA256.digest(workload.identity).bytes)
            for combination in 0..<combinations {
                text.removeAll(keepingCapacity: true)
                for column in order {
                    text.append(contentsOf: parts[column][Int(choices[combination * order.count + column])])
                }
                if !inputs.isEmpty {
                    text += inputs.lines(workload.name) { column in
                        pools[column][Int(choices[combination * order.count + column])]
                    }
                }
                var hash = start
                hash.update(text)
                digests.append(hash.finish())
            }
        }
        return digests
    }
}

/// The inputs that not all points need, as a part of the digests of those that do.
///
/// For each of them, sorted, `input LENGTH:PLACE DIGEST` (`program` for what can be executed) and a line feed.
struct PointInputs {
    /// Files with the same axes in their condition.
    private struct Group {
        /// nil: the workload.
        var columns: [Int?]
        /// By the values of these.
        var files: [[String]: [InputFile]] = [:]
    }

    private var groups: [Group] = []

    init(_ inputs: [InputFile], axes: [String]) {
        for input in inputs where !input.only.isEmpty {
            let columns = input.only.map { only in axes.firstIndex { $0 == only.axis } }
            let values = input.only.map(\.value)
            if let index = groups.firstIndex(where: { $0.columns == columns }) {
                groups[index].files[values, default: []].append(input)
            } else {
                groups.append(Group(columns: columns, files: [values: [input]]))
            }
        }
    }

    var isEmpty: Bool { groups.isEmpty }

    func lines(_ workload: String?, value: (_ column: Int) -> String) -> [UInt8] {
        let files = groups.flatMap { group in
            group.files[group.columns.map { $0.map(value) ?? workload ?? "" }] ?? []
        }
        let lines = files.map { file in
            let kind = file.isExecutable ? "program" : "input"
            return Array("\(kind) \(file.path.utf8.count):\(file.path) \(file.digest.hex)\n".utf8)
        }
        return Array(lines.sorted { $0.lexicographicallyPrecedes($1) }.joined())
    }
}
