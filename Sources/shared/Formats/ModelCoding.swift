package import Model

// The fields of Model's nouns in messages, journals and the ledger.

extension AttemptID: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, run)
        writer.field(2, lease)
        writer.field(3, attempt)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            run: try fields.run(1), lease: try fields.lease(2), attempt: try fields.attempt(3))
    }
}

extension Artifact: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, path)
        writer.field(2, digest)
        writer.field(3, size)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(path: try fields.path(1), digest: try fields.take(2), size: try fields.amount(3))
    }
}

extension AttemptReport: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, id)
        writer.field(2, failure?.rawValue)
        writer.field(3, evidence)
        writer.field(4, wallNanoseconds)
        writer.field(5, peakMemoryBytes)
        writer.fields(6, artifacts)
        writer.field(7, startedAt)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            id: try fields.take(1), failure: try fields.failureClass(2), evidence: try fields.take(3),
            wallNanoseconds: try fields.amount(4), peakMemoryBytes: try fields.amount(5),
            artifacts: try fields.take(all: 6), startedAt: try fields.amount(ifAny: 7))
    }
}

extension Shard: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, lease)
        writer.fields(2, entries)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(lease: try fields.lease(1), entries: try fields.take(all: 2))
    }
}

extension Shard.Entry: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, run)
        writer.field(2, firstAttempt)
        writer.field(3, attempts)
        writer.field(4, job)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            run: try fields.run(1), firstAttempt: try fields.take(2, in: 1...WireLimits.number),
            attempts: try fields.take(3, in: 1...WireLimits.attempts), job: try fields.take(4))
    }

    /// In bytes, to cut shards into frames by.
    package var encodedSize: Int {
        var writer = ByteWriter()
        putFields(to: &writer)
        return writer.bytes.count
    }
}

extension Job: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.fields(1, arguments)
        writer.fields(2, environment)
        writer.field(3, pointDocument)
        writer.fields(4, inputs)
        writer.field(5, limits)
        writer.field(6, maximumFailures)
        writer.field(7, inputList, mustBeKnown: true)
        writer.fields(8, joinedEnvironment, mustBeKnown: true)
        // An agent that passes over it brings everything back, which is no harm. Also where everything comes back, it
        // says which files a verdict needs.
        if artifacts != ArtifactRule() { writer.field(9, artifacts) }
        // One that passed over these would start more than the host has room for.
        if slots != 1 { writer.field(10, slots, mustBeKnown: true) }
        writer.fields(11, shares, mustBeKnown: true)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        let arguments: [Argument] = try fields.take(all: 1)
        guard !arguments.isEmpty else { throw WireError("a job without a command") }
        self.init(
            arguments: arguments, environment: try fields.take(all: 2), pointDocument: try fields.take(3),
            inputs: try fields.take(all: 4), limits: try fields.take(5), maximumFailures: try fields.take(6))
        inputList = try fields.take(ifAny: 7)
        joinedEnvironment = try fields.take(all: 8)
        artifacts = try fields.take(ifAny: 9) ?? ArtifactRule()
        if let count: Int = try fields.take(ifAny: 10) {
            guard 1...WireLimits.slots ~= count else { throw WireError("a number of slots out of bounds") }
            slots = count
        }
        shares = try fields.take(all: 11)
    }
}

extension ResourceShare: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, name)
        writer.field(2, count)
        writer.field(3, capacity)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            name: try fields.take(1), count: try fields.take(2, in: 0...WireLimits.slots),
            capacity: try fields.take(3, in: 0...WireLimits.slots))
    }
}

extension ArtifactRule: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.fields(1, keep)
        writer.fields(2, leave)
        writer.field(3, most)
        writer.fields(4, evidence)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            keep: try fields.take(all: 1), leave: try fields.take(all: 2), most: try fields.amount(ifAny: 3),
            evidence: try fields.take(all: 4))
    }
}

extension Job.Argument: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        switch self {
        case .text(let text): writer.field(1, text)
        case .engine: writer.field(2, true)
        case .agent: writer.field(3, true)
        case .joined(let pieces): writer.fields(4, pieces)
        }
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        if let text: String = try fields.take(ifAny: 1) {
            self = .text(text)
        } else if try fields.take(ifAny: 2) == true {
            self = .engine
        } else if try fields.take(ifAny: 3) == true {
            self = .agent
        } else {
            let pieces: [Job.Piece] = try fields.take(all: 4)
            guard !pieces.isEmpty else { throw WireError("an unknown kind of argument", isNews: true) }
            self = .joined(pieces)
        }
    }
}

extension Job.Piece: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        switch self {
        case .text(let text): writer.field(1, text)
        case .run: writer.field(2, true)
        case .attempt: writer.field(3, true)
        }
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        if let text: String = try fields.take(ifAny: 1) {
            self = .text(text)
        } else if try fields.take(ifAny: 2) == true {
            self = .run
        } else if try fields.take(ifAny: 3) == true {
            self = .attempt
        } else {
            throw WireError("an unknown piece of a text", isNews: true)
        }
    }
}

extension Job.JoinedVariable: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, name)
        writer.fields(2, value)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(try fields.take(1), try fields.take(all: 2))
    }
}

extension Job.Input: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, path)
        writer.field(2, digest)
        writer.field(3, size)
        writer.field(4, isExecutable)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            path: try fields.path(1), digest: try fields.take(2), size: try fields.amount(3),
            isExecutable: try fields.take(4))
    }
}

extension InputListName: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, digest)
        writer.field(2, size)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(digest: try fields.take(1), size: try fields.amount(2))
    }
}

extension JobLimits: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, time)
        writer.field(2, stall)
        writer.field(3, memoryBytes)
        writer.field(4, output)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            time: try fields.amount(ifAny: 1), stall: try fields.amount(ifAny: 2),
            memoryBytes: try fields.amount(ifAny: 3), output: try fields.amount(ifAny: 4))
    }
}

extension EnvironmentVariable: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, name)
        writer.field(2, value)
    }

    package init(fields: inout FieldDecoder) throws(WireError) { self.init(try fields.take(1), try fields.take(2)) }
}

extension HeldLease: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, lease)
        writer.fields(2, runs)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(lease: try fields.lease(1), runs: try fields.runs(2))
    }
}

extension Grant: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, run)
        writer.field(2, firstAttempt)
        writer.field(3, attempts)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            run: try fields.run(1), firstAttempt: try fields.take(2, in: 1...WireLimits.number),
            attempts: try fields.take(3, in: 1...WireLimits.attempts))
    }
}

extension Revision: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, number)
        writer.field(2, specification)
        writer.field(3, runs)
        writer.field(4, madeAt)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            number: try fields.take(1, in: 1...WireLimits.number), specification: try fields.take(2),
            runs: try fields.take(3), madeAt: try fields.take(4))
    }
}
