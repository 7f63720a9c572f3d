import Formats
import Model
import Ports

/// Brings the agent to a host and attaches to it, over one stream to ``HostScript/command``. The dialogue, a line each:
///
///     host         usweep-shell 1 Linux x86_64           (whatever a login prints before is skipped)
///     coordinator  the script, workdir, digest, verb     (three lines behind the script: HostScript.input)
///     host         usweep-have                           (a file of that digest is there)
///                | usweep-need RAW GZIP                  (so many bytes of it are there, as it is and compressed;
///                                                         `-`: the host has no gzip)
///     coordinator  put raw|gzip COUNT                    (and so many bytes)
///     host         usweep-at raw|gzip COUNT              (so many bytes of it are there now)
///     coordinator  done raw|gzip
///     host         usweep-failed REASON                  (instead of going on)
///
/// then the script becomes `usweep-agent VERB`, which sends ``Preamble/bytes`` and speaks in frames.
///
/// What has arrived stays on the host when the connection breaks, and the next one goes on from there. Parts and the
/// file that is being made bear the name of the machine and the number of the process, so that hosts with a shared home
/// do not write into each other's.
struct Bootstrap {
    /// What to do after some bytes.
    enum Step: Equatable {
        case send([UInt8])
        /// The agent speaks from here on; the bytes are the first of its stream.
        case attached([UInt8])
        case failed(String)
    }

    private enum Phase {
        case greeting, deciding
        case copying(AgentCopy)
        case attaching
    }

    /// What a login may print before the agent speaks, in bytes.
    static let longestNoise = 1 << 20
    /// How long nothing may happen.
    static let patience: Nanoseconds = 60_000_000_000

    private static let failure = "usweep-failed "

    private var phase = Phase.greeting
    /// Output that was not taken, whose first `searched` bytes hold no line end.
    private var buffer: [UInt8] = []
    private var searched = 0
    private var received = 0
    /// The last line before the greeting that was not blank, as far as a message shows it.
    private var lastNoise = ""
    /// When something last happened that brings the agent closer; nil: the command was not started yet.
    private var lastProgress: Nanoseconds?
    private let agent: BroughtAgent
    private let workdir: String
    private let verb: Verb

    /// What the agent becomes that is brought.
    enum Verb: String {
        /// The stream to the agent of a host, which is started where there is none.
        case attach
        /// The gateway of a Slurm cluster.
        case gateway
    }

    init(agent: BroughtAgent, workdir: String, _ verb: Verb = .attach) {
        self.agent = agent
        self.workdir = workdir
        self.verb = verb
    }

    /// An agent that something else starts on its host: only its preamble is waited for.
    static func attaching(to agent: BroughtAgent) -> Bootstrap {
        var bootstrap = Bootstrap(agent: agent, workdir: "")
        bootstrap.phase = .attaching
        return bootstrap
    }

    // MARK: Time

    /// The command was started.
    mutating func opened(now: Nanoseconds) { lastProgress = now }

    /// Why this is given up; nil: it is not.
    func overdue(now: Nanoseconds) -> String? {
        guard let lastProgress, now - lastProgress >= Bootstrap.patience else { return nil }
        let limit = "\(Bootstrap.patience / 1_000_000_000) s"
        switch phase {
        case .greeting:
            return "the login succeeded, but the account's start-up files (~/.bashrc, ~/.profile) did not end within "
                + "\(limit): look there for a command that waits"
        case .deciding: return "its disk did not answer within \(limit)"
        case .copying(let copy):
            return "the copy of the agent stopped at \(copy.progress(now: now).amount): nothing arrived for \(limit). "
                + "The next try continues from there"
        case .attaching: return "the agent did not start within \(limit)"
        }
    }

    /// How far the copy of the agent is; nil: there is none under way.
    func progress(now: Nanoseconds) -> AgentCopy.Progress? {
        if case .copying(let copy) = phase { copy.progress(now: now) } else { nil }
    }

    /// Whether somebody has to call ``BroughtAgent/pack()`` for it.
    var wantsPacking: Bool { if case .copying(let copy) = phase { copy.wantsPacking } else { false } }

