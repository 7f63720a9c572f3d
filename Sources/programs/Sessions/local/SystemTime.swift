import Glibc
package import Model
import Ports

/// The clocks of this machine.
package struct SystemTime: TimeSource {
    package init() {}

    package func monotonic() -> Nanoseconds { read(CLOCK_MONOTONIC) }

    package func wall() -> Nanoseconds { read(CLOCK_REALTIME) }

    /// The second of the day here, from 0, of a time since 1970.
    func secondOfDay(_ wall: Nanoseconds) -> Int {
        var (seconds, parts) = (time_t(wall / 1_000_000_000), tm())
        localtime_r(&seconds, &parts)
        return Int(parts.tm_hour * 3_600 + parts.tm_min * 60 + min(parts.tm_sec, 59))
    }

    private func read(_ clock: clockid_t) -> Nanoseconds {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
