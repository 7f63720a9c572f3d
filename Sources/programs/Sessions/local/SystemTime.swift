import Glibc
package import Model
import Ports

/// The clocks of this machine.
package struct SystemTime: TimeSource {
    package init() {}

    package func monotonic() -> Nanoseconds { read(CLOCK_MONOTONIC) }

    package func wall() -> Nanoseconds { read(CLOCK_REALTIME) }

    private func read(_ clock: clockid_t) -> Nanoseconds {
        var now = timespec()
        clock_gettime(clock, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
