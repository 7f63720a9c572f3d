import CoordinatorRuntime
import Foundation
import Ledger
import Model

/// What another `usweep` process asks of the coordinator of a sweep: a file in the sweep's folder, and SIGUSR1.
struct Requests: Sendable {
    let entry: ArtifactsFolder.Entry

    private var folder: String { "\(entry.folder)/requests" }

    /// Leaves a request to cancel and wakes the coordinator.
    ///
    /// - Throws: ``Failure`` where it cannot be reached from this machine.
    func leave(cancel run: RunNumber?) throws { try leave("cancel \(run.map(String.init) ?? "all")") }

    private func leave(_ text: String) throws {
        let pid: pid_t
        switch Ledger.holder(entry.ledger) {
        case .working(let number, _): pid = number
        case .elsewhere(_, let host, _):
            throw Failure(.heldElsewhere, "the coordinator of this sweep runs on \(host); ask it there")
        case .ended, .vanished, .nobody:
            throw Failure(.heldElsewhere, "the coordinator of this sweep has just ended; try again")
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // A name of its own, so that no request takes another's place.
            let path = "\(folder)/\(UUID().uuidString)"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Failure(.storage, "\(folder) cannot be written", cause: error.localizedDescription)
        }
        guard kill(pid, SIGUSR1) == 0 else {
            throw Failure(
                .heldElsewhere, "the coordinator (pid \(pid)) cannot be told", cause: String(cString: strerror(errno)))
        }
    }

    /// Takes what was left, each once.
    func take() -> [Inbox.Request] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            // What has a point in its name is still being written.
            guard UUID(uuidString: name) != nil else { return nil }
            let path = "\(folder)/\(name)"
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
            try? FileManager.default.removeItem(atPath: path)
            return Requests.request(text)
        }
    }

    private static func request(_ text: String) -> Inbox.Request? {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0] == "cancel" else { return nil }
        let reason = "cancelled by 'usweep cancel'"
        if words[1] == "all" { return .cancel(run: nil, reason: reason) }
        return RunNumber(words[1]).map { .cancel(run: $0, reason: reason) }
    }
}
