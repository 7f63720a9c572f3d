package import Model

// Version 1: everything by its place. Its ledgers and journals are read for as long as there are any, and its messages
// are spoken with agents and coordinators that know no others (`Version1Messages.swift`). Nothing is added to it.

extension ByteWriter {
    package mutating func put(_ id: AttemptID) {
        put(id.run)
        put(id.lease)
        put(id.attempt)
    }

    package mutating func put(_ artifact: Artifact) {
        put(artifact.path)
        put(artifact.digest)
        put(artifact.size)
    }

    package mutating func put(_ report: AttemptReport) {
        put(report.id)
        put(report.failure?.word1) { $0.put($1) }
        put(report.evidence)
        put(report.wallNanoseconds)
        put(report.peakMemoryBytes)
        put(list: report.artifacts) { $0.put($1) }
    }

    package mutating func put(_ shard: Shard) {
        put(shard.lease)
        put(list: shard.entries) { $0.put($1) }
    }

    package mutating func put(_ entry: Shard.Entry) {
        put(entry.run)
        put(entry.firstAttempt)
        // What is told of its attempt is good for that one: the agent cannot try again by itself.
        let job = entry.job.filled(run: entry.run, attempt: entry.firstAttempt)
        put(job == entry.job ? entry.attempts : 1)
        put(job)
    }

    /// - Parameter job: with nothing left that only its attempt knows.
    private mutating func put(_ job: Job) {
        put(list: job.arguments) { writer, argument in
            switch argument {
            case .text(let text):
                writer.put(UInt64(0))
                writer.put(text)
            case .engine: writer.put(UInt64(1))
            case .agent: writer.put(UInt64(2))
            case .joined(let pieces):
                writer.put(UInt64(0))
                writer.put(pieces.text(run: 0, attempt: 0))
            }
        }
        put(list: job.environment) { writer, variable in
            writer.put(variable.name)
            writer.put(variable.value)
        }
        put(job.pointDocument)
        put(list: job.inputs) { writer, input in
            writer.put(input.path)
            writer.put(input.digest)
            writer.put(input.size)
            writer.put(input.isExecutable)
        }
        put(job.limits.time) { $0.put($1) }
        put(job.limits.stall) { $0.put($1) }
        put(job.limits.memoryBytes) { $0.put($1) }
        put(job.maximumFailures)
    }
}

extension FailureClass {
    /// What version 1 calls it. Classes that came later are told as one of its own that is tried again.
    fileprivate var word1: String {
        let known = [
            "spawn", "exit-nonzero", "host-lost", "supervisor-lost", "out-of-memory", "disk-full", "simulator-crash",
            "simulator-fatal", "guest-panic", "stalled-guest", "stalled-simulator", "timeout",
            "checkpoint-incompatible", "contract-broken", "cancelled",
        ]
        return known.contains(rawValue) ? rawValue : "exit-nonzero"
    }
}

extension ByteReader {
    package mutating func attemptID() throws(WireError) -> AttemptID {
        AttemptID(run: try run(), lease: try lease(), attempt: try attempt())
    }

    mutating func run() throws(WireError) -> RunNumber { try integer(in: 1...WireLimits.number) }

    mutating func lease() throws(WireError) -> LeaseNumber { try integer(in: 0...WireLimits.number) }

    private mutating func attempt() throws(WireError) -> AttemptNumber { try integer(in: 0...WireLimits.number) }

    /// - Throws: ``WireError`` also for a path that leads out of the attempt's folder.
    package mutating func artifact() throws(WireError) -> Artifact {
        Artifact(path: try safePath(), digest: try digest(), size: try amount())
    }

    package mutating func report() throws(WireError) -> AttemptReport {
        let id = try attemptID()
        return AttemptReport(
            id: id, failure: try failureClass(), evidence: try string(), wallNanoseconds: try amount(),
            peakMemoryBytes: try amount(), artifacts: try list { reader throws(WireError) in try reader.artifact() })
    }

    package mutating func shard() throws(WireError) -> Shard {
        Shard(lease: try lease(), entries: try list { reader throws(WireError) in try reader.shardEntry() })
    }

