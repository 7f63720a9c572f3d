import Model

// The messages of version 1 but for the hello and the refusal, which are the same in all versions.

extension CoordinatorMessage {
    /// nil: version 1 has nothing like it.
    var frame1: Frame? {
        var writer = ByteWriter()
        switch self {
        case .hello, .holder, .packed, .share, .elsewhere, .cacheLimit, .terms: return nil
        case .grant(let shard):
            writer.put(shard)
            return Frame(kind: 2, payload: writer.bytes)
        case .revoke(let leases):
            writer.put(list: leases) { $0.put($1) }
            return Frame(kind: 3, payload: writer.bytes)
        case .cancel(let runs):
            writer.put(list: runs) { $0.put($1) }
            return Frame(kind: 4, payload: writer.bytes)
        case .acknowledge(let attempts):
            writer.put(list: attempts) { $0.put($1) }
            return Frame(kind: 5, payload: writer.bytes)
        case .read(let range):
            writer.put(range)
            return Frame(kind: 6, payload: writer.bytes)
        case .bytes(let piece):
            writer.put(piece)
            return Frame(kind: 7, payload: writer.bytes)
        case .probe(let path):
            writer.put(path)
            return Frame(kind: 8, payload: writer.bytes)
        case .tail(let request):
            writer.put(request.run)
            writer.put(request.path)
            writer.put(request.maximumLength)
            return Frame(kind: 9, payload: writer.bytes)
        case .heartbeat:
            return Frame(kind: 10, payload: [])
        case .release:
            return Frame(kind: 11, payload: [])
        }
    }

    /// nil: it is none of version 1.
    init?(version1 frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 2: self = .grant(try reader.shard())
        case 3: self = .revoke(try reader.list { reader throws(WireError) in try reader.lease() })
        case 4: self = .cancel(try reader.list { reader throws(WireError) in try reader.run() })
        case 5: self = .acknowledge(try reader.list { reader throws(WireError) in try reader.attemptID() })
        case 6: self = .read(try reader.range())
        case 7: self = .bytes(try reader.piece())
        case 8: self = .probe(path: try reader.string())
        case 9:
            self = .tail(
                TailRequest(
                    run: try reader.run(), path: try reader.safePath(), maximumLength: try reader.rangeLength()))
        case 10: self = .heartbeat
        case 11: self = .release
        default: return nil
        }
        try reader.end()
    }
}

extension AgentMessage {
    /// nil: version 1 has nothing like it.
    var frame1: Frame? {
        var writer = ByteWriter()
        switch self {
        case .hello, .refused, .sharing, .holding, .unreached, .damaged: return nil
        case .started(let attempts):
            writer.put(list: attempts) { $0.put($1) }
            return Frame(kind: 66, payload: writer.bytes)
        case .outcome(let report):
            writer.put(report)
            return Frame(kind: 67, payload: writer.bytes)
        case .want(let range):
            writer.put(range)
            return Frame(kind: 68, payload: writer.bytes)
        case .bytes(let piece):
            writer.put(piece)
            return Frame(kind: 69, payload: writer.bytes)
        case .missing(let digest, let reason):
            writer.put(digest)
            writer.put(reason)
            return Frame(kind: 70, payload: writer.bytes)
        case .probed(let probe):
            writer.put(probe.path)
            writer.put(probe.digest) { $0.put($1) }
            writer.put(probe.problem)
            return Frame(kind: 71, payload: writer.bytes)
        case .tail(let tail):
            writer.put(tail.run)
            writer.put(tail.path)
            writer.put(tail.bytes) { $0.put($1) }
            return Frame(kind: 72, payload: writer.bytes)
        case .heartbeat(let load):
            writer.put(load.running)
            writer.put(load.waiting)
            writer.put(load.freeBytes)
            return Frame(kind: 73, payload: writer.bytes)
        case .released:
            return Frame(kind: 75, payload: [])
        }
    }

    /// nil: it is none of version 1.
    init?(version1 frame: Frame) throws(WireError) {
        var reader = ByteReader(frame.payload)
        switch frame.kind {
        case 66: self = .started(try reader.list { reader throws(WireError) in try reader.attemptID() })
        case 67: self = .outcome(try reader.report())
        case 68: self = .want(try reader.range())
        case 69: self = .bytes(try reader.piece())
        case 70: self = .missing(try reader.digest(), reason: try reader.string())
        case 71:
            self = .probed(
                EngineProbe(
                    path: try reader.string(),
                    digest: try reader.optional { reader throws(WireError) in try reader.digest() },
                    problem: try reader.string()))
        case 72:
            self = .tail(
                Tail(
                    run: try reader.run(), path: try reader.safePath(),
                    bytes: try reader.optional { reader throws(WireError) in try reader.data() }))
        case 73:
            self = .heartbeat(
                HostLoad(
                    running: try reader.integer(in: 0...WireLimits.number),
                    waiting: try reader.integer(in: 0...WireLimits.number), freeBytes: try reader.amount()))
        case 75: self = .released
        default: return nil
        }
        try reader.end()
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ range: ObjectRange) {
        put(range.digest)
        put(range.offset)
        put(range.length)
    }

    fileprivate mutating func put(_ piece: ObjectBytes) {
        put(piece.digest)
        put(piece.offset)
        put(piece.bytes)
    }
}

extension ByteReader {
    fileprivate mutating func range() throws(WireError) -> ObjectRange {
        let range = ObjectRange(digest: try digest(), offset: try amount(), length: try rangeLength())
        guard range.offset <= Int64.max - Int64(range.length) else { throw WireError("a range that ends nowhere") }
        return range
    }

    fileprivate mutating func rangeLength() throws(WireError) -> Int {
        let length = try integer()
        guard 1...ObjectRange.maximumLength ~= length else { throw WireError("a range of \(length) bytes") }
        return length
    }

    fileprivate mutating func piece() throws(WireError) -> ObjectBytes {
        let piece = ObjectBytes(digest: try digest(), offset: try amount(), bytes: try data())
        guard piece.offset <= Int64.max - Int64(piece.bytes.count) else { throw WireError("a piece that ends nowhere") }
        return piece
    }
}
