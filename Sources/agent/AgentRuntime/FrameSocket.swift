import CSystem
import Formats
import Glibc

/// The near end of a Unix socket that carries frames, without ever waiting.
final class FrameSocket: FrameStream {
    let descriptor: Int32
    private var reader = FrameReader()
    private var out = SendQueue()
    private(set) var isBroken = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    var unsentCount: Int { out.unsentCount }

    /// What is too long for a frame ends the stream: the other side would wait for it.
    func send(_ frame: Frame) {
        do throws(WireError) { out.add(try frame.encoded) } catch { isBroken = true }
    }

    func send(bytes: [UInt8]) { out.add(bytes) }

    /// Writes what the other side takes.
    func flush() {
        if !isBroken, !out.flush(to: descriptor) { isBroken = true }
    }

    /// Reads what is there, up to a bound, and cuts it into frames.
    ///
    /// - Throws: ``WireError`` for bytes that are no frames; the stream is of no use after that.
    func receive() throws(WireError) -> [Frame] {
        var frames: [Frame] = []
        for _ in 0..<8 {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 128 * 1024) { buffer, filled in
                count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
                filled = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            if count <= 0 {
                isBroken = true
                break
            }
            reader.append(bytes)
            while let frame = try reader.next() { frames.append(frame) }
            if count < 128 * 1024 { break }
        }
        return frames
    }

    func close() {
        isBroken = true
        _ = Glibc.close(descriptor)
    }
}
