import Model

/// How a run ended, and the driver's exit status.
enum DriverEnding: Equatable {
    case checkpointed
    case measured
    /// Not all was measured, since so many invocations were enough.
    case tight(Int)
    case guestPanic(String)
    case wrongAnswer(String)
    case failingStatus(String)
    /// Not within the invoker's patience.
    case noAnswer(String)
    case guestFailed(String)
    case emulatorFailed(String)
    /// The run could not start from it.
    case checkpointFailed(String)
    case checkpointUnwritten(String)
    /// It was made of other things than this run has.
    case checkpointIncompatible(String)
    case statisticsIncomplete(String)
    /// Not because of what the guest did.
    case statisticsUnwritten(String)
    case terminated(Int32)

    var exitStatus: Int32 {
        switch self {
        case .checkpointed, .measured, .tight: 0
        case .guestPanic: 3
        case .wrongAnswer: 4
        case .guestFailed: 5
        case .emulatorFailed: 6
        case .checkpointFailed: 7
        case .statisticsIncomplete: 8
        case .checkpointIncompatible: 9
        case .failingStatus: 10
        case .noAnswer: 11
        case .checkpointUnwritten: 12
        case .statisticsUnwritten: 13
        case .terminated(let signal): 128 + signal
        }
    }

    var cause: String {
        switch self {
        case .checkpointed: "checkpointed"
        case .measured: "measured"
        case .tight: "tight"
        case .guestPanic: "guest-panic"
        case .wrongAnswer: "wrong-answer"
        case .failingStatus: "failing-status"
        case .noAnswer: "no-answer"
        case .guestFailed: "guest-failed"
        case .emulatorFailed: "emulator-failed"
        case .checkpointFailed: "checkpoint-failed"
        case .checkpointIncompatible: "checkpoint-incompatible"
        case .checkpointUnwritten: "checkpoint-unwritten"
        case .statisticsIncomplete: "statistics-incomplete"
        case .statisticsUnwritten: "statistics-unwritten"
        case .terminated: "terminated"
        }
    }

    /// What to tell people; nothing where all went well.
    var message: String? {
        switch self {
        case .checkpointed, .measured, .tight: nil
        case .guestPanic(let text): "the guest's kernel panicked: \(text)"
        case .wrongAnswer(let text): "the function gave a wrong answer: \(text)"
        case .failingStatus(let text): "the function failed: \(text)"
        case .noAnswer(let text): "the function did not answer: \(text)"
        case .guestFailed(let text): "the guest gave up: \(text)"
        case .emulatorFailed(let text): "QEMU failed: \(text)"
        case .checkpointFailed(let text): "the checkpoint failed: \(text)"
        case .checkpointIncompatible(let text): "the checkpoint is not this run's: \(text)"
        case .checkpointUnwritten(let text): "the checkpoint could not be written: \(text)"
        case .statisticsUnwritten(let text): "the statistics could not be written: \(text)"
        case .statisticsIncomplete(let text): "the statistics are not complete: \(text)"
        case .terminated(let signal): "ended by signal \(signal)"
        }
    }
}

/// What the driver says to QEMU and the guest, and when: a pure state machine.
///
/// Boot: greeting, capabilities, guest booted, stop, save, saved, quit. Setup: the same with a guest that was warmed,
/// after a restore where it goes on from a booted one. Evaluation: greeting, capabilities, restore, restored, continue,
/// guest has measured, quit; or so much is measured that it is enough, and QEMU is killed: its statistics are on file,
/// and its monitor would answer only when the guest's cores sleep. Whatever goes wrong on the way ends QEMU.
struct Conversation {
    enum Input {
        case monitor(JSON)
        case guest(String)
        case console(String)
        case signal(Int32)
        /// So many invocations are enough.
        case enough(Int)
        /// QEMU's exit status as a shell gives it, and the last line that it said.
        case exited(status: Int32, lastLine: String)
    }

    enum Action: Equatable {
        /// A line to send to QEMU's monitor.
        case command(String)
        /// A phase begins.
        case phase(String)
        /// SIGTERM to QEMU: it ends in good order.
        case endEmulator
        case killEmulator
        /// QEMU is gone, and this is the verdict.
        case finish(DriverEnding)
    }

    private enum State: Equatable {
        case greeting
        case negotiating
        case enabling
        case adjusting
        case booting
        case stopping
        case saving
        case restoring
        case measuring
        /// QEMU is about to go, and then this holds.
        case ending(DriverEnding)
        case over
    }

    private let isEvaluation: Bool
    private let isRestored: Bool
    /// The guest's word at which its checkpoint is taken.
    private let lastWord: String
    private var state = State.greeting
    /// Measured calls that were due before the one before them had been answered, as the guest counted them.
    private(set) var lateCalls = 0

    init(_ request: Request) {
        isEvaluation = request.isEvaluation
        isRestored = request.restored != nil
        lastWord = request.workload == nil ? "booted" : "warmed"
    }

    mutating func take(_ input: Input) -> [Action] {
        switch input {
        case .monitor(let message): monitor(message)
        case .guest(let line): guest(line)
        case .console(let line): console(line)
        case .signal(let number): signal(number)
        case .enough(let count): enough(count)
        case .exited(let status, let lastLine): exited(status, lastLine)
        }
    }

    // MARK: - The monitor

