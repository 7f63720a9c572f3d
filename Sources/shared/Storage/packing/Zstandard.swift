import CZstd
import Model

/// One frame of Zstandard at a time (RFC 8878), whole in memory: packs are small.
enum Zstandard {
    /// Where a pack's time is well spent: higher ones cost more time than the network gives back.
    static let level: Int32 = 3

    static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
        var failed = false
        let bound = ZSTD_compressBound(bytes.count)
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { room, count in
            let size = bytes.withUnsafeBytes { ZSTD_compress(room.baseAddress, bound, $0.baseAddress, $0.count, level) }
            failed = ZSTD_isError(size) != 0
            count = failed ? 0 : size
        }
        guard !failed else { throw Failure(.internalError, "bytes cannot be compressed") }
        return packed
    }

    /// - Parameter size: of what comes out; nothing else is taken.
    /// - Throws: ``Failure`` (`badArchive`) for anything but one frame that holds so many bytes.
    static func decompress(_ packed: [UInt8], size: Int) throws -> [UInt8] {
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { room, count in
            let found = packed.withUnsafeBytes { packed -> Int in
                let frame = ZSTD_findFrameCompressedSize(packed.baseAddress, packed.count)
                guard ZSTD_isError(frame) == 0, frame == packed.count else { return 0 }
                return ZSTD_decompress(room.baseAddress, size, packed.baseAddress, packed.count)
            }
            isWhole = ZSTD_isError(found) == 0 && found == size
            count = isWhole ? size : 0
        }
        guard isWhole else { throw Failure(.badArchive, "a pack cannot be unpacked: it is damaged") }
        return bytes
    }
}
