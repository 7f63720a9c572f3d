package import CoordinatorRuntime
import Foundation
import Ledger
package import Model

/// What another `usweep` process asks of the coordinator of a sweep: a file in the sweep's folder, and SIGUSR1.
package struct Requests: Sendable {
    package let entry: ArtifactsFolder.Entry

    package init(entry: ArtifactsFolder.Entry) { self.entry = entry }

    private var folder: String { "\(entry.folder)/requests" }

    /// Leaves a request to cancel and wakes the coordinator.
    ///
    /// - Throws: ``Failure`` where it cannot be reached from this machine.
    package func leave(cancel run: RunNumber?) throws { try leave("cancel \(run.map(String.init) ?? "all")") }

    /// Asks for the end of a file of a running attempt.
    ///
    /// - Returns: nil: there is no such file, or nobody answered in time.
    /// - Throws: as ``leave(cancel:)``.
    package func tail(run: RunNumber, path: String) throws -> [UInt8]? {
        let token = try leave("tail \(run) \(path)")
        let answer = "\(folder)/\(token).answer"
        defer { try? FileManager.default.removeItem(atPath: answer) }
        for _ in 0..<500 {
            if let data = FileManager.default.contents(atPath: answer) {
                return data.first == UInt8(ascii: "+") ? Array(data.dropFirst()) : nil
            }
            usleep(20_000)
        }
        return nil
    }

    /// Answers one who waits in ``tail(run:path:)``.
    package func answer(_ token: String, _ bytes: [UInt8]?) {
        guard UUID(uuidString: token) != nil else { return }
        let data = Data(bytes.map { [UInt8(ascii: "+")] + $0 } ?? [UInt8(ascii: "-")])
        try? data.write(to: URL(fileURLWithPath: "\(folder)/\(token).answer"), options: .atomic)
    }

    /// - Returns: the name under which the request was left.
    @discardableResult
    private func leave(_ text: String) throws -> String {
        let token = UUID().uuidString
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

    /// Takes what was left, each once.
    package func take() -> [Inbox.Request] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            // What has a point in its name is still being written.
            guard UUID(uuidString: name) != nil else { return nil }
            let path = "\(folder)/\(name)"
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
            try? FileManager.default.removeItem(atPath: path)
            return Requests.request(text, token: name)
        }
    }

    private static func request(_ text: String, token: String) -> Inbox.Request? {
        let words = text.split(separator: " ", maxSplits: 2)
        let reason = "cancelled by 'usweep cancel'"
        if words == ["cancel", "all"] { return .cancel(run: nil, reason: reason) }
        guard words.count > 1, let run = RunNumber(words[1]) else { return nil }
        if words[0] == "cancel" { return .cancel(run: run, reason: reason) }
        guard words[0] == "tail", words.count == 3, RelativePath.isSafe(String(words[2])) else { return nil }
        return .tail(run: run, path: String(words[2]), token: token)
    }
}
