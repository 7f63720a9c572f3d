import Engines
import Glibc
import Model
import Results

/// `gem5 enough RULE FOLDER`: what the scripts of the engine `gem5` ask the agent that started them.
enum Gem5Question {
    /// - Parameter arguments: behind `gem5`.
    /// - Returns: the exit status: 0 with an answer on standard output, 64 for a question that is not understood, 74
    ///   for statistics that cannot be read.
    static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count == 3, arguments[0] == "enough", let rule = StoppingRule(document: arguments[1]) else {
            return complain("usage: gem5 enough RULE FOLDER, with a rule that this agent knows", 64)
        }
        do {
            let answer = try Gem5Sufficiency.answer(rule, files(in: arguments[2]))
            write(STDOUT_FILENO, "\(answer.encoded)\n")
            return 0
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

    private static func complain(_ message: String, _ status: Int32) -> Int32 {
        write(STDERR_FILENO, "gem5: \(message)\n")
        return status
    }

    private static func write(_ descriptor: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
