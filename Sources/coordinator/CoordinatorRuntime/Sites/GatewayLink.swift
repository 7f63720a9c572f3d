import Formats
import Model
import Ports

/// The one stream to a cluster's login node.
struct GatewayLink {
    private var stream: BootstrappedStream
    private var lastHeard: Nanoseconds

    /// The queue is told now and then, and squeue(1) may take long.
    private static let silence: Nanoseconds = 240_000_000_000

    init(_ stream: BootstrappedStream, now: Nanoseconds) {
        self.stream = stream
        lastHeard = now
    }

    var generation: Int { stream.generation }
    var connection: any Connection { stream.connection }
    var isStreaming: Bool { !stream.isBootstrapping }
    var wantsPacking: Bool { stream.wantsPacking }
    var diagnostics: String { stream.diagnostics }

    func meaning(of end: StreamEnd) -> StreamEnd { stream.meaning(of: end) }
    func took(_ event: StreamEvent) { stream.took(event) }
    mutating func note(diagnostic bytes: [UInt8]) throws(Failure) { try stream.note(diagnostic: bytes) }

    func send(_ request: GatewayRequest) throws(WireError) {
        guard isStreaming else { return }
        connection.send(try request.frame.encoded)
    }

    mutating func opened(now: Nanoseconds) {
        lastHeard = now
        stream.opened(now: now)
    }

    /// - Returns: what the gateway tells, and whether it has just begun to listen.
    /// - Throws: ``Failure`` when it cannot go on, ``WireError`` for what no gateway sends.
    mutating func receive(_ bytes: [UInt8], now: Nanoseconds) throws -> (reports: [GatewayReport], isNew: Bool) {
        lastHeard = now
        let isNew = try stream.receive(bytes, now: now)
        var reports: [GatewayReport] = []
        while let frame = try stream.next() { reports.append(try GatewayReport(frame)) }
        return (reports, isNew)
    }

    /// Why it is given up; nil: it is not.
    func overdue(now: Nanoseconds) -> String? {
        if let reason = stream.overdue(now: now) { return reason }
        guard isStreaming, now - lastHeard > GatewayLink.silence else { return nil }
        return "nothing was received from the gateway for \(PeopleText.span(GatewayLink.silence))"
    }
}
