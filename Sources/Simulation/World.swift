import Model

/// Virtual time: what happens when. Everything in a simulation runs on one thread, in the order of these events.
final class World {
    private struct Entry {
        var time: Nanoseconds
        /// Events of one instant come in the order in which they were asked for.
        var sequence: Int
        var action: () -> Void

        static func < (left: Entry, right: Entry) -> Bool {
            (left.time, left.sequence) < (right.time, right.sequence)
        }
    }

    private(set) var now: Nanoseconds = 0
    private(set) var eventCount = 0
    private var heap: [Entry] = []
    private var sequence = 0
    let trace: Trace
    let counts = Counts()

    init(trace: Trace) { self.trace = trace }

    func after(_ delay: Nanoseconds, _ action: @escaping () -> Void) {
        sequence += 1
        heap.append(Entry(time: now + max(0, delay), sequence: sequence, action: action))
        rise(heap.count - 1)
    }

    /// Takes the next event if it is due before `end`. False: none is.
    func step(before end: Nanoseconds) -> Bool {
        guard let first = heap.first, first.time < end else { return false }
        now = first.time
        eventCount += 1
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        first.action()
        return true
    }

    func clear() { heap.removeAll() }

    func say(_ who: String, _ what: @autoclosure () -> String) {
        if trace.isOn { trace.add("\(World.text(now)) \(who): \(what())") }
    }

    private static func text(_ time: Nanoseconds) -> String {
        let micros = time / 1_000
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }

    private func rise(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index] < heap[parent] else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private func sink() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == index { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}

/// What happened, for people: one line an event, the same for the same seed.
public final class Trace {
    public let isOn: Bool
    public private(set) var lines: [String] = []

    public init(isOn: Bool) { self.isOn = isOn }

    func add(_ line: String) { lines.append(line) }
}

/// How often each kind of thing happened: faults, and transitions of the state machines.
public final class Counts {
    public private(set) var values: [String: Int] = [:]

    public init() {}

    func note(_ what: String) { values[what, default: 0] += 1 }

    public func add(_ other: Counts) {
        for (name, count) in other.values { values[name, default: 0] += count }
    }
}

/// Wakes a process when something came for it or its time has come, and never twice for one reason.
final class Alarm {
    /// More in a second of virtual time is no work but a loop that waits for nothing.
    private static let mostRings = 1_000

    private let world: World
    private let ring: () -> Void
    private let spins: () -> Void
    /// How often it rang within the second that began then.
    private var rings = (since: Nanoseconds(0), count: 0)
    private var due: Nanoseconds?
    private var generation = 0

    /// - Parameter spins: told when a process works without end.
    init(_ world: World, ring: @escaping () -> Void, spins: @escaping () -> Void) {
        self.world = world
        self.ring = ring
        self.spins = spins
    }

    func set(after delay: Nanoseconds) {
        let time = world.now + max(0, delay)
        if let due, due <= time { return }
        due = time
        generation += 1
        let own = generation
        world.after(delay) { [self] in
            guard own == generation else { return }
            due = nil
            if world.now - rings.since > 1_000_000_000 { rings = (world.now, 0) }
            rings.count += 1
            if rings.count > Alarm.mostRings { spins() }
            ring()
        }
    }

    func stop() {
        due = nil
        generation += 1
    }
}
