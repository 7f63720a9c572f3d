import Engines
import Formats
import Model
import Ports
public import SweepCore

/// Looking at what runs: for those who ask, and for showing how it goes. Nothing is decided by it.
extension CoordinatorLoop {
    /// What the loop knows, for showing.
    public var state: SweepState { core.state }
    /// Why nothing more is begun although runs are left.
    public var pause: FailureSeries? { core.pause }
    public func hostView(_ host: Int) -> HostView {
        core.view(of: host, running: links[host]?.load.running ?? 0, now: time.monotonic())
    }

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
        if let asked { settle(questions.remove(at: asked), tail, now: now) }
    }

    /// Nobody waits any more for what a host was asked.
    func dropQuestions(to host: Int) {
        let dropped = questions.filter { $0.host == host }
        questions.removeAll { $0.host == host }
        for question in dropped { settle(question, nil, now: 0) }
    }

    private func settle(_ question: TailQuestion, _ tail: Tail?, now: Nanoseconds) {
        switch question.asker {
        case .person(let token): answer(token, tail?.bytes)
        case .watch:
            guard let tail, let task = setting.task(of: question.run) else { return }
            let said = tail.bytes.flatMap { setting.engine.phase(of: task, $0) }
            guard let phase = tail.collected.map({ RunPhase("collecting its files", $0) }) ?? said else { return }
            watch.saw(question.run, isSetup: setting.isSetup(question.run), phase, now: now)
        }
    }

    /// Looks how far some of what runs is, and asks where that is not known here.
    func askRunning(_ now: Nanoseconds) {
        guard isWatched, now >= watch.nextRound else { return }
        for (host, running) in watch.round(core.work(now: now), now: now) {
            let run = running.run
            if let phase = phaseHere(running, host) {
                watch.saw(run, isSetup: setting.isSetup(run), phase, now: now)
            } else if let path = setting.engine.progressFile, links[host]?.isJoined == true,
                !questions.contains(where: { $0.run == run && $0.asker == .watch })
            {
                ask(TailQuestion(host: host, run: run, path: path, asker: .watch))
            }
        }
    }

    /// What is done here with what a run left; nil: it goes on, as far as is known here, or goes on again.
    private func phaseHere(_ running: RunningRun, _ host: Int) -> RunPhase? {
        let (run, lease) = (running.run, running.id.lease)
        if let (id, bytes) = transfers[host].arrival(of: run, lease), id.attempt >= running.id.attempt {
            return RunPhase("fetching its files", bytes)
        }
        guard judging.contains(where: { $0.run == run && $0.lease == lease && $0.attempt >= running.id.attempt }) else {
            return nil
        }
        return RunPhase(setting.isSetup(run) ? "storing the checkpoint" : "checking its results")
    }
}

extension RunPhase {
    /// As in `fetching its files`, with `30.2 MiB of 185.0 MiB`.
    fileprivate init(_ name: String, _ bytes: BytesDone) {
        let detail = bytes.total.map { "\(PeopleText.size(min(bytes.done, $0))) of \(PeopleText.size($0))" }
        self.init(name, detail: detail ?? "")
    }
}
