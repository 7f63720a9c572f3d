import Foundation
import TestKit
import Testing

/// The guest that `ops/guest/build gem5` makes, tried in QEMU: the same kernel and disk, with the marks printed, and
/// the disk of a workload as the master of the second channel, as in gem5.
@Suite("gem5's guest", .serialized, .enabled(if: GuestOfGem5.isBuilt, Comment(rawValue: GuestOfGem5.missing)))
struct GuestOfGem5Tests {
    private static let started = ["fail 1", "fail 2", "fail 3"]
    private static let called = [
        "fail 10", "fail 31", "fail 32", "work-begin 100", "work-end 100", "work-begin 101", "work-end 101", "fail 11",
    ]
    /// 15 gives 610.
    private static let right = Guest.calls("3135 bytes 0a03363130")

    @Test("Each workload boots, is warmed and answers, with every mark in its place", arguments: [
        ("fibonacci-python", "SayHello(10) is 55"), ("aes-python", "ShowEncryption"),
    ])
    func marks(workload: String, answer: String) throws {
        let said = try GuestOfGem5.boot(Guest.disk(workload))
        #expect(said.marks == Self.started + Self.called, "\(said.text)")
        #expect(said.lines.contains { $0.hasPrefix("usweep: " + answer) }, "\(said.text)")
    }

    @Test("In a state other than warm, others run before each measured call")
    func states() throws {
        let said = try GuestOfGem5.boot(
            Guest.disk("fibonacci-python", calls: Self.right), words: ["usweep.stress=4194304"])
        let called = Self.called.flatMap { $0.hasPrefix("work-begin") ? ["fail 33", $0] : [$0] }
        #expect(said.marks == Self.started + called, "\(said.text)")
    }

    @Test("Two machines: one serves the function, the other drives it over the network between them")
    func twoMachines() throws {
        let (served, drove) = try GuestOfGem5.bootTwo(Guest.disk("fibonacci-python", calls: Self.right))
        #expect(served.marks == Self.started, "\(served.text)")
        #expect(drove.marks == ["fail 1"] + Self.called, "\(drove.text)")
        #expect(drove.lines.contains("usweep: SayHello(15) is 610"), "\(drove.text)")
    }

    @Test("A machine without a network says so")
    func noNetwork() throws {
        let said = try GuestOfGem5.boot(
            Guest.disk("fibonacci-python"), words: ["usweep.address=10.0.2.18", "usweep.server=10.0.2.17"])
        #expect(said.marks == ["fail 1", "fail 43"], "\(said.text)")
    }

    @Test("A wrong answer has a mark of its own")
    func wrongAnswer() throws {
        let disk = try Guest.disk("fibonacci-python", calls: Guest.calls("3135 bytes 0a03363131"))
        let said = try GuestOfGem5.boot(disk)
        #expect(said.marks == Self.started + ["fail 10", "fail 31", "fail 40", "fail 11"], "\(said.text)")
        #expect(said.lines.contains("usweep: wrong answer: SayHello(15) gave '610', not '611'"), "\(said.text)")
    }

    @Test("Services start before the function, each on its core, and listen before the function is called")
    func services() throws {
        let disk = try Guest.disk("fibonacci-python", calls: Self.right) { manifest in
            manifest + """
                services:
                - {name: beside, image: image, port: 50052, environment: {LISTEN: '0.0.0.0:50052'}}
                - {name: below, image: image, port: 50053, core: 1, environment: {LISTEN: '0.0.0.0:50053'}}

                """
        }
        let said = try GuestOfGem5.boot(disk)
        #expect(said.marks == Self.started + Self.called, "\(said.text)")
    }

    @Test("A service that ends before it listens is named, with its last line")
    func lostService() throws {
        let disk = try Guest.disk("fibonacci-python", calls: Self.right) { manifest in
            manifest + """
                services:
                - {name: beside, image: image, port: 50052, command: [/usr/bin/python3.11, -c, 'raise SystemExit("x")']}

                """
        }
        let said = try GuestOfGem5.boot(disk)
        #expect(said.marks == ["fail 1", "fail 42"], "\(said.text)")
        let problem = "usweep: beside ended before it listened on port 50052; it said: x"
        #expect(said.lines.contains(problem), "\(said.text)")
    }

    @Test("A container has no more memory than its manifest says")
    func memory() throws {
        let disk = try Guest.disk("fibonacci-python", calls: Self.right) { manifest in
            manifest.replacing("memory: 128MiB", with: "memory: 32MiB")
                + "command: [/usr/bin/python3.11, -c, 'print(len(b\"x\" * (64 << 20)))']\n"
        }
        let said = try GuestOfGem5.boot(disk)
        #expect(said.marks == Self.started + ["fail 42"], "\(said.text)")
        // It did not live to say how much it has.
        let problem = "usweep: function ended before it listened on port 50051; it was killed, as it took more memory"
        #expect(said.text.contains(problem), "\(said.text)")
    }

