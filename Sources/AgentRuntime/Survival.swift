import Glibc

/// Whether detached processes outlive the login here, and how they are made to.
enum Survival {
    /// What logind was told about processes of users who log out; nil: it was told nothing.
    static var killsUserProcesses: Bool? {
        var said: Bool?
        for file in ["/etc/systemd/logind.conf"] + dropIns {
            for line in (Machine.text(file) ?? "").split(separator: "\n") {
                let parts = line.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].filter({ $0 != " " }) == "KillUserProcesses" else { continue }
                said = ["yes", "true", "on", "1"].contains(parts[1].filter { $0 != " " }.lowercased())
            }
        }
        return said
    }

    private static var dropIns: [String] {
        guard let folder = opendir("/etc/systemd/logind.conf.d") else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".conf") { names.append("/etc/systemd/logind.conf.d/\(name)") }
        }
        return names.sorted()
    }

    /// What stands before the agent's command line so that it outlives the login.
    static var prefix: [String] {
        guard killsUserProcesses == true, getuid() != 0 else { return [] }
        guard getenv("XDG_RUNTIME_DIR") != nil else { return [] }
        for program in ["/usr/bin/systemd-run", "/bin/systemd-run"] where access(program, X_OK) == 0 {
            return [program, "--user", "--scope", "--quiet", "--"]
        }
        return []
    }
}
