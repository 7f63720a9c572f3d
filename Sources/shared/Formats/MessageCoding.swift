import Model

// Messages as frames. A kind names a message and its layout: those of version 1 keep theirs, and in version 2 the same
// messages have kinds of their own (16 higher), with fields; later versions add some. So each frame tells how it is
// read, and a side needs to know the other's version for what it sends only.

extension CoordinatorMessage {
    /// What a frame says that it is. The manual's page Formats has a row for each, and the golden files a frame.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case hello = 1
        case grant = 18
        case revoke = 19
        case cancel = 20
        case acknowledge = 21
        case read = 22
        case bytes = 23
        case probe = 24
        case tail = 25
        case heartbeat = 26
        case release = 27
        case holder = 28
        case packed = 29
        case share = 31
        case elsewhere = 32
        case cacheLimit = 33
        case terms = 34
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .grant: .grant
        case .revoke: .revoke
        case .cancel: .cancel
        case .acknowledge: .acknowledge
        case .read: .read
        case .bytes: .bytes
        case .probe: .probe
        case .tail: .tail
        case .heartbeat: .heartbeat
        case .release: .release
        case .holder: .holder
        case .packed: .packed
        case .share: .share
        case .elsewhere: .elsewhere
        case .cacheLimit: .cacheLimit
        case .terms: .terms
        }
    }

    /// The frame that carries this message in the version that is current.
    public var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .hello(let hello): return hello.frame
        case .grant(let shard): shard.putFields(to: &fields)
        case .revoke(let leases): fields.fields(1, leases)
        case .cancel(let runs): fields.fields(1, runs)
        case .acknowledge(let attempts): fields.fields(1, attempts)
        case .read(let range): range.putFields(to: &fields)
        case .bytes(let piece): piece.putFields(to: &fields)
        case .probe(let path): fields.field(1, path)
        case .tail(let request): request.putFields(to: &fields)
        case .heartbeat, .release: break
        case .holder(let name): fields.field(1, name)
        case .packed(let object): object.putFields(to: &fields)
        case .share(let terms): terms.putFields(to: &fields)
        case .elsewhere(let source): source.putFields(to: &fields)
        case .cacheLimit(let bytes): fields.field(1, bytes)
        case .terms(let terms): terms.putFields(to: &fields)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
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
        if let known = try CoordinatorMessage(version1: frame) {
            self = known
            return
        }
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a message of unknown kind \(frame.kind)", isNews: true)
        }
        // The hello has its layout of version 1, by place.
        var fields = try FieldDecoder(kind == .hello ? [] : frame.payload[...])
        switch kind {
        case .hello: self = .hello(try CoordinatorHello(frame.payload))
        case .grant: self = .grant(try Shard(fields: &fields))
        case .revoke: self = .revoke(try fields.leases(1))
        case .cancel: self = .cancel(try fields.runs(1))
        case .acknowledge: self = .acknowledge(try fields.take(all: 1))
        case .read: self = .read(try ObjectRange(fields: &fields))
        case .bytes: self = .bytes(try ObjectBytes(fields: &fields))
        case .probe: self = .probe(path: try fields.take(1))
        case .tail: self = .tail(try TailRequest(fields: &fields))
        case .heartbeat: self = .heartbeat
        case .release: self = .release
        case .holder: self = .holder(try fields.take(1))
        case .packed: self = .packed(try PackedObject(fields: &fields))
        case .share: self = .share(try SharingTerms(fields: &fields))
        case .elsewhere: self = .elsewhere(try ObjectSource(fields: &fields))
        case .cacheLimit: self = .cacheLimit(try fields.take(1))
        case .terms: self = .terms(try HostTerms(fields: &fields))
        }
        try fields.end()
    }
}

