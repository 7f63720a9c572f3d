import Model

/// Asks the coordinator of another process how it goes, again and again, without waiting for one that is stopped.
package final class CoordinatorWatch {
    private let requests: Requests
    private let time = SystemTime()
    private var pending: (question: Requests.Question, at: Nanoseconds)?
    private var nextQuestion: Nanoseconds = 0
    private var isFirst = true
    /// What it last said; nil: nothing yet, or it does not answer.
    package private(set) var view: LiveView?

    package init(_ entry: ArtifactsFolder.Entry) { requests = Requests(entry: entry) }

    deinit { pending?.question.withdraw() }

    /// That it has not answered for longer than a busy one takes; nil: it has, or nobody can be asked.
    package var silence: CoordinatorSilence? {
        guard let (question, asked) = pending else { return nil }
        let span = time.monotonic() - asked
        return span < CoordinatorWatch.patience ? nil : requests.silence(of: question.pid, span: span)
    }

    private static let patience = Nanoseconds(CoordinatorSilence.noticeable) * 1_000_000_000

    /// Takes the answer if there is one, and asks again two seconds after the last. The first time it waits for the
    /// answer, for two seconds at most.
    package func look() {
        take()
        let now = time.monotonic()
        if pending == nil, now >= nextQuestion {
            nextQuestion = now + CoordinatorWatch.patience
            pending = requests.askHowItGoes().map { ($0, now) }
            if pending == nil { view = nil }
        }
        guard isFirst else { return }
        isFirst = false
        _ = pending?.question.answer(within: CoordinatorSilence.noticeable)
        take()
    }

    private func take() {
        guard let (question, asked) = pending else { return }
        if let answer = question.answer {
            view = Requests.view(answer)
        } else if requests.isHeld(by: question.pid) {
            if time.monotonic() - asked >= CoordinatorWatch.patience { view = nil }
            return
        } else {
            view = nil
        }
        question.withdraw()
        pending = nil
    }
}
