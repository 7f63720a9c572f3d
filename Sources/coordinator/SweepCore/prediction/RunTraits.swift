public import Model

/// What is known about a sweep's runs before they begin and influences how long they take: which value each axis has,
/// by number.
public struct RunTraits: Sendable {
    private let points: Points
    private let repeats: Int
    private let places: RunPlaces
    /// Those of the points' axes that can tell anything: where nearly every point has a value of its own, no other
    /// run is like it.
    private let axes: [Int]
    /// Per axis of these, how many values it has.
    let levelCounts: [Int]
    /// Whether runs are repeated.
    var hasRepeats: Bool { repeats > 1 }

    /// An axis with more values than these tells nothing.
    private static let mostLevels = 4_096

    /// - Parameter runs: the evaluations, point by point, the repeats of a point together; what follows is ignored.
    public init(points: Points, repeats: Int, runs: RunList) {
        self.points = points
        self.repeats = repeats
        places = RunPlaces(runs)
        // Runs from several checkpoints are a group of the plan each.
        let axes = points.axes.indices.filter {
            2...RunTraits.mostLevels ~= points.values(ofAxis: $0).count && points.axes[$0] != Names.checkpoint
        }
        self.axes = axes
        levelCounts = axes.map { points.values(ofAxis: $0).count }
    }

    /// The place of a run's point in the specification; nil: it is not an evaluation.
    func point(of run: RunNumber) -> Int? {
        guard let place = places.place(of: run), place / repeats < points.count else { return nil }
        return place / repeats
    }

    /// - Parameter axis: from 0 to less than `levelCounts.count`.
    func level(ofPoint point: Int, axis: Int) -> Int { points.level(point, axis: axes[axis]) }

    /// The levels of a run of another sweep, by the values that its axes had; -1 where this sweep has no such axis or
    /// value.
    public func levels(_ assignments: [Assignment]) -> [Int] {
        axes.map { axis in
            guard let value = assignments.first(where: { $0.axis == points.axes[axis] })?.value else { return -1 }
            return points.values(ofAxis: axis).firstIndex(of: value) ?? -1
        }
    }
}

/// A run of an earlier sweep that succeeded, with its time.
public struct PastRun: Sendable, Hashable {
    /// The group of this sweep's plan whose runs are like it.
    public var group: Int
    /// Of ``RunTraits/levels(_:)``.
    public var levels: [Int]
    /// By its index in the plan; -1: the inventory does not have it.
    public var host: Int
    /// Which earlier sweep it is of, from 1.
    public var origin: Int
    public var wall: Nanoseconds

    public init(group: Int, levels: [Int], host: Int, origin: Int, wall: Nanoseconds) {
        self.group = group
        self.levels = levels
        self.host = host
        self.origin = origin
        self.wall = wall
    }
}
