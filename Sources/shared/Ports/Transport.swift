public import Model

/// A two-way byte stream to one constant command on a worker host, and nothing more.
///
/// The coordinator speaks to every host through this port. Data never stands in the command line:
/// whatever varies goes through the stream. Adapters: libssh2, the `ssh` program, a child process on
/// this machine, and one in memory for tests and the simulation. All of them pass one conformance suite.
public protocol Transport: Sendable {
    /// Begins to connect and returns at once; it never blocks the caller.
    ///
    /// `observer` is told everything that happens, in order, one call at a time, on a thread of the
    /// adapter's own: at most one `.opened`, `.noted` before and `.received` after it, any number of each, and, always
    /// and last, exactly one `.closed`. It must return quickly and may call the connection.
    ///
    /// - Parameters:
    ///   - target: where to connect.
    ///   - command: a constant, parsed by the login shell of the remote account, whichever that is.
    func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection
}

/// The near end of an open (or opening) stream.
public protocol Connection: Sendable {
    /// Queues bytes for the remote command's standard input. Never blocks; bytes queued before `.opened`
    /// are sent after it. What is queued after the end is dropped.
    ///
    /// The queue has no limit of its own: who has much to send looks at ``unsentCount`` first.
    func send(_ bytes: [UInt8])

    /// How many of the bytes that were queued have not been taken by the system below.
    var unsentCount: Int { get }

    /// Asks for no more `.received` and `.diagnostic` for now: what the command writes then waits on the host. What is
    /// on its way already still comes.
    func pause()

    /// Ends a pause. Harmless when there is none.
    func resume()

    /// Ends the stream: queued bytes are abandoned, `.closed` follows. Harmless when repeated.
    func close()
}

extension Connection {
    /// Where bytes only go through memory there is nothing to hold up, and nothing waits.
    public func pause() {}
    public func resume() {}
    public var unsentCount: Int { 0 }
}

/// What an adapter tells about one stream.
public enum StreamEvent: Sendable, Equatable {
    /// The host is authenticated and the command was started.
    case opened
    /// Something about the way to the host that people should know; before `.opened`.
    case noted(String)
    /// Bytes of the command's standard output (never empty).
    case received([UInt8])
    /// Bytes of the command's standard error, for messages to the user only.
    case diagnostic([UInt8])
    /// The end, for whatever reason.
    case closed(StreamEnd)
}

/// Why a stream ended.
public struct StreamEnd: Error, Sendable, Equatable {
    /// The kinds of end that the coordinator treats differently.
    public enum Kind: Sendable, Equatable {
        /// This side asked for it.
        case closedHere
        /// The remote command ended, with its exit status where the host told it.
        case commandEnded(status: Int32?)
        /// The host cannot be reached, or the connection broke.
        case unreachable
        /// The host accepted none of the ways to log in that both sides know.
        case loginRefused
        /// No key of the host is on record, and nobody vouches for the one that it shows.
        case hostKeyUnknown
        /// The host's key is another than the one on record, or revoked, or its certificate is not valid.
        case hostKeyRefused
        /// What the user configured cannot work (unknown option, unreadable key file).
        case misconfigured
    }

    /// What has to happen before another try can succeed.
    public enum Recovery: Sendable, Equatable {
        /// Nothing: networks and hosts come back.
        case byItself
        /// Somebody has to act, if the host was never joined. One that was joined before may come back by itself: its
        /// account service or a file server was away.
        case byItselfOnceJoined
        /// Somebody has to look into it: whoever answers may not be the host.
        case byHand
    }

    public var kind: Kind
    /// What was wrong, where, and what to do: one or more sentences for the user.
    public var message: String

    public init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    public var recovery: Recovery {
        switch kind {
        case .unreachable, .commandEnded: .byItself
        case .closedHere, .loginRefused, .hostKeyUnknown, .misconfigured: .byItselfOnceJoined
        case .hostKeyRefused: .byHand
        }
    }
}

extension StreamEnd {
    /// What people are told where nothing was seen of the command that the login was to run.
    ///
    /// - Parameter line: the last that the login printed; empty: nothing.
    public func withoutCommand(lastLine line: String) -> String {
        guard case .commandEnded = kind else { return message }
        let shown = "\"\(VisibleText.of(line, limit: 200))\""
        let printed = line.isEmpty ? "It printed nothing" : "The last line that it printed is \(shown)"
        return "\(message) \(printed). usweep's own command was not run: either the account is limited to one command "
            + "(ForceCommand in sshd_config, command= in authorized_keys), or its login shell or a start-up file "
            + "(~/.bashrc) ends the login. Log in with ssh by hand to see which."
    }
}
