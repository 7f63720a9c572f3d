import Testing
@testable import Sessions
@testable import usweep


/// What a sweep's progress looks like in a log.
@Suite("Plain progress")
struct ProgressTests {
    private static let second: Int64 = 1_000_000_000

    /// Asked every so many seconds, when it speaks.
    private func told(_ pace: PlainPace, _ ended: [Int], of runs: Int, every seconds: Int64) -> [Int] {
        var pace = pace
        return ended.indices.filter { index in
            var standing = Standing(runs: runs, ended: 0, notSucceeded: 0)
            standing.ended = ended[index]
            return pace.tells(standing, now: Int64(index) * seconds * Self.second)
        }
    }

    @Test("How far it is is said at most once in ten seconds")
    func rarely() {
        #expect(told(PlainPace(told: 0), Array(1...40), of: 99, every: 1) == [0, 10, 20, 30])
    }

    @Test("What was said last is not said again soon")
    func once() {
        // Not what had ended before it began; runs that are tried again are news.
        #expect(told(PlainPace(told: 2), [2, 2, 14, 14, 14, 3, 3], of: 20, every: 10) == [2, 5])
    }

    @Test("That it is still at work is said every two minutes, but not once all is done")
    func still() {
        #expect(told(PlainPace(told: 0), Array(repeating: 0, count: 30), of: 4, every: 10) == [12, 24])
        #expect(told(PlainPace(told: 0), [4] + Array(repeating: 4, count: 30), of: 4, every: 10) == [0])
    }
}
