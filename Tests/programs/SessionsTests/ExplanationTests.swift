import Model
@testable import Sessions
import SweepCore
import Testing

@Suite("Explanations")
struct ExplanationTests {
    private static func attempt(
        _ number: Int, _ failure: FailureClass? = nil, on host: String = "h0", evidence: String = "why"
    ) -> RunStory.AttemptStory {
        RunStory.AttemptStory(
            number: number, host: host, failure: failure, evidence: evidence, wall: 2_500_000_000,
            endedAt: 1_700_000_002_500_000_000)
    }

    @Test("A run that failed: what was tried, why, and what to do")
    func failed() {
        let story = RunStory(
            name: "7f3a/3", description: "x=1", state: .failed, failure: .exitNonzero,
            attempts: [Self.attempt(1, .exitNonzero, evidence: "no\u{1b}[2J"), Self.attempt(2, .exitNonzero)],
            reopenings: ["asked for"])
        let why = FailureClass.exitNonzero.advice.replacing("'usweep logs'", with: "'usweep logs 7f3a/3'")
        let advice = "\(why). Then: usweep retry 7f3a/3; after a change of the program or the sweep file: "
            + "usweep launch SWEEP -i INVENTORY --retry"
        #expect(why.contains("'usweep logs 7f3a/3'"))
        #expect(
            story.sentences == [
                "Run 7f3a/3 (x=1) failed (exit-nonzero) after 2 attempts. 'retry.attempts' in the sweep file allows no "
                    + "more.",
                "- attempt 1 on h0 began 2023-11-14T22:13:20.000Z and took 2.5 s: exit-nonzero: no\\u{1b}[2J",
                "- attempt 2 on h0 began 2023-11-14T22:13:20.000Z and took 2.5 s: exit-nonzero: why",
                "It was run again: asked for.", "What to do: \(advice)",
            ])
    }

    @Test("A run that succeeded late, on another host, with evidence of other pins")
    func succeeded() {
        let story = RunStory(
            name: "7f3a/3", description: "x=1", state: .succeeded,
            attempts: [Self.attempt(1), Self.attempt(4, .diskFull), Self.attempt(7, on: "h1")], stale: 1,
            voidLeases: Array(repeating: .init(host: "h0", reason: "silent"), count: 2),
            late: [.init(host: "h0", failure: nil, agrees: false), .init(host: "h0", failure: .timeout, agrees: nil)])
        let text = story.sentences
        #expect(text[0] == "Run 7f3a/3 (x=1) succeeded on h1, with 2 attempts.")
        #expect(text[1].contains("attempt 1 on h0 (with an engine or checkpoint that has changed since)"))
        #expect(text[4].hasPrefix("- attempts 2, 3, 5 and 6 are not on record: "))
        #expect(text[5] == "- h0 lost its lease (2 times): silent")
        #expect(text[6].contains("DIFFERS"))
        #expect(text[7].contains("a failure (timeout) after its lease had ended; it was kept"))
        #expect(text.count == 8 && story.advice == nil)
    }

    @Test("Of two attempts at the same time, the one that was ended is told of")
    func overtaken() {
        var story = RunStory(
            name: "7f3a/3", description: "x=1", state: .succeeded, attempts: [Self.attempt(4, on: "h1")])
        story.overtaken = [
            .init(number: 1, host: "h0", winner: 4, winnerHost: "h1", endedAt: 1_700_000_002_500_000_000)
        ]
        #expect(
            story.sentences.last == "- attempt 1 on h0 was ended at 2023-11-14T22:13:22.500Z: attempt 4 on h1, which "
                + "ran at the same time, succeeded first.")
    }

    @Test("Why a run waits", arguments: [
        (RunStory.Wait.leased(host: "h1", waits: nil), "It was handed to h1", nil),
        (.setup(run: 9), "the checkpoint that run 9 makes", "usweep explain 7f3a/9"),
        (.coordinator(), "It waits: no coordinator is running", "usweep resume 7f3a"),
        (.coordinator(host: "h1"), "handed to h1 and may be running there, but no coordinator", "usweep resume 7f3a"),
        (.paused, "the sweep is paused", "usweep resume --keep-going 7f3a"),
        (.stopped(pid: 77), "the coordinator (pid 77) is stopped", "kill -CONT 77"),
        (
            .room(
                problems: [.init(host: "h1", reason: "disk-full")], refused: [.init(host: "h2", reason: "no engine")]),
            "a free slot.\n- paused: h1: disk-full\n- cannot be used: h2: no engine", nil
        ),
    ] as [(RunStory.Wait, String, String?)])
    func waits(_ wait: RunStory.Wait, _ text: String, _ advice: String?) {
        let story = RunStory(name: "7f3a/3", description: "x=1", state: nil, wait: wait)
        #expect(story.sentences[0] == "Run 7f3a/3 (x=1) has not ended.")
        #expect(story.sentences[1].contains(text))
        #expect(story.advice == advice)
    }

    @Test("What is gone, quarantined or cancelled says so")
    func otherEnds() {
        var story = RunStory(name: "a/1", description: "x", state: .quarantined, failure: .contractBroken)
        #expect(story.sentences[0].contains("is quarantined (contract-broken) without an attempt of its own"))
        story.state = .cancelled
        #expect(story.sentences[0].contains("was cancelled"))
        #expect(
            story.sentences.last
                == "What to do: usweep retry a/1; or, if the whole sweep was cancelled: usweep resume a")
        story.isGone = true
        #expect(story.sentences[1].contains("no longer part of the sweep"))
        #expect(story.advice == nil)
    }

    @Test("Every class has advice of its own")
    func advice() {
        let texts = FailureClass.allCases.map(\.advice)
        #expect(Set(texts).count == texts.count)
        #expect(texts.allSatisfy { $0.count > 40 && !$0.hasSuffix(".") })
    }

    @Test("A reason that has a full stop gets no second one")
    func fullStops() {
        var story = RunStory(name: "7f3a/3", description: "x=1", state: .succeeded, attempts: [Self.attempt(1)])
        story.reopenings = ["its host could not be reached."]
        #expect(story.sentences.contains("It was run again: its host could not be reached."))
        let view = HostView(
            name: "h0", standing: .away, problem: "host h0: cannot be reached.", slots: 0, running: 0, held: 0)
        #expect(Storyteller.moment(view).hasSuffix(": host h0: cannot be reached."))
        let paused = HostView(name: "h0", standing: .paused, problem: "no space", slots: 0, running: 0, held: 0)
        #expect(Storyteller.moment(paused) == "At this moment: paused: no space.")
    }

    @Test("A host: what it is, what ended on it, what it was refused for")
    func host() {
        let facts = HostStory.Facts(hostName: "node1", slots: 2, memoryBytes: 8 << 30, clockOffset: -5_000_000_000)
        let story = HostStory(
            name: "h0", facts: facts, open: 1,
            ended: [.init(failure: nil, count: 10), .init(failure: .diskFull, count: 2)],
            pauses: ["disk-full: no space", "disk-full: no space"], refusals: ["another engine"],
            voidLeases: ["silent"], late: 1)
        #expect(
            story.sentences == [
                "Host h0 (node1) joined with 2 slots and 8 GiB of memory. Its clock is 5 s behind.",
                "It has 1 run of this sweep now.", "12 attempts ended on it: 10 succeeded, 2 disk-full.",
                "- it was paused 2 times: disk-full: no space", "- it could not be used: another engine",
                "- it lost a lease: silent",
                "1 result came from it after the lease had ended: kept, not merged.",
                "What to do: \(FailureClass.diskFull.advice)",
            ])
        let stranger = HostStory(name: "h9", facts: nil)
        #expect(stranger.sentences[0] == "Host h9 has never joined this sweep.")
        #expect(stranger.advice?.contains("usweep doctor") == true)
        #expect(HostStory(name: "h1", facts: facts, ended: [.init(failure: .timeout, count: 3)]).advice == nil)
    }
}
