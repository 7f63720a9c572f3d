import Engines
import Glibc
import Results

/// Puts a question of a run to its engine, with files of this host.
struct AskedQuestion {
    /// The engine's verb.
    let verb: String
    let question: any RunQuestion.Type

    /// - Parameter words: behind the verb.
    /// - Returns: the exit status: 0 with an answer on standard output, 64 for a question that is not understood, 74
    ///   for files that cannot be read.
    func answer(_ words: [String]) -> Int32 {
        do {
            AskedQuestion.write(STDOUT_FILENO, "\(try question.answer(words, AskedQuestion.files))\n")
            return 0
        } catch let unknown as UnknownQuestion {
            return complain("usage: \(unknown.usage)", 64)
        } catch {
            return complain((error as? Breach)?.evidence ?? "\(error)", 74)
        }
    }

    private static func files(in folder: String) -> EvidenceFiles {
        EvidenceFiles(size: { path in
            var facts = stat()
            return stat("\(folder)/\(path)", &facts) == 0 ? Int64(facts.st_size) : nil
        }) { path, offset, count in
            let file = open("\(folder)/\(path)", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw Breach("\(path): \(String(cString: strerror(errno)))") }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: count)
            var size = 0
            while size < count {
                let part = bytes.withUnsafeMutableBytes { buffer in
                    pread(file, buffer.baseAddress.map { $0 + size }, count - size, off_t(offset) + off_t(size))
                }
                if part < 0, errno == EINTR { continue }
                guard part >= 0 else { throw Breach("\(path): \(String(cString: strerror(errno)))") }
                if part == 0 { break }
                size += part
            }
            bytes.removeLast(count - size)
            return bytes
        }
    }

    private func complain(_ message: String, _ status: Int32) -> Int32 {
        AskedQuestion.write(STDERR_FILENO, "\(verb): \(message)\n")
        return status
    }

    private static func write(_ descriptor: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
