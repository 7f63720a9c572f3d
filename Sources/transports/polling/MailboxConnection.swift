import Ports

/// What a thread that moves streams is told of each, by number.
protocol StreamMessage: Sendable {
    static func send(_ stream: UInt64, _ bytes: [UInt8]) -> Self
    static func pause(_ stream: UInt64, _ isPaused: Bool) -> Self
    static func close(_ stream: UInt64) -> Self
}

/// The near end of a stream whose bytes a thread moves that takes its orders from a mailbox.
final class MailboxConnection<Message: StreamMessage>: Connection {
    private let stream: UInt64
    private let mailbox: Mailbox<Message>
    private let unsent: UnsentCount
    /// The thread goes on as long as a connection refers to this.
    private let owner: any AnyObject & Sendable

    init(stream: UInt64, mailbox: Mailbox<Message>, unsent: UnsentCount, owner: any AnyObject & Sendable) {
        self.stream = stream
        self.mailbox = mailbox
        self.unsent = unsent
        self.owner = owner
    }

    var unsentCount: Int { unsent.value }

    func send(_ bytes: [UInt8]) {
        unsent.add(bytes.count)
        mailbox.post(.send(stream, bytes))
    }

    func pause() { mailbox.post(.pause(stream, true)) }
    func resume() { mailbox.post(.pause(stream, false)) }
    func close() { mailbox.post(.close(stream)) }
}