    private mutating func monitor(_ message: JSON) -> [Action] {
        if let error = message["error"] {
            return fail(.emulatorFailed("its monitor says: \(error["desc"]?.text ?? "an error without a text")"))
        }
        if message["event"]?.text == "MIGRATION" {
            return migrated(message["data"]?["status"]?.text ?? "")
        }
        if message["QMP"] != nil, state == .greeting {
            state = .negotiating
            return [.command(#"{"execute":"qmp_capabilities"}"#)]
        }
        // The answer to `cont` may come late.
        guard message["return"] != nil, state != .stopping || message["id"]?.text == "stop" else { return [] }
        return confirmed()
    }

    /// The last command has been carried out.
    private mutating func confirmed() -> [Action] {
        switch state {
        case .negotiating:
            state = .enabling
            return [.command(Self.enableEvents)]
        case .enabling:
            state = .adjusting
            return [.command(Self.parameters)]
        case .adjusting where !isRestored:
            state = .booting
            return [.phase("boot")]
        case .adjusting:
            state = .restoring
            return [.phase("restore"), .command(Self.migration("migrate-incoming", Request.restoreURI))]
        case .stopping:
            state = .saving
            return [.phase("checkpoint"), .command(Self.migration("migrate", Request.saveURI))]
        case .greeting, .booting, .saving, .restoring, .measuring, .ending, .over: return []
        }
    }

    private mutating func migrated(_ status: String) -> [Action] {
        switch (state, status) {
        case (.saving, "completed"):
            state = .ending(.checkpointed)
            return [.command(Self.quit)]
        case (.restoring, "completed"):
            // From here on QEMU answers only when the guest's cores sleep: the guest may have measured before.
            state = isEvaluation ? .measuring : .booting
            return [.phase(isEvaluation ? "measure" : "booted"), .command(#"{"execute":"cont"}"#)]
        case (.saving, "failed"), (.saving, "cancelled"):
            return fail(.checkpointUnwritten("is the disk full, and is zstd installed?"))
        case (.restoring, "failed"), (.restoring, "cancelled"):
            return fail(.checkpointFailed("it could not be read, or belongs to another machine"))
        default: return []
        }
    }

    static let enableEvents =
        #"{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"events","state":true}]}}"#

    /// A restored machine announces its network cards several times, by the host's clock, even where it has none. While
    /// such a timer is pending, QEMU ends a core's turn when it is due (`-icount` looks at that clock, too), so that
    /// the order in which the cores run would depend on the host's load. And QEMU writes no faster than 128 MiB a
    /// second where it is not told that nobody else waits for that line.
    static let parameters = #"{"execute":"migrate-set-parameters","arguments":{"announce-rounds":0,"#
        + #""max-bandwidth":\#(1 << 40)}}"#
    static let quit = #"{"execute":"quit"}"#

    private static func migration(_ command: String, _ address: String) -> String {
        "{\"execute\":\"\(command)\",\"arguments\":{\"uri\":\(quoted(address))}}"
    }

    // MARK: - The guest

    private mutating func guest(_ line: String) -> [Action] {
        let word = line.prefix { $0 != " " }
        let rest = String(line.dropFirst(word.count + 1))
        switch (word, state) {
        case ("wrong", _): return fail(.wrongAnswer(rest))
        case ("status", _): return fail(.failingStatus(rest))
        case ("late", _): return fail(.noAnswer(rest))
        case ("failed", _): return fail(.guestFailed(rest))
        case (_, .booting) where word == lastWord:
            state = .stopping
            return [.phase(lastWord), .command(#"{"execute":"stop","id":"stop"}"#)]
        case ("measured", .measuring):
            lateCalls = Int(rest) ?? 0
            state = .ending(.measured)
            return [.command(Self.quit)]
        case (_, .booting) where ["booted", "services", "container", "pinned", "serving"].contains(word):
            return [.phase(String(word))]
        default: return []
        }
    }

    private mutating func enough(_ count: Int) -> [Action] {
        guard state == .measuring else { return [] }
        state = .ending(.tight(count))
        return [.killEmulator]
    }

    private mutating func console(_ line: String) -> [Action] {
        guard let start = line.range(of: "Kernel panic - not syncing") else { return [] }
        return fail(.guestPanic(String(line[start.lowerBound...])))
    }

    // MARK: - The end

    private mutating func signal(_ number: Int32) -> [Action] {
        switch state {
        case .over: return []
        case .ending(.terminated): return [.killEmulator]
        default:
            state = .ending(.terminated(number))
            return [.endEmulator]
        }
    }

    /// The first cause counts: what follows from it is noise.
    private mutating func fail(_ ending: DriverEnding) -> [Action] {
        switch state {
        case .ending(.checkpointed), .ending(.measured): break
        case .ending, .over: return []
        default: break
        }
        state = .ending(ending)
        return [.endEmulator]
    }

    private mutating func exited(_ status: Int32, _ lastLine: String) -> [Action] {
        let verdict: DriverEnding
        switch state {
        case .over: return []
        case .ending(.measured) where status != 0, .ending(.checkpointed) where status != 0:
            verdict = .emulatorFailed("it ended with status \(status): \(lastLine)")
        case .ending(let ending): verdict = ending
        default: verdict = unexpectedEnd(status, lastLine)
        }
        state = .over
        return [.finish(verdict)]
    }

    private func unexpectedEnd(_ status: Int32, _ lastLine: String) -> DriverEnding {
        let text = "it ended early with status \(status): \(lastLine)"
        switch state {
        case .restoring: return .checkpointFailed(text)
        case .booting where status == 0, .measuring where status == 0: return .guestFailed("the guest shut down")
        default: return .emulatorFailed(text)
        }
    }
}

extension StringProtocol {
    /// Where `text` first occurs.
    func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
