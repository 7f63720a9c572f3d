import Foundation

/// The guest that ops/guest/build makes, and runs of the driver with it.
enum Guest {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let out = root.appending(path: "ops/guest/out")
    static let isBuilt = FileManager.default.fileExists(atPath: out.appending(path: "manifest.json").path)
    static let missing = "real boots are skipped: run ops/guest/build first"

    /// The agent lies beside the tests' own program.
    static let agent = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "usweep-agent")

    struct Ended {
        var status: Int32
        var errors: String
        var folder: URL

        func text(_ name: String) -> String {
            (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
        }

        /// The counters of each invocation.
        func blocks() throws -> [[String: Int]] {
            try text("stats.jsonl").split(separator: "\n").map {
                try JSONDecoder().decode([String: Int].self, from: Data($0.utf8))
            }
        }

        var lastEvent: String { text("status.jsonl").split(separator: "\n").last.map(String.init) ?? "" }
    }

    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usweep-guest-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    static func machine(
        _ workload: String, warm: Int, initrd: URL? = nil, disk: URL? = nil, memory: Int = 256
    ) throws -> [String] {
        [
            "--qemu", "qemu-system-x86_64", "--kernel", out.appending(path: "vmlinuz").path,
            "--initrd", (initrd ?? out.appending(path: "initrd.img")).path, "--workload", workload,
            "--disk", try (disk ?? self.disk(workload)).path, "--memory", "\(memory)", "--warm", "\(warm)",
        ]
    }

    // MARK: Workloads

    /// Where the images of the Python functions are once they are built.
    private static let images = root.appending(path: "ops/guest/out-workloads")

    /// The disk of a workload, which is made once.
    static func disk(_ workload: String) throws -> URL {
        try disks.get().appending(path: "\(workload)/disk.squashfs")
    }

    private static let disks = Result { () throws -> URL in
        let folder = try Guest.folder()
        try usweep(["workload", "build", "fibonacci-python", "aes-python"], workloads: folder)
        return folder
    }

    /// Requests for fibonacci: two digits and the answer, in hexadecimal.
    static func calls(_ calls: String...) -> String {
        "usweep-calls 1\n" + calls.map { "grpc /fibonacci.Greeter/SayHello 0a02\($0)\n" }.joined()
    }

    /// A disk of a Python function with other requests.
    ///
    /// - Parameter change: of the manifest's text.
    static func disk(_ workload: String, calls: String, change: (String) -> String = { $0 }) throws -> URL {
        _ = try disks.get()
        let folder = try Guest.folder()
        let (image, own) = (images.appending(path: workload), folder.appending(path: "own"))
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: own.appending(path: "image"), withDestinationURL: image.appending(path: "image"))
        let manifest = try String(contentsOf: image.appending(path: "workload.yaml"), encoding: .utf8)
        try Data(change(manifest).utf8).write(to: own.appending(path: "workload.yaml"))
        try Data(calls.utf8).write(to: own.appending(path: "requests.calls"))
        try usweep(["workload", "add", own.path], workloads: folder)
        return folder.appending(path: "\(workload)/disk.squashfs")
    }

    /// The program, which lies beside the tests' own, with the agent that does. It must succeed.
    static func usweep(_ arguments: [String], workloads: URL) throws {
        let said = try usweep(arguments, workloads: workloads, in: folder())
        guard said.status == 0 else { throw SetupFailed(errors: said.errors) }
    }

    /// - Parameter folder: where it is started, and keeps what it would keep in the user's caches.
    static func usweep(_ arguments: [String], workloads: URL, in folder: URL) throws -> Said {
        let program = agent.deletingLastPathComponent().appending(path: "usweep").path
        let variables = ["USWEEP_WORKLOADS": workloads.path, "USWEEP_AGENT": agent.path, "XDG_CACHE_HOME": folder.path]
        return try say([program] + arguments, in: folder, environment: variables)
    }

    /// A program of this machine, which must succeed.
    static func tool(_ words: [String]) throws {
        let said = try say(words, in: FileManager.default.temporaryDirectory)
        guard said.status == 0 else { throw SetupFailed(errors: said.errors) }
    }

    struct Said {
        var status: Int32
        var output: String
        var errors: String
    }

    private static func say(_ words: [String], in folder: URL, environment: [String: String] = [:]) throws -> Said {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // To files, as a pipe that nobody reads yet would hold up a program that says much.
        let place = try Guest.folder()
        let (output, errors) = (place.appending(path: "output"), place.appending(path: "errors"))
        for file in [output, errors] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Said(
            status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    static func start(_ arguments: [String], in folder: URL) throws -> (process: Process, errors: Pipe) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = agent
        process.arguments = ["qemu"] + arguments
        process.currentDirectoryURL = folder
        process.standardError = errors
        try process.run()
        return (process, errors)
    }

    static func run(_ arguments: [String], in folder: URL) throws -> Ended {
        let (process, errors) = try start(arguments, in: folder)
        return end(process, errors, in: folder)
    }

    private static func end(_ process: Process, _ errors: Pipe, in folder: URL) -> Ended {
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let signalled = process.terminationReason == .uncaughtSignal
        return Ended(status: process.terminationStatus + (signalled ? 128 : 0), errors: text, folder: folder)
    }

    static func evaluate(
        _ checkpoint: URL, workload: String = "fibonacci-python", warm: Int = 1, invocations: Int = 3,
        initrd: URL? = nil, disk: URL? = nil, settings: [String] = [], until: String? = nil
    ) throws -> Ended {
        let counts = ["--invocations", "\(invocations)"] + settings.flatMap { ["--set", $0] }
            + (until.map { ["--until", $0] } ?? [])
        return try run(
            ["evaluate"] + machine(workload, warm: warm, initrd: initrd, disk: disk) + state(checkpoint) + counts,
            in: folder())
    }

    /// So many evaluations of the same point at the same time.
    static func evaluateTogether(_ count: Int, _ checkpoint: URL) throws -> [Ended] {
        let arguments =
            try ["evaluate"] + machine("fibonacci-python", warm: 1) + state(checkpoint) + ["--invocations", "3"]
        let started = try (0..<count).map { _ in
            let folder = try folder()
            let (process, errors) = try start(arguments, in: folder)
            return (process: process, errors: errors, folder: folder)
        }
        return started.map { end($0.process, $0.errors, in: $0.folder) }
    }

    static func state(_ checkpoint: URL) -> [String] {
        ["--plugin", out.appending(path: "model.so").path, "--checkpoint", checkpoint.path]
    }

    /// An initrd of which one file is another: Linux unpacks archives one after the other, the later one counts.
    static func initrd(replacing path: String, with content: String, mode: Int, in folder: URL) throws -> URL {
        var archive = try Data(contentsOf: out.appending(path: "initrd.img"))
        for (name, body, mode) in [(path, content, mode), ("TRAILER!!!", "", 0)] {
            let fields = [0, mode, 0, 0, 1, 0, body.utf8.count, 0, 0, 0, 0, name.utf8.count + 1, 0]
            let digits = fields.map { field in
                let text = String(field, radix: 16)
                return String(repeating: "0", count: 8 - text.count) + text
            }
            archive.append(Data(("070701" + digits.joined() + name + "\0").utf8))
            archive.append(Data(count: (4 - archive.count % 4) % 4))
            archive.append(Data(body.utf8))
            archive.append(Data(count: (4 - archive.count % 4) % 4))
        }
        let file = folder.appending(path: "initrd.img")
        try archive.write(to: file)
        return file
    }

    /// Booted, warmed and saved once for all tests that only read it.
    static let checkpoint = Result { () throws -> URL in
        let ended = try run(try ["setup"] + machine("fibonacci-python", warm: 10), in: folder())
        guard ended.status == 0 else { throw SetupFailed(errors: ended.errors) }
        return ended.folder.appending(path: "checkpoint.zst")
    }

    struct SetupFailed: Error {
        var errors: String
    }
}
