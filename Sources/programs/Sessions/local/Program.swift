import Foundation
import Model
import SweepFiles

/// A program of this machine that does a part of the work, from its start to its end.
struct Program {
    let name: String
    /// The Debian package that has it.
    let package: String

    /// One that is not looked for.
    init(path: String) { self.init(name: path, package: "") }

    init(name: String, package: String) {
        self.name = name
        self.package = package
    }

    static let skopeo = Program(name: "skopeo", package: "skopeo")
    static let umoci = Program(name: "umoci", package: "umoci")
    static let mksquashfs = Program(name: "mksquashfs", package: "squashfs-tools")
    static let rsvg = Program(name: "rsvg-convert", package: "librsvg2-bin")
    static let shell = Program(name: "sh", package: "dash")
    static let bash = Program(name: "bash", package: "bash")

    struct Ended {
        var status: Int32
        var output: String
        /// What it said on standard error.
        var complaints: String
        /// Whether it said so much that it was ended.
        var isCut = false

        private static let summaries = ["Error is not recoverable: exiting now", "Exiting with failure status"]

        /// The last of its complaints that says something, as part of a message.
        var reason: String {
            if isCut { return "it printed more than \(PeopleText.size(Int64(Program.mostOutput)))" }
            let lines = complaints.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
            // The last lines of tar say only that there was something.
            let telling = lines.last { line in !Ended.summaries.contains { line.contains($0) } } ?? lines.last
            return VisibleText.of(telling.map(String.init) ?? "exit status \(status)", limit: 400)
        }
    }

    /// No program that is run here has more to say, unless it was given something that was made to do harm.
    private static let mostOutput = 64 << 20

    /// - Parameters:
    ///   - variables: added to this program's environment.
    ///   - input: the file that is its standard input; nil: there is none.
    /// - Returns: how it ended, whatever its status; one that says more than ``mostOutput`` is ended.
    /// - Throws: ``Failure`` (`missingFile`) where the program is not installed.
    func run(
        _ arguments: [String], folder: String? = nil, variables: [String: String] = ["LC_ALL": "C"],
        input: String? = nil
    ) throws -> Ended {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try path())
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        process.standardInput = try input.map(Program.opened) ?? FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        do { try process.run() } catch {
            throw Failure(.storage, "\(name) cannot be started", cause: SystemReason.of(error))
        }
        // Both are read to their ends at the same time: a program that fills one would wait for ever.
        let said = Reader(output.fileHandleForReading, of: process)
        let complaints = Reader(errors.fileHandleForReading, of: process)
        let texts = [said.finish(), complaints.finish()]
        process.waitUntilExit()
        let signal: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
        let (status, isCut) = (process.terminationStatus + signal, texts.contains { $0.isCut })
        return Ended(
            status: isCut ? max(1, status) : status, output: String(decoding: texts[0].data, as: UTF8.self),
            complaints: String(decoding: texts[1].data, as: UTF8.self), isCut: isCut)
    }

    private static func opened(_ path: String) throws -> FileHandle {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure(.missingFile, "\(path) cannot be read, or is not a file")
        }
        return handle
    }

    private func path() throws -> String {
        guard !name.contains("/") else { return name }
        let places = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
            .map(String.init) + ["/usr/sbin", "/sbin"]
        let found = places.map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
        guard let found else {
            throw Failure(.missingFile, "the program \(name) is missing; install it: apt-get install \(package)")
        }
        return found
    }

    /// Reads a pipe on a thread of its own.
    private final class Reader: @unchecked Sendable {
        private let done = DispatchSemaphore(value: 0)
        private var data = Data()
        private var isCut = false

        init(_ handle: FileHandle, of process: Process) {
            Thread { [self] in
                while let piece = try? handle.read(upToCount: 1 << 16), !piece.isEmpty {
                    if data.count + piece.count <= Program.mostOutput {
                        data += piece
                    } else if !isCut {
                        isCut = true
                        process.terminate()
                    }
                }
                done.signal()
            }.start()
        }

        func finish() -> (data: Data, isCut: Bool) {
            done.wait()
            return (data, isCut)
        }
    }
}
