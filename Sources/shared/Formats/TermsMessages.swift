package import Model

// What coordinator and agents say of how a host is shared. Since version 5 of the messages.

extension HostTerms: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, priority)
        writer.field(2, nice)
        writer.field(3, others)
        writer.field(4, binding)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init()
        priority = try fields.take(1, in: HostTerms.priorities)
        nice = try fields.take(2, in: HostTerms.niceValues)
        others = try fields.take(3)
        binding = try fields.take(4)
    }
}

extension OtherUsers: FieldValue {
    package static var isBytes: Bool { true }

    package func put(to writer: inout ByteWriter) {
        switch self {
        case .share: writer.put("share")
        case .yield: writer.put("yield")
        case .ignore: writer.put("ignore")
        }
    }

    package init(_ reader: inout ByteReader) throws(WireError) {
        switch try reader.string() {
        case "share": self = .share
        case "yield": self = .yield
        case "ignore": self = .ignore
        default: throw WireError("an unknown way to share a host", isNews: true)
        }
    }
}

extension SlotBinding: FieldValue {
    package static var isBytes: Bool { true }

    package func put(to writer: inout ByteWriter) {
        switch self {
        case .unbound: writer.put("none")
        case .core: writer.put("core")
        case .numa: writer.put("numa")
        }
    }

    package init(_ reader: inout ByteReader) throws(WireError) {
        switch try reader.string() {
        case "none": self = .unbound
        case "core": self = .core
        case "numa": self = .numa
        default: throw WireError("an unknown binding of slots", isNews: true)
        }
    }
}

extension HostOffer: FieldGroup {
    package func putFields(to writer: inout ByteWriter) {
        writer.field(1, slots)
        writer.field(2, memoryBytes)
        writer.field(3, reason)
    }

    package init(fields: inout FieldDecoder) throws(WireError) {
        self.init(
            slots: try fields.take(1, in: 0...WireLimits.slots), memoryBytes: try fields.amount(2),
            reason: try fields.take(3))
    }
}
