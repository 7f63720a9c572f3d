import Model
import TestKit
import Testing

@testable import Figures

@Suite("What each host did when")
struct TimelineTests {
    /// Of so many attempts, at most so long as a hundredth of the time.
    private func timeline(_ count: Int, hosts: Int, seed: UInt64 = 3) -> Timeline {
        var chance = Chance(seed: seed)
        let spans = (0..<count).map { number in
            let start = Int64(chance.number(0...1_000_000)) * 1_000_000
            let outcome = RunState.allCases[chance.number(0...3)]
            return Timeline.Span(
                host: chance.number(0...hosts - 1), start: start,
                end: start + Int64(chance.number(0...10_000)) * 1_000_000, outcome: outcome, text: "run \(number)")
        }
        return Timeline(hosts: (0..<hosts).map { "h\($0)" }, spans: spans)
    }

    @Test("In a lane no two attempts overlap, and none is lost")
    func lanes() {
        let timeline = timeline(500, hosts: 5)
        let lanes = timeline.lanes()
        #expect(lanes.joined().joined().count == 500)
        for lane in lanes.joined() {
            for (one, next) in zip(lane, lane.dropFirst()) { #expect(one.end <= next.start) }
        }
        // Three at once take three lanes.
        let spans = (0..<3).map { Timeline.Span(host: 0, start: $0, end: 9, outcome: .failed, text: "") }
        #expect(Timeline(hosts: ["a"], spans: spans).lanes()[0].count == 3)
    }

    @Test("The load adds up to the time of all attempts")
    func load() throws {
        let timeline = timeline(2_000, hosts: 3)
        let range = try #require(timeline.range)
        let width = Double(range.upperBound - range.lowerBound) / 100
        let sum = timeline.load(100).joined().joined().reduce(0, +) * width
        let busy = timeline.spans.reduce(0.0) { $0 + Double($1.end - $1.start) }
        #expect(abs(sum / busy - 1) < 1e-9)
    }

    @Test("A few attempts are bars that say what they are, many are counts, and hosts beyond 40 are left out")
    func drawing() {
        let few = TimelineDrawing.svg(timeline(20, hosts: 2), name: "t", title: "t")
        #expect(few.contains("<title>run 7</title>"))
        let many = TimelineDrawing.svg(timeline(20_000, hosts: 60), name: "t", title: "t")
        #expect(!many.contains("<title>") && many.utf8.count < 1_000_000)
        #expect(timeline(10, hosts: 60).hostsLeftOut == 20)
        #expect(TimelineDrawing.svg(Timeline(hosts: ["a"], spans: []), name: "t", title: "t") == "")
    }

    @Test("An attempt that took no time, and one whose end came before its start, are drawn")
    func odd() {
        let spans = [(5, 5), (9, 3)].map { start, end in
            Timeline.Span(host: 0, start: Int64(start), end: Int64(end), outcome: .succeeded, text: "x")
        }
        let svg = TimelineDrawing.svg(Timeline(hosts: ["<a>"], spans: spans), name: "t", title: "<t>")
        #expect(svg.contains("&lt;a&gt;") && !svg.contains("nan") && !svg.contains("inf"))
    }
}
