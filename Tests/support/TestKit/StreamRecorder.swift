public import Ports
import Synchronization

/// Keeps what a transport tells about one stream, and lets a test wait for it.
public final class StreamRecorder: Sendable {
    private let events: AsyncStream<StreamEvent>
    private let feed: AsyncStream<StreamEvent>.Continuation

    public init() { (events, feed) = AsyncStream.makeStream() }

    public var observer: @Sendable (StreamEvent) -> Void { { [feed] in feed.yield($0) } }

    /// Waits for events until one of them is what the test waits for, or is the end. Returns all up to it.
    public func events(until isLast: (StreamEvent) -> Bool) async -> [StreamEvent] {
        var seen: [StreamEvent] = []
        for await event in events {
            seen.append(event)
            if case .closed = event { return seen }
            if isLast(event) { return seen }
        }
        return seen
    }

    /// Everything up to the end.
    public func all() async -> [StreamEvent] { await events { _ in false } }

    /// Ends the recording and returns what came after the last event that was asked for.
    public func leftovers() async -> [StreamEvent] {
        feed.finish()
        var seen: [StreamEvent] = []
        for await event in events { seen.append(event) }
        return seen
    }
}

extension [StreamEvent] {
    /// All bytes of standard output.
    public var output: [UInt8] {
        var bytes: [UInt8] = []
        for case .received(let some) in self { bytes.append(contentsOf: some) }
        return bytes
    }

    /// All bytes of standard error, as text.
    public var diagnostics: String {
        var bytes: [UInt8] = []
        for case .diagnostic(let some) in self { bytes.append(contentsOf: some) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The end, when the last event is one.
    public var end: StreamEnd? { if case .closed(let end) = last { end } else { nil } }
}
