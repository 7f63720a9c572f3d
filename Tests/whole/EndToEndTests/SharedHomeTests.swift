import Foundation
import TestKit
import Testing

/// Two hosts that see one working folder, on a file system that does not look like one that is shared.
@Suite("Hosts with one home", .serialized)
struct SharedHomeTests {
    /// A host like this machine, but with another name and identity of its own.
    private func otherMachine(_ study: Study) throws -> RealSSHD {
        try study.write("machine-id", "00000000000000000000000000000002\n")
        try study.write(
            "other",
            """
            #!/bin/sh
            exec unshare --uts --mount sh -c 'hostname other && mount --bind "$1" /etc/machine-id &&
                exec sh -c "$SSH_ORIGINAL_COMMAND"' sh '\(study.folder)/machine-id'

            """)
        chmod("\(study.folder)/other", 0o755)
        var options = RealSSHD.Options()
        options.configuration = ["ForceCommand \(study.folder)/other"]
        return try RealSSHD(options)
    }

    private static func sweep(_ name: String, _ script: String) -> String {
        """
        sweep: \(name)
        engine: command
        command: [/bin/sh, -c, '\(script)']
        axes: {x: [1, 2]}

        """
    }

    @Test(
        "Both run at once, each with a journal and cache of its own",
        .enabled(if: getuid() == 0 && FileManager.default.fileExists(atPath: "/etc/machine-id")))
    func together() throws {
        let study = try Study(hosts: 1, slots: 1)
        let other = try otherMachine(study)
        try study.write(
            "ssh_config",
            study.text("ssh_config") + """
                Host h1
                  HostName 127.0.0.1
                  Port \(other.port)
                  User \(other.user)
                  IdentityFile \(other.clientKey())
                  UserKnownHostsFile \(other.knownHostsFile)

                """)
        try study.write(
            "inventory.yaml", study.text("inventory.yaml") + "  - {name: h1, workdir: \(study.workdir(0))}\n")
        // Each waits for the other: one slot each has to do.
        let both = "touch \(study.folder)/at-$USWEEP_X; "
            + "until [ -e \(study.folder)/at-1 ] && [ -e \(study.folder)/at-2 ]; do sleep 0.1; done"
        let launched = try study.launch(Self.sweep("both", both))
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try Set(study.column("host", of: "runs")) == ["h0", "h1"])
        #expect(study.exists("w0/agent.journal") && study.exists("w0/.usweep-machine")
            && study.exists("w0/.usweep-shared"))
        let home = try RealSSHD.run("sh", ["-c", "printf %s '\(study.workdir(0))' | sha256sum | cut -c 1-12"])
        let beside = "/var/tmp/usweep-0/\(home.trimmingCharacters(in: .whitespacesAndNewlines))"
        defer {
            study.killAgent(0)
            try? FileManager.default.removeItem(atPath: beside)
        }
        #expect(FileManager.default.fileExists(atPath: "\(beside)/agent.journal"))
    }
}
