import CZlib
import Model

/// A `z_stream`, which must not move in memory while zlib works with it.
private final class ZlibStream {
    let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let end: (UnsafeMutablePointer<z_stream>) -> Int32

    init(_ end: @escaping (UnsafeMutablePointer<z_stream>) -> Int32) {
        state.initialize(to: z_stream())
        self.end = end
    }

    deinit {
        _ = end(state)
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// Runs `step` until it has used all of `input`, or says that it is at its end; returns that.
    func run(
        _ input: UnsafeRawBufferPointer, into output: inout [UInt8], atMost limit: Int, _ step: () -> Int32
    ) -> (status: Int32, used: Int) {
        let source = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        (state.pointee.next_in, state.pointee.avail_in) = (source, UInt32(input.count))
        var status = Z_OK
        repeat {
            let room = 64 * 1024
            let begin = output.count
            output.append(contentsOf: repeatElement(0, count: room))
            output.withUnsafeMutableBufferPointer { buffer in
                (state.pointee.next_out, state.pointee.avail_out) = (buffer.baseAddress! + begin, UInt32(room))
                status = step()
            }
            let left = Int(state.pointee.avail_out)
            output.removeLast(left)
            // Room that is left says that there is nothing more to come of what was given.
            guard status == Z_OK, left == 0, output.count < limit else { break }
        } while true
        return (status, input.count - Int(state.pointee.avail_in))
    }
}

/// Makes what gzopen(3) makes of the same content at the same level: deflate (RFC 1951) with gzip's header (RFC 1952)
/// that names neither a time nor a file.
public struct Gzip {
    /// gzip's own.
    public static let usualLevel = 6

    private let stream: ZlibStream

    public init(level: Int) throws {
        stream = ZlibStream(deflateEnd)
        let size = Int32(MemoryLayout<z_stream>.size)
        guard
            // 15 bits of window, and 16 more for gzip's header instead of zlib's.
            deflateInit2_(
                stream.state, Int32(level), Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
        else { throw Failure(.internalError, "zlib cannot be used") }
    }

    /// - Returns: what there is so far of the file.
    public func add(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8] {
        var output: [UInt8] = []
        _ = stream.run(bytes, into: &output, atMost: .max) { [stream] in
            deflate(stream.state, isLast ? Z_FINISH : Z_NO_FLUSH)
        }
        return output
    }
}

/// Reads what gzip made.
struct Gunzip {
    /// What came of a piece.
    struct Piece {
        var content: [UInt8]
        /// Bytes of the piece that were used; what is left is to be given again.
        var used: Int
        /// Whether the file's one member ended.
        var isAtEnd: Bool
    }

    private let stream: ZlibStream

    init() throws {
        stream = ZlibStream(inflateEnd)
        guard inflateInit2_(stream.state, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure(.internalError, "zlib cannot be used")
        }
    }

    /// - Returns: nil: the file is damaged, or none of gzip's.
    func read(_ bytes: UnsafeRawBufferPointer) -> Piece? {
        var content: [UInt8] = []
        let (status, used) = stream.run(bytes, into: &content, atMost: 1 << 20) { [stream] in
            inflate(stream.state, Z_NO_FLUSH)
        }
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { return nil }
        return Piece(content: content, used: used, isAtEnd: status == Z_STREAM_END)
    }
}
