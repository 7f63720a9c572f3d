import Glibc
import Model
import Ports
import Storage

/// One end of a connection between two machines that reach each other by a shared folder only.
///
/// Each direction is a folder into which its writer puts pieces, numbered from 1, and from which its reader removes
/// them. A piece is written under another name, synced and renamed, so that none is seen in part; there are no locks,
/// as not all network file systems keep them. Behind an empty piece nothing follows. An end that died is found as one
/// of any other connection is, by heartbeats that do not come.
struct SpoolEnd {
    enum Side { case login, job }

    /// Bytes of a piece, at most.
    static let piece = 256 * 1_024
    /// Pieces of a direction that lie there unread, at most: what a writer may be ahead.
    static let mostUnread = 16
    private static let longestFull: Int64 = 120_000_000_000

    private let files: any Files
    private let incoming: String
    private let outgoing: String
    private var nextIncoming = 1
    private var nextOutgoing = 1
    /// Of the pieces that were written, at most so many were not read.
    private var unread = 0
    /// Since when there is no room.
    private var fullSince: Int64?
    /// Whether the last piece was written.
    private(set) var isFinished = false
    /// Whether the last piece was read.
    private(set) var hasEnded = false

    /// - Parameter folder: of this connection alone.
    init(_ folder: String, _ side: Side, files: any Files = LocalFiles()) throws(FilesError) {
        self.files = files
        let (down, up) = ("\(folder)/down", "\(folder)/up")
        (incoming, outgoing) = side == .login ? (up, down) : (down, up)
        try files.ensureFolders(incoming)
        try files.ensureFolders(outgoing)
    }

    /// Where the connections to a pilot's jobs are.
    static func connections(of workdir: String) -> String { "\(workdir)/spool" }

    private static let header = TextVersion(name: "usweep spool", current: 1)
    private static let formatName = "format"

    /// Says in which version of the spool a job takes connections. One of before there were versions says nothing, and
    /// takes version 1.
    static func sayVersion(in connections: String, _ files: any Files) throws(FilesError) {
        let path = "\(connections)/\(formatName)"
        try files.replace(path, with: Array("\(header.line)\n".utf8), by: "\(path).part")
    }

    /// Whether the job that a connection is to can be spoken with; not one of a newer program, whose spool is another.
    ///
    /// - Parameter folder: of the connection.
    static func isKnown(to folder: String, _ files: any Files) throws(FilesError) -> Bool {
        let connections = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        // A folder is opened anew for that: see ``read()``.
        guard try files.status(connections) != nil,
            try files.list(connections).contains(where: { $0.name == formatName }),
            let bytes = try files.content("\(connections)/\(formatName)", atMost: 64)
        else { return true }
        return header.lines(String(decoding: bytes, as: UTF8.self)) != nil
    }

    /// How the names of the folders of a job's connections begin.
    static func prefix(ofJob job: String) -> String { "\(job)-" }

    /// The folder of a connection that nobody has made.
    static func fresh(toJob job: String, of workdir: String) -> String {
        "\(connections(of: workdir))/\(prefix(ofJob: job))\(getpid())-\(Machine.wallClock)"
    }

    /// Whether another piece may be written now.
    mutating func hasRoom() throws(FilesError) -> Bool {
        guard !isFinished else { return false }
        if unread >= SpoolEnd.mostUnread { unread = try files.list(outgoing).count }
        let hasRoom = unread < SpoolEnd.mostUnread
        fullSince = hasRoom ? nil : fullSince ?? Machine.now
        return hasRoom
    }

    /// Whether there has been no room for so long that the other side is dead: who lives takes heartbeats. Nothing is
    /// read meanwhile of what is to be written, so that its end is not seen either.
    var isStuck: Bool {
        guard !isFinished, let fullSince else { return false }
        return Machine.now - fullSince >= SpoolEnd.longestFull
    }

    /// Whether the other side has read all that was written.
    func isTaken() throws(FilesError) -> Bool { try files.list(outgoing).isEmpty }

    /// - Parameter bytes: at most ``piece`` of them; none: nothing follows.
    mutating func write(_ bytes: [UInt8]) throws(FilesError) {
        guard !isFinished else { return }
        let name = "\(outgoing)/\(nextOutgoing)"
        let file = try files.open("\(name).part", .create)
        defer { files.close(file) }
        try files.write(file, at: 0, bytes)
        try files.sync(file)
        try files.rename("\(name).part", to: name)
        nextOutgoing += 1
        unread += 1
        isFinished = bytes.isEmpty
    }

    /// The next piece, which is removed; nil: none has come.
    mutating func read() throws(FilesError) -> [UInt8]? {
        guard !hasEnded else { return nil }
        let name = "\(nextIncoming)"
        // A folder is opened anew for that: a name that is only asked for may be remembered as missing for a minute.
        let there = try files.list(incoming)
        guard there.contains(where: { $0.name == name && $0.kind == .file }) else { return nil }
        let file = try files.open("\(incoming)/\(name)", .read)
        defer { files.close(file) }
        let bytes = try files.read(file, at: 0, count: SpoolEnd.piece)
        try files.remove("\(incoming)/\(name)")
        nextIncoming += 1
        hasEnded = bytes.isEmpty
        return bytes.isEmpty ? nil : bytes
    }
}

/// How long nobody looks at a spool's folders: a server answers each look.
struct SpoolPace {
    private static let shortest: Int64 = 20_000_000
    private static let longest: Int64 = 1_000_000_000

    /// In nanoseconds.
    private(set) var pause = shortest

    /// - Parameter hasMoved: whether the last look found something.
    mutating func looked(hasMoved: Bool) {
        pause = hasMoved ? SpoolPace.shortest : min(SpoolPace.longest, pause * 3 / 2)
    }
}
