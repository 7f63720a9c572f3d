import Formats
import Model
import Ports

/// The one stream to a cluster's login node, from the first byte of the login to the last frame.
struct GatewayLink {
    private enum Phase {
        case bootstrapping(Bootstrap)
        case streaming
    }

    /// Tells this stream's events from those of the streams before it.
    let generation: Int
    let connection: any Connection
    private var phase: Phase
    private var reader = FrameReader()
    private var lastHeard: Nanoseconds
    /// The end of what the login node wrote on its standard error, for messages.
    private(set) var diagnostics = StandardErrorTail()

    /// The queue is told now and then, and squeue(1) may take long.
    private static let silence: Nanoseconds = 240_000_000_000

    init(_ generation: Int, _ connection: any Connection, _ bootstrap: Bootstrap, now: Nanoseconds) {
        self.generation = generation
        self.connection = connection
        phase = .bootstrapping(bootstrap)
        lastHeard = now
    }

    var isStreaming: Bool { if case .streaming = phase { true } else { false } }

    var wantsPacking: Bool { if case .bootstrapping(let bootstrap) = phase { bootstrap.wantsPacking } else { false } }

    func send(_ request: GatewayRequest) throws(WireError) {
        guard isStreaming else { return }
        connection.send(try request.frame.encoded)
    }

    mutating func opened(now: Nanoseconds) {
        lastHeard = now
        guard case .bootstrapping(var bootstrap) = phase else { return }
        bootstrap.opened(now: now)
        phase = .bootstrapping(bootstrap)
    }

    mutating func note(diagnostic bytes: [UInt8]) { diagnostics.add(bytes) }

    /// - Returns: what the gateway tells, and whether it has just begun to listen.
    /// - Throws: ``Failure`` when it cannot go on.
    mutating func receive(_ bytes: [UInt8], now: Nanoseconds) throws -> (reports: [GatewayReport], isNew: Bool) {
        lastHeard = now
        var isNew = false
        switch phase {
        case .bootstrapping(var bootstrap):
            let steps = bootstrap.receive(bytes, now: now)
            phase = .bootstrapping(bootstrap)
            for step in steps {
                switch step {
                case .send(let bytes): connection.send(bytes)
                case .failed(let reason): throw Failure(.noHost, reason)
                case .attached(let rest):
                    phase = .streaming
                    isNew = true
                    reader.append(rest)
                }
            }
        case .streaming: reader.append(bytes)
        }
        var reports: [GatewayReport] = []
        while let frame = try reader.next() { reports.append(try GatewayReport(frame)) }
        return (reports, isNew)
    }

    /// Why it is given up; nil: it is not.
    func overdue(now: Nanoseconds) -> String? {
        switch phase {
        case .bootstrapping(let bootstrap): bootstrap.overdue(now: now)
        case .streaming:
            now - lastHeard > GatewayLink.silence
                ? "nothing came from the gateway for \(GatewayLink.silence / 1_000_000_000) s" : nil
        }
    }
}
