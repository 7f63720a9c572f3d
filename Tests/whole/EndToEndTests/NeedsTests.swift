import Foundation
import Testing

@Suite("What runs take of hosts, over SSH", .serialized)
struct NeedsTests {
    /// Fails where two of its kind run at a time.
    private func sweep(_ study: Study, _ name: String, _ needs: String) -> String {
        """
        sweep: \(name)
        engine: command
        command: [/bin/sh, -c, 'mkdir \(study.folder)/taken || exit 9; sleep 0.3; rmdir \(study.folder)/taken']
        axes: {x: 1..4}
        retry: {attempts: 1}
        \(needs)

        """
    }

    private func inventory(_ study: Study, _ more: String) throws {
        try study.write(
            "inventory.yaml",
            "defaults: {ssh_config: ssh_config, slots: 4}\n"
                + "hosts: [{name: h0, workdir: \(study.workdir(0)), \(more)}]\n")
    }

    @Test("No host is given more than it has, by one sweep or by two; what no host has is refused")
    func counted() throws {
        let study = try Study(hosts: 1)
        try inventory(study, "resources: {lab: 1}")
        for needs in ["cores: 3", "resources: {lab: 1}"] {
            let ended = try study.launch(sweep(study, "one", needs), options: ["--new"])
            #expect(ended.status == 0, "\(needs): \(ended.errors)")
        }
        // Two coordinators that know nothing of each other.
        try study.write("a.yaml", sweep(study, "first", "resources: {lab: 1}"))
        try study.write("b.yaml", sweep(study, "second", "resources: {lab: 1}"))
        let both = try ["a.yaml", "b.yaml"].map { try study.start(["launch", $0, "-i", "inventory.yaml"]) }
        for running in both {
            let ended = running.wait()
            #expect(ended.status == 0, "\(ended.errors)")
        }
        try study.write("sweep.yaml", sweep(study, "greedy", "resources: {lab: 2}"))
        let refused = try study.run("plan", "sweep.yaml", "-i", "inventory.yaml")
        #expect(refused.status == 65 && refused.errors.contains("h0 has {lab: 1}"), "\(refused.errors)")
        try study.write("sweep.yaml", sweep(study, "wide", "cores: 5"))
        let wide = try study.run("plan", "sweep.yaml", "-i", "inventory.yaml")
        #expect(wide.status == 65 && wide.errors.contains("the largest host, h0, has 4"), "\(wide.errors)")
    }

    @Test("With a login shell, the setup and the program see what that shell makes; without, they do not")
    func login() throws {
        let study = try Study(hosts: 1)
        let sweep = """
            sweep: modules
            engine: command
            command: [/bin/sh, -c, 'echo "{\\"value\\": $MODULE_LEVEL}" > results.json']
            axes: {x: [1]}
            results: results.json
            metrics: [value]

            """
        // As environment modules do it: what only a login shell has, and a text with quotes.
        let setup = #"setup: 'test -n "${BASH_VERSION}" && shopt -q login_shell && export MODULE_LEVEL=''7'''"#
        try inventory(study, "shell: login, " + setup)
        let ended = try study.launch(sweep)
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try study.column("value") == ["7"])
        try inventory(study, setup)
        let plain = try study.launch(sweep, options: ["--new"])
        #expect(plain.status == 75 && plain.errors.contains("the host's setup"), "\(plain.errors)")
        try inventory(study, "shell: login, setup: 'echo no such module >&2; false'")
        let failing = try study.launch(sweep, options: ["--new"])
        #expect(failing.status == 75 && failing.errors.contains("no such module"), "\(failing.errors)")
        let wrong = "its setup ends with status 1: no such module; correct 'setup' in the inventory"
        for (keys, told) in [
            ("shell: login, setup: 'echo no such module >&2; false'", wrong),
            ("setup: 'echo no such module >&2; false'", wrong),
            ("setup: 'exit 0'", "its setup ends the shell, so that no run would begin"),
            ("setup: 'export A=1'", "ok"), ("shell: login, setup: 'export A=1'", "ok"),
        ] {
            try inventory(study, keys)
            let found = try study.run("doctor", "-i", "inventory.yaml")
            #expect(found.status == (told == "ok" ? 0 : 75) && found.output.contains(told), "\(keys): \(found.output)")
        }
    }

    @Test("A start-up file that ends the shell makes no run a success; one that goes elsewhere takes none with it")
    func profiles() throws {
        let study = try Study(hosts: 0)
        let host = "{name: here, address: local, workdir: \(study.workdir(0)), shell: login}"
        try study.write("inventory.yaml", "hosts: [\(host)]\n")
        let sweep = "sweep: p\nengine: command\ncommand: [/bin/sh, -c, 'pwd; echo x > left.txt']\naxes: {x: [1]}\n"
        let files = FileManager.default
        try files.createDirectory(atPath: "\(study.folder)/home", withIntermediateDirectories: true)
        let home = ["HOME": "\(study.folder)/home", "SHELL": "/bin/bash"]
        for text in ["exit 0", "exec true"] {
            try study.write("home/.profile", text + "\n")
            let ended = try study.launch(sweep, options: ["--new"], environment: home)
            #expect(ended.status == 75 && ended.errors.contains("calls exit or exec"), "\(text): \(ended.errors)")
            _ = try? study.run("clean", "here", "-i", "inventory.yaml", "--all", "--yes")
        }
        try study.write("home/.profile", "cd /\n")
        let ended = try study.launch(sweep, options: ["--new"], environment: home)
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try study.run("logs", "1").output.contains("left.txt"), "it was collected from the run's folder")
        study.killAgent(0)
    }
}
