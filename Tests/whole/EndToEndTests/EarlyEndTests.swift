import Foundation
import TestKit
import Testing

/// Runs that end as soon as a metric is known well enough, with the stand-in for gem5: its invocations come again and
/// again, its questions and their answers are the real ones.
@Suite("gem5 over SSH, until the interval is narrow", .serialized)
struct EarlyEndTests {
    /// Two points, of which one varies more.
    private static let sweep = Gem5SweepTests.sweep.replacing("[256KiB, 1MiB]", with: "[1MiB]")
        .replacing("[bimode, tournament, tage]", with: "[tage]")
        .replacing(
            "measure: {warm: 2, invocations: 3}",
            with: "measure: {warm: 2, until: {metric: cpi, interval: 0.5%, most: 60}}")

    @Test("Each point measures as many invocations as it needs, and what that saved is said")
    func saves() throws {
        let study = try Study.gem5()
        try study.write("sweep.yaml", Self.sweep)
        let plan = try study.run("plan", "sweep.yaml")
        let line = "measured    until cpi is known to within ±0.5% (95%), 10 to 60 invocations in each run"
        #expect(plan.output.contains(line), "\(plan.output)")
        #expect(plan.output.contains("20 to 120 invocations in all"), "\(plan.output)")

        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        let counted = try study.column("core.rob", of: "invocations").reduce(into: [:]) { $0[$1, default: 0] += 1 }
        let (steady, varying) = (try #require(counted["64"]), try #require(counted["224"]))
        // By a script of ten lines, with Student's t alone, the second one measures 26.
        #expect(steady == 10 && (20...30).contains(varying), "\(counted)")
        #expect(launched.errors.contains("measured \(steady + varying) of at most 120 invocations ("))
        #expect(
            launched.errors.contains("2 of 2 runs ended early, as cpi was known to within ±0.5% (95%)"),
            "\(launched.errors)")
        try look(study, steady, varying)

        let before = try study.table()
        #expect(try study.launch(Self.sweep).status == 0)
        #expect(try study.table() == before)
        try study.write("sweep.yaml", Self.sweep.replacing("0.5%", with: "0.4%"))
        let changed = try study.run("plan", "sweep.yaml")
        #expect(
            changed.output.contains("measure.until was cpi ±0.5% (95%) and is cpi ±0.4% (95%)"), "\(changed.output)")
    }

    /// What is shown of the two points afterwards.
    private func look(_ study: Study, _ steady: Int, _ varying: Int) throws {
        let spread = try study.run("results", "--spread", "--metric", "cpi", "--format", "csv")
        let rows = spread.output.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        func column(_ name: String) throws -> [Double] {
            let place = try #require(rows[0].firstIndex { $0 == name })
            return rows.dropFirst().compactMap { Double($0[place]) }
        }
        let (means, lows, highs) = (try column("mean"), try column("low"), try column("high"))
        for (mean, (low, high)) in zip(means, zip(lows, highs)) {
            #expect(max(high - mean, mean - low) <= 0.005 * mean)
        }
        #expect(try column("n") == [Double(steady), Double(varying)])
        #expect(spread.errors.contains("ended early"), "\(spread.errors)")
        let story = try study.run("explain", "2")
        let told = "It measured \(varying) of at most 60 invocations, and cpi is known to within ±0."
        #expect(story.output.contains(told), "\(story.output)")
    }

    @Test("One that ends before it may is quarantined, with how well the metric was known")
    func impatience() throws {
        let study = try Study.gem5(
            """
            [{"if": {"core.rob": "224"}, "do": "impatience", "times": 9}]
            """)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 3, "\(launched.errors)")
        #expect(try study.column("outcome", of: "runs") == ["succeeded", "quarantined"])
        #expect(try study.column("class", of: "runs").last == "contract-broken")
        let story = try study.run("explain", "2")
        #expect(story.output.contains("as if cpi was known to within ±0.5% (95%) by then; but it is known to ±0."))
    }

    @Test("Where the interval stays too wide, all is measured")
    func tooWide() throws {
        let study = try Study.gem5()
        let sweep = Self.sweep.replacing("interval: 0.5%", with: "interval: 0.0001%")
        let launched = try study.launch(sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(launched.errors.contains("0 of 2 runs ended early"), "\(launched.errors)")
        #expect(try study.column("core.rob", of: "invocations").count == 120)
    }
}
