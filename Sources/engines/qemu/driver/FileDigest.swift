import Glibc
import Model

/// SHA-256 of whole files: a kernel, an initrd and an emulator of some tens of megabytes, for each run.
enum FileDigest {
    /// - Returns: 64 lower-case hexadecimal digits.
    static func of(_ path: String) throws(SystemError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("cannot read \(path)") }
        defer { close(file) }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
        defer { piece.deallocate() }
        var hash = SHA256()
        while true {
            let count = read(file, piece.baseAddress, piece.count)
            if count == 0 { return hash.finish().hex }
            if count > 0 {
                hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            } else if errno != EINTR {
                throw SystemError("cannot read \(path)")
            }
        }
    }
}
