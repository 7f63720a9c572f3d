import Glibc

/// `status.jsonl`: what happened when, for the supervisor and for people. One object a line.
struct StatusFile {
    private let file: OutputFile
    private let start = StatusFile.nanoseconds(CLOCK_MONOTONIC)

    init() throws(SystemError) { file = try OutputFile(RunFiles.status) }

    /// - Parameter members: rendered JSON values by name.
    func write(event: String, _ members: [(name: String, json: String)]) throws(SystemError) {
        let elapsed = (StatusFile.nanoseconds(CLOCK_MONOTONIC) - start) / 1_000_000
        let time = StatusFile.nanoseconds(CLOCK_REALTIME) / 1_000_000
        var line = "{\"event\":\(quoted(event))"
        for member in members { line += ",\(quoted(member.name)):\(member.json)" }
        line += ",\"elapsed_ms\":\(elapsed),\"time_unix_ms\":\(time)}\n"
        try file.write(Array(line.utf8))
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
