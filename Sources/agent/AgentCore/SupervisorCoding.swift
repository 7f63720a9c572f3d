public import Formats
import Model
public import Ports

// How agent and supervisor speak over their socket, and what the supervisor's journal holds. Both ends are one
// program at one version or the next: a change here raises SupervisorVersion.

/// The version of the messages between agent and supervisor, part of the socket's name.
public enum SupervisorVersion {
    public static let current = 2
}

/// What the supervisor must still know after it was killed.
public enum SupervisorRecord: Sendable, Hashable {
    /// A supervisor began, on this boot of the machine.
    case began(bootID: String)
    /// Written before the program is started: whoever finds no end of it knows that it may have run.
    case started(AttemptKey)
    case ended(AttemptKey, ProcessExit)
    case forgotten([AttemptKey])

    public var frame: Frame {
        var writer = ByteWriter()
        switch self {
        case .began(let bootID):
            writer.put(bootID)
            return Frame(kind: 1, payload: writer.bytes)
        case .started(let key):
            writer.put(key)
            return Frame(kind: 2, payload: writer.bytes)
        case .ended(let key, let exit):
            writer.put(key)
            writer.put(exit)
            return Frame(kind: 3, payload: writer.bytes)
        case .forgotten(let keys):
            writer.put(list: keys) { $0.put($1) }
            return Frame(kind: 4, payload: writer.bytes)
        }
    }

    public init(_ frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 1: self = .began(bootID: try reader.string())
        case 2: self = .started(try reader.attemptKey())
        case 3: self = .ended(try reader.attemptKey(), try reader.processExit())
        case 4: self = .forgotten(try reader.list { reader throws(WireError) in try reader.attemptKey() })
        default: throw WireError("a record of unknown kind \(frame.kind)")
        }
        try reader.end()
    }
}

extension SupervisorCommand {
    public var frame: Frame {
        var writer = ByteWriter()
        switch self {
        case .capacity(let slots, let memoryBytes):
            writer.put(slots)
            writer.put(memoryBytes)
            return Frame(kind: 129, payload: writer.bytes)
        case .start(let key, let launch):
            writer.put(key)
            writer.put(launch)
            return Frame(kind: 130, payload: writer.bytes)
        case .kill(let key, let kill):
            writer.put(key)
            writer.put(UInt64(kill.rawValue))
            return Frame(kind: 131, payload: writer.bytes)
        case .forget(let keys):
            writer.put(list: keys) { $0.put($1) }
            return Frame(kind: 132, payload: writer.bytes)
        case .stop: return Frame(kind: 133, payload: [])
        }
    }

    public init(_ frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 129: self = .capacity(slots: try reader.integer(), memoryBytes: try reader.signed())
        case 130: self = .start(try reader.attemptKey(), try reader.launch())
        case 131: self = .kill(try reader.attemptKey(), try reader.kill())
        case 132: self = .forget(try reader.list { reader throws(WireError) in try reader.attemptKey() })
        case 133: self = .stop
        default: throw WireError("a command of unknown kind \(frame.kind)")
        }
        try reader.end()
    }
}

extension SupervisorReport {
    public var frame: Frame {
        var writer = ByteWriter()
        switch self {
        case .inventory(let attempts, let isLast):
            writer.put(list: attempts) { $0.put($1) }
            writer.put(isLast)
            return Frame(kind: 193, payload: writer.bytes)
        case .started(let keys):
            writer.put(list: keys) { $0.put($1) }
            return Frame(kind: 194, payload: writer.bytes)
        case .ended(let attempts):
            writer.put(list: attempts) { $0.put($1) }
            return Frame(kind: 195, payload: writer.bytes)
        }
    }

    public init(_ frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 193:
            self = .inventory(
                try reader.list { reader throws(WireError) in try reader.supervised() }, isLast: try reader.bool())
        case 194: self = .started(try reader.list { reader throws(WireError) in try reader.attemptKey() })
        case 195: self = .ended(try reader.list { reader throws(WireError) in try reader.supervised() })
        default: throw WireError("a report of unknown kind \(frame.kind)")
        }
        try reader.end()
    }
}

extension ByteWriter {
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

    fileprivate mutating func put(_ attempt: SupervisedAttempt) {
        put(attempt.key)
        switch attempt.state {
        case .queued: put(UInt64(0))
        case .running: put(UInt64(1))
        case .ended(let exit):
            put(UInt64(2))
            put(exit)
        }
    }

    fileprivate mutating func put(_ exit: ProcessExit) {
        switch exit.cause {
        case .status(let status):
            put(UInt64(0))
            put(status)
        case .signal(let signal):
            put(UInt64(1))
            put(signal)
        case .notStarted(let step, let reason):
            put(UInt64(2))
            put(step)
            put(reason)
        case .supervisorLost: put(UInt64(3))
        case .hostLost: put(UInt64(4))
        }
        put(UInt64(exit.kill.rawValue))
        put(exit.wallNanoseconds)
        put(exit.cpuNanoseconds)
        put(exit.peakMemoryBytes)
        put(exit.freeBytes)
        put(exit.memoryRanOut)
        put(exit.note)
    }
}

extension ByteReader {
    fileprivate mutating func launch() throws(WireError) -> Launch {
        Launch(
            arguments: try list { reader throws(WireError) in try reader.string() },
            environment: try list { reader throws(WireError) in
                EnvironmentVariable(try reader.string(), try reader.string())
            },
            folder: try string(), timeLimit: try optional { reader throws(WireError) in try reader.signed() },
            stallLimit: try optional { reader throws(WireError) in try reader.signed() },
            memoryBytes: try signed())
    }

    fileprivate mutating func kill() throws(WireError) -> ProcessExit.Kill {
        guard let kill = ProcessExit.Kill(rawValue: UInt8(truncatingIfNeeded: try unsigned())) else {
            throw WireError("an unknown reason to kill")
        }
        return kill
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
