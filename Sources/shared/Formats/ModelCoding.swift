public import Model

/// What numbers from a peer may be at most. Far above what anybody needs, far below where sums overflow.
enum WireLimits {
    /// Of runs, leases and attempts.
    static let number = 1 << 40
    /// Of slots, processors and programs on one host.
    static let slots = 1 << 20
}

// How the nouns of Model stand in messages and journals. Fields in the order of their declaration; a change of any
// of these raises WireVersion.current and the journal's version.

extension ByteWriter {
    public mutating func put(_ id: AttemptID) {
        put(id.run)
        put(id.lease)
        put(id.attempt)
    }

    public mutating func put(_ artifact: Artifact) {
        put(artifact.path)
        put(artifact.digest)
        put(artifact.size)
    }

    public mutating func put(_ report: AttemptReport) {
        put(report.id)
        put(report.failure?.rawValue) { $0.put($1) }
        put(report.evidence)
        put(report.wallNanoseconds)
        put(report.peakMemoryBytes)
        put(list: report.artifacts) { $0.put($1) }
    }

    public mutating func put(_ shard: Shard) {
        put(shard.lease)
        put(list: shard.entries) { $0.put($1) }
    }

    public mutating func put(_ entry: Shard.Entry) {
        put(entry.run)
        put(entry.firstAttempt)
        put(entry.attempts)
        put(entry.job)
    }

    public mutating func put(_ job: Job) {
        put(list: job.arguments) { writer, argument in
            switch argument {
            case .text(let text):
                writer.put(UInt64(0))
                writer.put(text)
            case .engine: writer.put(UInt64(1))
            case .agent: writer.put(UInt64(2))
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

extension ByteReader {
    public mutating func attemptID() throws(WireError) -> AttemptID {
        AttemptID(run: try run(), lease: try lease(), attempt: try integer(in: 0...WireLimits.number))
    }

    mutating func run() throws(WireError) -> RunNumber { try integer(in: 1...WireLimits.number) }

    mutating func lease() throws(WireError) -> LeaseNumber { try integer(in: 0...WireLimits.number) }

    /// - Throws: ``WireError`` also for a path that leads out of the attempt's folder.
    public mutating func artifact() throws(WireError) -> Artifact {
        Artifact(path: try safePath(), digest: try digest(), size: try amount())
    }

    public mutating func report() throws(WireError) -> AttemptReport {
        let id = try attemptID()
        let name = try optional { reader throws(WireError) in try reader.string() }
        var failure: FailureClass?
        if let name {
            guard let known = FailureClass(rawValue: name) else { throw WireError("an unknown failure class") }
            failure = known
        }
        return AttemptReport(
            id: id, failure: failure, evidence: try string(), wallNanoseconds: try amount(),
            peakMemoryBytes: try amount(), artifacts: try list { reader throws(WireError) in try reader.artifact() })
    }

    public mutating func shard() throws(WireError) -> Shard {
        Shard(lease: try lease(), entries: try list { reader throws(WireError) in try reader.shardEntry() })
    }

    public mutating func shardEntry() throws(WireError) -> Shard.Entry {
        Shard.Entry(
            run: try run(), firstAttempt: try integer(in: 1...WireLimits.number),
            attempts: try integer(in: 1...WireLimits.number), job: try job())
    }

    public mutating func job() throws(WireError) -> Job {
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
