public import Model

// What a coordinator and the gateway on a cluster's login node say to each other. Both are of one build: the
// coordinator brings the gateway's program, which lives as long as their stream does. So there are no versions of this.

/// What the gateway is asked for.
public enum GatewayRequest: Sendable, Hashable {
    /// Tell the queue's jobs whose names begin so, now and every so many milliseconds.
    case watch(names: String, milliseconds: Int)
    /// Submit a job that runs a pilot.
    case submit(GatewaySubmission)
    case cancel(jobs: [String])
    /// Join a channel to the agent of a job.
    case open(channel: Int, job: String, folder: String, SlurmSite.Bridge)
    case data(channel: Int, [UInt8])
    /// So many bytes of a channel were taken: as many more may come.
    case credit(channel: Int, Int)
    case close(channel: Int)
    /// End these jobs, delete this folder, and end.
    case finish(jobs: [String], folder: String)
}

/// What the gateway tells.
public enum GatewayReport: Sendable, Hashable {
    case queue([SlurmJob])
    /// The queue cannot be seen now.
    case blind(problem: String)
    /// `job`: nil where it was refused, with `problem` saying why.
    case submitted(name: String, job: String?, problem: String)
    case data(channel: Int, [UInt8])
    case credit(channel: Int, Int)
    /// A channel ended.
    case closed(channel: Int, reason: String)
    /// At the end: jobs have not ended in time, so that this folder is left.
    case left(folder: String)
    /// The host has no program of this name, so that there is no queue to see: it has no Slurm.
    case missing(program: String)
}

/// A job to be submitted.
public struct GatewaySubmission: Sendable, Hashable {
    public var name: String
    /// Of sbatch(1).
    public var arguments: [String]
    /// The working folder of the pilot's agent; `~/` stands for the home there.
    public var folder: String
    public var bridge: SlurmSite.Bridge

    public init(name: String, arguments: [String], folder: String, bridge: SlurmSite.Bridge = .srun) {
        self.name = name
        self.arguments = arguments
        self.folder = folder
        self.bridge = bridge
    }
}

/// How many bytes of a channel may be on their way in each direction.
public enum GatewayWindow {
    public static let bytes = 1 << 20
    /// Of one message.
    public static let piece = 64 * 1_024
}

extension SlurmJob: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, id)
        writer.field(2, name)
        writer.field(3, state)
        writer.field(4, reason)
        writer.field(5, secondsLeft)
        writer.field(6, node)
        writer.field(7, note)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            id: try fields.take(1), name: try fields.take(2), state: try fields.take(3), reason: try fields.take(4),
            secondsLeft: try fields.take(ifAny: 5, in: 0...SlurmJob.mostSecondsLeft),
            node: try fields.take(6), note: try fields.take(7))
    }
}

extension GatewayRequest {
    /// What a frame says that it is; the manual's page Formats has a row for each.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case watch = 40
        case submit = 41
        case cancel = 42
        case open = 43
        case data = 44
        case credit = 45
        case close = 46
        case finish = 47
    }

    private var kind: Kind {
        switch self {
        case .watch: .watch
        case .submit: .submit
        case .cancel: .cancel
        case .open: .open
        case .data: .data
        case .credit: .credit
        case .close: .close
        case .finish: .finish
        }
    }

    public var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .watch(let names, let milliseconds):
            fields.field(1, names)
            fields.field(2, milliseconds)
        case .submit(let submission):
            fields.field(1, submission.name)
            fields.fields(2, submission.arguments)
            fields.field(3, submission.folder)
            fields.field(4, submission.bridge.rawValue)
        case .cancel(let jobs): fields.fields(1, jobs)
        case .open(let channel, let job, let folder, let bridge):
            fields.field(1, channel)
            fields.field(2, job)
            fields.field(3, folder)
            fields.field(4, bridge.rawValue)
        case .data(let channel, let bytes):
            fields.field(1, channel)
            fields.field(2, bytes)
        case .credit(let channel, let count):
            fields.field(1, channel)
            fields.field(2, count)
        case .close(let channel): fields.field(1, channel)
        case .finish(let jobs, let folder):
            fields.fields(1, jobs)
            fields.field(2, folder)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// - Throws: ``WireError`` for anything else.
    public init(_ frame: Frame) throws(WireError) {
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a request of unknown kind \(frame.kind)", isNews: true)
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch kind {
        case .watch: self = .watch(names: try fields.take(1), milliseconds: try fields.take(2, in: 10...3_600_000))
        case .submit:
            self = .submit(
                GatewaySubmission(
                    name: try fields.take(1), arguments: try fields.take(all: 2), folder: try fields.take(3),
                    bridge: try GatewayRequest.bridge(&fields)))
        case .cancel: self = .cancel(jobs: try fields.take(all: 1))
        case .open:
            self = .open(
                channel: try fields.take(1), job: try fields.take(2), folder: try fields.take(3),
                try GatewayRequest.bridge(&fields))
        case .data: self = .data(channel: try fields.take(1), try fields.take(2))
        case .credit: self = .credit(channel: try fields.take(1), try fields.take(2, in: 0...GatewayWindow.bytes))
        case .close: self = .close(channel: try fields.take(1))
        case .finish: self = .finish(jobs: try fields.take(all: 1), folder: try fields.take(2))
        }
        try fields.end()
    }
}

