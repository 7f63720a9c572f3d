/// All points of a sweep in the order of the specification, in little memory: 32 bytes for the digest of each
/// point, and for each combination of values an index a column, shared by all workloads.
///
/// Order: workloads vary slowest, then the checkpoints where there are several, then the axes of the grid in their
/// order, then the zips (each as one axis), the last fastest; the points of `include` follow, a workload and checkpoint
/// at a time.
public struct Points: Sendable {
    /// The most points that a sweep may have.
    public static let limit = 10_000_000

    /// Names of what tells points apart beside the workload, in column order: the axes, then ``Names/checkpoint`` where
    /// the sweep has several.
    public let axes: [String]
    private let workloads: [String?]
    /// Of the checkpoints that each workload's points start from.
    private let ages: [Int]
    /// How many of ``axes`` are axes of the sweep.
    private let axisCount: Int
    /// Per axis, the values of the specification, then those that only `include` names.
    private let pools: [[String]]
    /// `axisCount` entries for each combination; every workload and checkpoint has the same combinations.
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
        let names = expansion.columns.map(\.name)
        axes = names + (sweep.measure.checkpoints.isEmpty ? [] : [Names.checkpoint])
        axisCount = names.count
        ages = sweep.measure.ages
        workloads = sweep.workloads.isEmpty ? [nil] : sweep.workloads
        guard Set(sweep.workloads).count == sweep.workloads.count else {
            throw Failure(.badSpecification, "'workloads' has a duplicate")
        }
        let upper = try workloads.count.multipliedCapped(ages.count).multipliedCapped(expansion.upperBound())
        guard upper <= Points.limit else {
            throw Failure(.badSpecification, "the sweep has more than \(Points.limit) points; split it into several")
        }
        choices = try expansion.choices()
        pools = expansion.pools
        combinations = names.isEmpty ? 1 : choices.count / names.count
        guard combinations > 0 else {
            throw Failure(.badSpecification, "the sweep has no point: 'exclude' leaves none; remove an entry of it")
        }
        let inputs = PointInputs(sweep.inputs, axes: names)
        let starts = workloads.flatMap { workload in
            sweep.measure.ages.map { (name: workload, identity: sweep.identity(of: workload, from: $0)) }
        }
        digests = PointIdentity(axes: names, pools: pools, recipe: recipe, inputs: inputs)
            .digests(starts, choices, combinations)
    }

    public var count: Int { digests.count }

    public func digest(_ index: Int) -> Digest { digests[index] }

    /// nil: the sweep has no workloads (engine `command`).
    public func workload(_ index: Int) -> String? { workloads[index / combinations / ages.count] }

    /// Which of the sweep's checkpoints a point starts from: its place among ``Measure/ages``.
    public func checkpoint(_ index: Int) -> Int { index / combinations % ages.count }

    /// The first of the points whose values are the longest together, in bytes.
    public var longest: Int {
        let lengths = pools.map { $0.map(\.utf8.count) }
        var (found, most) = (0, 0)
        for combination in 0..<combinations {
            let start = combination * axisCount
            let length = (0..<axisCount).reduce(0) { $0 + lengths[$1][Int(choices[start + $1])] }
            if length > most { (found, most) = (combination, length) }
        }
        return found
    }

    /// Of each of ``axes`` all values that some point may have, each once.
    public var valuesOfAxes: [[String]] { axes.indices.map(values(ofAxis:)) }

    /// Values in the order of ``axes``.
    public func values(_ index: Int) -> [String] {
        let start = index % combinations * axisCount
        let values = (0..<axisCount).map { pools[$0][Int(choices[start + $0])] }
        return axisCount < axes.count ? values + ["\(ages[checkpoint(index)])"] : values
    }

    /// The values that one of ``axes`` has, those of `include` among them.
    public func values(ofAxis axis: Int) -> [String] { axis < axisCount ? pools[axis] : ages.map(String.init) }

    /// The place of a point's value among ``values(ofAxis:)``.
    public func level(_ index: Int, axis: Int) -> Int {
        axis < axisCount ? Int(choices[index % combinations * axisCount + axis]) : checkpoint(index)
    }

    /// What tells the point apart, in the order of ``axes``.
    public func assignments(_ index: Int) -> [Assignment] {
        zip(axes, values(index)).map { Assignment(axis: $0, value: $1) }
    }

    /// What is set in the simulated system: the point's values of the sweep's axes.
    public func parameters(_ index: Int) -> [Assignment] { Array(assignments(index).prefix(axisCount)) }

    /// The point for a program to read: `{"point": digest, "workload": ..., "parameters": {...}}`, with `checkpoint`
    /// where the sweep has several.
    public func document(_ index: Int) -> JSON {
        let parameters = parameters(index).map { JSON.Member($0.axis, .string($0.value)) }
        let age = axisCount < axes.count ? [JSON.Member(Names.checkpoint, .integer(ages[checkpoint(index)]))] : []
        return .object([
            JSON.Member("point", .string(digest(index).hex)),
            JSON.Member("workload", workload(index).map { .string($0) } ?? .null),
            JSON.Member("parameters", .object(parameters)),
        ] + age)
    }
}

/// The digests of points, by what they are and not by their place in the file.
///
/// A point's digest is the SHA-256 of, one after the other: the line `usweep point 1`, the SHA-256 of the recipe,
/// the SHA-256 of `workload NAME` (of `none` without one; with an image, of `workload NAME`, `disk DIGEST` and `memory
/// BYTES`, with line feeds between them; then, of each difference of a checkpoint that is forced, `forced` and three
/// times ` LENGTH:TEXT`; then, from another checkpoint than that after the setup's own invocations, `checkpoint` and
/// after how many it is taken), and for each parameter, sorted by name, `LENGTH:NAME=LENGTH:VALUE` and a line feed,
/// lengths in bytes; then the lines of ``PointInputs``. Files of digests outlive this program, so the definition
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

    /// - Parameter starts: the workloads, once for each checkpoint, with their ``Sweep/identity(of:from:)``.
    func digests(
        _ starts: [(name: String?, identity: String)], _ choices: [UInt32], _ combinations: Int
    ) -> [Digest] {
        var digests: [Digest] = []
        digests.reserveCapacity(starts.count * combinations)
        var text: [UInt8] = []
        for workload in starts {
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
