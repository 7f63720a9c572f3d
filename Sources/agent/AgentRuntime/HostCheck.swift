import CSystem
import Glibc
import Model

/// What `doctor` wants to know of a host.
enum HostCheck {
    static func print(workdir name: String) -> Int32 {
        var facts: [JSON.Member] = [
            JSON.Member("version", .integer(1)),
            JSON.Member("host", .string(Machine.hostName)),
            JSON.Member("bootID", .string(Machine.bootID)),
            JSON.Member("processors", .integer(Machine.processors)),
            JSON.Member("memoryBytes", .integer(Machine.memoryBytes)),
            JSON.Member("wallClockNanoseconds", .integer(Machine.wallClock)),
            JSON.Member("user", .integer(getuid())),
            JSON.Member("cgroup", .string(Machine.text("/proc/self/cgroup") ?? "")),
            JSON.Member("startsBy", .array(Survival.prefix.map { .string($0) })),
        ]
        do throws(Failure) {
            let workdir = try Workdir.prepare(name)
            facts += [
                JSON.Member("workdir", .string(workdir.root)),
                JSON.Member("namedWorkdir", .string(workdir.named)),
                JSON.Member(
                    "sharedFileSystem", Workdir.sharedFileSystem(of: workdir.named).map { .string($0) } ?? .null),
                JSON.Member("isNoexec", .bool(sys_is_noexec(workdir.root) == 1)),
                JSON.Member("fileSystem", .string("0x" + String(sys_file_system_magic(workdir.root), radix: 16))),
                JSON.Member("freeBytes", .integer(sys_free_bytes(workdir.root))),
                JSON.Member("sockets", .string(workdir.sockets)),
            ]
        } catch {
            facts.append(JSON.Member("problem", .string(error.description)))
        }
        Swift.print(JSON.object(facts).encoded)
        return 0
    }
}
