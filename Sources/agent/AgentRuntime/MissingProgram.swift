import CSystem
import Glibc
import Model
import Ports
import Storage

/// Why a program could not be executed, in words that name the file that is missing or wrong: the system's own name
/// none, and say "No such file" of a script whose interpreter is not there.
struct MissingProgram {
    private let program: String
    /// The same for messages.
    private let name: String
    private let folder: String
    /// Whether the program gets another PATH than this process has.
    private let hasOwnPath: Bool
    /// Where it is; nil: there is none in the PATH.
    private let file: String?

    /// - Parameters:
    ///   - program: as the command line has it.
    ///   - environment: `NAME=value`, all that it gets.
    ///   - folder: where it was started.
    init(_ program: String, environment: [String] = [], folder: String) {
        self.program = program
        name = VisibleText.of(program)
        self.folder = folder
        let path = environment.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst("PATH=".count)) }
        hasOwnPath = path != nil && path != getenv("PATH").map { String(cString: $0) }
        if program.contains("/") {
            file = MissingProgram.place(program, folder)
        } else {
            file = (path ?? "/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false)
                .map { MissingProgram.place($0.isEmpty ? program : "\($0)/\(program)", folder) }
                .first { access($0, F_OK) == 0 }
        }
    }

    /// Whether nothing of that name is there; otherwise it is there and cannot be executed.
    var isNowhere: Bool { file.map { access($0, F_OK) != 0 } ?? true }

    private static func place(_ path: String, _ folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// - Parameter number: of errno(3).
    func explain(_ number: Int32) -> String {
        guard let file else { return notInPath }
        switch number {
        case ENOENT, ENOTDIR:
            guard access(file, F_OK) == 0 else {
                let place = program.hasPrefix("/") ? "on this host" : "among the run's files: is it one of its inputs?"
                return "there is no file \(name) \(place)"
            }
            return withoutInterpreter(file)
        case EACCES: return notExecutable(file)
        case ENOEXEC: return notAProgram(file)
        case E2BIG: return "the arguments and variables of \(name) are longer than this host allows"
        default: return "\(name): \(SystemText.of(number))"
        }
    }

    /// What is wrong with the first line of a script that was executed all the same, as its interpreter is there and
    /// got a carriage return with its arguments; nil: nothing.
    var wrongFirstLine: String? {
        guard let file, let line = FirstLine(file), line.isScript, line.endsWithReturn else { return nil }
        return carriageReturn
    }

    private var notInPath: String {
        let place = hasOwnPath ? "the PATH of this run (env)" : "the PATH of this host"
        guard access("\(folder)/\(program)", F_OK) == 0 else { return "there is no program \(name) in \(place)" }
        return "there is no program \(name) in \(place); for the run's own file write ./\(name)"
    }

    private var carriageReturn: String {
        "the lines of \(name) end with a carriage return, as on Windows, so that its interpreter is not "
            + "found: sed -i 's/\\r$//' \(name)"
    }

    /// The file is there, and what it asks for is not.
    private func withoutInterpreter(_ file: String) -> String {
        guard let line = FirstLine(file) else { return "\(name) cannot be read" }
        guard line.isScript else { return "\(name) needs a library loader that is not on this host: see ldd \(name)" }
        guard !line.endsWithReturn else { return carriageReturn }
        let interpreter = VisibleText.of(line.interpreter)
        return "\(name) asks for the interpreter \(interpreter) in its first line, which is not on this host"
    }

    /// It, or its interpreter, may not be executed.
    private func notExecutable(_ file: String) -> String {
        if let problem = MissingProgram.refusal(of: file, name) { return problem }
        guard let line = FirstLine(file), line.isScript, !line.interpreter.isEmpty else {
            return "\(name): \(SystemText.of(EACCES))"
        }
        let interpreter = VisibleText.of(line.interpreter)
        let problem = MissingProgram.refusal(of: MissingProgram.place(line.interpreter, folder), interpreter)
        return "\(name) asks for an interpreter in its first line that cannot be executed: "
            + (problem ?? "\(interpreter): \(SystemText.of(EACCES))")
    }

    /// Why the system does not execute a file that is there; nil: it would.
    private static func refusal(of file: String, _ name: String) -> String? {
        var status = stat()
        if stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return "\(name) is a folder" }
        guard access(file, X_OK) != 0 else { return nil }
        guard sys_is_noexec(file) != 1 else {
            return "\(name) is on a file system from which nothing can be executed (it is mounted noexec)"
        }
        return "\(name) is not executable: chmod +x \(name)"
    }

    /// The system does not know how to execute it.
    private func notAProgram(_ file: String) -> String {
        guard let line = FirstLine(file) else { return "\(name) cannot be read" }
        guard line.isScript else { return MissingProgram.kind(line, name) }
        guard !line.interpreter.isEmpty else { return "\(name) names no interpreter in its first line, behind #!" }
        let interpreter = VisibleText.of(line.interpreter)
        let start = "\(name) asks for an interpreter in its first line that cannot be executed: "
        guard let other = FirstLine(MissingProgram.place(line.interpreter, folder)), !other.isScript else {
            return start + "\(interpreter): \(SystemText.of(ENOEXEC))"
        }
        return start + MissingProgram.kind(other, interpreter)
    }

    private static func kind(_ start: FirstLine, _ name: String) -> String {
        if start.bytes.isEmpty { return "\(name) is an empty file" }
        if start.bytes.starts(with: FirstLine.byteOrderMark + FirstLine.script) {
            return "\(name) begins with a byte-order mark, so that the system does not see its first line: "
                + "sed -i '1s/^\\xef\\xbb\\xbf//' \(name)"
        }
        guard start.bytes.starts(with: FirstLine.elf) else {
            return "\(name) is neither a binary nor a script: a script says in its first line what runs it, as in "
                + "#!/bin/sh or #!/usr/bin/env python3"
        }
        let host = Machine.architecture
        guard let machine = start.machine, machine != host else {
            return "\(name) is a binary that this host cannot execute: see file \(name)"
        }
        return "\(name) is built for \(machine), and this host is \(host)"
    }
}

/// The begin of a file, as the system looks at it to execute it.
private struct FirstLine {
    static let script = Array("#!".utf8)
    static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
    static let elf: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]

    let bytes: [UInt8]

    /// Nil: it cannot be read.
    init?(_ path: String) {
        let files = LocalFiles()
        guard let real = try? files.resolve(path), let file = try? files.open(real, .read) else { return nil }
        defer { files.close(file) }
        guard let start = try? files.read(file, at: 0, count: 256) else { return nil }
        bytes = start
    }

    var isScript: Bool { bytes.starts(with: FirstLine.script) }

    /// Behind `#!`.
    private var line: ArraySlice<UInt8> { bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") } }

    var endsWithReturn: Bool { line.last == UInt8(ascii: "\r") }

    /// Empty: there is none.
    var interpreter: String {
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return String(decoding: words.first ?? [], as: UTF8.self)
    }

    /// What a binary is built for, as `uname -m` would say it there (e_machine, elf(5)); nil: it is cut off.
    var machine: String? {
        guard bytes.count >= 20 else { return nil }
        let isBigEndian = bytes[5] == 2
        let number = Int(bytes[isBigEndian ? 19 : 18]) | Int(bytes[isBigEndian ? 18 : 19]) << 8
        return FirstLine.machines[number] ?? "a machine of number \(number)"
    }

    private static let machines = [
        3: "i686", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 50: "ia64",
        62: "x86_64", 183: "aarch64", 243: "riscv64", 258: "loongarch64",
    ]
}
