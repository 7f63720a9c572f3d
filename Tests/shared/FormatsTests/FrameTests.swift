import Formats
import Model
import TestKit
import Testing

@Suite("Frames")
struct FrameTests {
    /// Two frames one behind the other, as they stand in a stream.
    private func frames(_ chance: inout Chance) -> [Frame] {
        [chance.agentMessages()[2].frame, chance.coordinatorMessages()[6].frame]
    }

    private func read(_ bytes: [UInt8]) throws(WireError) -> [Frame] {
        var reader = FrameReader()
        reader.append(bytes)
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames
    }

    @Test("A stream cut into pieces at will gives the same frames", arguments: 0..<20 as Range<UInt64>)
    func pieces(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        var sent = chance.agentMessages().map(\.frame) + chance.coordinatorMessages().map(\.frame)
        sent.shuffle(using: &chance)
        var rest = try sent.flatMap { try $0.encoded }[...]
        var reader = FrameReader()
        var came: [Frame] = []
        while !rest.isEmpty {
            let count = min(rest.count, chance.number(1...100))
            reader.append(rest.prefix(count))
            rest = rest.dropFirst(count)
            while let frame = try reader.next() { came.append(frame) }
        }
        #expect(came == sent)
        #expect(reader.pendingCount == 0)
    }

    @Test("A stream that ends early gives no frame but the whole ones", arguments: 0..<5 as Range<UInt64>)
    func truncated(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        let sent = frames(&chance)
        let first = try sent[0].encoded.count
        let bytes = try sent.flatMap { try $0.encoded }
        for count in bytes.indices {
            #expect(try read(Array(bytes[..<count])) == (count < first ? [] : [sent[0]]))
        }
    }

    @Test("Every single bit that flips is noticed", arguments: 0..<5 as Range<UInt64>)
    func flipped(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        let sent = frames(&chance)
        let bytes = try sent.flatMap { try $0.encoded }
        let first = try sent[0].encoded.count
        for bit in 0..<8 * first {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // A length that grew may only make the reader wait for bytes that never come.
            let came = (try? read(damaged)) ?? []
            #expect(came.isEmpty, "bit \(bit)")
        }
        #expect(try read(bytes) == sent)
    }

    @Test("Frames of no length, or longer than the limit, are refused before their bytes are there")
    func lengths() throws {
        for length in [0, Frame.maximumLength + 1, 1 << 24, Int(UInt32.max)] {
            let header = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + [0, 0, 0, 0]
            #expect(throws: WireError("a frame of \(length) bytes")) { try self.read(header) }
        }
        let largest = Frame(kind: 69, payload: [UInt8](repeating: 7, count: Frame.maximumLength - 1))
        #expect(try read(try largest.encoded) == [largest])
        let larger = Frame(kind: 69, payload: [UInt8](repeating: 7, count: Frame.maximumLength))
        #expect(throws: WireError("a message of 131072 bytes, where 131071 can be sent")) { try larger.encoded }
    }

    @Test("The checksum is CRC-32C, as in RFC 3720, B.4")
    func checksum() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum((0..<32).map { $0 }) == 0x46dd_794e)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
    }

    @Test("The processor's instruction gives the checksum that the table gives, for any length and beginning")
    func checksumByTable() {
        let bytes = (0..<4_099).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        for start in 0..<9 {
            for length in [0, 1, 7, 8, 9, 63, 64, 4_000, 4_090] {
                let part = Array(bytes[start..<start + length])
                #expect(CRC32C.checksum(part) == ~CRC32C.extendByTable(.max, part))
            }
        }
    }

    @Test("The longest messages that are allowed fit a frame")
    func longest() throws {
        let full = [UInt8](repeating: 1, count: ObjectRange.maximumLength)
        let bytes = AgentMessage.bytes(ObjectBytes(digest: SHA256.digest(full), offset: .max - 1 << 20, bytes: full))
        let path = String(repeating: String(repeating: "a", count: 255) + "/", count: 3) + "b"
        let tail = AgentMessage.tail(Tail(run: 1 << 40, path: path, bytes: full))
        for message in [bytes, tail] { #expect(try AgentMessage(try read(try message.frame.encoded)[0]) == message) }
    }
}
