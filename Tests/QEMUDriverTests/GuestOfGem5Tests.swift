import Foundation
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
    static func boot(_ workload: String, disk: URL? = nil) throws -> Said {
        let words = [
            "console=ttyS0", "root=/dev/sda", "ro", "init=/init", "isolcpus=1", "usweep.console=2",
            "usweep.workload=\(workload)", "usweep.warm=3", "panic=-1",
        ]
        let drive = disk ?? out.appending(path: "disk.img")
        return Said(try output("timeout", [
            "--kill-after=10", "300", "qemu-system-x86_64", "-accel", "tcg,thread=single", "-smp", "2,sockets=2", "-m", "512",
            "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none", "-no-reboot",
            "-kernel", out.appending(path: "bzImage").path, "-append", words.joined(separator: " "),
            "-drive", "file=\(drive.path),if=ide,format=raw,snapshot=on",
        ]))
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
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PATH": "\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"):/usr/sbin:/sbin"]
        ) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
