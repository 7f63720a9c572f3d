package import CoordinatorRuntime
import Foundation
import Ledger
import Model

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
    func leave(cancel run: RunNumber?) throws { try leave("cancel \(run.map(String.init) ?? "all")") }

    /// Asks for the end of a file of a running attempt.
    ///
    /// - Returns: nil: there is no such file.
    /// - Throws: as ``leave(cancel:)``; ``Failure`` (`heldElsewhere`) where the coordinator does not answer.
    func tail(run: RunNumber, path: String) throws -> [UInt8]? {
        // One that is not at its loop yet, or of a version that does not say so.
        let answer = try ask("tail \(run) \(path)", patience: { $0 ? 10 : 3 })
        return answer.first == Requests.something ? Array(answer.dropFirst()) : nil
    }

    /// Asks how it goes.
    ///
    /// - Parameter patience: for how long, in seconds.
    /// - Returns: nil: nobody who can be asked works on the sweep, or it does not answer.
    package func live(patience: Int = 2) -> LiveView? {
        guard case .working = Ledger.holder(entry.ledger),
            let answer = try? ask("live", patience: { _ in patience }), answer.first == Requests.something,
            let document = try? JSON(parsing: Array(answer.dropFirst()))
        else { return nil }
        return try? LiveView(document)
    }

    /// - Parameter patience: in seconds, by whether the coordinator is at its loop.
    private func ask(_ question: String, patience: (Bool) -> Int) throws -> [UInt8] {
        let pid = try holder()
        let token = try leave(question)
        let answer = "\(folder)/\(token).answer"
        defer { for path in ["\(folder)/\(token)", answer] { try? FileManager.default.removeItem(atPath: path) } }
        let patience = patience(isReady(pid))
        for _ in 0..<patience * 50 {
            if let data = FileManager.default.contents(atPath: answer) { return Array(data) }
            usleep(20_000)
        }
        let state = isReady(pid) ? "has not answered within \(patience) s" : "is starting: it checks what the runs need"
        throw Failure(
            .heldElsewhere,
            "the coordinator (pid \(pid)) of \(entry.fullName) \(state); try again, or see: \(entry.command("status"))")
    }

    /// What answers begin with, where there is something to tell, and where not.
    private static let (something, nothing) = (UInt8(ascii: "+"), UInt8(ascii: "-"))

    /// The process that can be asked.
    private func holder() throws -> pid_t {
        switch Ledger.holder(entry.ledger) {
        case .working(let pid, _): return pid
        case .elsewhere(_, let host, _):
            throw Failure(
                .heldElsewhere, "the coordinator of \(entry.fullName) works on \(host); type the command there")
        case .ended, .vanished, .nobody:
            throw Failure(.heldElsewhere, "the coordinator of \(entry.fullName) has just ended; try again")
        }
    }

    /// - Returns: the name under which the request was left.
    @discardableResult
    private func leave(_ text: String) throws -> String {
        let (token, pid) = (UUID().uuidString, try holder())
        do {
            try makeFolder()
            // A name of its own, so that no request takes another's place.
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(token)"), options: .atomic)
        } catch {
            throw Failure(.storage, "\(folder) cannot be written", cause: error.localizedDescription)
        }
        guard kill(pid, SIGUSR1) == 0 else {
            throw Failure(
                .heldElsewhere, "the coordinator (pid \(pid)) cannot be told", cause: String(cString: strerror(errno)))
        }
        return token
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

    /// Takes what was left, each once.
    package func take() -> [Inbox.Request] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            // What has a point in its name is still being written.
            guard UUID(uuidString: name) != nil else { return nil }
            let path = "\(folder)/\(name)"
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
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
