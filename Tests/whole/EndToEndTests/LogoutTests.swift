import Foundation
import TestKit
import Testing

/// Hosts where logind kills what a login leaves behind (`KillUserProcesses=yes`).
///
/// There is no logind here, and no service manager of the user. A session is what its environment says: when its
/// command has ended, all processes that still have the session's variable are killed, whatever process group or Unix
/// session they made for themselves. The `systemd-run` in its path takes that variable away, as the real one takes a
/// process out of the session's control group. What logind was told stands in a file that only the session sees.
@Suite(
    "Hosts that kill at logout", .serialized, .enabled(if: getuid() == 0, "needs root for files of the session's own"))
struct LogoutTests {
    private final class Host {
        let login: LabTests.Script
        let study: Study

        init(manager: String) throws {
            login = try LabTests.Script("login", "")
            try login.add("loginctl", "#!/bin/sh\necho Linger=yes\n")
            try login.add("systemd-run", "#!/bin/sh\n\(manager)\n")
            let folder = "/usr/local/lib/systemd/logind.conf.d"
            try login.add(
                "session",
                """
                #!/bin/sh
                mount -t tmpfs tmpfs /usr/local/lib && mkdir -p \(folder)
                printf '[Login]\\nKillUserProcesses = yes\\n' > \(folder)/50-lab.conf
                exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"

                """)
            try login.add(
                "login",
                """
                #!/bin/sh
                mark=USWEEP_SESSION=$$-$(cat /proc/sys/kernel/random/uuid)
                PATH=\(login.folder):/usr/bin:/bin
                env "$mark" LOGNAME=somebody unshare --mount \(login.folder)/session
                # Not by the status of grep: processes end while it looks at them.
                while left=$(grep -lzxF "$mark" /proc/[0-9]*/environ 2>/dev/null); [ -n "$left" ]; do
                    for file in $left; do
                        process=${file#/proc/}
                        kill -9 "${process%/environ}" && echo >> \(login.folder)/killed
                    done
                done
                echo >> \(login.folder)/ended

                """)
            var server = RealSSHD.Options()
            server.configuration = ["ForceCommand \(login.path)"]
            study = try Study(hosts: 1, server: server)
        }

        func lines(_ name: String) -> Int { login.text(name).count { $0 == "\n" } }
    }

    @Test("The agent is started by systemd-run there, and what runs outlives the connection")
    func outlives() throws {
        let host = try Host(
            manager: "[ \"$*\" = \"${*#--user --scope --quiet -- }\" ] && exit 64; shift 4; "
                + "exec env -u USWEEP_SESSION \"$@\"")
        let study = host.study
        let doctor = try study.run("doctor", "-i", "inventory.yaml")
        #expect(doctor.status == 0, "\(doctor.errors)")
        #expect(doctor.output.contains("  - detached processes are killed at logout"), "\(doctor.output)")
        #expect(doctor.output.contains("started by systemd-run --user, as the agent is, they survive\n"))
        #expect(host.lines("killed") >= 1)

        try study.write(
            "sweep.yaml",
            """
            sweep: logout
            engine: command
            command: [/bin/sh, -c, 'touch \(study.folder)/began-$USWEEP_X; \
            while [ ! -e \(study.folder)/go ]; do sleep 0.05; done; echo "{\\"value\\": $USWEEP_X}" > results.json']
            axes: {x: [1, 2]}
            results: results.json

            """)
        let launch = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-1") && study.exists("began-2") })
        let ended = host.lines("ended")
        launch.signal(SIGKILL)
        _ = launch.wait()
        #expect(study.eventually { host.lines("ended") > ended }, "the session of the launch has ended")
        try study.write("go", "")
        let resumed = try study.run("resume")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try study.column("attempts", of: "runs") == ["1", "1"])
    }

    @Test("Without a service manager of the user the agent runs as long as the connection; doctor says so")
    func dies() throws {
        let host = try Host(manager: "echo 'Failed to connect to bus' >&2; exit 1")
        let study = host.study
        let doctor = try study.run("doctor", "-i", "inventory.yaml")
        #expect(doctor.output.contains("  ! detached processes are killed at logout"), "\(doctor.output)")
        #expect(doctor.output.contains("systemd-run --user does not help"))
        #expect(doctor.output.contains("loginctl enable-linger"))
        let launched = try study.launch(
            """
            sweep: logout
            engine: command
            command: [/bin/sh, -c, 'echo "{\\"value\\": $USWEEP_X}" > results.json']
            axes: {x: [1, 2]}
            results: results.json

            """)
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(try study.column("value") == ["1", "2"])
    }
}
