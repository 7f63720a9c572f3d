package import Formats
import Model
package import Ports

// Version 1 of the agent's and the supervisor's journals, which are read, and of the stream between the two, on which a
// supervisor of that version is spoken with as long as it lives. Nothing is added to it.

extension AgentRecord {
    /// nil: it is none of version 1.
    init?(version1 frame: Frame) throws(WireError) {
        guard 1...7 ~= frame.kind else { return nil }
        var reader = ByteReader(frame.payload)
        let sweep = try reader.string()
        switch frame.kind {
        case 1:
            self = .context(
                sweep: sweep,
                SweepContext(
                    enginePath: try reader.optional { reader throws(WireError) in try reader.string() },
                    setup: try reader.optional { reader throws(WireError) in try reader.string() },
                    slots: try reader.optional { reader throws(WireError) in
                        try reader.integer(in: 0...WireLimits.slots)
                    },
                    memoryBytes: try reader.optional { reader throws(WireError) in try reader.signed() }))
        case 2:
            self = .accepted(
                sweep: sweep, lease: try reader.integer(in: 0...WireLimits.number), try reader.shardEntry())
        case 3:
            self = .cancelled(
                sweep: sweep,
                try reader.list { reader throws(WireError) in try reader.integer(in: 1...WireLimits.number) })
        case 4:
            self = .acknowledged(
                sweep: sweep, try reader.list { reader throws(WireError) in try reader.acknowledged() })
        case 5:
            self = .revoked(
                sweep: sweep,
                try reader.list { reader throws(WireError) in try reader.integer(in: 0...WireLimits.number) })
        case 6: self = .over(sweep: sweep, try reader.list { reader throws(WireError) in try reader.acknowledged() })
        default: self = .released(sweep: sweep)
        }
        try reader.end()
    }
}

extension SupervisorRecord {
    /// nil: it is none of version 1.
    init?(version1 frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 1: self = .began(bootID: try reader.string())
        case 2: self = .started(try reader.attemptKey())
        case 3: self = .ended(try reader.attemptKey(), try reader.processExit())
        case 4: self = .forgotten(try reader.list { reader throws(WireError) in try reader.attemptKey() })
        default: return nil
        }
        try reader.end()
    }
}

extension SupervisorReport {
    /// Whether a supervisor of version 1 sent it.
    package static func isOfVersion1(_ frame: Frame) -> Bool { 193...195 ~= frame.kind }

    /// nil: it is none of version 1.
    init?(version1 frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 193:
            self = .inventory(
                try reader.list { reader throws(WireError) in try reader.supervised() }, isLast: try reader.bool())
        case 194: self = .started(try reader.list { reader throws(WireError) in try reader.attemptKey() })
        case 195: self = .ended(try reader.list { reader throws(WireError) in try reader.supervised() })
        default: return nil
        }
        try reader.end()
    }
}

extension SupervisorCommand {
    /// As a supervisor of version 1 understands it.
    package var frame1: Frame {
        var writer = ByteWriter()
        switch self {
        case .capacity(let slots, let memoryBytes, _):
            writer.put(slots)
            writer.put(memoryBytes)
            return Frame(kind: 129, payload: writer.bytes)
        case .start(let key, let launch):
            writer.put(key)
            writer.put(launch)
            return Frame(kind: 130, payload: writer.bytes)
        case .kill(let key, let kill):
            writer.put(key)
            writer.put(kill.code1)
            return Frame(kind: 131, payload: writer.bytes)
        case .forget(let keys):
            writer.put(list: keys) { $0.put($1) }
            return Frame(kind: 132, payload: writer.bytes)
        case .stop: return Frame(kind: 133, payload: [])
        }
    }
}

extension ProcessExit.Kill {
    fileprivate var code1: UInt64 {
        switch self {
        case .none: 0
        case .timeout: 1
        case .cancelled: 2
        case .revoked: 3
        case .stalled: 4
        // The agent asks for none of these.
        case .folderRemoved, .folderReplaced, .tooMuchOutput, .tooMuchKept: 3
        }
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ key: AttemptKey) {
        put(key.sweep)
        put(key.id)
    }

    fileprivate mutating func put(_ launch: Launch) {
        put(list: launch.arguments) { $0.put($1) }
        put(list: launch.environment) { writer, variable in
            writer.put(variable.name)
            writer.put(variable.value)
        }
        put(launch.folder)
        put(launch.timeLimit) { $0.put($1) }
        put(launch.stallLimit) { $0.put($1) }
        put(launch.memoryBytes)
    }
}

extension ByteReader {
    fileprivate mutating func acknowledged() throws(WireError) -> Acknowledged {
        Acknowledged(id: try attemptID(), isLast: try bool())
    }

    fileprivate mutating func attemptKey() throws(WireError) -> AttemptKey {
        AttemptKey(sweep: try string(), id: try attemptID())
    }

    fileprivate mutating func kill() throws(WireError) -> ProcessExit.Kill {
        switch try unsigned() {
        case 0: return .none
        case 1: return .timeout
        case 2: return .cancelled
        case 3: return .revoked
        case 4: return .stalled
        default: throw WireError("an unknown reason to kill")
        }
    }

    fileprivate mutating func supervised() throws(WireError) -> SupervisedAttempt {
        let key = try attemptKey()
        switch try unsigned() {
        case 0: return SupervisedAttempt(key: key, state: .queued)
        case 1: return SupervisedAttempt(key: key, state: .running)
        case 2: return SupervisedAttempt(key: key, state: .ended(try processExit()))
        default: throw WireError("an unknown state of an attempt")
        }
    }

    fileprivate mutating func processExit() throws(WireError) -> ProcessExit {
        let cause: ProcessExit.Cause
        switch try unsigned() {
        case 0: cause = .status(try integer())
        case 1: cause = .signal(try integer())
        case 2: cause = .notStarted(step: try string(), reason: try string())
        case 3: cause = .supervisorLost
        case 4: cause = .hostLost
        default: throw WireError("an unknown end of a program")
        }
        return ProcessExit(
            cause: cause, kill: try kill(), wallNanoseconds: try signed(), cpuNanoseconds: try signed(),
            peakMemoryBytes: try signed(), freeBytes: try signed(), memoryRanOut: try bool(),
            note: try string())
    }
}
