import Model

// Messages as frames. A kind names a message and its layout: those of version 1 keep theirs, and in version 2 the same
// messages have kinds of their own (16 higher), with fields; later versions add some. So each frame tells how it is
// read, and a side needs to know the other's version for what it sends only.

extension CoordinatorMessage {
    /// The frame that carries this message in the version that is current.
    public var frame: Frame {
        var fields = ByteWriter()
        let kind: UInt8
        switch self {
        case .hello(let hello): return hello.frame
        case .grant(let shard):
            kind = 18
            shard.putFields(to: &fields)
        case .revoke(let leases):
            kind = 19
            fields.fields(1, leases)
        case .cancel(let runs):
            kind = 20
            fields.fields(1, runs)
        case .acknowledge(let attempts):
            kind = 21
            fields.fields(1, attempts)
        case .read(let range):
            kind = 22
            range.putFields(to: &fields)
        case .bytes(let piece):
            kind = 23
            piece.putFields(to: &fields)
        case .probe(let path):
            kind = 24
            fields.field(1, path)
        case .tail(let request):
            kind = 25
            request.putFields(to: &fields)
        case .heartbeat: kind = 26
        case .release: kind = 27
        case .holder(let name):
            kind = 28
            fields.field(1, name)
        case .packed(let object):
            kind = 29
            object.putFields(to: &fields)
        case .share(let terms):
            kind = 31
            terms.putFields(to: &fields)
        case .elsewhere(let source):
            kind = 32
            source.putFields(to: &fields)
        case .cacheLimit(let bytes):
            kind = 33
            fields.field(1, bytes)
        case .terms(let terms):
            kind = 34
            terms.putFields(to: &fields)
        }
        return Frame(kind: kind, payload: fields.bytes)
    }

    /// The frame that a peer understands who speaks `version`; nil: there is no such message for it.
    public func frame(for version: Int) -> Frame? {
        switch self {
        case .hello: frame
        case .packed, .share, .elsewhere: version < 3 ? nil : frame
        case .cacheLimit: version < 4 ? nil : frame
        case .terms: version < 5 ? nil : frame
        case .grant, .revoke, .cancel, .acknowledge, .read, .bytes, .probe, .tail, .heartbeat, .holder, .release:
            version < 2 ? frame1 : frame
        }
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    public init(_ frame: Frame) throws(WireError) {
        if frame.kind == CoordinatorMessage.helloKind {
            self = .hello(try CoordinatorHello(frame.payload))
            return
        }
        if let known = try CoordinatorMessage(version1: frame) {
            self = known
            return
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch frame.kind {
        case 18: self = .grant(try Shard(fields: &fields))
        case 19: self = .revoke(try fields.leases(1))
        case 20: self = .cancel(try fields.runs(1))
        case 21: self = .acknowledge(try fields.take(all: 1))
        case 22: self = .read(try ObjectRange(fields: &fields))
        case 23: self = .bytes(try ObjectBytes(fields: &fields))
        case 24: self = .probe(path: try fields.take(1))
        case 25: self = .tail(try TailRequest(fields: &fields))
        case 26: self = .heartbeat
        case 27: self = .release
        case 28: self = .holder(try fields.take(1))
        case 29: self = .packed(try PackedObject(fields: &fields))
        case 31: self = .share(try SharingTerms(fields: &fields))
        case 32: self = .elsewhere(try ObjectSource(fields: &fields))
        case 33: self = .cacheLimit(try fields.take(1))
        case 34: self = .terms(try HostTerms(fields: &fields))
        default: throw WireError("a message of unknown kind \(frame.kind)", isNews: true)
        }
        try fields.end()
    }
}

extension AgentMessage {
    /// The frame that carries this message in the version that is current.
    public var frame: Frame {
        var fields = ByteWriter()
        let kind: UInt8
        switch self {
        case .hello(let hello): return hello.frame
        case .started(let attempts):
            kind = 82
            fields.fields(1, attempts)
        case .outcome(let report):
            kind = 83
            report.putFields(to: &fields)
        case .want(let range):
            kind = 84
            range.putFields(to: &fields)
        case .bytes(let piece):
            kind = 85
            piece.putFields(to: &fields)
        case .missing(let digest, let reason):
            kind = 86
            fields.field(1, digest)
            fields.field(2, reason)
        case .probed(let probe):
            kind = 87
            probe.putFields(to: &fields)
        case .tail(let tail):
            kind = 88
            tail.putFields(to: &fields)
        case .heartbeat(let load):
            kind = 89
            load.putFields(to: &fields)
        case .refused(let reason):
            kind = AgentMessage.refusedKind
            fields.put(reason)
        case .released: kind = 91
        case .sharing(let place, let problem):
            kind = 94
            fields.field(1, place)
            fields.field(2, problem)
        case .holding(let digests):
            kind = 95
            fields.fields(1, digests)
        case .unreached(let failure):
            kind = 96
            failure.putFields(to: &fields)
        }
        return Frame(kind: kind, payload: fields.bytes)
    }

    /// The frame that a peer understands who speaks `version`; nil: there is no such message for it.
    public func frame(for version: Int) -> Frame? {
        switch self {
        case .hello, .refused: frame
        case .started, .outcome, .want, .bytes, .missing, .probed, .tail, .heartbeat, .released:
            version < 2 ? frame1 : frame
        case .sharing, .holding, .unreached: version < 3 ? nil : frame
        }
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    public init(_ frame: Frame) throws(WireError) {
        if frame.kind == AgentMessage.helloKind {
            self = .hello(try AgentHello(frame.payload))
            return
        }
        if frame.kind == AgentMessage.refusedKind {
            var reader = ByteReader(frame.payload)
            self = .refused(reason: try reader.string())
            try reader.end()
            return
        }
        if let known = try AgentMessage(version1: frame) {
            self = known
            return
        }
        var fields = try FieldDecoder(frame.payload[...])
        switch frame.kind {
        case 82: self = .started(try fields.take(all: 1))
        case 83: self = .outcome(try AttemptReport(fields: &fields))
        case 84: self = .want(try ObjectRange(fields: &fields))
        case 85: self = .bytes(try ObjectBytes(fields: &fields))
        case 86: self = .missing(try fields.take(1), reason: try fields.take(2))
        case 87: self = .probed(try EngineProbe(fields: &fields))
        case 88: self = .tail(try Tail(fields: &fields))
        case 89: self = .heartbeat(try HostLoad(fields: &fields))
        case 91: self = .released
        case 94: self = .sharing(try fields.take(ifAny: 1), problem: try fields.take(2))
        case 95: self = .holding(try fields.take(all: 1))
        case 96: self = .unreached(try SourceFailure(fields: &fields))
        default: throw WireError("a message of unknown kind \(frame.kind)", isNews: true)
        }
        try fields.end()
    }
}

extension PackedObject: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, object)
        writer.field(2, map)
        writer.field(3, mapSize)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(object: try fields.take(1), map: try fields.take(2), mapSize: try fields.amount(3))
        guard 1...ObjectMap.longest ~= mapSize else { throw WireError("a map of \(mapSize) bytes") }
    }
}