extension AgentMessage {
    /// What a frame says that it is, as in ``CoordinatorMessage/Kind``.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case hello = 65
        case refused = 74
        case started = 82
        case outcome = 83
        case want = 84
        case bytes = 85
        case missing = 86
        case probed = 87
        case tail = 88
        case heartbeat = 89
        case released = 91
        case sharing = 94
        case holding = 95
        case unreached = 96
        case damaged = 97
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .refused: .refused
        case .started: .started
        case .outcome: .outcome
        case .want: .want
        case .bytes: .bytes
        case .missing: .missing
        case .probed: .probed
        case .tail: .tail
        case .heartbeat: .heartbeat
        case .released: .released
        case .sharing: .sharing
        case .holding: .holding
        case .unreached: .unreached
        case .damaged: .damaged
        }
    }

    /// The frame that carries this message in the version that is current.
    public var frame: Frame {
        var fields = ByteWriter()
        switch self {
        case .hello(let hello): return hello.frame
        case .started(let attempts): fields.fields(1, attempts)
        case .outcome(let report): report.putFields(to: &fields)
        case .want(let range): range.putFields(to: &fields)
        case .bytes(let piece): piece.putFields(to: &fields)
        case .missing(let digest, let reason):
            fields.field(1, digest)
            fields.field(2, reason)
        case .probed(let probe): probe.putFields(to: &fields)
        case .tail(let tail): tail.putFields(to: &fields)
        case .heartbeat(let load): load.putFields(to: &fields)
        case .refused(let reason): fields.put(reason)
        case .released: break
        case .sharing(let place, let problem):
            fields.field(1, place)
            fields.field(2, problem)
        case .holding(let digests): fields.fields(1, digests)
        case .unreached(let failure): failure.putFields(to: &fields)
        case .damaged(let damage): damage.putFields(to: &fields)
        }
        return Frame(kind: kind.rawValue, payload: fields.bytes)
    }

    /// The frame that a peer understands who speaks `version`; nil: there is no such message for it.
    public func frame(for version: Int) -> Frame? {
        switch self {
        case .hello, .refused: frame
        case .started, .outcome, .want, .bytes, .missing, .probed, .tail, .heartbeat, .released:
            version < 2 ? frame1 : frame
        case .sharing, .holding, .unreached: version < 3 ? nil : frame
        case .damaged: version < 6 ? nil : frame
        }
    }

    /// - Throws: ``WireError`` for anything that is damaged, or that must be known and is not.
    public init(_ frame: Frame) throws(WireError) {
        if let known = try AgentMessage(version1: frame) {
            self = known
            return
        }
        guard let kind = Kind(rawValue: frame.kind) else {
            throw WireError("a message of unknown kind \(frame.kind)", isNews: true)
        }
        // Hello and refusal have their layout of version 1, by place.
        var fields = try FieldDecoder(kind == .hello || kind == .refused ? [] : frame.payload[...])
        switch kind {
        case .hello: self = .hello(try AgentHello(frame.payload))
        case .refused:
            var reader = ByteReader(frame.payload)
            self = .refused(reason: try reader.string())
            try reader.end()
        case .started: self = .started(try fields.take(all: 1))
        case .outcome: self = .outcome(try AttemptReport(fields: &fields))
        case .want: self = .want(try ObjectRange(fields: &fields))
        case .bytes: self = .bytes(try ObjectBytes(fields: &fields))
        case .missing: self = .missing(try fields.take(1), reason: try fields.take(2))
        case .probed: self = .probed(try EngineProbe(fields: &fields))
        case .tail: self = .tail(try Tail(fields: &fields))
        case .heartbeat: self = .heartbeat(try HostLoad(fields: &fields))
        case .released: self = .released
        case .sharing: self = .sharing(try fields.take(ifAny: 1), problem: try fields.take(2))
        case .holding: self = .holding(try fields.take(all: 1))
        case .unreached: self = .unreached(try SourceFailure(fields: &fields))
        case .damaged: self = .damaged(try ObjectDamage(fields: &fields))
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

extension ObjectDamage: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, digest)
        writer.field(2, wholeAt)
        writer.field(3, foundAt)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(digest: try fields.take(1), wholeAt: try fields.take(2), foundAt: try fields.take(3))
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
