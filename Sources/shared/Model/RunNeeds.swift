/// An amount of a resource of which hosts have a limited number, such as `gpu: 2`.
public struct CountedResource: Sendable, Hashable {
    public var name: String
    /// From 1.
    public var count: Int

    public init(_ name: String, _ count: Int) {
        self.name = name
        self.count = count
    }
}

/// What a run takes of its host while it runs, apart from memory.
public struct RunNeeds: Sendable, Hashable {
    /// Slots of the host, from 1.
    public var cores: Int
    public var resources: [CountedResource]

    public init(cores: Int = 1, resources: [CountedResource] = []) {
        self.cores = cores
        self.resources = resources
    }

    /// How many such runs a host has room for at a time.
    public func room(slots: Int, resources available: [CountedResource]) -> Int {
        resources.reduce(slots / max(1, cores)) { room, need in
            let count = available.first { $0.name == need.name }?.count ?? 0
            return min(room, count / max(1, need.count))
        }
    }

    /// Of which resources a host has too few for even one such run.
    public func lacking(in available: [CountedResource]) -> [CountedResource] {
        resources.filter { need in (available.first { $0.name == need.name }?.count ?? 0) < need.count }
    }
}

/// What a run takes of a resource of its host, and how much the host has: whoever starts runs of several sweeps there
/// adds up what they take.
public struct ResourceShare: Sendable, Hashable {
    public var name: String
    public var count: Int
    public var capacity: Int

    public init(name: String, count: Int, capacity: Int) {
        self.name = name
        self.count = count
        self.capacity = capacity
    }
}