extension GatewayRequest {
    fileprivate static func bridge(_ fields: inout FieldDecoder) throws(WireError) -> SlurmSite.Bridge {
        guard let bridge = SlurmSite.Bridge(rawValue: try fields.take(4)) else { throw WireError("an unknown bridge") }
        return bridge
    }
}

extension GatewayReport {
    /// As many jobs as a frame holds: all that live, as one that is not told of is taken to be gone, then those that
    /// ended last.
    private static func fitting(_ jobs: [SlurmJob]) -> [SlurmJob] {
        var live = jobs.filter { if case .ended = $0.phase { false } else { true } }
        let ended = jobs.filter { if case .ended = $0.phase { true } else { false } }
        if live.framefuls.count > 1 { for index in live.indices { live[index].reason = "" } }
        return (live + ended.reversed()).framefuls.first ?? []
    }

    /// As of ``GatewayRequest/Kind``.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case queue = 40
        case blind = 41
        case submitted = 42
        case data = 44
        case credit = 45
        case closed = 46
        case left = 47
        case missing = 48
    }

    private var kind: Kind {
        switch self {
        case .queue: .queue
        case .blind: .blind
        case .submitted: .submitted
        case .data: .data
        case .credit: .credit
        case .closed: .closed
        case .left: .left
        case .missing: .missing
        }
    }

    public var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .queue(let jobs): fields.fields(1, GatewayReport.fitting(jobs))
        case .blind(let problem): fields.field(1, problem)
        case .submitted(let name, let job, let problem):
            fields.field(1, name)
            fields.field(2, job)
            fields.field(3, problem)
        case .data(let channel, let bytes):
            fields.field(1, channel)
            fields.field(2, bytes)
        case .credit(let channel, let count):
            fields.field(1, channel)
            fields.field(2, count)
        case .closed(let channel, let reason):
            fields.field(1, channel)
            fields.field(2, reason)
        case .left(let folder): fields.field(1, folder)
        case .missing(let program): fields.field(1, program)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// - Throws: ``WireError`` for anything else.
    public init(_ frame: Frame) throws(WireError) {
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a report of unknown kind \(frame.kind)", isNews: true)
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch kind {
        case .queue: self = .queue(try fields.take(all: 1))
        case .blind: self = .blind(problem: try fields.take(1))
        case .submitted:
            self = .submitted(
                name: try fields.take(1), job: try fields.take(ifAny: 2), problem: try fields.take(3))
        case .data: self = .data(channel: try fields.take(1), try fields.take(2))
        case .credit: self = .credit(channel: try fields.take(1), try fields.take(2, in: 0...GatewayWindow.bytes))
        case .closed: self = .closed(channel: try fields.take(1), reason: try fields.take(2))
        case .left: self = .left(folder: try fields.take(1))
        case .missing: self = .missing(program: try fields.take(1))
        }
        try fields.end()
    }
}
