import Engines
import Formats
import Model
import Ports
public import SweepCore

/// Looking at what runs: for those who ask, and for showing how it goes. Nothing is decided by it.
extension CoordinatorLoop {
    /// How long what is left takes; nil: nothing is known.
    public var timeLeft: TimeLeft? { core.timeLeft(now: time.monotonic()) }

    /// What each host is at, by its index in the inventory, the longest first.
    package func work() -> [[LiveRun]] {
        let now = time.monotonic()
        return core.work(now: now).map { runs in
            runs.map { one in
                LiveRun(
                    run: one.run, span: one.span,
                    stage: watch.stage(of: one.run, isSetup: setting.isSetup(one.run), now: now))
            }
        }
    }

    func askTail(_ run: RunNumber, _ path: String, _ token: String) {
        guard let host = core.state.host(of: run), links[host]?.isJoined == true else { return answer(token, nil) }
        ask(TailQuestion(host: host, run: run, path: path, asker: .person(token: token)))
    }

    private func ask(_ question: TailQuestion) {
        questions.append(question)
        send(question.host, .tail(question.request))
    }

    /// A host answers in the order in which it was asked.
    func take(_ tail: Tail, from host: Int, now: Nanoseconds) {
        let asked = questions.firstIndex { $0.host == host && $0.run == tail.run && $0.path == tail.path }
        if let asked { settle(questions.remove(at: asked), tail.bytes, now: now) }
    }

    /// Nobody waits any more for what a host was asked.
    func dropQuestions(to host: Int) {
        let dropped = questions.filter { $0.host == host }
        questions.removeAll { $0.host == host }
        for question in dropped { settle(question, nil, now: 0) }
    }

    private func settle(_ question: TailQuestion, _ bytes: [UInt8]?, now: Nanoseconds) {
        switch question.asker {
        case .person(let token): answer(token, bytes)
        case .watch:
            guard let bytes, let task = setting.task(of: question.run),
                let phase = setting.engine.phase(of: task, bytes)
            else { return }
            watch.saw(question.run, isSetup: setting.isSetup(question.run), phase, now: now)
        }
    }

    /// Asks some of what runs how far it is.
    func askRunning(_ now: Nanoseconds) {
        guard isWatched, now >= watch.nextRound, let path = setting.engine.progressFile else { return }
        for (host, run) in watch.round(core.work(now: now), now: now)
        where links[host]?.isJoined == true && !questions.contains(where: { $0.run == run && $0.asker == .watch }) {
            ask(TailQuestion(host: host, run: run, path: path, asker: .watch))
        }
    }
}
