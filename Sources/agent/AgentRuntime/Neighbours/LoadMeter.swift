import AgentCore
import CSystem
import Glibc
import Model

/// What programs of other people use of this machine: all that is used, less what this user's processes use, which can
/// be seen whatever else the kernel hides (`hidepid` of proc(5)).
struct LoadMeter {
    private struct Sample {
        var time: Int64
        /// Of the processors that this process may use.
        var busy: Int64
        /// Per process of this user: when it began, and how long it computed.
        var own: [Int32: (start: Int64, ticks: Int64)]
    }

    private let user: UInt32
    private var last: Sample?

    init(user: UInt32 = getuid()) {
        self.user = user
        last = measure().sample
    }

    /// - Returns: thousandths of a processor that were busy since the last look, and bytes of memory.
    mutating func look() -> (busyThousandths: Int, memoryBytes: Int64) {
        let (sample, ownMemory) = measure()
        defer { self.last = sample }
        let memory = Machine.text("/proc/meminfo") ?? ""
        let used = (KernelText.bytes("MemTotal", in: memory) ?? 0) - (KernelText.bytes("MemAvailable", in: memory) ?? 0)
        guard let last, sample.time > last.time else { return (0, max(0, used - ownMemory)) }
        // A process that waited for a child has the child's time at once: too much counts as one's own then, and
        // nothing as others' for that moment.
        let own = sample.own.reduce(Int64(0)) { sum, entry in
            let before = last.own[entry.key].flatMap { $0.start == entry.value.start ? $0.ticks : nil } ?? 0
            return sum + max(0, entry.value.ticks - before)
        }
        let others = max(0, sample.busy - last.busy - own)
        let elapsed = max(1, (sample.time - last.time) / 1_000_000)
        return (Int(clamping: others * Machine.tick / 1_000 / elapsed), max(0, used - ownMemory))
    }

    private func measure() -> (sample: Sample, memoryBytes: Int64) {
        let ticks = KernelText.busyTicks(Machine.text("/proc/stat") ?? "")
        let busy = Machine.allowedProcessors.reduce(Int64(0)) { $0 + (ticks[$1] ?? 0) }
        var own: [Int32: (start: Int64, ticks: Int64)] = [:]
        var memory: Int64 = 0
        for pid in ProcessTree.all {
            var status = stat()
            guard stat("/proc/\(pid)", &status) == 0, status.st_uid == user,
                let process = Machine.text("/proc/\(pid)/stat").flatMap(KernelText.process)
            else { continue }
            own[pid] = process
            let text = Machine.text("/proc/\(pid)/status") ?? ""
            for name in ["RssAnon", "RssShmem"] { memory += KernelText.bytes(name, in: text) ?? 0 }
        }
        return (Sample(time: Machine.now, busy: busy, own: own), memory)
    }
}

/// How long each processor has been busy.
extension Machine {
    static var processorTimes: [Int: Int64] {
        KernelText.busyTicks(text("/proc/stat") ?? "").mapValues { min($0, .max / tick) * tick }
    }

    /// What the kernel counts such times in, in nanoseconds.
    static let tick = 1_000_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
}

/// The other people on this machine.
final class MachineNeighbours: Neighbours {
    private let claims: ClaimFolder
    private var meter = LoadMeter()
    let firstLook: Nanoseconds
    let user: String

    /// - Parameter name: of the agent, among those of its user.
    init(name: String) {
        claims = ClaimFolder(name: name)
        // In less time processors' clocks tell nothing.
        firstLook = Machine.now + 300_000_000
        user = (getenv("USER") ?? getenv("LOGNAME")).map { String(cString: $0) } ?? ""
    }

    func leave() { claims.leave() }

    func look(_ own: SlotClaim) -> Surroundings {
        claims.tell(own)
        let (others, place) = claims.others()
        let (busy, memory) = meter.look()
        return Surroundings(claims: others, place: place, busyThousandths: busy, memoryBytes: memory)
    }
}
