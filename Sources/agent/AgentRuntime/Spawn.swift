import CSystem
import Glibc

/// Starts programs.
enum Spawn {
    /// - Parameters:
    ///   - environment: `NAME=value`, all of it.
    ///   - output: files for standard output and error; nil: nowhere.
    ///   - kept: a descriptor that the program finds as number 3.
    static func start(
        _ arguments: [String], environment: [String], folder: String? = nil, output: String? = nil,
        errorOutput: String? = nil, kept: Int32 = -1, diesWithParent: Bool = false
    ) throws(SpawnProblem) -> Int32 {
        // A NUL would silently cut a text short.
        guard !arguments.isEmpty, !arguments.contains(where: { $0.utf8.contains(0) }),
            !environment.contains(where: { $0.utf8.contains(0) })
        else { throw SpawnProblem(step: "exec", reason: "an argument or variable holds a NUL, or there is no program") }
        var step: UnsafePointer<CChar>?
        var number: Int32 = 0
        let pid = withTexts(arguments) { arguments in
            withTexts(environment) { environment in
                withText(folder) { folder in
                    withText(output) { output in
                        withText(errorOutput) { errorOutput in
                            var start = sys_start(
                                arguments: arguments, environment: environment, folder: folder, output: output,
                                error_output: errorOutput, kept_descriptor: kept,
                                dies_with_parent: diesWithParent ? 1 : 0)
                            let pid = sys_spawn(&start, &step)
                            number = errno
                            return pid
                        }
                    }
                }
            }
        }
        guard pid > 0 else {
            throw SpawnProblem(
                step: step.map { String(cString: $0) } ?? "spawn", reason: String(cString: strerror(number)))
        }
        return pid
    }

    /// One allocation for all texts, ended by a null pointer.
    private static func withTexts<Value>(
        _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
    ) -> Value {
        var bytes: [CChar] = []
        var starts: [Int] = []
        for text in texts {
            starts.append(bytes.count)
            bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            var pointers = starts.map { start in buffer.baseAddress.map { $0 + start } }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
    }

    private static func withText<Value>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Value) -> Value {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }

    /// This process's own environment.
    static var environment: [String] {
        var all: [String] = []
        guard var next = sys_environment() else { return all }
        while let entry = next.pointee {
            all.append(String(cString: entry))
            next = next.advanced(by: 1)
        }
        return all
    }

    /// Starts this program again in the background, and waits until it says that it is ready.
    ///
    /// - Returns: nil, or what it said went wrong.
    static func detached(
        _ arguments: [String], prefix: [String] = [], environment: [String] = environment, log: String
    ) -> String? {
        var ends: [Int32] = [0, 0]
        guard sys_pipe(&ends) == 0 else { return "no pipe: \(String(cString: strerror(errno)))" }
        defer { close(ends[0]) }
        do throws(SpawnProblem) {
            _ = try start(
                prefix + [Machine.program] + arguments, environment: environment, folder: "/", output: log,
                errorOutput: log, kept: ends[1])
        } catch {
            close(ends[1])
            return "\(error.step): \(error.reason)"
        }
        close(ends[1])
        var said: [UInt8] = []
        while said.count < 4_096 {
            var byte: UInt8 = 0
            let count = read(ends[0], &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else {
                return said.isEmpty ? "it ended at once; see \(log)" : String(decoding: said, as: UTF8.self)
            }
            if said.isEmpty, byte == Ready.mark { return nil }
            said.append(byte)
        }
        return String(decoding: said, as: UTF8.self)
    }
}

/// How a process in the background tells who started it that it is ready, or why not: on descriptor 3.
enum Ready {
    static let mark: UInt8 = 6

    /// Descriptor 3 is that pipe only where the option says so.
    static func say(_ problem: String?, on descriptor: Int32?) {
        guard let descriptor else { return }
        let bytes = problem.map { Array($0.utf8) } ?? [mark]
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
        close(descriptor)
    }
}