    /// What a login prints elsewhere counts, too.
    ///
    /// - Returns: why this is given up; nil: it is not.
    mutating func hear(_ count: Int) -> String? {
        received += count
        return received > Bootstrap.longestNoise ? Bootstrap.tooMuch : nil
    }

    private static let tooMuch =
        "its login printed more than 1 MiB and never started the agent: look for a loop in the account's start-up "
        + "files (~/.bashrc, ~/.profile)"

    // MARK: The dialogue

    /// Takes in output of the remote command.
    mutating func receive(_ bytes: [UInt8], now: Nanoseconds) -> [Step] {
        buffer.append(contentsOf: bytes)
        received += bytes.count
        var steps: [Step] = []
        // Somebody may send nothing but line ends, or a byte at a time: none is looked at again and again.
        var start = 0
        var isWaiting = false
        while !isWaiting, let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: buffer[start..<end], as: UTF8.self)
            if case .attaching = phase, buffer[end...].starts(with: Preamble.bytes) {
                return steps + [.attached(Array(buffer[(end + Preamble.bytes.count)...]))]
            }
            // Of a script that failed nothing follows, and so no preamble.
            isWaiting = !line.hasPrefix(Bootstrap.failure) && isPreambleStart(end)
            searched = end
            if isWaiting { continue }
            (start, searched) = (end + 1, end + 1)
            steps += take(line, now)
            if case .failed = steps.last { return steps }
        }
        if !isWaiting { searched = buffer.count }
        buffer.removeFirst(start)
        searched -= start
        if received > Bootstrap.longestNoise { steps.append(.failed(Bootstrap.tooMuch)) }
        return steps
    }

    private mutating func take(_ line: String, _ now: Nanoseconds) -> [Step] {
        if line.hasPrefix(Bootstrap.failure) { return [.failed(String(line.dropFirst(Bootstrap.failure.count)))] }
        let words = line.split(separator: " ").map(String.init)
        switch phase {
        case .greeting:
            guard line.hasPrefix(HostScript.greeting) else {
                note(noise: line)
                return []
            }
            let platform = String(line.dropFirst(HostScript.greeting.count))
            guard platform == BroughtAgent.platform else {
                return [.failed(BroughtAgent.refusal(of: platform))]
            }
            (phase, lastProgress) = (.deciding, now)
            return [.send(HostScript.bring.input("\(workdir)\n\(agent.digest.hex)\n\(verb.rawValue)\n"))]
        case .deciding:
            if words == ["usweep-have"] {
                (phase, lastProgress) = (.attaching, now)
                return []
            }
            guard words.count == 3, words[0] == "usweep-need", let raw = Int(words[1]) else { return [] }
            return go(AgentCopy(agent, raw: raw, gzip: Int(words[2]), now: now), now)
        case .copying(var copy):
            guard words.count == 3, words[0] == "usweep-at", let count = Int(words[2]) else { return [] }
            copy.arrived(words[1], count, now: now)
            return go(copy, now)
        case .attaching: return []
        }
    }

    private mutating func note(noise line: String) {
        if !line.allSatisfy(\.isWhitespace) { lastNoise = String(line.prefix(1_000)) }
    }

    /// What the end of the stream means here. A login that ends by itself before the script ran does so each time.
    func meaning(of end: StreamEnd) -> StreamEnd {
        guard case .greeting = phase, case .commandEnded(let status) = end.kind else { return end }
        var copy = self
        copy.note(noise: String(decoding: buffer, as: UTF8.self))
        return StreamEnd(
            kind: status == nil ? end.kind : .loginRefused, message: end.withoutCommand(lastLine: copy.lastNoise))
    }

    private mutating func go(_ copy: AgentCopy, _ now: Nanoseconds) -> [Step] {
        var copy = copy
        let sent = copy.next(now: now)
        (phase, lastProgress) = (copy.isDone ? .attaching : .copying(copy), now)
        return sent.isEmpty ? [] : [.send(sent)]
    }

    /// The preamble begins with a line end of its own, so that it is never taken for the end of a line of noise
    /// before all of it is there.
    private func isPreambleStart(_ index: Int) -> Bool {
        guard case .attaching = phase else { return false }
        return buffer[index...].starts(with: Preamble.bytes.prefix(buffer.count - index))
    }
}
