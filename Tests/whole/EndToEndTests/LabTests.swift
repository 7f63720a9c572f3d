import Foundation
import TestKit
import Testing

/// Hosts as they are found in labs.
@Suite("Hosts with habits", .serialized)
struct LabTests {
    private static let sweep = """
        sweep: lab
        engine: command
        command: [/bin/sh, -c, 'echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [1, 2]}
        results: results.json
        metrics: [value]

        """

    /// A program that the server runs in place of a login.
    final class Script {
        let folder = "/tmp/usweep-login-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        var path: String { "\(folder)/\(name)" }
        private let name: String

        init(_ name: String, _ text: String) throws {
            self.name = name
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try add(name, text)
        }

        /// Another program beside it.
        func add(_ name: String, _ text: String) throws {
            let path = "\(folder)/\(name)"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }

        /// What the programs left in the folder.
        func text(_ name: String) -> String {
            (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    @Test(
        "A login shell that is none of Bourne's, and that talks before it works",
        arguments: ["/bin/bash", "/usr/bin/tcsh", "/usr/bin/fish"])
    func shells(_ shell: String) throws {
        let login = try Script(
            "login",
            """
            #!/bin/sh
            echo 'Welcome to the lab! usweep-need usweep-failed'
            printf 'no line end: \\001\\002\\377'
            exec \(shell) -c "$SSH_ORIGINAL_COMMAND"

            """)
        var server = RealSSHD.Options()
        server.configuration = ["ForceCommand \(login.path)"]
        let study = try Study(hosts: 1, server: server)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("value") == ["1", "2"])
    }

    @Test("A working folder whose name is too long for the address of a socket")
    func longFolder() throws {
        let study = try Study(hosts: 1)
        let inventory = study.text("inventory.yaml").replacingOccurrences(
            of: study.workdir(0), with: "\(study.workdir(0))/\(String(repeating: "long/", count: 30))end")
        try study.write("inventory.yaml", inventory)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("value") == ["1", "2"])
    }

    @Test("A host of another architecture is refused by name")
    func architecture() throws {
        let uname = try Script(
            "uname",
            """
            #!/bin/sh
            case $1 in -m) echo aarch64 ;; *) exec /usr/bin/uname "$@" ;; esac

            """)
        var server = RealSSHD.Options()
        // Not by SetEnv: what the shell reads at its start may set another path.
        let command = "PATH=\(uname.folder):/usr/bin:/bin exec sh -c \"$SSH_ORIGINAL_COMMAND\""
        let login = try Script("login", "#!/bin/sh\n\(command)\n")
        server.configuration = ["ForceCommand \(login.path)"]
        let study = try Study(hosts: 1, server: server)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 75)
        #expect(launched.errors.contains("h0: the host is Linux aarch64"), "\(launched.errors)")
        #expect(!study.exists("w0"))
    }

    @Test("An account that runs nothing, or something else, is refused with what it printed", arguments: [
        ("echo 'This account is currently not available.'; exit 1", "\"This account is currently not available.\""),
        ("echo only this", "\"only this\""), ("exit 0", "It printed nothing"),
    ])
    func fixedCommand(_ command: String, _ said: String) throws {
        let login = try Script("login", "#!/bin/sh\n\(command)\n")
        var server = RealSSHD.Options()
        server.configuration = ["ForceCommand \(login.path)"]
        let study = try Study(hosts: 1, server: server)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 75)
        #expect(launched.errors.contains(said) && launched.errors.contains("ForceCommand"), "\(launched.errors)")
    }

    @Test(
        "A working folder from which no program runs is refused, with the way out",
        .enabled(if: getuid() == 0, "needs root for a mount"))
    func noexec() throws {
        let study = try Study(hosts: 1)
        try study.mount("noexec", on: 0)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 75)
        #expect(launched.errors.contains("h0: programs cannot run from \(study.workdir(0)) (mounted noexec?)"))
        #expect(launched.errors.contains("give the host another workdir"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(study.workdir(0))/bin").isEmpty)
    }

    @Test(
        "A working folder that is full before the agent is there is refused",
        .enabled(if: getuid() == 0, "needs root for a mount"))
    func fullFromTheStart() throws {
        let study = try Study(hosts: 1)
        try study.mount("size=1m", on: 0)
        let launched = try study.launch(Self.sweep)
        #expect(launched.status == 75)
        #expect(launched.errors.contains("the agent cannot be written to \(study.workdir(0)) (disk or quota full?)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(study.workdir(0))/bin").isEmpty)
    }

    @Test("Trial hosts come up, and without complaints, where of a namespace of theirs the name alone is left",
        .enabled(if: getuid() == 0 && access("/usr/sbin/ip", X_OK) == 0, "needs root and ip"))
    func leftNamespaces() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../ops/lab/hosts")
        let state = "/tmp/usweep-lab-\(getpid())"
        func up(left name: String?) throws -> String {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = [
                "-c", """
                    tag=$(printf %s "$1" | cksum | awk '{ printf "%04x", $1 % 65536 }')
                    export USWEEP_LAB_STATE=$1
                    if [ -n "$3" ]; then mkdir -p /run/netns && : >"/run/netns/usweep-$tag-$3"; fi
                    "$2" up 1 --inventory "$1.yaml"
                    "$2" down >/dev/null
                    rm -f "/run/netns/usweep-$tag-$3"
                    """, "bash", state, script.standardized.path, name ?? "",
            ]
            (process.standardOutput, process.standardError) = (pipe, pipe)
            try process.run()
            let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return said
        }
        let usual = try up(left: nil)
        #expect(usual.hasPrefix("1 hosts are up ("), "\(usual)")
        for name in ["lab1", "probe"] { #expect(try up(left: name) == usual) }
    }
}
