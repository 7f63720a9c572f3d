import Foundation
import Testing

/// Functions and services that go wrong, each really in a guest: `trouble.c` is all of them.
extension GuestTests {
    /// One way to go wrong.
    private struct Trouble: Sendable {
        var mode: String
        /// What the answer is held against.
        var rule = "bytes \(GuestTests.hex("yes"))"
        /// Of the manifest, beside name, port and requests.
        var manifest = ""
        /// Where the function listens.
        var port = 8000
        /// The driver's exit status and the last event's cause.
        var status: Int32
        var cause: String
        /// What the message has; and of the run before its third call, where it ends there.
        var says: [String] = []
    }

    private static func hex(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let fields = "json \(hex(#"{"user":{"id":7}}"#))"

    /// A manifest's service that is the same program.
    private static func service(_ words: String, port: Int = 8001) -> String {
        "services: [{name: other, image: image, port: \(port), command: [/trouble, \(words)]}]\n"
    }

    private static let endings = [
        Trouble(
            mode: "early", status: 5, cause: "guest-failed",
            says: ["function ended before it listened on port 8000; it said: it has no settings"]),
        Trouble(mode: "deaf", status: 5, cause: "guest-failed", says: ["function does not listen on port 8000"]),
        Trouble(
            mode: "good", manifest: service("early, 8001"), status: 5, cause: "guest-failed",
            says: ["other ended before it listened on port 8001; it said: it has no settings"]),
        Trouble(
            mode: "good", manifest: service("deaf, 8001"), status: 5, cause: "guest-failed",
            says: ["other does not listen on port 8001"]),
        Trouble(
            mode: "good", manifest: service("good, 8001, 8000"), status: 5, cause: "guest-failed",
            says: ["port 8000 is in use before function, which is to listen there, is started"]),
        Trouble(mode: "wrong", status: 4, cause: "wrong-answer", says: ["gave 'no!', not 'yes'"]),
        Trouble(
            mode: "crash", status: 5, cause: "guest-failed",
            says: ["measured call 0", "the container function has ended; it said: a null pointer, say"]),
        Trouble(
            mode: "memory", manifest: "memory: 32MiB\n", status: 5, cause: "guest-failed",
            says: ["the container function has ended; it was killed, as it took more memory than it may"]),
        Trouble(
            mode: "bomb", manifest: "memory: 32MiB\n", status: 5, cause: "guest-failed",
            says: ["the container function has ended"]),
        Trouble(mode: "hang", status: 11, cause: "no-answer", says: ["measured call 0: timeout: no answer in time"]),
        // Of a document some members are compared: the others differ from call to call.
        Trouble(mode: "json", rule: fields, status: 0, cause: "measured"),
        Trouble(
            mode: "json-wrong", rule: fields, status: 4, cause: "wrong-answer",
            says: ["measured call 0", #"gave '{"call": 3, "user": {"id": 8}}', which differs at user.id"#]),
        Trouble(mode: "json-cut", rule: fields, status: 4, cause: "wrong-answer", says: ["which is not JSON"]),
        Trouble(mode: "plain", port: 80, status: 0, cause: "measured"),
        Trouble(mode: "late", status: 0, cause: "measured"),
        Trouble(mode: "forks", status: 0, cause: "measured"),
    ]

    @Test("Functions and services that go wrong: each has an outcome of its own, and says why")
    func trouble() throws {
        let place = try Guest.folder()
        try Self.makeImage(in: place)
        let initrd = try Self.hastyInitrd(in: place)
        // Boots take time: as many together as there are processors.
        let ended = Self.together(Self.endings) { trouble in
            try Self.run(trouble, image: place.appending(path: "image"), initrd: initrd)
        }
        for (trouble, result) in zip(Self.endings, ended) {
            let name = "\(trouble.mode) \(trouble.manifest)"
            let ended = try result.get()
            #expect(ended.status == trouble.status, "\(name): \(ended.errors)")
            #expect(ended.lastEvent.contains("\"cause\":\"\(trouble.cause)\""), "\(name): \(ended.lastEvent)")
            for text in trouble.says { #expect(ended.errors.contains(text), "\(name): \(ended.errors)") }
        }
        let late = try #require(try ended[Self.endings.count - 2].get().blocks().last)
        #expect(try #require(late["instructions"]) < 10_000_000, "it slept")
    }

    @Test("JSON answers in a sweep: the right one counts; a wrong one, and one that is cut off, are quarantined")
    func launched() throws {
        let (place, workloads) = (try Guest.folder(), try Guest.folder())
        try Self.makeImage(in: place)
        let answers = Self.endings.filter { $0.mode.hasPrefix("json") }
        for answer in answers {
            try Self.add(answer, named: answer.mode, image: place.appending(path: "image"), to: workloads)
        }
        let sweep = """
            sweep: answers
            engine: qemu
            guest: \(Guest.out.path)
            workloads: [\(answers.map(\.mode).joined(separator: ", "))]
            measure: {setup: 2, warm: 0, invocations: 1}
            metrics: [instructions]

            """
        try Data(sweep.utf8).write(to: place.appending(path: "sweep.yaml"))
        let host = "hosts: [{name: here, address: local, slots: 2, workdir: \(place.path)/w}]\n"
        try Data(host.utf8).write(to: place.appending(path: "here.yaml"))
        func usweep(_ words: String...) throws -> Guest.Said {
            try Guest.usweep(words + ["--artifacts", "\(place.path)/artifacts"], workloads: workloads, in: place)
        }

        let launch = try usweep("launch", "sweep.yaml", "-i", "here.yaml")
        #expect(launch.status == 3, "\(launch.errors)")
        let rows = try usweep("results", "--format", "csv", "--columns", "workload,outcome,class").output
        #expect(
            rows == """
                workload,outcome,class
                json,succeeded,
                json-wrong,quarantined,contract-broken
                json-cut,quarantined,contract-broken

                """)
        for (number, answer) in answers.enumerated() {
            let explained = try usweep("explain", String(number + 1)).output
            for text in answer.says { #expect(explained.contains(text), "\(explained)") }
            #expect(explained.contains("'wrong-answer'") == (answer.cause == "wrong-answer"), "\(explained)")
        }
    }

    /// Makes it a workload, of which two calls go well before the third.
    private static func add(_ trouble: Trouble, named name: String, image: URL, to workloads: URL) throws {
        let own = try Guest.folder()
        try FileManager.default.createSymbolicLink(at: own.appending(path: "image"), withDestinationURL: image)
        let manifest = "name: \(name)\nport: \(trouble.port)\nprotocol: http1\nrequests: requests.calls\n"
            + "command: [/trouble, \(trouble.mode), \(trouble.port)]\n" + trouble.manifest
        try Data(manifest.utf8).write(to: own.appending(path: "workload.yaml"))
        let calls = "usweep-calls 1\nhttp1 GET / - - \(trouble.rule)\n"
        try Data(calls.utf8).write(to: own.appending(path: "requests.calls"))
        try Guest.usweep(["workload", "add", own.path], workloads: workloads)
    }

    /// Two calls before the checkpoint, and the third, which goes wrong, after it.
    private static func run(_ trouble: Trouble, image: URL, initrd: URL) throws -> Guest.Ended {
        let folder = try Guest.folder()
        try add(trouble, named: "trouble", image: image, to: folder)
        let disk = folder.appending(path: "trouble/disk.squashfs")
        let setup = try Guest.run(
            ["setup"] + Guest.machine("trouble", warm: 2, initrd: initrd, disk: disk), in: folder)
        guard setup.status == 0 else { return setup }
        return try Guest.evaluate(
            folder.appending(path: "checkpoint.zst"), workload: "trouble", warm: 0, invocations: 1,
            initrd: initrd, disk: disk)
    }

    private static func makeImage(in place: URL) throws {
        let (program, image) = (place.appending(path: "trouble").path, place.appending(path: "image").path)
        let source = Guest.root.appending(path: "Tests/engines/guest/trouble.c").path
        try Guest.tool(["cc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, source])
        // A root has the places where file systems are mounted, as those of all images.
        let root = place.appending(path: "root").path
        try Guest.tool(["mkdir", "-p"] + ["dev", "etc", "proc", "sys", "tmp", "var/lib"].map { "\(root)/\($0)" })
        try Guest.tool(["cp", program, "\(root)/trouble"])
        try Guest.tool(["umoci", "init", "--layout", image])
        try Guest.tool(["umoci", "new", "--image", "\(image):latest"])
        try Guest.tool(["umoci", "insert", "--rootless", "--image", "\(image):latest", root, "/"])
        try Guest.tool(["umoci", "config", "--image", "\(image):latest", "--config.cmd", "/trouble"])
    }

    /// The guest's, but it waits for a container no longer than for some seconds.
    private static func hastyInitrd(in place: URL) throws -> URL {
        let path = "bin/usweep-containers"
        let script = try String(contentsOf: Guest.root.appending(path: "ops/guest/usweep-containers"), encoding: .utf8)
        let hasty = script.replacing("cgroup.procs\" 120", with: "cgroup.procs\" 3")
        #expect(hasty != script)
        return try Guest.initrd(replacing: path, with: hasty, mode: 0o100644, in: place)
    }

    private static func together<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ work: @escaping @Sendable (Item) throws -> Value
    ) -> [Result<Value, any Error>] {
        let results = Results<Value>(count: items.count)
        DispatchQueue.concurrentPerform(iterations: items.count) { index in
            results.set(index, Result { try work(items[index]) })
        }
        return results.all
    }

    /// Filled by several threads.
    private final class Results<Value: Sendable>: @unchecked Sendable {
        private let lock = NSLock()
        private var values: [Result<Value, any Error>?]

        init(count: Int) { values = Array(repeating: nil, count: count) }

        func set(_ index: Int, _ value: Result<Value, any Error>) { lock.withLock { values[index] = value } }

        var all: [Result<Value, any Error>] { lock.withLock { values.compactMap { $0 } } }
    }
}
