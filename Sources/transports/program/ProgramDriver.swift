import Glibc
import Model
import Ports

/// Moves the bytes of all children on one thread.
final class ProgramDriver: PollClient {
    private let settings: ProgramSettings
    private let mailbox: Mailbox<ProgramMessage>
    private var streams: [ProgramStream] = []
    /// Children whose stream is closed but which have not ended: killed at this time.
    private var leaving: [(id: UInt64, process: pid_t, killAt: ContinuousClock.Instant)] = []
    private var isStopped = false

    private static let grace: Duration = .seconds(2)

    init(settings: ProgramSettings, mailbox: Mailbox<ProgramMessage>) {
        self.settings = settings
        self.mailbox = mailbox
    }

    func turn(_ messages: [ProgramMessage], ready: [Int32: Int16], now: ContinuousClock.Instant) -> PollWait {
        for message in messages { handle(message, now: now) }
        for stream in streams {
            stream.advance(now: now)
            if stream.isEnded { retire(stream, now: now) }
        }
        streams.removeAll { $0.isEnded }
        for (index, child) in leaving.enumerated() where now >= child.killAt {
            kill(-child.process, SIGKILL)
            leaving[index].killAt = now + .seconds(3600)
        }
        var wait = PollWait()
        for stream in streams { stream.addInterest(to: &wait) }
        for child in leaving { wait.add(child.killAt) }
        wait.isFinished = isStopped && streams.isEmpty && leaving.isEmpty
        return wait
    }

    private func handle(_ message: ProgramMessage, now: ContinuousClock.Instant) {
        switch message {
        case .open(let id, let target, let command, let observer):
            open(id, target, command, observer, now: now)
        case .send(let id, let bytes): streams.first { $0.id == id }?.send(bytes)
        case .close(let id): streams.first { $0.id == id }?.closeHere()
        case .exited(let id, let exit):
            streams.first { $0.id == id }?.exited(exit)
            leaving.removeAll { $0.id == id }
        case .stop:
            isStopped = true
            for stream in streams { stream.closeHere() }
        }
    }

    private func open(
        _ id: UInt64, _ target: HostTarget, _ command: String, _ observer: @escaping @Sendable (StreamEvent) -> Void,
        now: ContinuousClock.Instant
    ) {
        let token = String(UInt64.random(in: .min ... .max), radix: 16)
        let label = "host \(target.name)"
        do {
            let line = try CommandLine(target, command: command, settings: settings, token: token)
            var environment = settings.environment
            if line.marker != nil {
                // `LocalCommand` is run by $SHELL, which may be none that knows `>&2`.
                environment["SHELL"] = "/bin/sh"
                environment["SSH_ASKPASS_REQUIRE"] = "never"
                environment["LC_ALL"] = "C"
            }
            let child = try Child(program: line.program, arguments: line.arguments, environment: environment)
            let stream = ProgramStream(
                id: id, label: label, child: child, marker: line.marker, deadline: now + settings.openTimeout,
                observer: observer)
            streams.append(stream)
            let mailbox = mailbox
            if !child.whenEnded({ mailbox.post(.exited(id, $0)) }) {
                stream.end(StreamEnd(kind: .unreachable, message: "\(label): there is no thread left."))
            }
        } catch let end as StreamEnd {
            observer(.closed(end))
        } catch let failure as Child.SpawnFailure {
            let program = target.method == .local ? "/bin/sh" : "ssh"
            let advice = failure.code == ENOENT ? " (install openssh-client, or use libssh2)" : ""
            let text = "\(label): \(program) cannot be started: \(errorText(failure.code))\(advice)."
            observer(.closed(StreamEnd(kind: .misconfigured, message: text)))
        } catch {
            observer(.closed(StreamEnd(kind: .misconfigured, message: "\(label): \(error).")))
        }
    }

    /// A child that did not end by itself is asked to go, then made to.
    private func retire(_ stream: ProgramStream, now: ContinuousClock.Instant) {
        guard let process = stream.living else { return }
        kill(-process, SIGHUP)
        leaving.append((stream.id, process, now + ProgramDriver.grace))
    }
}
