import CSystem
import Glibc
import Model

/// Drives one QEMU from its start to its end: carries what comes to the conversation, and its actions out.
final class Run {
    private let request: Request
    private let signals: Int32
    private let status: StatusFile
    private let terminal: OutputFile
    private let log: OutputFile
    private let output: Stream
    private let console: Stream
    private let events: Stream
    private let monitor: Stream
    /// nil: all invocations are measured.
    private let watch: StatisticsWatch?
    private var conversation: Conversation
    private var child: pid_t = 0
    private var lastLine = ""
    private var ending: DriverEnding?

    /// - Parameter signals: from `sys_signal_descriptor`.
    init(_ request: Request, signals: Int32) throws(SystemError) {
        self.request = request
        self.signals = signals
        conversation = Conversation(request)
        status = try StatusFile()
        terminal = try OutputFile(RunFiles.terminal)
        log = try OutputFile(RunFiles.emulator)
        output = try Stream()
        console = try Stream()
        events = try Stream()
        monitor = try Stream()
        if case .evaluate(let evaluation) = request, let until = evaluation.until {
            watch = try StatisticsWatch(until)
        } else {
            watch = nil
        }
    }

    /// - Returns: the verdict, when QEMU has gone.
    func finish() throws(SystemError) -> DriverEnding {
        try status.write(event: "phase", [("phase", quoted("start"))])
        ending = try checkRecord()
        if ending == nil { try runEmulator() }
        let verdict = try EvidenceCheck(request).judge(ending ?? .emulatorFailed("QEMU did not end"))
        try status.write(event: "exit", members(of: verdict))
        return verdict
    }

    /// Before anything starts: writes what the checkpoint is to be made of, or compares it with what it was made of.
    private func checkRecord() throws(SystemError) -> DriverEnding? {
        var digests = KnownDigests(FileDigest.of)
        if let restored = request.restored {
            let wanted = try request.isEvaluation ? request.record(&digests) : request.bootedRecord(&digests)
            let start = try EvidenceCheck.read(restored, most: CheckpointRecord.mostRead)
            guard let found = CheckpointRecord(startOf: start) else {
                return .checkpointIncompatible("it does not start with a record of what it was made from; make it "
                    + "again")
            }
            let differences = found.differences(from: wanted)
            guard differences.isEmpty else { return .checkpointIncompatible(differences.joined(separator: "; ")) }
        }
        if !request.isEvaluation {
            try OutputFile(RunFiles.partialCheckpoint).write(try request.record(&digests).frame)
        }
        return nil
    }

    private func runEmulator() throws(SystemError) {
        try startEmulator()
        do {
            while ending == nil { try step() }
        } catch {
            kill(child, SIGKILL)
            _ = collect(child, waiting: true)
            throw error
        }
    }

    private func startEmulator() throws(SystemError) {
        let empty = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard empty >= 0 else { throw SystemError("cannot open /dev/null") }
        let none = duplicateHigh(empty)
        close(empty)
        defer { close(none) }
        let streams = [none, output.theirs, output.theirs, console.theirs, events.theirs, monitor.theirs]
        child = try start(request.commandLine(), environment: environment(), descriptors: streams)
        for stream in [output, console, events, monitor] { stream.closeTheirs() }
    }

    private func environment() -> [String] {
        [
            "PATH=\(EvidenceCheck.searchPath())", "LC_ALL=C",
            "\(Request.savedVariable)=\(RunFiles.partialCheckpoint)",
            "\(Request.restoredVariable)=\(request.restored ?? "")",
        ]
    }

    /// Waits until something happens, then deals with all that has.
    private func step() throws(SystemError) {
        let streams = [output, console, events, monitor]
        var waiting = streams.map { pollfd(fd: $0.isOpen ? $0.descriptor : -1, events: Int16(POLLIN), revents: 0) }
        waiting.append(pollfd(fd: signals, events: Int16(POLLIN), revents: 0))
        waiting.append(pollfd(fd: watch?.descriptor ?? -1, events: Int16(POLLIN), revents: 0))
        guard poll(&waiting, nfds_t(waiting.count), -1) >= 0 else {
            if errno == EINTR { return }
            throw SystemError("cannot wait for QEMU")
        }
        for index in streams.indices where waiting[index].revents != 0 { try receive(streams[index]) }
        if waiting[streams.count + 1].revents != 0 { try takeLooks() }
        if waiting[streams.count].revents != 0 { try takeSignals() }
    }

    private func receive(_ stream: Stream) throws(SystemError) {
        let (bytes, lines) = try stream.receive()
        if stream === output { try log.write(bytes) }
        if stream === console { try terminal.write(bytes) }
        for line in lines {
            if stream === output {
                // What the model says is the reason; QEMU then adds only that it could not be loaded.
                if !lastLine.hasPrefix("model: ") { lastLine = line }
            } else if stream === console {
                try act(conversation.take(.console(line)))
            } else if stream === events {
                try act(conversation.take(.guest(line)))
            } else if let message = try? JSON(parsing: line) {
                try act(conversation.take(.monitor(message)))
            }
        }
    }

    private func takeLooks() throws(SystemError) {
        for look in try watch?.take() ?? [] {
            let reach = look.reach.map { "\($0)" } ?? "null"
            try status.write(
                event: "interval",
                [("number", "\(look.number)"), ("reach", reach), ("tight", "\(look.isEnough)")])
            if look.isEnough { try act(conversation.take(.enough(look.number))) }
        }
    }

    private func takeSignals() throws(SystemError) {
        while true {
            let number = sys_next_signal(signals)
            guard number != 0 else { return }
            guard number == SIGCHLD else {
                try act(conversation.take(.signal(number)))
                continue
            }
            guard let ended = collect(child, waiting: false) else { continue }
            child = 0
            // What QEMU and the guest said last comes first. A program that QEMU started may hold its output open,
            // so nothing is waited for here.
            for stream in [output, console, events, monitor] { try drain(stream) }
            try act(conversation.take(.exited(status: ended, lastLine: lastLine)))
        }
    }

    private func drain(_ stream: Stream) throws(SystemError) {
        var waiting = pollfd(fd: stream.descriptor, events: Int16(POLLIN), revents: 0)
        while stream.isOpen, poll(&waiting, 1, 0) > 0 { try receive(stream) }
    }

    private func act(_ actions: [Conversation.Action]) throws(SystemError) {
        for action in actions {
            switch action {
            case .command(let line): try monitor.send(line)
            case .phase(let name): try status.write(event: "phase", [("phase", quoted(name))])
            case .endEmulator: if child > 0 { kill(child, SIGTERM) }
            case .killEmulator: if child > 0 { kill(child, SIGKILL) }
            case .finish(let ending): self.ending = ending
            }
        }
    }

    private func members(of verdict: DriverEnding) -> [(name: String, json: String)] {
        var members = [("cause", quoted(verdict.cause))]
        if let message = verdict.message { members.append(("message", quoted(message))) }
        if case .evaluate(let evaluation) = request {
            if case .tight(let count) = verdict {
                // How many calls were late the guest counts up to the last one only.
                return members + [("begun", "\(count)"), ("ended", "\(count)")]
            }
            let marks = EvidenceCheck.marks() ?? (0, 0)
            members.append(("begun", "\(marks.begun)"))
            members.append(("ended", "\(marks.ended)"))
            if evaluation.driving.arrivals != .closedLoop { members.append(("late", "\(conversation.lateCalls)")) }
        }
        return members
    }
}
