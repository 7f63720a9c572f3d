import AgentRuntime
import CoordinatorRuntime
import Formats
import Model

/// The host's end of a stream: plays the bootstrap's script and `attach`, which join the stream to the agent.
final class RemoteCommand {
    private enum Phase {
        case asking([UInt8])
        /// What has come of the agent's copy and is not understood yet, and how much of it is there.
        case copying([UInt8], there: Int)
        /// The agent is being found or started; what came meanwhile.
        case attaching([UInt8])
        case joined(AgentStream)
        case ended
    }

    private unowned let channel: Channel
    private var host: SimulatedHost { channel.host }
    private var phase = Phase.asking([])

    init(_ channel: Channel) { self.channel = channel }

    func start() { channel.answer(Array("Welcome to \(host.name)\n\nusweep-shell 1 Linux x86_64\n".utf8)) }

    func receive(_ bytes: [UInt8]) {
        switch phase {
        case .asking(let before):
            let all = before + bytes
            guard let data = HostScript.data(of: all), data.count(where: { $0 == UInt8(ascii: "\n") }) >= 3 else {
                phase = .asking(all)
                return
            }
            if host.hasAgentProgram {
                channel.answer(Array("usweep-have\n".utf8))
                attach()
            } else {
                channel.answer(Array("usweep-need 0 -\n".utf8))
                phase = .copying([], there: 0)
            }
        case .copying(let before, let there): copy(before + bytes, there)
        case .attaching(let before): phase = .attaching(before + bytes)
        case .joined(let stream): stream.arrive(bytes)
        case .ended: break
        }
    }

    /// A command a line; after `put`, so many bytes.
    private func copy(_ bytes: [UInt8], _ there: Int) {
        phase = .copying(bytes, there: there)
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        if words.first == "done" {
            host.hasAgentProgram = true
            return attach()
        }
        let count = words.count == 3 ? Int(words[2]) ?? 0 : 0
        guard bytes.count - end - 1 >= count else { return }
        channel.answer(Array("usweep-at raw \(there + count)\n".utf8))
        copy(Array(bytes[(end + 1 + count)...]), there + count)
    }

    private func attach() {
        phase = .attaching([])
        channel.answer(Preamble.bytes)
        host.attach { [self] problem in
            guard case .attaching(let before) = phase else { return }
            if let problem {
                channel.complain(problem)
                end(status: 1)
                return
            }
            let stream = AgentStream(host: host, channel: channel, ended: { [self] in end(status: 0) })
            phase = .joined(stream)
            host.join(stream)
            if !before.isEmpty { stream.arrive(before) }
        }
    }

    private func end(status: Int32) {
        phase = .ended
        channel.finish(status: status)
    }

    /// The coordinator's end is gone.
    func hangUp() {
        if case .joined(let stream) = phase { stream.hangUp() }
        phase = .ended
    }

    /// The coordinator has taken bytes.
    func drained() { if case .joined(let stream) = phase { stream.drained() } }
}

/// The agent's end of a coordinator's stream.
final class AgentStream: FrameStream {
    /// What the pipes in between hold.
    private static let capacity = 200 * 1024

    private unowned let host: SimulatedHost
    private unowned let channel: Channel
    private let ended: () -> Void
    private var reader = FrameReader()
    private var out: [UInt8] = []
    private var hasHungUp = false
    /// Something came since it was last read.
    private(set) var hasNews = false
    private(set) var isBroken = false
    /// Of the agent that holds it.
    var life: Life?

    init(host: SimulatedHost, channel: Channel, ended: @escaping () -> Void) {
        self.host = host
        self.channel = channel
        self.ended = ended
    }

    var unsentCount: Int { out.count }

    func send(_ frame: Frame) {
        if host.canaries?.tells(frame) ?? true { out += (try? frame.encoded) ?? [] }
    }

    func flush() {
        guard !isBroken, !out.isEmpty else { return }
        guard life?.act(.effect) ?? false else { return }
        let room = AgentStream.capacity - channel.unansweredCount
        guard room > 0 else { return }
        let part = out.count <= room ? out : Array(out.prefix(room))
        out.removeFirst(part.count)
        channel.answer(part)
    }

    func receive() throws(WireError) -> [Frame] {
        hasNews = false
        var frames: [Frame] = []
        while let frame = try reader.next() {
            frames += host.canaries?.heard(frame) ?? [frame]
        }
        if hasHungUp { isBroken = true }
        return frames
    }

    func close() {
        guard !isBroken || !hasHungUp else { return }
        isBroken = true
        ended()
    }

    // MARK: From the network

    func arrive(_ bytes: [UInt8]) {
        guard !isBroken else { return }
        reader.append(bytes)
        hasNews = true
        host.wakeAgent()
    }

    func hangUp() {
        hasHungUp = true
        hasNews = true
        host.wakeAgent()
    }

    func drained() { if !out.isEmpty { host.wakeAgent() } }
}
