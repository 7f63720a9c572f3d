package import CoordinatorRuntime
import Foundation
package import Model
package import Ports
import SweepFiles
import Synchronization
import Transports

/// The ways to the hosts of an inventory, and short questions that go over them.
package enum HostConnections {
    /// Reads an inventory, with all transports that there are.
    package static func inventory(path: String) throws -> Inventory {
        try InventoryFile.read(path: path, transports: TransportRegistry.formats)
    }

    /// - Parameter keepsConnections: whether a connection without streams is kept for a while, for the next one.
    package static func transport(for inventory: Inventory, keepsConnections: Bool = true) -> any Transport {
        let setting = TransportSetting(
            sshConfiguration: inventory.sshConfiguration, environment: ProcessInfo.processInfo.environment,
            keepsConnections: keepsConnections,
            note: { try? FileHandle.standardError.write(contentsOf: Data("usweep: \($0)\n".utf8)) })
        return NamedTransports(setting)
    }

    /// What a short command said.
    package struct Answer: Sendable {
        package var output: String
        /// What people should know about the way to the host.
        package var notes: [String]
        package var end: StreamEnd
        /// The end of what it said on standard error.
        var complaints = ""

        /// The system and processor of the host, as `uname` names them; nil: the command did not begin.
        var platform: String? {
            output.split(separator: "\n").first { $0.hasPrefix(HostScript.greeting) }
                .map { String($0.dropFirst(HostScript.greeting.count)) }
        }

        /// What the script said (`say NAME VALUE`), in order; whatever else a login prints is passed over. The value is
        /// empty where there is none.
        var said: [(name: String, value: String)] {
            output.split(whereSeparator: \.isNewline).compactMap { line in
                let words = line.split(separator: " ", maxSplits: 2)
                guard words.count >= 2, words[0] == HostScript.mark else { return nil }
                return (String(words[1]), words.count > 2 ? String(words[2]) : "")
            }
        }

        /// The same by name, the last of each.
        var facts: [String: String] { said.reduce(into: [:]) { $0[$1.name] = $1.value } }

        /// Why the script said less than all.
        var silence: String { end.message.isEmpty ? "it did not answer" : end.message }

        /// The last line of its output, or else of standard error, that is not blank; empty: there is none.
        var lastLine: String {
            for text in [output, complaints] {
                let lines = text.split(whereSeparator: \.isNewline)
                if let line = lines.last(where: { !$0.allSatisfy(\.isWhitespace) }) { return String(line) }
            }
            return ""
        }
    }

    /// Runs a script on a host to its end.
    ///
    /// - Parameters:
    ///   - input: what the script reads.
    ///   - patience: how long it may take once the login has begun; getting there has deadlines of its own.
    package static func ask(
        _ transport: any Transport, _ target: HostTarget, _ script: HostScript, input: String,
        patience: Duration = .seconds(60)
    ) async -> Answer {
        let question = Question(label: "host \(target.name)", patience: patience, input: script.input(input))
        return await withCheckedContinuation { done in
            question.begin(transport, target) { done.resume(returning: $0) }
        }
    }

    /// Waits for what is asynchronous, on a thread that nothing else needs.
    package static func waiting<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Value?>(nil)
        Task {
            let value = await body()
            result.withLock { $0 = value }
            done.signal()
        }
        while true {
            done.wait()
            if let value = result.withLock({ $0 }) { return value }
        }
    }
}

/// A command under way, with what it has said so far.
private final class Question: Sendable {
    private struct State {
        var output: [UInt8] = []
        var complaints: [UInt8] = []
        var count = 0
        var notes: [String] = []
        var connection: (any Connection)?
        /// What is to be sent once the command greets: start-up files of the account may read what comes before.
        var input: [UInt8]?
        /// So much of the output has no greeting that begins in it.
        var searched = 0
        /// Why this side closed.
        var reason: String?
        var timer: Task<Void, Never>?
    }

    private let label: String
    private let patience: Duration
    private let state: Mutex<State>

    /// What a command may say, in bytes.
    private static let longestOutput = 1 << 20
    /// What is kept of its standard error.
    private static let longestComplaint = 4_096

    init(label: String, patience: Duration, input: [UInt8]) {
        self.label = label
        self.patience = patience
        state = Mutex(State(input: input))
    }

    func begin(
        _ transport: any Transport, _ target: HostTarget, whenDone: @escaping @Sendable (HostConnections.Answer) -> Void
    ) {
        let connection = transport.open(target, command: HostScript.command) { [self] event in
            switch event {
            case .noted(let text): state.withLock { $0.notes.append(text) }
            case .opened: startTimer()
            case .received(let bytes):
                take(bytes, keeping: true)
                sendOnceGreeted()
            case .diagnostic(let bytes): take(bytes, keeping: false)
            case .closed(let end): whenDone(answer(end))
            }
        }
        state.withLock { $0.connection = connection }
        sendOnceGreeted()
    }

    /// The greeting may come before the connection is known here, and in pieces.
    private func sendOnceGreeted() {
        let greeting = Array("\n\(HostScript.greeting)".utf8)
        let (connection, input) = state.withLock { state -> ((any Connection)?, [UInt8]?) in
            guard let connection = state.connection, let input = state.input else { return (nil, nil) }
            guard state.output[state.searched...].contains(greeting) else {
                state.searched = max(0, state.output.count - greeting.count + 1)
                return (nil, nil)
            }
            state.input = nil
            return (connection, input)
        }
        if let input { connection?.send(input) }
    }

    private func startTimer() {
        let timer = Task { [self] in
            do { try await Task.sleep(for: patience) } catch { return }
            close(
                "logged in, but the command did not end within \(patience): does a command in the account's start-up "
                    + "files (~/.bashrc, ~/.profile) wait for something?")
        }
        state.withLock { $0.timer = timer }
    }

    private func take(_ bytes: [UInt8], keeping: Bool) {
        let isTooLong = state.withLock { state in
            state.count += bytes.count
            if keeping {
                state.output += bytes.prefix(max(0, Question.longestOutput - state.output.count))
            } else {
                state.complaints = Array((state.complaints + bytes).suffix(Question.longestComplaint))
            }
            return state.count > Question.longestOutput
        }
        if isTooLong {
            close(
                "its login printed more than 1 MiB: does a command in the account's start-up files "
                    + "(~/.bashrc, ~/.profile) loop without end?")
        }
    }

    private func close(_ reason: String) {
        let connection = state.withLock { state in
            state.reason = state.reason ?? reason
            return state.connection
        }
        connection?.close()
    }

    private func answer(_ end: StreamEnd) -> HostConnections.Answer {
        state.withLock { state in
            state.timer?.cancel()
            let reason = state.reason.map { StreamEnd(kind: .unreachable, message: "\(label): \($0)") }
            // The closure of the connection refers to this: let both go.
            state.connection = nil
            return HostConnections.Answer(
                output: String(decoding: state.output, as: UTF8.self), notes: state.notes, end: reason ?? end,
                complaints: String(decoding: state.complaints, as: UTF8.self))
        }
    }
}