extension ObjectRange: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, digest)
        writer.field(2, offset)
        writer.field(3, length)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(digest: try fields.take(1), offset: try fields.amount(2), length: try fields.rangeLength(3))
        guard offset <= Int64.max - Int64(length) else { throw WireError("a range that ends nowhere") }
    }
}

extension ObjectBytes: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, digest)
        writer.field(2, offset)
        writer.field(3, bytes)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(digest: try fields.take(1), offset: try fields.amount(2), bytes: try fields.take(3))
        guard offset <= Int64.max - Int64(bytes.count) else { throw WireError("a piece that ends nowhere") }
    }
}

extension EngineProbe: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, path)
        writer.field(2, digest)
        writer.field(3, problem)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(path: try fields.take(1), digest: try fields.take(ifAny: 2), problem: try fields.take(3))
    }
}

extension TailRequest: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, run)
        writer.field(2, path)
        writer.field(3, maximumLength)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(run: try fields.run(1), path: try fields.path(2), maximumLength: try fields.rangeLength(3))
    }
}

extension Tail: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, run)
        writer.field(2, path)
        writer.field(3, bytes)
        writer.field(4, collected)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            run: try fields.run(1), path: try fields.path(2), bytes: try fields.take(ifAny: 3),
            collected: try fields.take(ifAny: 4))
    }
}

extension BytesDone: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, done)
        writer.field(2, total)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(done: try fields.amount(1), total: try fields.amount(ifAny: 2))
    }
}

extension HostLoad: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, running)
        writer.field(2, waiting)
        writer.field(3, freeBytes)
        writer.field(4, offer)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            running: try fields.take(1, in: 0...WireLimits.number),
            waiting: try fields.take(2, in: 0...WireLimits.number), freeBytes: try fields.amount(3),
            offer: try fields.take(ifAny: 4))
    }
}

extension FieldDecoder {
    fileprivate mutating func rangeLength(_ number: Int) throws(WireError) -> Int {
        try take(number, in: 1...ObjectRange.maximumLength)
    }
}
