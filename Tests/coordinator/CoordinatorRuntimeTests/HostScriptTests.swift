import Foundation
import Testing
@testable import CoordinatorRuntime


@Suite("Scripts that run on hosts")
struct HostScriptTests {
    /// Runs the command by this machine's `/bin/sh`, as a login shell would.
    private func run(_ input: [UInt8], environment: [String: String] = [:]) throws -> String {
        let process = Process()
        let (into, out) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", HostScript.command]
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        (process.standardInput, process.standardOutput, process.standardError) = (into, out, out)
        try process.run()
        try into.fileHandleForWriting.write(contentsOf: Data(input))
        try into.fileHandleForWriting.close()
        let said = out.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: said, as: UTF8.self)
    }

    @Test("Every login shell hands the command on as it is")
    func command() {
        let inner = HostScript.command.dropFirst("exec /bin/sh -c '".count).dropLast()
        #expect(HostScript.command == "exec /bin/sh -c '\(inner)'")
        #expect(inner.allSatisfy { !"'!\\\n".contains($0) })
    }

    @Test("A script reads what comes behind it, whatever characters it has and in any locale")
    func data() throws {
        let script = HostScript("IFS= read -r line; say got \"$line\" \"it's ünder \\\\\"\n\n")
        for environment in [["LC_ALL": "C"], ["LC_ALL": "C.UTF-8"], try busyBox()] {
            let said = try run(script.input("a b!\n"), environment: environment)
            #expect(said.hasPrefix("\n\(HostScript.greeting)Linux "))
            #expect(said.hasSuffix("\n\(HostScript.mark) got a b! it's ünder \\\n"), "\(said)")
        }
    }

    /// A host whose tools are BusyBox's, which reads ahead where it may; where there is none, this machine's.
    private func busyBox() throws -> [String: String] {
        let (program, folder) = ("/bin/busybox", "/tmp/usweep-applets-\(getpid())")
        guard access(program, X_OK) == 0 else { return [:] }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for applet in ["dd", "head", "uname"] { symlink(program, "\(folder)/\(applet)") }
        return ["PATH": "\(folder):/usr/bin:/bin"]
    }

    @Test("Of a script that did not come whole, nothing runs")
    func cut() throws {
        let input = HostScript("say first\nsay second\n").input("")
        for end in stride(from: input.count - 1, to: input.count - 24, by: -1) {
            #expect(try !run(Array(input[..<end])).contains("first"))
        }
        #expect(try run(input).contains("usweep-says first\nusweep-says second\n"))
    }

    @Test("Those who play a host find what the script reads once it is there")
    func played() {
        let input = HostScript.bring.input("one\ntwo\n")
        #expect(HostScript.data(of: input).map { Array($0) } == Array("one\ntwo\n".utf8))
        #expect(HostScript.data(of: Array(input.prefix(input.count - 9))) == nil)
        #expect(HostScript.data(of: Array("12".utf8)) == nil)
    }

    /// Tools of this machine, and programs that are written for it.
    private func tools(_ names: [String], _ scripts: [String: String] = [:]) throws -> String {
        let folder = "\(NSTemporaryDirectory())usweep-tools-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in names + ["dd", "uname"] { symlink("/usr/bin/\(name)", "\(folder)/\(name)") }
        for (name, text) in scripts {
            try "#!/bin/sh\n\(text)\n".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            chmod("\(folder)/\(name)", 0o755)
        }
        return folder
    }

    /// Of "abc": FIPS 180-2, B.1.
    private static let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test("A digest is checked by openssl alone, by sha256sum alone, and by this where the other fails", arguments: [
        (["openssl"], [:]), (["sha256sum"], [:]), (["openssl", "sha256sum"], [:]),
        ([], ["openssl": "[ \"$*\" = 'dgst -sha256 -r' ] && echo '\(digest) *stdin'"]),
        (["sha256sum"], ["openssl": "exit 1"]), (["sha256sum"], ["openssl": "echo 0000 *stdin"]),
        ([], ["openssl": "exit 1", "sha256sum": "echo '\(digest)  -'"]),
    ])
    func digests(_ names: [String], _ scripts: [String: String]) throws {
        if names.contains("openssl"), access("/usr/bin/openssl", X_OK) != 0 { return }
        let folder = try tools(names, scripts)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("abc".utf8).write(to: URL(filePath: "\(folder)/file"))
        let wrong = String(Self.digest.reversed())
        let script = HostScript(
            """
            if has_digest "\(folder)/file" \(Self.digest); then say right; fi
            if has_digest "\(folder)/file" \(wrong); then say wrong; fi
            say end
            """)
        let said = try run(script.input(""), environment: ["PATH": folder])
        let answers = said.split(separator: "\n").filter { $0.hasPrefix(HostScript.mark) }
        #expect(answers == ["usweep-says right", "usweep-says end"], "\(said)")
    }
}
