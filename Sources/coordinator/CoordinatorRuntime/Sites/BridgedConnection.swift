import Formats
import Model
import Ports

/// The near end of a stream to a pilot's agent, as a channel of its cluster's gateway. Before the pilot's job runs
/// there is no channel, and the stream waits to be opened.
///
/// Like everything of ``Sites`` it is used on the loop's thread alone.
final class BridgedConnection: Connection, @unchecked Sendable {
    let pilot: Int
    private(set) var channel: Int?
    private(set) var isOver = false
    private let observer: @Sendable (StreamEvent) -> Void
    private let request: (GatewayRequest) -> Void
    private let left: (BridgedConnection) -> Void
    private var queue: [[UInt8]] = []
    private var queuedCount = 0
    /// How many more bytes the gateway takes.
    private var credit = GatewayWindow.bytes
    private var isPaused = false
    /// Bytes that came and for which the gateway was given no new credit.
    private var owed = 0

    /// - Parameters:
    ///   - request: speaks to the gateway.
    ///   - left: told when this side closes it.
    init(
        pilot: Int, observer: @escaping @Sendable (StreamEvent) -> Void,
        request: @escaping (GatewayRequest) -> Void, left: @escaping (BridgedConnection) -> Void
    ) {
        self.pilot = pilot
        self.observer = observer
        self.request = request
        self.left = left
    }

    // MARK: The near end

    var unsentCount: Int { queuedCount + GatewayWindow.bytes - credit }

    func send(_ bytes: [UInt8]) {
        guard !isOver, !bytes.isEmpty else { return }
        queue.append(bytes)
        queuedCount += bytes.count
        pump()
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        giveCredit()
    }

    func close() {
        guard !isOver else { return }
        isOver = true
        if let channel { request(.close(channel: channel)) }
        left(self)
        observer(.closed(StreamEnd(kind: .closedHere, message: "closed from this side.")))
    }

    // MARK: The gateway

    func begin(_ channel: Int, job: String, folder: String, _ bridge: SlurmSite.Bridge) {
        self.channel = channel
        request(.open(channel: channel, job: job, folder: folder, bridge))
        observer(.opened)
        pump()
    }

    /// - Throws: ``Failure`` (`badMessage`) for more than was asked for.
    func receive(_ bytes: [UInt8]) throws(Failure) {
        guard !isOver, !bytes.isEmpty else { return }
        owed += bytes.count
        // The last bytes of a job that ended come without credit: a pipe's content.
        guard owed <= 2 * GatewayWindow.bytes else {
            throw Failure(.badMessage, "its gateway sent more than it was asked for")
        }
        observer(.received(bytes))
        if !isPaused { giveCredit() }
    }

    func take(credit more: Int) {
        credit = min(GatewayWindow.bytes, credit + more)
        pump()
    }

    func end(_ end: StreamEnd) {
        guard !isOver else { return }
        isOver = true
        observer(.closed(end))
    }

    private func giveCredit() {
        guard let channel, owed > 0, !isOver else { return }
        request(.credit(channel: channel, owed))
        owed = 0
    }

    private func pump() {
        guard let channel, !isOver else { return }
        while credit > 0, let first = queue.first {
            let count = min(credit, GatewayWindow.piece, first.count)
            request(.data(channel: channel, Array(first[..<count])))
            if count == first.count { queue.removeFirst() } else { queue[0] = Array(first[count...]) }
            credit -= count
            queuedCount -= count
        }
    }
}
