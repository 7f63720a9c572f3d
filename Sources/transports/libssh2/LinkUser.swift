import Ports

/// A channel on a link: a stream to a command, or a tunnel to the next host. Belongs to the driver's thread.
protocol LinkUser: AnyObject {
    /// Does what can be done without waiting. The link is ready.
    func advance(_ session: SSHSession, now: ContinuousClock.Instant) -> UserState
    /// The link is gone; this user is done.
    func linkEnded(_ end: LinkEnd)
    /// Whether its channel is still to be opened.
    var isWaiting: Bool { get }
    /// Whether it is in the middle of opening its channel: a session opens one at a time.
    var isOpening: Bool { get }
    var deadline: ContinuousClock.Instant? { get }
}

enum UserState {
    case alive
    /// Nothing more to do; the link goes on.
    case done
    /// The link itself is no good any more.
    case linkFailed(StreamEnd)
}

/// How much may wait to be sent below libssh2 before a channel stops adding to it, in bytes.
let outboundLimit = 1 << 20

/// How much may have come and not been taken by libssh2 before no more is read, in bytes: two windows of a channel. A
/// host that keeps to these never gets there.
let inboundLimit = 4 << 20
