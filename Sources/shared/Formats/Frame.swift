import CSystem

/// The unit of the stream between coordinator and agent, and of the agent's journal:
///
///     length  4 bytes, little-endian: of kind and payload together, 1 to 131,072
///     check   4 bytes, little-endian: CRC-32C (RFC 3720, B.4) of kind and payload
///     kind    1 byte
///     payload
public struct Frame: Sendable, Hashable {
    /// Of kind and payload. A stream of large objects goes in many frames, so that a heartbeat waits for one at most.
    public static let maximumLength = 128 * 1024
    public static let headerLength = 8

    public var kind: UInt8
    public var payload: [UInt8]

    public init(kind: UInt8, payload: [UInt8]) {
        self.kind = kind
        self.payload = payload
    }

    /// - Throws: ``WireError`` for more than a frame holds: who builds messages splits them.
    public var encoded: [UInt8] {
        get throws(WireError) {
            guard payload.count < Frame.maximumLength else {
                throw WireError("a message of \(payload.count) bytes, where \(Frame.maximumLength - 1) can be sent")
            }
            var out: [UInt8] = []
            out.reserveCapacity(Frame.headerLength + 1 + payload.count)
            Frame.put(UInt32(payload.count + 1), to: &out)
            Frame.put(CRC32C.checksum(kind: kind, payload), to: &out)
            out.append(kind)
            out.append(contentsOf: payload)
            return out
        }
    }

    private static func put(_ value: UInt32, to out: inout [UInt8]) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

/// Cuts a stream of bytes into frames.
public struct FrameReader: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0

    public init() {}

    /// Bytes that no complete frame has used yet.
    public var pendingCount: Int { buffer.count - start }

    /// Mostly nothing is left of what came before: then the bytes are not copied.
    public mutating func append(_ bytes: [UInt8]) {
        guard start == buffer.count else { return append(bytes[...]) }
        (buffer, start) = (bytes, 0)
    }

    public mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0, start == buffer.count || start > 1 << 20 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next frame, or nil until more bytes are there.
    ///
    /// - Throws: ``WireError`` for a length out of bounds or a wrong checksum; the stream is of no use after that.
    public mutating func next() throws(WireError) -> Frame? {
        guard pendingCount >= Frame.headerLength else { return nil }
        let length = Int(word(at: start))
        guard 1...Frame.maximumLength ~= length else { throw WireError("a frame of \(length) bytes") }
        guard pendingCount >= Frame.headerLength + length else { return nil }
        let check = word(at: start + 4)
        let body = start + Frame.headerLength
        let frame = Frame(kind: buffer[body], payload: Array(buffer[body + 1..<body + length]))
        guard CRC32C.checksum(kind: frame.kind, frame.payload) == check else {
            throw WireError("a frame's checksum is wrong")
        }
        start = body + length
        return frame
    }

    private func word(at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(buffer[index + $1]) << (8 * UInt32($1)) }
    }
}

/// CRC-32C (Castagnoli), by the processor's instruction where it has one: otherwise a frame's checksum is a third of
/// what sending it costs.
public enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 { ~extend(.max, bytes) }

    static func checksum(kind: UInt8, _ payload: [UInt8]) -> UInt32 { ~extend(extend(.max, [kind]), payload) }

    private static func extend(_ value: UInt32, _ bytes: [UInt8]) -> UInt32 {
        var crc = value
        if bytes.withUnsafeBytes({ sys_crc32c(&crc, $0.baseAddress, $0.count) }) != 0 { return crc }
        return extendByTable(value, bytes)
    }

    /// The same on processors without such an instruction, a table entry a byte.
    package static func extendByTable(_ value: UInt32, _ bytes: [UInt8]) -> UInt32 {
        var crc = value
        table.withUnsafeBufferPointer { table in
            for byte in bytes { crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
        }
        return crc
    }
}
