package import Formats
public import Model
public import Ports

// How agent and supervisor speak over their socket, and what the supervisor's journal holds. Kinds 1 to 4, 129 to 133
// and 193 to 195 are those of version 1, by place; their like of version 2, with fields, have kinds that are 16 higher.
// The supervisor speaks first, so that an agent that replaced an older one under a supervisor that went on knows by the
// first frame what that one understands.

/// What the supervisor must still know after it was killed.
public enum SupervisorRecord: Sendable, Hashable {
    /// A supervisor began, on this boot of the machine.
    case began(bootID: String)
    /// Written before the program is started: whoever finds no end of it knows that it may have run.
    /// `at`: nanoseconds since 1970 on this host's clock.
    case started(AttemptKey, at: Nanoseconds? = nil)
    case ended(AttemptKey, ProcessExit)
    case forgotten([AttemptKey])

    /// What a frame says that it is. The manual's page Formats has a row for each, and the golden files a frame.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case began = 17
        case started = 18
        case ended = 19
        case forgotten = 20
    }

    private var kind: Kind {
        switch self {
        case .began: .began
        case .started: .started
        case .ended: .ended
        case .forgotten: .forgotten
        }
    }

    package var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .began(let bootID): fields.field(1, bootID)
        case .started(let key, let time):
            fields.field(1, key)
            fields.field(2, time)
        case .ended(let key, let exit):
            fields.field(1, key)
            fields.field(2, exit)
        case .forgotten(let keys): fields.fields(1, keys)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    package init(_ frame: Frame) throws(WireError) {
        if let known = try SupervisorRecord(version1: frame) {
            self = known
            return
        }
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a record of unknown kind \(frame.kind)", isNews: true)
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch kind {
        case .began: self = .began(bootID: try fields.take(1))
        case .started: self = .started(try fields.take(1), at: try fields.take(ifAny: 2))
        case .ended: self = .ended(try fields.take(1), try fields.take(2))
        case .forgotten: self = .forgotten(try fields.take(all: 1))
        }
        try fields.end()
    }
}

extension SupervisorCommand {
    /// As of ``SupervisorRecord/Kind``.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case capacity = 145
        case start = 146
        case kill = 147
        case forget = 148
        case stop = 149
    }

    private var kind: Kind {
        switch self {
        case .capacity: .capacity
        case .start: .start
        case .kill: .kill
        case .forget: .forget
        case .stop: .stop
        }
    }

    package var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .capacity(let slots, let memoryBytes, let sweeps):
            fields.field(1, slots)
            fields.field(2, memoryBytes)
            fields.fields(3, sweeps)
        case .start(let key, let launch):
            fields.field(1, key)
            fields.field(2, launch)
        case .kill(let key, let kill):
            fields.field(1, key)
            fields.field(2, kill)
        case .forget(let keys): fields.fields(1, keys)
        case .stop: break
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    package init(_ frame: Frame) throws(WireError) {
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a command of unknown kind \(frame.kind)", isNews: true)
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch kind {
        case .capacity:
            self = .capacity(
                slots: try fields.take(1), memoryBytes: try fields.take(2), sweeps: try fields.take(all: 3))
        case .start: self = .start(try fields.take(1), try fields.take(2))
        case .kill: self = .kill(try fields.take(1), try fields.take(2))
        case .forget: self = .forget(try fields.take(all: 1))
        case .stop: self = .stop
        }
        try fields.end()
    }
}

extension SupervisorReport {
    /// As of ``SupervisorRecord/Kind``.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case inventory = 209
        case started = 210
        case ended = 211
    }

    private var kind: Kind {
        switch self {
        case .inventory: .inventory
        case .started: .started
        case .ended: .ended
        }
    }

    package var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .inventory(let attempts, let isLast):
            fields.fields(1, attempts)
            fields.field(2, isLast)
        case .started(let keys): fields.fields(1, keys)
        case .ended(let attempts): fields.fields(1, attempts)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    package init(_ frame: Frame) throws(WireError) {
        if let known = try SupervisorReport(version1: frame) {
            self = known
            return
        }
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a report of unknown kind \(frame.kind)", isNews: true)
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch kind {
        case .inventory: self = .inventory(try fields.take(all: 1), isLast: try fields.take(2))
        case .started: self = .started(try fields.take(all: 1))
        case .ended: self = .ended(try fields.take(all: 1))
        }
        try fields.end()
    }
}

extension AttemptKey: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, sweep)
        writer.field(2, id)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(sweep: try fields.take(1), id: try fields.take(2))
    }
}

