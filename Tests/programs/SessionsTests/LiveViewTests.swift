import CoordinatorRuntime
import Engines
import Model
import SweepCore
import Testing
@testable import Sessions

/// How a sweep goes, as other processes and people are told it.
@Suite struct LiveViewTests {
    private static let second: Nanoseconds = 1_000_000_000

    private static let stage = LiveRun.Stage(
        phase: RunPhase("invocation", count: "2 of 5", detail: "9 M instructions"), span: 40 * second,
        quiet: 90 * second, usual: 50 * second)

    /// What a coordinator would show.
    private struct Source: ProgressSource {
        var hosts: [(HostView, [LiveRun])]
        let standing = Standing(runs: 9, ended: 1, notSucceeded: 0)
        let pause: FailureSeries? = nil
        let timeLeft: TimeLeft? = TimeLeft(expected: 7_800 * second, low: 6_600 * second, high: 10_800 * second)
        let silence: CoordinatorSilence? = nil
        var hostCount: Int { hosts.count }
        func host(_ index: Int) -> HostView { hosts[index].0 }
        func work() -> [[LiveRun]]? { hosts.map(\.1) }
    }

    private static func host(
        _ name: String, _ standing: HostView.Standing = .working, silence: HostView.Silence? = nil
    ) -> HostView {
        HostView(name: name, standing: standing, problem: "", slots: 2, running: 1, held: 1, silence: silence)
    }

    private static let source = Source(hosts: [
        (host("b"), [LiveRun(run: 3, span: 100 * second, stage: stage), LiveRun(run: 7, span: 9 * second)]),
        (
            host("a", .away, silence: HostView.Silence(span: 70 * second, left: nil)),
            [LiveRun(run: 5, span: 50 * second)]
        ),
    ])

    @Test("What is written is read again")
    func document() throws {
        let view = LiveView(Self.source)
        #expect(try LiveView(try JSON(parsing: view.document.encoded)) == view)
        #expect(throws: Failure.self) { try LiveView(.object([])) }
    }

    @Test("The time that is left, with what it may be as well")
    func timeLeft() {
        #expect(Self.source.timeLeft?.sentence == "about 2 h 10 m left (1 h 50 m to 3 h 0 m)")
        #expect(TimeLeft(expected: 1, low: 1, high: 1).sentence == "about 0.01 s left")
    }

    @Test("A coordinator with very many runs lists some, and says how many more there are")
    func many() {
        let runs = (1...3_000).map { LiveRun(run: $0, span: Self.second) }
        let view = LiveView(Source(hosts: [(Self.host("a"), runs), (Self.host("b"), runs)]))
        #expect(view.hosts.map(\.work.count) == [2_000, 0] && view.more == 4_000)
    }

    @Test(
        "A coordinator that does not answer, with what is known of why",
        arguments: [
            (CoordinatorSilence.Cause.unknown, "the coordinator (pid 7) has not answered for 12 s"),
            (
                .stopped,
                "the coordinator (pid 7) has not answered for 12 s: it is stopped, as by Ctrl-Z. Continue it: "
                    + "kill -CONT 7"
            ),
            (.starting, "the coordinator (pid 7) is starting: it checks what the runs need"),
        ])
    func silence(_ cause: CoordinatorSilence.Cause, _ sentence: String) {
        #expect(CoordinatorSilence(pid: 7, span: 12 * Self.second, cause: cause).sentence == sentence)
    }

    @Test("A run in a sentence")
    func sentence() {
        let run = LiveRun(run: 3, span: 100 * Self.second, stage: Self.stage)
        #expect(
            run.sentence("aes") == "run 3 aes, running for 1 m 40 s: invocation 2 of 5 for 40 s (last time: 50 s), "
                + "9 M instructions, no progress for 1 m 30 s")
        #expect(LiveRun(run: 3, span: Self.second).sentence("aes") == "run 3 aes, running for 1 s")
        let fetching = LiveRun.Stage(
            phase: RunPhase("fetching its files", detail: "30.2 MiB of 185 MiB"), span: 12 * Self.second, quiet: 0)
        #expect(fetching.sentence == "fetching its files for 12 s, 30.2 MiB of 185 MiB")
    }

    @Test("The manual shows a run as it is shown")
    func manual() throws {
        let stage = LiveRun.Stage(
            phase: RunPhase("booting", count: "", detail: "310 M instructions, 1.2 s simulated"),
            span: 182 * Self.second, quiet: 0, usual: 170 * Self.second)
        let run = LiveRun(run: 5, span: 190 * Self.second, stage: stage)
        let page = try Manual.page("stuck", commands: []).markup.split(whereSeparator: \.isWhitespace)
        #expect(page.joined(separator: " ").contains(run.sentence("setup of aes-go")))
    }

    @Test(
        "Sorted as asked",
        arguments: [
            (LiveTable.Order.time, [3, 5, 7]), (.run, [3, 5, 7]), (.host, [5, 3, 7]), (.phase, [5, 7, 3]),
            (.quiet, [3, 5, 7]),
        ])
    func order(_ order: LiveTable.Order, _ runs: [Int]) {
        let table = LiveTable(LiveView(Self.source), by: order) { "run \($0)" }
        let lines = table.text(columns: 200, lines: 50)
        #expect(lines.dropFirst().map { Int($0.split(separator: " ")[0]) } == runs)
    }

    @Test("No line is wider than the screen, and what has no room is counted", arguments: [20, 40, 80, 200])
    func width(_ columns: Int) {
        let table = LiveTable(LiveView(Self.source), by: .run) { _ in "工作 with a long name that goes on and on" }
        let lines = table.text(columns: columns, lines: 4)
        #expect(lines.count == 4 && lines.last == "and 1 more run")
        #expect(lines.allSatisfy { VisibleText.width($0) <= columns })
        let empty = LiveTable(LiveView(Source(hosts: [])), by: .run) { _ in "" }
        #expect(empty.text(columns: 80, lines: 9) == ["nothing is running"])
    }

    @Test("Slots that other sweeps have are told from one's own, where that is known")
    func slots() {
        var view = Self.host("a")
        view.running = 2
        #expect(view.slotsText(own: 2) == "2 of 2 slots busy")
        #expect(view.slotsText(own: 1) == "2 of 2 slots busy, 1 with other sweeps")
        #expect(view.slotsText(own: nil) == "2 of 2 slots busy")
        view.running = 0
        #expect(view.slotsText(own: 1) == "1 of 2 slots busy")
    }

    @Test("Many hosts in one line")
    func counts() {
        let views = [Self.host("a"), Self.host("b"), Self.host("c", .refused)]
        #expect(HostCounts(views).text == "3 more hosts: 2 working, 1 cannot be used")
        #expect(HostCounts(views.suffix(1)).text == "1 more host: 1 cannot be used")
    }
}
