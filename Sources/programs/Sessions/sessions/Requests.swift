package import CoordinatorRuntime
import Foundation
import Ledger
import Model
import SweepFiles

/// What another `usweep` process asks of the coordinator of a sweep: a file in the sweep's folder, and SIGUSR1.
///
/// A request is for the coordinator that it was left for: what one that was killed has not read is not taken by the
/// next, days later.
package struct Requests: Sendable {
    private let folder: String
    private let entry: ArtifactsFolder.Entry

    package init(entry: ArtifactsFolder.Entry) {
        self.entry = entry
        folder = "\(entry.folder)/requests"
    }

    // MARK: Asking

    /// Leaves a request to cancel and wakes the coordinator.
    ///
    /// - Throws: ``Failure`` where it cannot be reached from this machine.
    func leave(cancel run: RunNumber?) throws { try put("cancel \(run.map(String.init) ?? "all")") }

    /// Asks for the end of a file of a running attempt.
    ///
    /// - Returns: nil: there is no such file.
    /// - Throws: as ``leave(cancel:)``; ``Failure`` (`heldElsewhere`) where the coordinator does not answer.
    func tail(run: RunNumber, path: String) throws -> [UInt8]? {
        // One that is not at its loop yet, or of a version that does not say so.
        let answer = try ask("tail \(run) \(path)", patience: { $0 ? 10 : 3 })
        return answer.first == Requests.something ? Array(answer.dropFirst()) : nil
    }

    /// A question that was left for a coordinator.
    struct Question {
        let pid: pid_t
        fileprivate let path: String

        /// nil: it has not answered yet.
        var answer: [UInt8]? { FileManager.default.contents(atPath: "\(path).answer").map { Array($0) } }

        /// Waits for the answer, up to so many seconds.
        func answer(within seconds: Int) -> [UInt8]? {
            for _ in 0..<seconds * 50 {
                if let answer { return answer }
                usleep(20_000)
            }
            return nil
        }

        /// Removes the question, in case it was not taken, and its answer.
        func withdraw() {
            for path in [path, "\(path).answer"] { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    /// Asks how it goes, without waiting for the answer.
    ///
    /// - Returns: nil: nobody who can be asked works on the sweep.
    func askHowItGoes() -> Question? {
        guard case .working = Ledger.holder(entry.ledger) else { return nil }
        return try? put("live")
    }

    /// - Returns: nil: it cannot be read.
    static func view(_ answer: [UInt8]) -> LiveView? {
        guard answer.first == something, let document = try? JSON(parsing: Array(answer.dropFirst()))
        else { return nil }
        return try? LiveView(document)
    }

    /// Asks how it goes, and waits for the answer.
    ///
    /// - Returns: nil: nobody who can be asked works on the sweep, or it does not answer within two seconds.
    package func live() -> LiveView? {
        guard let question = askHowItGoes() else { return nil }
        defer { question.withdraw() }
        return question.answer(within: CoordinatorSilence.noticeable).flatMap(Requests.view)
    }

    /// - Parameter patience: in seconds, by whether the coordinator is at its loop.
    private func ask(_ text: String, patience: (Bool) -> Int) throws -> [UInt8] {
        let question = try put(text)
        defer { question.withdraw() }
        let patience = patience(isReady(question.pid))
        if let answer = question.answer(within: patience) { return answer }
        let silence = silence(of: question.pid, span: Nanoseconds(patience) * 1_000_000_000)
        throw Failure(.heldElsewhere, "\(silence.sentence). Try again, or see: \(entry.command("status"))")
    }

    /// - Parameter span: since it was asked.
    func silence(of pid: pid_t, span: Nanoseconds) -> CoordinatorSilence {
        let cause: CoordinatorSilence.Cause =
            CoordinatorSilence.isStopped(pid) ? .stopped : isReady(pid) ? .unknown : .starting
        return CoordinatorSilence(pid: pid, span: span, cause: cause)
    }

    /// What answers begin with, where there is something to tell, and where not.
    private static let (something, nothing) = (UInt8(ascii: "+"), UInt8(ascii: "-"))

    /// Whether this process still works on the sweep.
    func isHeld(by pid: pid_t) -> Bool {
        if case .working(pid, _) = Ledger.holder(entry.ledger) { true } else { false }
    }

    /// The process that can be asked.
    private func holder() throws -> pid_t {
        switch Ledger.holder(entry.ledger) {
        case .working(let pid, _): return pid
        case .elsewhere(_, let host, _):
            throw Failure(
                .heldElsewhere, "the coordinator of \(entry.fullName) is running on \(host); type the command there")
        case .ended, .vanished, .nobody:
            throw Failure(.heldElsewhere, "the coordinator of \(entry.fullName) has just ended; try again")
        }
    }

    @discardableResult
    private func put(_ text: String) throws -> Question {
        let pid = try holder()
        // A name of its own, so that no request takes another's place.
        let path = "\(folder)/\(UUID().uuidString)"
        do {
            try makeFolder()
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Failure(.storage, "\(folder) cannot be written", cause: SystemReason.of(error))
        }
        guard kill(pid, SIGUSR1) == 0 else {
            throw Failure(
                .heldElsewhere, "the coordinator (pid \(pid)) cannot be sent a signal",
                cause: String(cString: strerror(errno)))
        }
        return Question(pid: pid, path: path)
    }

    // MARK: Answering

    /// Says that this process answers from now on.
    func open() {
        try? makeFolder()
        try? Data("\(getpid())".utf8).write(to: URL(fileURLWithPath: ready), options: .atomic)
    }

    /// Says that it no longer does.
    func close() { try? FileManager.default.removeItem(atPath: ready) }

    private var ready: String { "\(folder)/ready" }

    private func isReady(_ pid: pid_t) -> Bool {
        FileManager.default.contents(atPath: ready).map { String(decoding: $0, as: UTF8.self) } == String(pid)
    }

    private func makeFolder() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Answers one who waits.
    func answer(_ token: String, _ bytes: [UInt8]?) {
        guard UUID(uuidString: token) != nil else { return }
        let data = Data(bytes.map { [Requests.something] + $0 } ?? [Requests.nothing])
        try? data.write(to: URL(fileURLWithPath: "\(folder)/\(token).answer"), options: .atomic)
    }

    /// Bytes of a request.
    private static let longest: Int64 = 64 << 10

    /// Takes what was left, each once.
    package func take() -> [Inbox.Request] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            // What has a point in its name is still being written.
            guard UUID(uuidString: name) != nil else { return nil }
            let path = "\(folder)/\(name)"
            guard let bytes = try? LocalInput.contents(path, atMost: Requests.longest) else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
            let isStale = isOlder(path, than: entry.ledger + ".lock")
            try? FileManager.default.removeItem(atPath: path)
            guard !isStale else { return nil }
            return Requests.request(text, token: name)
        }
    }

    /// The lock is written once by each coordinator, when it takes the sweep.
    private func isOlder(_ path: String, than other: String) -> Bool {
        let times = [path, other].map { path in
            try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        }
        guard let time = times[0] ?? nil, let start = times[1] ?? nil else { return false }
        return time < start
    }

    private static func request(_ text: String, token: String) -> Inbox.Request? {
        let words = text.split(separator: " ", maxSplits: 2)
        let reason = "cancelled by 'usweep cancel'"
        if words == ["live"] { return .live(token: token) }
        if words == ["cancel", "all"] { return .cancel(run: nil, reason: reason) }
        guard words.count > 1, let run = RunNumber(words[1]) else { return nil }
        if words[0] == "cancel" { return .cancel(run: run, reason: reason) }
        guard words[0] == "tail", words.count == 3, RelativePath.isSafe(String(words[2])) else { return nil }
        return .tail(run: run, path: String(words[2]), token: token)
    }
}
