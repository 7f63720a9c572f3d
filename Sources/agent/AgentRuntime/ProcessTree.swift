import CSystem
import Glibc
import Model
import Ports

/// The processes of running attempts.
///
/// Each attempt's program has a session of its own and a ``Keeper`` as its parent. The keeper inherits what outlives
/// the program, and ends it. What becomes a child of this process, a subreaper, comes of a keeper that was killed: it
/// belongs to an attempt that is lost, whichever that is.
struct ProcessTree: ProgramTree {
    private struct Attempt {
        var keeper: Keeper
        var folder: String
        /// The most that all of them were seen to use together.
        var peakMemoryBytes: Int64 = 0
    }

    private var attempts: [AttemptKey: Attempt] = [:]
    /// Keepers whose programs ended.
    private var idle: [Keeper] = []
    /// Ends of attempts whose keepers were killed, until nothing of them is left; and until when that is waited for.
    private var lost: [(end: ProgramEnd, deadline: Int64)] = []
    private let environment = Spawn.environment

    mutating func start(_ key: AttemptKey, _ launch: Launch, on processors: [Int]) throws(SpawnProblem) {
        // Where a variable is there twice, each program takes another one.
        let own = Set(launch.environment.map(\.name))
        let inherited = environment.filter { !own.contains(String($0.prefix { $0 != "=" })) }
        let all = inherited + launch.environment.map { "\($0.name)=\($0.value)" }
        while idle.last?.hasEnded == true { idle.removeLast() }
        let keeper: Keeper = if let used = idle.popLast() { used } else { try Keeper() }
        do throws(SpawnProblem) {
            try keeper.run(launch, environment: all, title: "usweep-agent keep \(key)", on: processors)
        } catch {
            guard keeper.isGone else {
                idle.append(keeper)
                throw error
            }
            // The program may have begun, and have killed it before it could say so: the attempt is lost.
        }
        attempts[key] = Attempt(keeper: keeper, folder: launch.folder)
    }

    mutating func note(peak: Int64, of key: AttemptKey) {
        guard let attempt = attempts[key] else { return }
        attempts[key]?.peakMemoryBytes = max(attempt.peakMemoryBytes, peak)
    }

    mutating func rest() { idle.removeAll() }

    var nextDeadline: Int64? { lost.map(\.deadline).min() }

    /// Takes all processes that ended; the attempts of which nothing runs any more.
    mutating func reap(now: Int64) -> [ProgramEnd] {
        var ended = sys_ended()
        var gone: [Int32: sys_ended] = [:]
        while sys_reap(&ended) == 1 { gone[ended.pid] = ended }
        if !gone.isEmpty { idle.removeAll { gone[$0.process] != nil } }
        var ends: [ProgramEnd] = []
        for (key, attempt) in attempts {
            let keepersEnd = gone[attempt.keeper.process]
            if keepersEnd == nil, let problem = attempt.keeper.takeProblem() {
                ends.append(ProcessTree.end(key, attempt.folder, problem))
                idle.append(attempt.keeper)
            } else if attempt.keeper.isComplete {
                let kept = attempt.keeper.kept
                ends.append(ProcessTree.end(key, attempt.folder, kept, attempt.peakMemoryBytes))
                if keepersEnd == nil, kept.left == 0 { idle.append(attempt.keeper) }
            } else if let keepersEnd {
                lost.append((ProcessTree.lost(key, attempt.folder, keepersEnd), now + SupervisorPatience.drain))
            } else {
                continue
            }
            attempts[key] = nil
        }
        if !lost.isEmpty { endOrphans(now, &ends) }
        return ends
    }

    private static func end(_ key: AttemptKey, _ folder: String, _ kept: sys_kept, _ peak: Int64) -> ProgramEnd {
        let ended = kept.ended
        let cause = ended.signal != 0 ? ProcessExit.Cause.signal(Int(ended.signal)) : .status(Int(ended.status))
        return ProgramEnd(
            key: key, folder: folder, cause: cause, cpuNanoseconds: ended.cpu_nanoseconds,
            peakMemoryBytes: max(ended.peak_bytes, peak),
            note: kept.left == 0 ? "" : "\(kept.left) of its processes could not be ended")
    }

    /// Of a program whose start took long and came to nothing.
    private static func end(_ key: AttemptKey, _ folder: String, _ problem: SpawnProblem) -> ProgramEnd {
        ProgramEnd(
            key: key, folder: folder, cause: .notStarted(step: problem.step, reason: problem.reason),
            cpuNanoseconds: 0, peakMemoryBytes: 0)
    }

    private static func lost(_ key: AttemptKey, _ folder: String, _ ended: sys_ended) -> ProgramEnd {
        ProgramEnd(
            key: key, folder: folder, cause: .signal(ended.signal != 0 ? Int(ended.signal) : Int(SIGKILL)),
            cpuNanoseconds: 0, peakMemoryBytes: 0,
            note: "its parent, which watches over it, was killed: perhaps by the program itself (kill PPID)")
    }

    /// Kills what killed keepers left, until nothing of it is there.
    private mutating func endOrphans(_ now: Int64, _ ends: inout [ProgramEnd]) {
        var pids = [Int32](repeating: 0, count: 4_096)
        let count = Int(sys_children(&pids, Int32(pids.count)))
        let keepers = Set(attempts.values.map(\.keeper.process) + idle.map(\.process))
        let orphans = pids.prefix(max(0, count)).filter { !keepers.contains($0) }
        for pid in orphans { kill(pid, SIGKILL) }
        for (end, deadline) in lost where orphans.isEmpty || now >= deadline { ends.append(end) }
        lost.removeAll { orphans.isEmpty || now >= $0.deadline }
    }

    mutating func signal(_ key: AttemptKey, isFinal: Bool, now: Int64) {
        guard let keeper = attempts[key]?.keeper, keeper.kept.leader_ended == 0 else { return }
        let kept = keeper.kept
        guard kept.leader > 0 else {
            // What has not begun hears nothing. It dies with its keeper, as soon as the system lets it.
            if isFinal, kept.leader == 0 { kill(keeper.process, SIGKILL) }
            return
        }
        kill(-kept.leader, isFinal ? SIGKILL : SIGTERM)
        // A stopped process takes SIGTERM only when it goes on.
        kill(-kept.leader, SIGCONT)
    }

    /// Every process of an attempt: what descends from its keeper, in the order of the process numbers.
    func members(of key: AttemptKey) -> [Int32] {
        guard let attempt = attempts[key] else { return [] }
        var children: [Int32: [Int32]] = [:]
        for pid in ProcessTree.all {
            if let parent = ProcessTree.parent(of: pid) { children[parent, default: []].append(pid) }
        }
        var found: [Int32] = []
        var next = [attempt.keeper.process]
        while let parent = next.popLast() {
            let below = children.removeValue(forKey: parent) ?? []
            found += below
            next += below
        }
        return found.sorted()
    }

    // MARK: The process table

    /// Kills every process of this user whose point file is below a folder, and what such processes start meanwhile.
    func killAll(below folder: String) {
        let own = getpid()
        for _ in 0..<ProcessTree.passes {
            let found = ProcessTree.all.filter { $0 != own && ProcessTree.environment(of: $0, holds: folder) }
            if found.isEmpty { return }
            for pid in found { kill(pid, SIGKILL) }
        }
    }

    /// How often the process table is gone through for what is to be killed: it may go on to fork.
    private static let passes = 20

    static var all: [Int32] {
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

    private static func parent(of pid: Int32) -> Int32? {
        // The name may hold spaces and parentheses; the fields begin behind the last one.
        guard let text = Machine.text("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
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
