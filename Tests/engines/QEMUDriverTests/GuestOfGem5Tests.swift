import Foundation
import TestKit
import Testing

/// The guest that `ops/guest/build gem5` makes, tried in QEMU: the same kernel and disk, with the marks printed.
@Suite("gem5's guest", .serialized, .enabled(if: GuestOfGem5.isBuilt, Comment(rawValue: GuestOfGem5.missing)))
struct GuestOfGem5Tests {
    @Test("Each function boots, is warmed and answers, with every mark in its place", arguments: [
        ("fibonacci-python", "SayHello(15) is 610"),
        (
            "aes-python",
            "SayHello(6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51) is "
                + "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
        ),
    ])
    func marks(workload: String, answer: String) throws {
        let said = try GuestOfGem5.boot(workload)
        #expect(said.marks == [
            "fail 1", "fail 2", "fail 3", "fail 10", "fail 31", "fail 32",
            "work-begin 100", "work-end 100", "work-begin 101", "work-end 101", "fail 11",
        ], "\(said.text)")
        #expect(said.lines.contains("usweep: " + answer), "\(said.text)")
    }

    @Test("Two machines: one serves the function, the other drives it over the network between them")
    func twoMachines() throws {
        let (served, drove) = try GuestOfGem5.bootTwo("fibonacci-python")
        #expect(served.marks == ["fail 1", "fail 2", "fail 3"], "\(served.text)")
        #expect(drove.marks == [
            "fail 1", "fail 10", "fail 31", "fail 32",
            "work-begin 100", "work-end 100", "work-begin 101", "work-end 101", "fail 11",
        ], "\(drove.text)")
        #expect(drove.lines.contains("usweep: SayHello(15) is 610"), "\(drove.text)")
    }

    @Test("A machine without a network says so")
    func noNetwork() throws {
        let said = try GuestOfGem5.boot(
            "fibonacci-python", words: ["usweep.address=10.0.2.18", "usweep.server=10.0.2.17"])
        #expect(said.marks == ["fail 1", "fail 43"], "\(said.text)")
    }

    @Test("A wrong answer has a mark of its own")
    func wrongAnswer() throws {
        let disk = try GuestOfGem5.disk(replacing: "/bundles/fibonacci-python/calls", with: "15 611\n")
        let said = try GuestOfGem5.boot("fibonacci-python", disk: disk)
        let marks = ["fail 1", "fail 2", "fail 3", "fail 10", "fail 31", "fail 40", "fail 11"]
        #expect(said.marks == marks, "\(said.text)")
        #expect(said.lines.contains("usweep: wrong answer: SayHello(15) gave '610', not '611'"), "\(said.text)")
    }

    @Test("A function that the guest does not have")
    func unknown() throws {
        let said = try GuestOfGem5.boot("fibonacci-cobol")
        #expect(said.marks == ["fail 1", "fail 42"], "\(said.text)")
        #expect(
            said.lines.contains("usweep: unknown function fibonacci-cobol; there are: aes-python fibonacci-python"),
            "\(said.text)")
    }

    @Test("The manifest names the functions and the digests of the files")
    func manifest() throws {
        struct Manifest: Decodable {
            var workloads: [String]
            var files: [String: String]
        }
        let data = try Data(contentsOf: GuestOfGem5.out.appending(path: "manifest.json"))
        let manifest = try JSONDecoder().decode(Manifest.self, from: data)
        #expect(manifest.workloads == ["aes-python", "fibonacci-python"])
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
    static func boot(_ workload: String, disk: URL? = nil, words: [String] = []) throws -> Said {
        Said(try output("timeout", timed + machine(workload, disk, words, ["-serial", "stdio"])))
    }

    /// The same with a machine that serves the function and one that drives it; what each of them said. The first has
    /// no end of its own.
    static func bootTwo(_ workload: String) throws -> (served: Said, drove: Said) {
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
            workload, nil, ["usweep.address=10.0.2.17", "irqaffinity=0"],
            ["-serial", "file:\(served.path)"] + network(17, 18)))
        try server.run()
        let undertaker = try Undertaker(#"kill -9 "$1""#, [String(server.processIdentifier)])
        defer {
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
            _ = undertaker
        }
        let drove = try output("timeout", timed + machine(
            workload, nil, ["usweep.address=10.0.2.18", "usweep.server=10.0.2.17"],
            ["-serial", "stdio"] + network(18, 17)))
        return (Said(try String(contentsOf: served, encoding: .utf8)), Said(drove))
    }

    private static let qemu = "qemu-system-x86_64"
    private static let timed = ["--kill-after=10", "300", qemu]

    /// QEMU's arguments. SeaBIOS tells of cores only where each has a socket; on a busy host Linux loses patience with
    /// the timer.
    private static func machine(_ workload: String, _ disk: URL?, _ more: [String], _ devices: [String]) -> [String] {
        let words = [
            "console=ttyS0", "root=/dev/sda", "ro", "init=/init", "isolcpus=1", "usweep.console=2",
            "usweep.workload=\(workload)", "usweep.warm=3", "panic=-1", "no_timer_check",
        ] + more
        let drive = disk ?? out.appending(path: "disk.img")
        return [
            "-accel", "tcg,thread=single", "-smp", "2,sockets=2", "-m", "512", "-display", "none", "-monitor", "none",
            "-nic", "none", "-no-reboot",
            "-kernel", out.appending(path: "bzImage").path, "-append", words.joined(separator: " "),
            "-drive", "file=\(drive.path),if=ide,format=raw,snapshot=on",
        ] + devices
    }

    /// A copy of the disk of which one file is another.
    static func disk(replacing path: String, with content: String) throws -> URL {
        let folder = try Guest.folder()
        let (copy, file) = (folder.appending(path: "disk.img"), folder.appending(path: "content"))
        try FileManager.default.copyItem(at: out.appending(path: "disk.img"), to: copy)
        try Data(content.utf8).write(to: file)
        for command in ["rm \(path)", "write \(file.path) \(path)"] {
            _ = try output("debugfs", ["-w", "-R", command, copy.path])
        }
        return copy
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
