import Formats
import Model

/// Brings the agent to a host and attaches to it, over one stream to one constant command.
///
/// The command is a short shell script in single quotes on one line, which every login shell (sh, bash, zsh, tcsh,
/// fish) hands to `/bin/sh` unchanged: it has no single quote, no `!` and no backslash. What varies (folder,
/// digest, size, the agent itself) goes through standard input. The dialogue, a line each:
///
///     host         usweep-bootstrap 1 Linux x86_64       (whatever a login prints before is skipped)
///     coordinator  workdir, digest, size                 (three lines)
///     host         usweep-have | usweep-need             (the agent's bytes follow from here if needed)
///     host         usweep-failed REASON                  (instead of going on)
///
/// then the script becomes `usweep-agent attach`, which sends ``Preamble/bytes`` and speaks in frames.
struct Bootstrap {
    /// The agent's binary, and what it is for.
    struct Agent: Sendable {
        var bytes: [UInt8]
        var digest: Digest
        /// As `uname -s` and `uname -m` say it.
        static let platform = "Linux x86_64"
    }

    /// What to do after some bytes.
    enum Step: Equatable {
        case send([UInt8])
        /// The agent speaks from here on; the bytes are the first of its stream.
        case attached([UInt8])
        case failed(String)
    }

    private enum Phase {
        case greeting, deciding, attaching
    }

    /// What a login may print before the script speaks.
    static let longestNoise = 1 << 20

    private static let failure = "usweep-failed "

    private var phase = Phase.greeting
    private var buffer: [UInt8] = []
    private let agent: Agent
    private let workdir: String

    init(agent: Agent, workdir: String) {
        self.agent = agent
        self.workdir = workdir
    }

    static let command: String = {
        let script = [
            "umask 077",
            #"echo; echo "usweep-bootstrap 1 $(uname -s) $(uname -m)""#,
            #"fail() { echo "usweep-failed $*"; exit 1; }"#,
            "IFS= read -r W && IFS= read -r D && IFS= read -r N || exit 1",
            #"case $W in "~") W=$HOME;; "~/"*) W=$HOME/${W#??};; esac"#,
            #"mkdir -p "$W/bin" 2>/dev/null || fail "the working folder $W cannot be made""#,
            "A=$W/bin/usweep-agent-$D",
            #"if [ -x "$A" ] && [ "$(wc -c < "$A")" -eq "$N" ]; then echo usweep-have; else echo usweep-need"#,
            #"T=$A.$$; head -c "$N" > "$T" || { rm -f "$T"; "#
                + #"fail "the agent cannot be written to $W (disk or quota full?)"; }"#,
            #"case $(sha256sum < "$T") in "$D "*) ;; *) rm -f "$T"; fail "the agent arrived damaged";; esac"#,
            #"chmod 700 "$T"; "$T" version > /dev/null 2>&1 || { rm -f "$T"; "#
                + #"fail "programs cannot run from $W (mounted noexec?): give the host another workdir"; }"#,
            #"mv -f "$T" "$A" || fail "the agent cannot be put into $W/bin"; fi"#,
            #"exec "$A" attach --workdir "$W""#,
        ]
        return "exec /bin/sh -c '" + script.joined(separator: "; ") + "'"
    }()

    /// Takes in output of the remote command.
    mutating func receive(_ bytes: [UInt8]) -> [Step] {
        buffer.append(contentsOf: bytes)
        var steps: [Step] = []
        while let step = next() {
            steps.append(contentsOf: step)
            if case .attached = step.last { break }
        }
        if buffer.count > Bootstrap.longestNoise {
            steps.append(.failed("the login printed more than a megabyte and never started the agent"))
        }
        return steps
    }

    private mutating func next() -> [Step]? {
        if case .attaching = phase, let end = endOfPreamble() {
            let rest = Array(buffer[end...])
            buffer = []
            return [.attached(rest)]
        }
        guard let end = buffer.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        // Of a script that failed nothing follows, and so no preamble.
        guard line.hasPrefix(Bootstrap.failure) || !isPreambleStart(end) else { return nil }
        buffer.removeFirst(end + 1)
        return take(line)
    }

    private mutating func take(_ line: String) -> [Step] {
        if line.hasPrefix(Bootstrap.failure) { return [.failed(String(line.dropFirst(Bootstrap.failure.count)))] }
        switch phase {
        case .greeting:
            guard line.hasPrefix("usweep-bootstrap 1 ") else { return [] }
            let platform = String(line.dropFirst(19))
            guard platform == Agent.platform else {
                return [.failed("the host is \(platform); the agent is built for \(Agent.platform) only")]
            }
            phase = .deciding
            return [.send(Array("\(workdir)\n\(agent.digest.hex)\n\(agent.bytes.count)\n".utf8))]
        case .deciding:
            switch line {
            case "usweep-have":
                phase = .attaching
                return []
            case "usweep-need":
                phase = .attaching
                return [.send(agent.bytes)]
            default: return []
            }
        case .attaching: return []
        }
    }

    /// The preamble begins with a line end of its own, so that it is never taken for the end of a line of noise
    /// before all of it is there.
    private func isPreambleStart(_ index: Int) -> Bool {
        guard case .attaching = phase else { return false }
        return buffer[index...].starts(with: Preamble.bytes.prefix(buffer.count - index))
    }

    private func endOfPreamble() -> Int? {
        guard let start = buffer.indices.first(where: { buffer[$0...].starts(with: Preamble.bytes) }) else {
            return nil
        }
        return start + Preamble.bytes.count
    }
}
