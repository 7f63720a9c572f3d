import DequeModule
import Model
import Storage
import Synchronization

/// The agent's program, as it is brought to hosts.
package final class BroughtAgent: Sendable {
    let bytes: [UInt8]
    private let known = Mutex<Digest?>(nil)
    /// As `uname -s` and `uname -m` say it.
    package static let platform = "Linux x86_64"

    /// Why a host cannot run it.
    ///
    /// - Parameter platform: what `uname` says there of system and processor; blank where it says nothing.
    package static func refusal(of platform: String) -> String {
        platform.allSatisfy(\.isWhitespace)
            ? "no programs are found there, not even uname: look in the account's start-up files "
                + "(~/.bashrc, ~/.profile) for what changes PATH"
            : "the host is \(platform); the agent is built for \(BroughtAgent.platform) only"
    }
    private let packed = Mutex<[UInt8]?>(nil)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Found when it is first asked for, which takes some tens of milliseconds: in the workshop, while hosts are
    /// reached.
    var digest: Digest {
        known.withLock { known in
            let digest = known ?? SHA256.digest(bytes)
            known = digest
            return digest
        }
    }

    /// In gzip's format (RFC 1952); nil: not made yet.
    var compressed: [UInt8]? { packed.withLock { $0 } }

    /// Makes the compressed form, which takes about a third of a second: in the workshop.
    func pack() {
        guard compressed == nil else { return }
        let gzip = try? Gzip(level: Gzip.usualLevel)
        let made = bytes.withUnsafeBytes { gzip?.add($0, isLast: true) ?? [] }
        packed.withLock { $0 = made }
    }
}

/// One copy of the agent to one host, in pieces that the host confirms: as it is where that is quick, compressed where
/// the link is slow.
struct AgentCopy {
    /// For people.
    struct Progress: Sendable, Equatable {
        var arrived: Int
        var total: Int
        /// Bytes a second; nil: not known yet.
        var rate: Double?

        /// Seconds until the end at this rate.
        var secondsLeft: Double? { rate.flatMap { $0 > 0 ? Double(total - arrived) / $0 : nil } }

        /// As in "1.2 MiB of 3.1 MiB".
        var amount: String { "\(PeopleText.size(Int64(arrived))) of \(PeopleText.size(Int64(total)))" }

        /// As in "1.2 MiB of 3.1 MiB, 12 KiB/s, 2 m 30 s left".
        var text: String {
            guard let rate, let secondsLeft else { return amount }
            let left = PeopleText.span(Nanoseconds(min(secondsLeft, 1e9).rounded(.up) * 1e9))
            return "\(amount), \(PeopleText.size(Int64(min(rate, 1e15))))/s, \(left) left"
        }
    }

    private enum Form: String {
        case raw, gzip
    }

    private let agent: BroughtAgent
    private var form = Form.raw
    /// How much of the compressed form is on the host; nil: the host cannot use that.
    private let packedThere: Int?
    private var sent: Int
    private var arrived: Int
    private let began: Nanoseconds
    /// When this form began, and with how much.
    private var formBegan: (at: Nanoseconds, with: Int)
    private var inFlight: Deque<(end: Int, at: Nanoseconds)> = []
    private var pieceLength = AgentCopy.shortestPiece
    /// Whether somebody has to make the compressed form: once.
    private(set) var wantsPacking = false
    private(set) var isDone = false

    private static let shortestPiece = 16 << 10
    private static let longestPiece = 1 << 20
    /// A copy of which not even half arrived in this time goes on compressed.
    private static let slow: Nanoseconds = 1_000_000_000

    /// - Parameters:
    ///   - raw: how much of the program is on the host already.
    ///   - gzip: how much of its compressed form; nil: the host cannot use that.
    init(_ agent: BroughtAgent, raw: Int, gzip: Int?, now: Nanoseconds) {
        self.agent = agent
        // What a host says of itself may be anything.
        packedThere = gzip.map { max(0, $0) }
        sent = max(0, min(raw, agent.bytes.count))
        arrived = sent
        began = now
        formBegan = (now, sent)
    }

    private var data: [UInt8] { form == .raw ? agent.bytes : agent.compressed ?? [] }

    /// The host has so many bytes now.
    mutating func arrived(_ form: String, _ count: Int, now: Nanoseconds) {
        guard form == self.form.rawValue, count > arrived, count <= data.count else { return }
        arrived = count
        while let first = inFlight.first, first.end <= count {
            inFlight.removeFirst()
            // A piece takes about a second or less, so that progress is seen.
            if now - first.at < 250_000_000 { pieceLength = min(pieceLength * 4, AgentCopy.longestPiece) }
            if now - first.at > 2_000_000_000 { pieceLength = max(pieceLength / 2, AgentCopy.shortestPiece) }
        }
    }

    /// What to send now; may be nothing.
    mutating func next(now: Nanoseconds) -> [UInt8] {
        wantsPacking = false
        if let there = packedThere, form == .raw, arrived < data.count,
            there > 0 || (now - began > AgentCopy.slow && arrived < data.count / 2)
        {
            wantsPacking = agent.compressed == nil
            if let packed = agent.compressed, !packed.isEmpty {
                let held = min(there, packed.count)
                (form, sent, arrived, inFlight, formBegan) = (.gzip, held, held, [], (now, held))
            }
        }
        let data = data
        if arrived >= data.count {
            isDone = true
            return Array("done \(form.rawValue)\n".utf8)
        }
        var bytes: [UInt8] = []
        while inFlight.count < 2, sent < data.count {
            let end = min(sent + pieceLength, data.count)
            bytes += Array("put \(form.rawValue) \(end - sent)\n".utf8) + data[sent..<end]
            inFlight.append((end, now))
            sent = end
        }
        return bytes
    }

    func progress(now: Nanoseconds) -> Progress {
        let seconds = Double(now - formBegan.at) / 1e9
        let rate = seconds > 0.5 && arrived > formBegan.with ? Double(arrived - formBegan.with) / seconds : nil
        return Progress(arrived: arrived, total: data.count, rate: rate)
    }
}