extension Launch: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.fields(1, arguments)
        writer.fields(2, environment)
        writer.field(3, folder)
        writer.field(4, timeLimit)
        writer.field(5, stallLimit)
        writer.field(6, memoryBytes)
        writer.field(7, folderLimit)
        writer.field(8, kept)
        if slots != 1 { writer.field(9, slots) }
        writer.fields(10, shares)
        if nice != 0 { writer.field(11, nice) }
        if binding != .unbound { writer.field(12, binding) }
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            arguments: try fields.take(all: 1), environment: try fields.take(all: 2), folder: try fields.take(3),
            timeLimit: try fields.take(ifAny: 4), stallLimit: try fields.take(ifAny: 5),
            memoryBytes: try fields.take(6), folderLimit: try fields.take(ifAny: 7),
            kept: try fields.take(ifAny: 8))
        slots = try fields.take(ifAny: 9) ?? 1
        shares = try fields.take(all: 10)
        nice = try fields.take(ifAny: 11, in: HostTerms.niceValues) ?? 0
        binding = try fields.take(ifAny: 12) ?? .unbound
    }
}

extension SweepSlots: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, sweep)
        writer.field(2, slots)
        if priority != 0 { writer.field(3, priority) }
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            sweep: try fields.take(1), slots: try fields.take(2),
            priority: try fields.take(ifAny: 3, in: HostTerms.priorities) ?? 0)
    }
}

extension SupervisedAttempt: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, key)
        switch state {
        case .queued: writer.field(2, "queued")
        case .running: writer.field(2, "running")
        case .ended(let exit):
            writer.field(2, "ended")
            writer.field(3, exit)
        }
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        let key: AttemptKey = try fields.take(1)
        let word: String = try fields.take(2)
        switch word {
        case "queued": self.init(key: key, state: .queued)
        case "running": self.init(key: key, state: .running)
        case "ended": self.init(key: key, state: .ended(try fields.take(3)))
        default: throw WireError("an unknown state of an attempt", isNews: true)
        }
    }
}

extension ProcessExit: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, cause)
        writer.field(2, kill)
        writer.field(3, wallNanoseconds)
        writer.field(4, cpuNanoseconds)
        writer.field(5, peakMemoryBytes)
        writer.field(6, freeBytes)
        writer.field(7, memoryRanOut)
        writer.field(8, note)
        writer.field(9, startedAt)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            cause: try fields.take(1), kill: try fields.take(2), wallNanoseconds: try fields.take(3),
            cpuNanoseconds: try fields.take(4), peakMemoryBytes: try fields.take(5), freeBytes: try fields.take(6),
            memoryRanOut: try fields.take(7), note: try fields.take(8), startedAt: try fields.take(ifAny: 9))
    }
}

extension ProcessExit.Cause: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        switch self {
        case .status(let status): writer.field(1, status)
        case .signal(let signal): writer.field(2, signal)
        case .notStarted(let step, let reason):
            writer.field(3, step)
            writer.field(4, reason)
        case .supervisorLost: writer.field(5, true)
        case .hostLost: writer.field(6, true)
        }
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        if let status: Int = try fields.take(ifAny: 1) {
            self = .status(status)
        } else if let signal: Int = try fields.take(ifAny: 2) {
            self = .signal(signal)
        } else if let step: String = try fields.take(ifAny: 3) {
            self = .notStarted(step: step, reason: try fields.take(4))
        } else if try fields.take(ifAny: 5) == true {
            self = .supervisorLost
        } else if try fields.take(ifAny: 6) == true {
            self = .hostLost
        } else {
            throw WireError("an unknown end of a program", isNews: true)
        }
    }
}

extension ProcessExit.Kill: FieldValue {
    package static var isBytes: Bool { true }

    package func put(to writer: inout ByteWriter) {
        switch self {
        case .none: writer.put("none")
        case .timeout: writer.put("timeout")
        case .cancelled: writer.put("cancelled")
        case .revoked: writer.put("revoked")
        case .stalled: writer.put("stalled")
        case .folderRemoved: writer.put("folder-removed")
        case .folderReplaced: writer.put("folder-replaced")
        case .tooMuchOutput: writer.put("too-much-output")
        case .tooMuchKept: writer.put("too-much-kept")
        }
    }

    package init(_ reader: inout ByteReader) throws(WireError) {
        switch try reader.string() {
        case "none": self = .none
        case "timeout": self = .timeout
        case "cancelled": self = .cancelled
        case "revoked": self = .revoked
        case "stalled": self = .stalled
        case "folder-removed": self = .folderRemoved
        case "folder-replaced": self = .folderReplaced
        case "too-much-output": self = .tooMuchOutput
        case "too-much-kept": self = .tooMuchKept
        default: throw WireError("an unknown reason to kill", isNews: true)
        }
    }
}
