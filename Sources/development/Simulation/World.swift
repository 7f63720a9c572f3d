import Model

/// Virtual time: what happens when. Everything in a simulation runs on one thread, in the order of these events.
final class World {
    private(set) var now: Nanoseconds = 0
    private(set) var eventCount = 0
    private var agenda = Agenda()
    let trace: Trace
    let counts = Counts()

    init(trace: Trace) { self.trace = trace }

    func after(_ delay: Nanoseconds, _ action: @escaping () -> Void) { agenda.add(now + max(0, delay), action) }

    /// Takes the next event if it is due before `end`. False: none is.
    func step(before end: Nanoseconds) -> Bool {
        guard let (time, action) = agenda.take(before: end) else { return false }
        now = time
        eventCount += 1
        action()
        return true
    }

    func clear() { agenda = Agenda() }

    func say(_ who: String, _ what: @autoclosure () -> String) {
        if trace.isOn { trace.add("\(World.text(now)) \(who): \(what())") }
    }

    private static func text(_ time: Nanoseconds) -> String {
        let micros = time / 1_000
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }
}

/// What is still to come, as a binary heap. Those of one instant come in the order in which they were added.
private struct Agenda {
    /// Numbers only, so that moving it costs little.
    private struct Entry {
        var time: Nanoseconds
        var sequence: Int
        /// Where its action is.
        var slot: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.time != right.time ? left.time < right.time : left.sequence < right.sequence
        }
    }

    private var heap: [Entry] = []
    private var actions: [() -> Void] = []
    private var freeSlots: [Int] = []
    private var sequence = 0

    mutating func add(_ time: Nanoseconds, _ action: @escaping () -> Void) {
        sequence += 1
        let slot = freeSlots.popLast() ?? actions.count
        if slot == actions.count { actions.append(action) } else { actions[slot] = action }
        heap.append(Entry(time: time, sequence: sequence, slot: slot))
        rise()
    }

    mutating func take(before end: Nanoseconds) -> (time: Nanoseconds, action: () -> Void)? {
        guard let first = heap.first, first.time < end else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        freeSlots.append(first.slot)
        let action = actions[first.slot]
        // What it holds on to must not stay.
        actions[first.slot] = {}
        return (first.time, action)
    }

    private mutating func rise() {
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index] < heap[parent] else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = 2 * index + 1
            guard least < heap.count else { return }
            if least + 1 < heap.count, heap[least + 1] < heap[least] { least += 1 }
            guard heap[least] < heap[index] else { return }
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
    /// When an event of the world comes to look at ``due``; descending. Often it finds that there is time left.
    private var looks: [Nanoseconds] = []

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
        if looks.last ?? .max > time { look(at: time) }
    }

    private func look(at time: Nanoseconds) {
        looks.append(time)
        world.after(time - world.now) { [self] in
            looks.removeLast()
            guard let due else { return }
            if due > world.now {
                if looks.last ?? .max > due { look(at: due) }
                return
            }
            self.due = nil
            if world.now - rings.since > 1_000_000_000 { rings = (world.now, 0) }
            rings.count += 1
            if rings.count > Alarm.mostRings { spins() }
            ring()
        }
    }

    func stop() { due = nil }
}
