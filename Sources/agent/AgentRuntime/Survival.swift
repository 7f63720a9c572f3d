import CSystem
import Glibc
import Model
import Ports
import Storage

/// Whether detached processes outlive the login here, and how they are made to.
enum Survival {
    /// Whether logind kills what users who log out leave behind; nil: it was told nothing of it.
    ///
    /// - Parameters:
    ///   - root: where the machine's files begin.
    ///   - user: nil: unknown.
    static func killsProcesses(of user: String?, root: String = "") -> Bool? {
        var kills: Bool?
        var (only, excluded) = ("", "root")
        for (key, value) in settings(root) {
            switch key {
            case "KillUserProcesses": kills = truth(value) ?? kills
            case "KillOnlyUsers": only = value
            case "KillExcludeUsers": excluded = value
            default: break
            }
        }
        guard kills == true, let user else { return kills }
        let isMeant = only.isEmpty || only.split(separator: " ").contains(Substring(user))
        return isMeant && !excluded.split(separator: " ").contains(Substring(user))
    }

    /// What logind.conf(5) and its drop-ins say, the last word last: of files of one name the first folder's counts.
    private static func settings(_ root: String) -> [(key: String, value: String)] {
        let folders = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map { "\(root)\($0)/systemd/logind.conf" }
        var texts = Array(folders.lazy.compactMap { Machine.text($0) }.prefix(1))
        var dropIns: [String: String] = [:]
        for folder in folders.reversed() {
            for name in names(in: "\(folder).d") { dropIns[name] = Machine.text("\(folder).d/\(name)") }
        }
        texts += dropIns.sorted { $0.key < $1.key }.map(\.value)
        return texts.flatMap { $0.split(separator: "\n") }.compactMap { line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (parts[0].trimmed, parts[1].trimmed) : nil
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? LocalFiles().list(folder)) ?? []).map(\.name).filter { $0.hasSuffix(".conf") }
    }

    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "yes", "y", "true", "t", "on": true
        case "0", "no", "n", "false", "f", "off": false
        default: nil
        }
    }

    /// What stands before the agent's command line so that it outlives the login: a scope of the user's own service
    /// manager is not part of the session that logind ends.
    static var prefix: [String] {
        let user = (getenv("LOGNAME") ?? getenv("USER")).map { String(cString: $0) }
        guard killsProcesses(of: user) == true else { return [] }
        return ["systemd-run", "--user", "--scope", "--quiet", "--"]
    }

    /// Starts this program again so that it outlives the login, if anything here makes it.
    static func start(_ arguments: [String], log: String) -> Spawn.Beginning {
        guard !prefix.isEmpty else { return Spawn.detached(arguments, log: log) }
        var environment = Spawn.environment
        // A login without PAM does not say where the service manager of the user listens.
        if getenv("XDG_RUNTIME_DIR") == nil { environment.append("XDG_RUNTIME_DIR=/run/user/\(getuid())") }
        let beginning = Spawn.detached(arguments, prefix: prefix, environment: environment, log: log)
        guard case .problem = beginning else { return beginning }
        // An agent that ends with the connection is better than none; what systemd-run said is in the log.
        return Spawn.detached(arguments, log: log)
    }
}