    package mutating func shardEntry() throws(WireError) -> Shard.Entry {
        Shard.Entry(
            run: try run(), firstAttempt: try integer(in: 1...WireLimits.number),
            attempts: try integer(in: 1...WireLimits.attempts), job: try job())
    }

    package mutating func job() throws(WireError) -> Job {
        let arguments = try list { reader throws(WireError) in try reader.argument() }
        guard !arguments.isEmpty else { throw WireError("a job without a command") }
        let environment = try list { reader throws(WireError) in
            EnvironmentVariable(try reader.string(), try reader.string())
        }
        let document = try string()
        let inputs = try list { reader throws(WireError) in
            Job.Input(
                path: try reader.safePath(), digest: try reader.digest(), size: try reader.amount(),
                isExecutable: try reader.bool())
        }
        let limits = JobLimits(
            time: try optional { reader throws(WireError) in try reader.amount() },
            stall: try optional { reader throws(WireError) in try reader.amount() },
            memoryBytes: try optional { reader throws(WireError) in try reader.amount() })
        return Job(
            arguments: arguments, environment: environment, pointDocument: document, inputs: inputs, limits: limits,
            maximumFailures: try integer())
    }

    private mutating func argument() throws(WireError) -> Job.Argument {
        switch try unsigned() {
        case 0: return .text(try string())
        case 1: return .engine
        case 2: return .agent
        default: throw WireError("an unknown kind of argument")
        }
    }

    mutating func safePath() throws(WireError) -> String {
        let path = try string()
        guard RelativePath.isSafe(path) else { throw WireError("a path that leads elsewhere") }
        return path
    }
}

// MARK: The journal of the ledger

extension ByteReader {
    /// A record of the ledger's journal, behind its version.
    mutating func record1() throws(WireError) -> Record {
        switch try unsigned() {
        case 1:
            return .hostSeen(
                host: try string(), bootID: try string(), hostName: try string(), slots: try integer(),
                memoryBytes: try signed(), clockOffset: try signed())
        case 2: return .pinned(name: try string(), digest: try digest())
        case 3:
            return .leaseGranted(
                lease: try lease(), host: try string(),
                grants: try list { reader throws(WireError) in try reader.grant() })
        case 4: return .leaseVoided(lease: try lease(), reason: try string())
        case 5:
            return .attemptEnded(
                try report(), host: try string(), failure: try failureClass(), evidence: try string(),
                blocks: try result(), endedAt: try signed())
        case 6:
            return .attemptFenced(
                try report(), host: try string(),
                agrees: try optional { reader throws(WireError) in try reader.bool() })
        case 7:
            return .runEnded(
                run: try run(), state: try runState(), failure: try failureClass(), attempt: try attempt())
        case 8: return .runReopened(run: try run(), reason: try string())
        case 9: return .hostPaused(host: try string(), reason: try string())
        case 10: return .sweepStopped(reason: try string())
        case 11: return .hostReleased(host: try string())
        case 12:
            return .revised(
                Revision(
                    number: try integer(in: 1...WireLimits.number), specification: try string(),
                    runs: try runList(), madeAt: try signed()))
        case 13: return .repinned(reason: try string())
        case 14: return .restored(reason: try string())
        case let kind: throw WireError("a record of unknown kind \(kind)")
        }
    }

    private mutating func grant() throws(WireError) -> Grant {
        Grant(
            run: try run(), firstAttempt: try integer(in: 1...WireLimits.number),
            attempts: try integer(in: 1...WireLimits.attempts))
    }

    private mutating func failureClass() throws(WireError) -> FailureClass? {
        guard let name = try optional({ reader throws(WireError) in try reader.string() }) else { return nil }
        guard let known = FailureClass(rawValue: name) else { throw WireError("an unknown failure class") }
        return known
    }

    private mutating func runState() throws(WireError) -> RunState {
        guard let state = RunState(rawValue: try string()) else { throw WireError("an unknown state of a run") }
        return state
    }

    private mutating func result() throws(WireError) -> ResultText? {
        try optional { reader throws(WireError) in ResultText(try reader.string()) }
    }
}
