import CSystem
import Glibc
import Model
import Storage

/// What `doctor` wants to know of a host.
enum HostCheck {
    /// Journals that an agent would not work with, each with the reason that it would give.
    ///
    /// - Parameter folder: with the runs.
    static func printJournals(in folder: String) -> Int32 {
        for name in Attach.journals {
            do {
                try AgentJournal.examine(folder: folder, name: name, files: LocalFiles())
            } catch let failure as Failure {
                Swift.print(failure.description)
            } catch {
                Swift.print("\(folder)/\(name) cannot be read: \(error)")
            }
        }
        return 0
    }

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
