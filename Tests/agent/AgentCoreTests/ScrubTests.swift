import AgentCore
import Model
import Testing

@Suite("Which object is read again, and when")
struct ScrubTests {
    private static let objects = (0..<5).map { SHA256.digest("\($0)") }.sorted()
    private static let day: Nanoseconds = 86_400_000_000_000

    /// What is begun until a time, and when, if each takes so many seconds.
    private func begun(
        _ plan: inout ScrubPlan, seconds: Int, from start: Nanoseconds = 0, until end: Nanoseconds
    ) -> [(digest: Digest, at: Nanoseconds)] {
        var now = max(start, plan.due)
        var all: [(Digest, Nanoseconds)] = []
        while now < end {
            if let digest = plan.next(among: { Self.objects.reversed() }, now: now) {
                all.append((digest, now))
                for _ in 0..<seconds { plan.read(ScrubPlan.rate, now: now) }
            }
            now = plan.due
        }
        return all
    }

    @Test("Each once a day, at the rate, in order")
    func round() throws {
        var plan = ScrubPlan(after: nil, now: 0)
        let found = begun(&plan, seconds: 25, until: 2 * Self.day)
        #expect(found.map(\.digest) == Self.objects + Self.objects)
        // What the beginning of one counts for is a 64th of a second.
        let each: Nanoseconds = 25_015_625_000
        for (place, entry) in found.enumerated() {
            #expect(entry.at == Int64(place / 5) * Self.day + Int64(place % 5) * each)
        }
    }

    @Test("The next one goes on where the last one was")
    func position() {
        var first = ScrubPlan(after: nil, now: 0)
        let some = begun(&first, seconds: 1, until: 3_000_000_000)
        #expect(some.map(\.digest) == Array(Self.objects[..<3]) && first.position == Self.objects[2])
        var second = ScrubPlan(after: first.position, now: 5)
        let rest = begun(&second, seconds: 0, from: 5, until: Self.day)
        #expect(rest.map(\.digest) == Array(Self.objects[3...] + Self.objects[..<3]))
        var third = ScrubPlan(after: Self.objects[4], now: 5)
        #expect(begun(&third, seconds: 0, from: 5, until: Self.day).map(\.digest) == Self.objects)
    }

    @Test("More objects than a day is long for are read on and on; none, and it waits")
    func bounds() {
        var plan = ScrubPlan(after: nil, now: 0)
        let found = begun(&plan, seconds: 40_000, until: 4 * Self.day)
        #expect(found.map(\.digest) == Array((Self.objects + Self.objects)[..<9]))
        var empty = ScrubPlan(after: nil, now: 7)
        #expect(empty.next(among: { [] }, now: 7) == nil)
        #expect(empty.due == 7 + Self.day)
        #expect(empty.next(among: { Self.objects }, now: 8) == nil)
    }
}
