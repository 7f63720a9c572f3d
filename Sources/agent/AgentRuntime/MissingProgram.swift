import AgentCore
import Glibc
import Model
import Ports
import Storage

/// Why a program could not be executed, in words that name the file that is missing or wrong: the system's own name
/// none, and say "No such file" of a script whose interpreter is not there.
enum MissingProgram {
    /// - Parameters:
    ///   - program: as the command line has it.
    ///   - folder: where it was started.
    ///   - number: of errno(3).
    static func explain(_ program: String, folder: String, _ number: Int32) -> String {
        let name = VisibleText.of(program)
        switch number {
        case ENOENT where !program.contains("/"): return notInPath(program, name, folder)
        case ENOENT, ENOTDIR:
            let path = program.hasPrefix("/") ? program : "\(folder)/\(program)"
            guard access(path, F_OK) == 0 else {
                let place = program.hasPrefix("/") ? "on this host" : "among the run's files: is it one of its inputs?"
                return "there is no file \(name) \(place)"
            }
            return withoutInterpreter(path, name)
        case EACCES:
            var status = stat()
            let path = program.hasPrefix("/") ? program : "\(folder)/\(program)"
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return "\(name) is a folder" }
            return "\(name) is not executable: chmod +x \(name)"
        case E2BIG: return "the arguments and variables of \(name) are longer than this host allows"
        default: return "\(name): \(SystemText.of(number))"
        }
    }

    private static func notInPath(_ program: String, _ name: String, _ folder: String) -> String {
        guard access("\(folder)/\(program)", F_OK) == 0 else {
            return "there is no program \(name) in the PATH of this host"
        }
        return "there is no program \(name) in the PATH of this host; for the run's own file write ./\(name)"
    }

    /// The file is there, and what it asks for is not.
    private static func withoutInterpreter(_ path: String, _ name: String) -> String {
        let files = LocalFiles()
        guard let file = try? files.open(path, .read) else { return "\(name) cannot be read" }
        defer { files.close(file) }
        let start = (try? files.read(file, at: 0, count: 256)) ?? []
        guard start.starts(with: Array("#!".utf8)) else {
            return "\(name) needs a library loader that is not on this host: see ldd \(name)"
        }
        let line = start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        if line.last == UInt8(ascii: "\r") {
            return "the lines of \(name) end with a carriage return, as on Windows, so that its interpreter is not "
                + "found: sed -i 's/\\r$//' \(name)"
        }
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let interpreter = VisibleText.of(words.first ?? [])
        return "\(name) asks for the interpreter \(interpreter) in its first line, which is not on this host"
    }
}
