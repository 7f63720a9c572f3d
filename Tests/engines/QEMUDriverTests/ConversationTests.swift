import Model
import Results
import Testing
@testable import Engines
@testable import QEMUDriver


@Suite("What the driver says to QEMU")
struct ConversationTests {
    private static let machine = Request.Machine(qemu: "q", kernel: "k", initrd: "i", memory: 256)
    private static let workload = Request.Workload(name: "w", disk: "d", warm: 1)
    private static let setup = Request.setup(Request.Setup(machine: machine, workload: workload))
    private static let evaluation = Request.evaluate(
        Request.Evaluation(
            machine: machine, workload: workload, plugin: "p", checkpoint: "c", invocations: 2, settings: []))

    private func json(_ text: String) -> Conversation.Input { .monitor((try? JSON(parsing: text)) ?? .null) }
    private var done: Conversation.Input { json(#"{"return":{}}"#) }
    private var stopped: Conversation.Input { json(#"{"return":{},"id":"stop"}"#) }
    private func migration(_ status: String) -> Conversation.Input {
        json(#"{"event":"MIGRATION","data":{"status":"\#(status)"}}"#)
    }
    private func command(_ actions: [Conversation.Action]) -> String? {
        for action in actions {
            if case .command(let line) = action { return (try? JSON(parsing: line))?["execute"]?.text }
        }
        return nil
    }

    private func parameter(_ name: String, of actions: [Conversation.Action]) -> JSON? {
        for action in actions {
            if case .command(let line) = action { return (try? JSON(parsing: line))?["arguments"]?[name] }
        }
        return nil
    }

    private func booted() -> Conversation {
        var talk = Conversation(Self.setup)
        for input in [json(#"{"QMP":{}}"#), done, done, done] { _ = talk.take(input) }
        return talk
    }

    private func measuring() -> Conversation {
        var talk = Conversation(Self.evaluation)
        for input in [json(#"{"QMP":{}}"#), done, done, done, done, migration("completed")] {
            _ = talk.take(input)
        }
        return talk
    }

    @Test("A setup waits for the warmed guest, stops it, saves, and quits")
    func setup() {
        var talk = Conversation(Self.setup)
        #expect(command(talk.take(json(#"{"QMP":{}}"#))) == "qmp_capabilities")
        #expect(command(talk.take(done)) == "migrate-set-capabilities")
        #expect(command(talk.take(done)) == "migrate-set-parameters")
        #expect(talk.take(done) == [.phase("boot")])
        #expect(talk.take(.guest("booted")) == [.phase("booted")])
        #expect(talk.take(.guest("measured")) == [])
        #expect(command(talk.take(.guest("warmed"))) == "stop")
        #expect(talk.take(migration("completed")) == [], "nothing has been saved yet")
        #expect(command(talk.take(stopped)) == "migrate")
        #expect(talk.take(migration("active")) == [])
        #expect(command(talk.take(migration("completed"))) == "quit")
        #expect(talk.take(.exited(status: 0, lastLine: "")) == [.finish(.checkpointed)])
    }

    @Test("A boot is saved as soon as the guest is up")
    func boot() {
        var talk = Conversation(.boot(Request.Boot(machine: Self.machine, disks: 1)))
        for input in [json(#"{"QMP":{}}"#), done, done, done] { _ = talk.take(input) }
        #expect(command(talk.take(.guest("booted"))) == "stop")
        #expect(command(talk.take(stopped)) == "migrate")
        #expect(command(talk.take(migration("completed"))) == "quit")
    }

    @Test("A setup from a booted guest restores it, goes on, and then is a setup as any other")
    func setupOfBooted() {
        var talk = Conversation(
            .setup(Request.Setup(machine: Self.machine, workload: Self.workload, booted: "booted.zst")))
        for input in [json(#"{"QMP":{}}"#), done, done] { _ = talk.take(input) }
        #expect(command(talk.take(done)) == "migrate-incoming")
        #expect(talk.take(done) == [])
        let continuing = talk.take(migration("completed"))
        #expect(continuing.first == .phase("booted") && command(continuing) == "cont")
        #expect(talk.take(.guest("serving")) == [.phase("serving")])
        #expect(command(talk.take(.guest("warmed"))) == "stop")
        #expect(talk.take(done) == [], "the answer to cont")
        #expect(command(talk.take(stopped)) == "migrate")
    }

    @Test("An evaluation restores, continues, and quits when the guest has measured")
    func evaluation() {
        var talk = Conversation(Self.evaluation)
        for input in [json(#"{"QMP":{}}"#), done] { _ = talk.take(input) }
        let silencing = talk.take(done)
        #expect(command(silencing) == "migrate-set-parameters")
        #expect(parameter("announce-rounds", of: silencing) == .number("0"), "announcing goes by the host's clock")
        #expect(command(talk.take(done)) == "migrate-incoming")
        #expect(talk.take(done) == [])
        let continuing = talk.take(migration("completed"))
        #expect(continuing.first == .phase("measure"))
        #expect(command(continuing) == "cont")
        #expect(command(talk.take(.guest("measured"))) == "quit", "even before QEMU has answered")
        #expect(talk.take(done) == [], "the answer to cont")
        #expect(talk.take(.exited(status: 0, lastLine: "")) == [.finish(.measured)])
    }

    @Test("As soon as enough was measured QEMU is killed; before and after that, enough means nothing")
    func enough() {
        var talk = measuring()
        #expect(talk.take(.enough(12)) == [.killEmulator])
        #expect(talk.take(.enough(13)) == [])
        #expect(talk.take(.guest("wrong measured call 14: x")) == [])
        #expect(talk.take(.exited(status: 137, lastLine: "")) == [.finish(.tight(12))])
        var late = measuring()
        _ = late.take(.guest("measured"))
        #expect(late.take(.enough(2)) == [])
        #expect(late.take(.exited(status: 0, lastLine: "")) == [.finish(.measured)])
        var ended = measuring()
        _ = ended.take(.enough(12))
        #expect(ended.take(.signal(15)) == [.endEmulator])
        #expect(ended.take(.exited(status: 137, lastLine: "")) == [.finish(.terminated(15))])
        #expect(DriverEnding.tight(3).exitStatus == 0 && DriverEnding.tight(3).cause == Contract.ExitEvent.early)
    }

    @Test("Blocks are enough when the rule says so, however they come; a line that is none ends nothing")
    func blocks() {
        let rule = StoppingRule(Precision(metric: "l2.mpki", interval: 10_000), MetricFormula.qemu)
        let lines = (0..<30).map { number in
            "{\"invocation\":\(number),\"instructions\":1000,\"l2.misses\":\(5 + number % 2 * number / 19)}\n"
        }
        let text = Array(lines.joined().utf8)
        var whole = MeasuredBlocks(rule)
        #expect(whole.take(text) == [.init(number: 10, reach: 0, isEnough: true)])
        var single = MeasuredBlocks(rule)
        var found: [MeasuredBlocks.Look] = []
        for byte in text where found.isEmpty { found = single.take([byte]) }
        #expect(found.map(\.number) == [10])
        var broken = MeasuredBlocks(rule)
        #expect(broken.take(Array("oops\n".utf8) + text) == [])
        #expect(broken.take(text) == [])
        var none = MeasuredBlocks(StoppingRule(Precision(metric: "cpi", interval: 10_000), []))
        let looks = none.take(text)
        #expect(looks.map(\.number) == Array(10...20) + [22, 24, 26, 28, 30])
        #expect(looks.allSatisfy { $0.reach == nil && !$0.isEnough })
    }

    @Test("An exit status of QEMU other than 0 spoils what was measured")
    func badExit() {
        var talk = measuring()
        _ = talk.take(.guest("measured"))
        let actions = talk.take(.exited(status: 139, lastLine: "oops"))
        #expect(actions == [.finish(.emulatorFailed("it ended with status 139: oops"))])
    }

    @Test("The first cause is the verdict")
    func firstCause() {
        var talk = measuring()
        #expect(talk.take(.guest("wrong measured call 1: x")) == [.endEmulator])
        #expect(talk.take(.guest("failed the invoker ended with status 1")) == [])
        #expect(talk.take(.console("Kernel panic - not syncing: later")) == [])
        let actions = talk.take(.exited(status: 143, lastLine: ""))
        #expect(actions == [.finish(.wrongAnswer("measured call 1: x"))])
    }

    @Test("The guest says how many calls were late")
    func late() {
        var talk = measuring()
        _ = talk.take(.guest("measured 3"))
        #expect(talk.lateCalls == 3)
        #expect(talk.take(.exited(status: 0, lastLine: "")) == [.finish(.measured)])
    }

    @Test("A wrong answer, a failing status and none in time are told apart", arguments: [
        ("wrong", DriverEnding.wrongAnswer("measured call 1: x"), "wrong-answer"),
        ("status", .failingStatus("measured call 1: x"), "failing-status"),
        ("late", .noAnswer("measured call 1: x"), "no-answer"),
        ("failed", .guestFailed("measured call 1: x"), "guest-failed"),
    ])
    func calls(word: String, ending: DriverEnding, cause: String) {
        var talk = measuring()
        #expect(talk.take(.guest("\(word) measured call 1: x")) == [.endEmulator])
        #expect(talk.take(.exited(status: 143, lastLine: "")) == [.finish(ending)])
        #expect(ending.cause == cause)
        #expect(ending.message?.contains("measured call 1: x") == true)
    }

    @Test("A panic on the console ends the run, and so does a signal; a second one kills")
    func ends() {
        var talk = booted()
        #expect(talk.take(.console("[ 1.0] Kernel panic - not syncing: VFS")) == [.endEmulator])
        var other = booted()
        #expect(other.take(.signal(15)) == [.endEmulator])
        #expect(other.take(.signal(15)) == [.killEmulator])
        #expect(other.take(.exited(status: 143, lastLine: "")) == [.finish(.terminated(15))])
        #expect(other.take(.exited(status: 143, lastLine: "")) == [])
    }

    @Test("What fails on the way is told apart")
    func failures() {
        var early = Conversation(Self.evaluation)
        let refused = early.take(.exited(status: 1, lastLine: "model: l1d.size is 0"))
        #expect(refused == [.finish(.emulatorFailed("it ended early with status 1: model: l1d.size is 0"))])
        var restoring = Conversation(Self.evaluation)
        for input in [json(#"{"QMP":{}}"#), done, done, done] { _ = restoring.take(input) }
        guard case .finish(let ending) = restoring.take(.exited(status: 1, lastLine: "")).first else {
            Issue.record("no verdict")
            return
        }
        #expect(ending.exitStatus == 7)
        var monitor = booted()
        #expect(monitor.take(json(#"{"error":{"class":"GenericError","desc":"no"}}"#)) == [.endEmulator])
    }

    @Test("What was not written is told from what the guest did not do, and from a checkpoint that cannot be read")
    func unwritten() {
        func cause(_ marks: (begun: Int, ended: Int)?, _ blocks: Int?) -> String {
            EvidenceCheck.ending(3, marks, blocks: blocks).cause
        }
        #expect(cause((3, 3), 3) == "measured")
        for blocks in [2, nil] { #expect(cause((3, 3), blocks) == "statistics-unwritten") }
        #expect(cause(nil, 3) == "statistics-unwritten")
        #expect(cause((3, 2), 2) == "statistics-incomplete" && cause((0, 0), 0) == "statistics-incomplete")
        var restoring = Conversation(Self.evaluation)
        for input in [json(#"{"QMP":{}}"#), done, done, done, done] { _ = restoring.take(input) }
        #expect(causeOfFailure(&restoring) == "checkpoint-failed")
        var saving = Conversation(.boot(Request.Boot(machine: Self.machine, disks: 1)))
        for input in [json(#"{"QMP":{}}"#), done, done, done, .guest("booted"), stopped] { _ = saving.take(input) }
        #expect(causeOfFailure(&saving) == "checkpoint-unwritten")
    }

    /// After a migration that QEMU calls failed.
    private func causeOfFailure(_ talk: inout Conversation) -> String? {
        #expect(talk.take(migration("failed")) == [.endEmulator])
        guard case .finish(let ending)? = talk.take(.exited(status: 1, lastLine: "")).first else { return nil }
        return ending.cause
    }

    @Test("The engine knows what the driver's causes mean", arguments: [
        (ending: DriverEnding.guestPanic(""), failure: FailureClass.guestPanic), (.wrongAnswer(""), .contractBroken),
        (.emulatorFailed(""), .simulatorFatal), (.checkpointFailed(""), .checkpointIncompatible),
        (.checkpointIncompatible(""), .checkpointIncompatible), (.failingStatus(""), .contractBroken),
        (.noAnswer(""), .contractBroken), (.statisticsIncomplete(""), .contractBroken),
        (.checkpointUnwritten(""), .diskFull), (.statisticsUnwritten(""), .diskFull),
    ])
    func classes(end: (ending: DriverEnding, failure: FailureClass)) {
        #expect(QEMUEngine.failureClass(end.ending.cause) == end.failure)
    }
}
