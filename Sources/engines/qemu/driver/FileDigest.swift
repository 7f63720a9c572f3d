import Glibc

/// SHA-256 of whole files, by the program `sha256sum`: it uses the processor's own instructions, so that the tens of
/// megabytes of a kernel, an initrd and an emulator delay a run by a tenth of a second.
enum FileDigest {
    /// - Returns: 64 lower-case hexadecimal digits.
    static func of(_ path: String) throws(SystemError) -> String {
        guard let program = EvidenceCheck.find("sha256sum") else {
            throw SystemError("cannot find the program sha256sum", ENOENT)
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("cannot read \(path)") }
        let input = duplicateHigh(file)
        close(file)
        defer { close(input) }
        guard input >= 0 else { throw SystemError("cannot read \(path)") }
        // What it says of its standard input is one short line, whatever the file is called.
        let output = try Stream()
        let child = try start([program], environment: ["LC_ALL=C"], descriptors: [input, output.theirs])
        output.closeTheirs()
        let status = collect(child, waiting: true)
        let digest = try output.receive().lines.first?.prefix { $0 != " " } ?? ""
        guard status == 0, digest.utf8.count == 64 else { throw SystemError("cannot read \(path)", EIO) }
        return String(digest)
    }
}
