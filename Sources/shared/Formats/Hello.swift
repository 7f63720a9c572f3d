import Model

// What the two sides say before they know which version of the messages they have in common: the layout is the same in
// all versions, by place, as in version 1. What is added to a hello stands behind it as fields, and is sent only to a
// peer that is known to read them: version 1 refuses what it does not know. So an agent's hello can grow now, as the
// coordinator's is there before; the coordinator's can when no agent of version 1 is spoken with any more, and until
// then whatever else it has to say goes in a message of its own.

extension CoordinatorHello {
    var frame: Frame {
        var writer = ByteWriter()
        writer.put(oldest)
        writer.put(current)
        writer.put(sweep)
        writer.put(leaseTerm)
        writer.put(slots) { $0.put($1) }
        writer.put(memoryBytes) { $0.put($1) }
        writer.put(enginePath) { $0.put($1) }
        writer.put(setup) { $0.put($1) }
        return Frame(kind: CoordinatorMessage.Kind.hello.rawValue, payload: writer.bytes)
    }

    init(_ payload: [UInt8]) throws(WireError) {
        var reader = ByteReader(payload)
        self.init(
            oldest: try reader.integer(), current: try reader.integer(), sweep: try reader.string(),
            leaseTerm: try reader.amount(),
            slots: try reader.optional { reader throws(WireError) in try reader.integer(in: 0...WireLimits.slots) },
            memoryBytes: try reader.optional { reader throws(WireError) in try reader.amount() },
            enginePath: try reader.optional { reader throws(WireError) in try reader.string() },
            setup: try reader.optional { reader throws(WireError) in try reader.string() })
        var fields = try FieldDecoder(reader.rest())
        try fields.end()
    }
}

extension AgentHello {
    var frame: Frame {
        var writer = ByteWriter()
        writer.put(oldest)
        writer.put(current)
        writer.put(bootID)
        writer.put(hostName)
        writer.put(slots)
        writer.put(processors)
        writer.put(memoryBytes)
        writer.put(freeBytes)
        writer.put(workdir)
        writer.put(wallClock)
        writer.put(list: leases) { writer, held in
            writer.put(held.lease)
            writer.put(list: held.runs) { $0.put($1) }
        }
        return Frame(kind: AgentMessage.Kind.hello.rawValue, payload: writer.bytes)
    }

    init(_ payload: [UInt8]) throws(WireError) {
        var reader = ByteReader(payload)
        self.init(
            oldest: try reader.integer(), current: try reader.integer(), bootID: try reader.string(),
            hostName: try reader.string(), slots: try reader.integer(in: 1...WireLimits.slots),
            processors: try reader.integer(in: 1...WireLimits.slots), memoryBytes: try reader.amount(),
            freeBytes: try reader.amount(), workdir: try reader.string(), wallClock: try reader.amount(),
            leases: try reader.list { reader throws(WireError) in
                HeldLease(
                    lease: try reader.lease(),
                    runs: try reader.list { reader throws(WireError) in try reader.run() })
            })
        var fields = try FieldDecoder(reader.rest())
        try fields.end()
    }
}
