import Model
import Testing
@testable import Engines

/// What the end of a file says of a run that goes on.
@Suite struct RunPhaseTests {
    private func phase(_ lines: String) -> RunPhase? {
        RunPhase(
            eventsOf: Array(lines.utf8), names: ["boot": "booting"],
            count: { phase, events in phase == "measure" ? "\(events.count { $0["n"] != nil }) of 5" : "" },
            detail: { $0["instructions"]?.integer.map { "\($0) instructions" } })
    }

    @Test("The last phase counts, in the words that people use, with the events since it began")
    func events() {
        #expect(phase(#"{"phase":"boot"}"# + "\n") == RunPhase("booting"))
        let lines = """
            {"event":"phase","phase":"boot"}
            {"event":"progress","phase":"boot","instructions":12}
            {"event":"phase","phase":"measure"}
            {"n":1}
            {"n":2}
            """
        #expect(phase(lines) == RunPhase("measure", count: "2 of 5", detail: "12 instructions"))
        #expect(phase(lines)?.text == "measure 2 of 5")
    }

    @Test("Half a line at the beginning, one that is still being written, what is not JSON, and nothing at all")
    func torn() {
        #expect(phase("ase\":\"x\"}\n{\"phase\":\"boot\"}\n{\"phase\":\"mea") == RunPhase("booting"))
        #expect(phase("booting\n") == nil)
        #expect(phase("") == nil)
        #expect(phase("{\"phase\":7}\n") == nil)
    }

    @Test("A run that may end early says how far the interval reached")
    func early() {
        var measure = Measure(invocations: 50)
        let looks = [#"{"event":"interval","reach":null}"#, #"{"event":"interval","reach":13256}"#, #"{"event":"x"}"#]
            .compactMap { try? JSON(parsing: $0) }
        #expect(RunPhase.measured(12, measure, looks) == "12 of 50")
        measure.until = Precision(metric: "cpi", interval: 10_000)
        #expect(RunPhase.measured(12, measure, looks) == "12 of at most 50 (±1.32% so far)")
        #expect(RunPhase.measured(3, measure, []) == "3 of at most 50")
    }

    @Test("Names that nobody chose are made fit for a terminal")
    func hidden() { #expect(phase("{\"phase\":\"a\\u001b[2Jb\"}")?.name == "a\\u{1b}[2Jb") }

    @Test(
        "A program's last line, which may be one that is drawn over again",
        arguments: [
            ("one\ntwo\n\n  \n", "two"), ("10 %\r20 %\r", "20 %"), ("", nil), ("\n\n", nil),
            ("a\u{1b}[1mb", "a\\u{1b}[1mb"),
        ] as [(String, String?)])
    func lastLine(_ tail: String, _ detail: String?) {
        #expect(RunPhase(lastLineOf: Array(tail.utf8))?.detail == detail)
    }
}
