import CSystem
import Glibc
import Model
import Ports

/// The processes of running attempts: leaders, what they started, and what outlived them.
///
/// Each attempt has a session of its own; what leaves it becomes a child of this process, a subreaper, when its
/// parent ends, and is told by the attempt's folder in its environment.
struct ProcessTree: ProgramTree {
    private struct Attempt {
        var pid: Int32
        var folder: String
        /// The most that all of them were seen to use together.
        var peakMemoryBytes: Int64 = 0
        /// Set when the leader ended and others of its session still run.
        var end: ProgramEnd?
        /// When others are no longer waited for.
        var patience: Int64?
    }

    private var attempts: [AttemptKey: Attempt] = [:]
    private var keys: [Int32: AttemptKey] = [:]
    private var draining: [AttemptKey] = []
    private let environment = Spawn.environment

    mutating func start(_ key: AttemptKey, _ launch: Launch) throws(SpawnProblem) {
        let pid = try Spawn.start(
            launch.arguments, environment: environment + launch.environment.map { "\($0.name)=\($0.value)" },
            folder: launch.folder, output: "\(launch.folder)/stdout.txt", errorOutput: "\(launch.folder)/stderr.txt",
            diesWithParent: true)
        attempts[key] = Attempt(pid: pid, folder: launch.folder)
        keys[pid] = key
    }

    mutating func note(peak: Int64, of key: AttemptKey) {
        guard let attempt = attempts[key] else { return }
        attempts[key]?.peakMemoryBytes = max(attempt.peakMemoryBytes, peak)
    }

    var nextDeadline: Int64? { draining.compactMap { attempts[$0]?.patience }.min() }

    /// Takes all processes that ended; the attempts of which nothing runs any more.
    mutating func reap(now: Int64) -> [ProgramEnd] {
        var ends: [ProgramEnd] = []
        var ended = sys_ended()
        var leaders: [AttemptKey] = []
        var result = sys_reap(&ended)
        while result == 1 {
            if let key = keys.removeValue(forKey: ended.pid), let attempt = attempts[key] {
                let cause: ProcessExit.Cause =
                    ended.signal != 0 ? .signal(Int(ended.signal)) : .status(Int(ended.status))
                attempts[key]?.end = ProgramEnd(
                    key: key, folder: attempt.folder, cause: cause, cpuNanoseconds: ended.cpu_nanoseconds,
                    peakMemoryBytes: max(ended.peak_bytes, attempt.peakMemoryBytes))
                leaders.append(key)
            }
            result = sys_reap(&ended)
        }
        // No children at all: nothing can be left of anyone.
        let orphans = result < 0 || (leaders.isEmpty && draining.isEmpty) ? [] : self.orphans
        for key in leaders + draining {
            guard let attempt = attempts[key], let end = attempt.end else { continue }
            let left = orphans.filter { belongs($0, to: attempt) }
            if left.isEmpty || attempt.patience.map({ now >= $0 }) ?? false {
                ends.append(end)
                attempts[key] = nil
                draining.removeAll { $0 == key }
                continue
            }
            for pid in left { kill(pid, SIGKILL) }
            if attempt.patience == nil {
                attempts[key]?.patience = now + SupervisorPatience.drain
                draining.append(key)
            }
        }
        return ends
    }

    mutating func signal(_ key: AttemptKey, isFinal: Bool, now: Int64) {
        guard let attempt = attempts[key] else { return }
        guard attempt.end == nil else { return }
        kill(-attempt.pid, isFinal ? SIGKILL : SIGTERM)
        // A stopped process takes SIGTERM only when it goes on.
        kill(-attempt.pid, SIGCONT)
        if isFinal { killAll(below: "\(attempt.folder)/") }
    }

    /// Children of this process that are no attempt's leader.
    private var orphans: [Int32] {
        guard let text = Machine.text("/proc/self/task/\(getpid())/children") else { return [] }
        return text.split(separator: " ").compactMap { Int32($0) }.filter { keys[$0] == nil }
    }

    /// Every process of an attempt, its leader first.
    func members(of key: AttemptKey) -> [Int32] {
        guard let attempt = attempts[key] else { return [] }
        let others = ProcessTree.all.filter { pid in
            guard pid != attempt.pid, pid != getpid() else { return false }
            return getsid(pid) == attempt.pid || ProcessTree.environment(of: pid, holds: "\(attempt.folder)/")
        }
        return [attempt.pid] + others.sorted()
    }

    private func belongs(_ pid: Int32, to attempt: Attempt) -> Bool {
        if getsid(pid) == attempt.pid { return true }
        if ProcessTree.environment(of: pid, holds: "\(attempt.folder)/") { return true }
        // It hides whose it is: it may go on as long as any other could own it.
        return attempts.count == 1
    }

    // MARK: The process table

    /// Kills every process of this user whose point file is below a folder.
    func killAll(below folder: String) {
        let own = getpid()
        for pid in ProcessTree.all where pid != own && ProcessTree.environment(of: pid, holds: folder) {
            kill(pid, SIGKILL)
        }
    }

    private static var all: [Int32] {
        guard let table = opendir("/proc") else { return [] }
        defer { closedir(table) }
        var pids: [Int32] = []
        while let entry = readdir(table) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name) { pids.append(pid) }
        }
        return pids
    }

    private static func environment(of pid: Int32, holds folder: String) -> Bool {
        guard let bytes = Machine.bytes("/proc/\(pid)/environ") else { return false }
        let wanted = Array("USWEEP_POINT_FILE=\(folder)".utf8)
        return bytes.split(separator: 0).contains { $0.starts(with: wanted) }
    }

    /// How often the kernel killed something for want of memory since the host began.
    static var memoryKills: Int64 {
        let line = Machine.text("/proc/vmstat")?.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line.flatMap { Int64($0.dropFirst(9)) } ?? 0
    }
}

enum SupervisorPatience {
    /// How long killed processes may take to go before an attempt counts as over without them.
    static let drain: Int64 = 10_000_000_000
}
