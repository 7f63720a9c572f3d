import Foundation
import Model

/// A container as crun gets it: its root file system and its configuration.
struct Bundle {
    /// How the container is called: its folder on the disk, and its control group.
    var name: String
    var core: Int
    var memoryBytes: Int64
    /// Instead of the image's; empty: that.
    var command: [String]
    var environment: [EnvironmentVariable]

    /// As container engines give them to root.
    private static let capabilities = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ]

    /// Processes and threads: far more than servers have, and few enough that a guest survives one that only forks.
    private static let mostTasks = 2_048

    /// The configuration (OCI runtime specification 1.0) that follows from the one that umoci derives from the image:
    /// user, arguments, variables and working folder are the image's, everything else is the guest's.
    func configuration(_ unpacked: JSON) -> JSON {
        let process = unpacked["process"]
        let own = process?["args"]?.elements?.compactMap(\.text) ?? []
        let arguments = command.isEmpty ? own : command
        let user = process?["user"]
        let isRoot = user?["uid"]?.integer ?? 0 == 0
        return object([
            ("ociVersion", .string("1.0.2")), ("hostname", .string(name)),
            ("root", object([("path", .string("/run/\(name)/root")), ("readonly", .bool(false))])),
            (
                "process",
                object([
                    ("terminal", .bool(false)), ("cwd", .string(process?["cwd"]?.text ?? "/")),
                    ("user", user ?? object([("uid", .integer(0)), ("gid", .integer(0))])), ("args", texts(arguments)),
                    ("env", texts(variables(process?["env"]?.elements?.compactMap(\.text) ?? []))),
                    ("capabilities", capabilities(isRoot)),
                ])
            ),
            ("mounts", .array(mounts)),
            (
                "linux",
                object([
                    ("cgroupsPath", .string("/\(name)")),
                    (
                        "resources",
                        object([
                            ("cpu", object([("cpus", .string(String(core)))])),
                            ("memory", object([("limit", .integer(memoryBytes))])),
                            ("pids", object([("limit", .integer(Bundle.mostTasks))])),
                            // All of a container that takes too much is killed: half of one answers as nobody expects.
                            ("unified", object([("memory.oom.group", .string("1"))])),
                        ])
                    ),
                    ("namespaces", .array(["pid", "mount", "ipc", "uts"].map { object([("type", .string($0))]) })),
                ])
            ),
        ])
    }

    /// The image's, in their order, then those of the manifest, which count where both name one.
    private func variables(_ own: [String]) -> [String] {
        let kept = own.filter { line in
            !line.hasPrefix("TERM=") && !environment.contains { line.hasPrefix("\($0.name)=") }
        }
        return kept + environment.map { "\($0.name)=\($0.value)" }
    }

    private func capabilities(_ isRoot: Bool) -> JSON {
        let all = texts(Bundle.capabilities)
        let effective = isRoot ? all : texts([])
        return object([
            ("bounding", all), ("effective", effective), ("permitted", effective), ("inheritable", texts([])),
            ("ambient", texts([])),
        ])
    }

    private var mounts: [JSON] {
        [
            mount("/proc", "proc", "proc", []), mount("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755"]),
            mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
            mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777"]),
            mount("/tmp", "tmpfs", "tmpfs", ["nosuid", "nodev", "mode=1777"]),
            mount("/sys", "bind", "/sys", ["rbind", "nosuid", "noexec", "nodev", "ro"]),
            mount("/etc/hosts", "bind", "/workload/hosts", ["bind", "ro"]),
        ]
    }

    private func mount(_ place: String, _ type: String, _ source: String, _ options: [String]) -> JSON {
        object([
            ("destination", .string(place)), ("type", .string(type)), ("source", .string(source)),
            ("options", texts(options)),
        ])
    }

    private func object(_ members: [(String, JSON)]) -> JSON { .object(members.map { JSON.Member($0.0, $0.1) }) }

    private func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
}
