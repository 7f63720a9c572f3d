import Testing
@testable import usweep


/// What a sweep's progress looks like in a log.
@Suite("Plain progress")
struct ProgressTests {
    private static let second: Int64 = 1_000_000_000

    @Test("How far it is is said at most once in ten seconds")
    func rarely() {
        var pace = PlainPace(told: 0)
        let told = (0..<40).filter { pace.tells($0 + 1, now: Int64($0) * Self.second) }
        #expect(told == [0, 10, 20, 30])
    }

    @Test("What was said last is not said again, however long nothing ends")
    func once() {
        var pace = PlainPace(told: 2)
        let ended = [2, 2, 14, 14, 14, 3, 3]
        let told = ended.indices.filter { pace.tells(ended[$0], now: Int64($0) * 10 * Self.second) }
        // Not what had ended before it began; runs that are tried again are news.
        #expect(told == [2, 5])
    }
}
