import AgentCore
import CSystem
import Glibc

/// The host's clocks and names.
enum Machine {
    /// Nanoseconds on the monotonic clock.
    static var now: Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970.
    static var wallClock: Int64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// What lives as long as all that is started here. Within a job of Slurm that is the job: several may run on a
    /// machine one after the other, or together.
    static var bootID: String {
        let boot = text("/proc/sys/kernel/random/boot_id") ?? "unknown"
        return job.map { "\(boot) job \($0.number)" } ?? boot
    }

    /// The job of Slurm that this is the pilot of.
    static let job: PilotJob? = PilotJob { name in getenv(name).map { String(cString: $0) } }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What its processors are, as `uname -m` says it.
    static var architecture: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "another machine" }
        return withUnsafeBytes(of: name.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Those that this process may use.
    static var processors: Int { min(max(1, Int(sys_processors())), job?.processors ?? .max) }

    /// By the kernel's numbers.
    static let allowedProcessors: [Int] = {
        var list = [Int32](repeating: 0, count: 4_096)
        let count = sys_allowed_processors(&list, Int32(list.count))
        return list.prefix(max(0, Int(count))).map { Int($0) }
    }()

    /// The physical cores of these, hyper-threads together. Where the kernel does not tell, each is a core.
    static let cores: [ProcessorCore] = {
        let nodes = KernelText.list(text("/sys/devices/system/node/online") ?? "")
        var nodeOfProcessor: [Int: Int] = [:]
        for node in nodes {
            for processor in KernelText.list(text("/sys/devices/system/node/node\(node)/cpulist") ?? "") {
                nodeOfProcessor[processor] = node
            }
        }
        var cores: [ProcessorCore] = []
        var placeOfCore: [String: Int] = [:]
        for processor in allowedProcessors {
            let path = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
            let siblings = text(path) ?? "\(processor)"
            if let place = placeOfCore[siblings] {
                cores[place].processors.append(processor)
            } else {
                placeOfCore[siblings] = cores.count
                cores.append(ProcessorCore(processors: [processor], node: nodeOfProcessor[processor] ?? 0))
            }
        }
        return Array(cores.prefix(job?.processors ?? .max))
    }()

    static var memoryBytes: Int64 { min(sys_memory_bytes(), job?.memoryBytes ?? .max) }

    /// The file that this program was started from, absolute: where it was, if it has been removed since.
    static let program: String = {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink("/proc/self/exe", bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard count > 0 else { return "/proc/self/exe" }
        let path = String(decoding: buffer.prefix(count), as: UTF8.self)
        let mark = " (deleted)"
        return path.hasSuffix(mark) && access(path, F_OK) != 0 ? String(path.dropLast(mark.count)) : path
    }()

    /// The content of a small file of the kernel's, without the white space at its end.
    static func text(_ path: String) -> String? {
        guard var bytes = bytes(path) else { return nil }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Parameter last: how many bytes of its end are enough.
    static func bytes(_ path: String, last: Int = .max) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Of a file that is shorter nothing is left out.
        if last < .max { lseek(descriptor, off_t(-last), SEEK_END) }
        var content: [UInt8] = []
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
                count = Glibc.read(descriptor, buffer.baseAddress!, buffer.count)
                filled = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? content : nil }
            content += piece
        }
    }
}
