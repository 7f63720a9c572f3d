import CSystem
import Glibc
import Storage

/// Starts programs.
enum Spawn {
    /// Starts a program with one file for both outputs, in a session of its own.
    static func plain(
        _ arguments: [String], environment: [String], folder: String, output: String
    ) throws(SpawnProblem) -> Int32 {
        try start(arguments, environment: environment, folder: folder, output: output, errorOutput: output) {
            start, step in
            start.pointee.dies_with_parent = 1
            return sys_spawn(start, step)
        }
    }

    typealias Step = UnsafeMutablePointer<UnsafePointer<CChar>?>

    /// - Parameter body: starts it, and returns a number above 0, such as its process number.
    @discardableResult
    static func start(
        _ arguments: [String], environment: [String], file: String? = nil, folder: String? = nil,
        output: String? = nil, errorOutput: String? = nil,
        _ body: (UnsafeMutablePointer<sys_start>, Step) -> Int32
    ) throws(SpawnProblem) -> Int32 {
        // A NUL would silently cut a text short.
        guard !arguments.isEmpty, !arguments.contains(where: { $0.utf8.contains(0) }),
            !environment.contains(where: { $0.utf8.contains(0) })
        else {
            throw SpawnProblem(
                step: "exec", reason: "an argument or a variable contains a NUL byte, or the program is empty")
        }
        var step: UnsafePointer<CChar>?
        var number: Int32 = 0
        let pid = withTexts(arguments) { arguments in
            withTexts(environment) { environment in
                withTexts([file ?? "", folder ?? "", output ?? "", errorOutput ?? ""]) { texts in
                    var start = sys_start()
                    start.arguments = arguments
                    start.environment = environment
                    start.file = file == nil ? nil : texts[0]
                    start.folder = folder == nil ? nil : texts[1]
                    start.output = output == nil ? nil : texts[2]
                    start.error_output = errorOutput == nil ? nil : texts[3]
                    start.kept_descriptor = -1
                    start.own_session = 1
                    let pid = body(&start, &step)
                    number = errno
                    return pid
                }
            }
        }
        guard pid > 0 else { throw problem(step, number, arguments[0], environment: environment, folder: folder) }
        return pid
    }

    /// - Parameters:
    ///   - step: what failed, as `sys_spawn` names it.
    ///   - number: of errno(3).
    ///   - environment: of the program, whose PATH was searched.
    static func problem(
        _ step: UnsafePointer<CChar>?, _ number: Int32, _ program: String, environment: [String], folder: String?
    ) -> SpawnProblem {
        let step = step.map { String(cString: $0) } ?? "spawn"
        guard step == "exec" else { return SpawnProblem(step: step, reason: SystemText.of(number)) }
        let missing = MissingProgram(program, environment: environment, folder: folder ?? "/")
        return SpawnProblem(step: step, reason: missing.explain(number))
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

    /// How a process in the background began.
    enum Beginning: Equatable {
        case ready
        /// Another process does this work in the same folder.
        case heldElsewhere
        case problem(String)
    }

    /// Starts this program again in the background, and waits until it says that it is ready.
    ///
    /// What is executed is the open program: its file may have been removed since.
    ///
    /// - Parameter prefix: a program that starts it, with its own arguments.
    static func detached(
        _ arguments: [String], prefix: [String] = [], environment: [String] = environment, log: String
    ) -> Beginning {
        var ends: [Int32] = [0, 0]
        guard sys_pipe(&ends) == 0 else { return .problem("no pipe: \(SystemText.of(errno))") }
        defer { close(ends[0]) }
        do throws(SpawnProblem) {
            let name = prefix.isEmpty ? Machine.program : "/proc/\(getpid())/exe"
            _ = try start(
                prefix + [name] + arguments, environment: environment,
                file: prefix.isEmpty ? "/proc/self/exe" : nil, folder: "/", output: log, errorOutput: log
            ) { start, step in
                start.pointee.kept_descriptor = ends[1]
                return sys_spawn(start, step)
            }
        } catch {
            close(ends[1])
            return .problem("\(error.step): \(error.reason)")
        }
        close(ends[1])
        return Ready.hear(on: ends[0], log: log)
    }
}
