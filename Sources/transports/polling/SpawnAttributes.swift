import CSystem
package import Glibc

/// How a program is started that outlives, or must not disturb, the terminal of this one: in a session of its own, with
/// no signal blocked or ignored.
package enum SpawnAttributes {
    package static func ownSession<Result, Problem: Error>(
        _ body: (inout posix_spawnattr_t) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // POSIX_SPAWN_SETSID of <spawn.h>.
        let session: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(session) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        return try body(&attributes)
    }
}