    @Test("No disk of a workload")
    func noDisk() throws {
        let said = try GuestOfGem5.boot(nil)
        #expect(said.marks == ["fail 1", "fail 42"], "\(said.text)")
        #expect(said.lines.contains("usweep: the machine has no disk with a workload"), "\(said.text)")
    }

    @Test("The manifest has the digests of the files")
    func manifest() throws {
        struct Manifest: Decodable {
            var files: [String: String]
        }
        let data = try Data(contentsOf: GuestOfGem5.out.appending(path: "manifest.json"))
        let manifest = try JSONDecoder().decode(Manifest.self, from: data)
        #expect(manifest.files.keys.sorted() == ["bzImage", "disk.img", "vmlinux"])
        for (name, digest) in manifest.files {
            let path = GuestOfGem5.out.appending(path: name).path
            #expect(try GuestOfGem5.output("sha256sum", [path]).hasPrefix(digest + " "))
        }
    }
}

enum GuestOfGem5 {
    static let out = Guest.root.appending(path: "ops/guest/out-gem5")
    static let isBuilt = FileManager.default.fileExists(atPath: out.appending(path: "manifest.json").path)
    static let missing = "boots of gem5's guest are skipped: run ops/guest/build gem5 first"

    struct Said {
        var text: String
        var lines: [String]

        init(_ text: String) {
            self.text = text
            lines = text.split(whereSeparator: \.isNewline).map(String.init)
        }

        var marks: [String] {
            let prefix = "usweep: m5 "
            return lines.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        }
    }

    /// Two invocations after three of warming; the machine ends by a reset.
    ///
    /// - Parameter disk: the workload's; nil: there is none.
    static func boot(_ disk: URL?, words: [String] = []) throws -> Said {
        Said(try output("timeout", timed + machine(disk, words, ["-serial", "stdio"])))
    }

    /// The same with a machine that serves the function and one that drives it; what each of them said. The first has
    /// no end of its own.
    static func bootTwo(_ disk: URL) throws -> (served: Said, drove: Said) {
        let folder = try Guest.folder()
        let served = folder.appending(path: "served")
        // Datagrams: what is sent before the other end is there is lost, as on a wire, and sent again.
        func network(_ own: Int, _ other: Int) -> [String] {
            let (here, there) = (folder.appending(path: "wire\(own)").path, folder.appending(path: "wire\(other)").path)
            return [
                "-netdev",
                "dgram,id=wire,local.type=unix,local.path=\(here),remote.type=unix,remote.path=\(there)",
                "-device", "e1000,netdev=wire,mac=52:54:00:00:00:\(own)",
            ]
        }
        let server = process(qemu, machine(
            disk, ["usweep.address=10.0.2.17", "irqaffinity=0"],
            ["-serial", "file:\(served.path)"] + network(17, 18)))
        try server.run()
        let undertaker = try Undertaker(#"kill -9 "$1""#, [String(server.processIdentifier)])
        defer {
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
            _ = undertaker
        }
        let drove = try output("timeout", timed + machine(
            disk, ["usweep.address=10.0.2.18", "usweep.server=10.0.2.17"],
            ["-serial", "stdio"] + network(18, 17)))
        return (Said(try String(contentsOf: served, encoding: .utf8)), Said(drove))
    }

    private static let qemu = "qemu-system-x86_64"
    private static let timed = ["--kill-after=10", "300", qemu]

    /// QEMU's arguments. SeaBIOS tells of cores only where each has a socket; on a busy host Linux loses patience with
    /// the timer.
    private static func machine(_ disk: URL?, _ more: [String], _ devices: [String]) -> [String] {
        let words = [
            "console=ttyS0", "root=/dev/sda", "ro", "init=/init", "isolcpus=1", "usweep.console=2",
            "usweep.warm=3", "panic=-1", "no_timer_check",
        ] + more
        let second = disk.map { ["-drive", "file=\($0.path),if=ide,bus=1,unit=0,format=raw,snapshot=on"] } ?? []
        return [
            "-accel", "tcg,thread=single", "-smp", "2,sockets=2", "-m", "512", "-display", "none", "-monitor", "none",
            "-nic", "none", "-no-reboot",
            "-kernel", out.appending(path: "bzImage").path, "-append", words.joined(separator: " "),
            "-drive", "file=\(out.appending(path: "disk.img").path),if=ide,bus=0,unit=0,format=raw,snapshot=on",
        ] + second + devices
    }

    static func output(_ program: String, _ arguments: [String]) throws -> String {
        let process = process(program, arguments)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    private static func process(_ program: String, _ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PATH": "\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"):/usr/sbin:/sbin"]
        ) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }
}
