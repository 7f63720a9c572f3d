import CSystem
import Glibc
import Ports
import Storage

/// On the login node: joins standard input and output to the agent of a job, by a spool. In place of srun(1).
enum SpoolBridge {
    private static let mostUnsent = 1 << 20
    /// How long the other side may take to end after this one has: a job may be dead.
    private static let patience: Int64 = 30_000_000_000

    /// - Parameter folder: of the connection.
    static func run(_ folder: String) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        _ = sys_nonblocking(0)
        _ = sys_nonblocking(1)
        do throws(FilesError) {
            guard try SpoolEnd.isKnown(to: folder, LocalFiles()) else {
                FailureText.print(
                    "the agent of the job is of a newer usweep, whose spool in \(folder) is not known to this one; use "
                        + "that usweep, or end the job: scancel JOB")
                return 1
            }
            var end = try SpoolEnd(folder, .login)
            try join(&end)
            return 0
        } catch {
            FailureText.print(
                "cannot read or write \(folder): \(error); the cluster's workdir has to be on a folder that login and "
                    + "compute nodes share")
            return 1
        }
    }

    private static func join(_ end: inout SpoolEnd) throws(FilesError) {
        var out = SendQueue()
        var pace = SpoolPace()
        var deadline: Int64?
        while !end.hasEnded || out.unsentCount > 0 {
            if let deadline, Machine.now >= deadline { return }
            let hasRoom = try end.hasRoom()
            if end.isStuck { return }
            var set = Poll()
            if hasRoom { set.add(0, reads: true) }
            if out.unsentCount > 0 { set.add(1, reads: false, writes: true) }
            set.wait(pace.pause)
            var hasMoved = false
            if hasRoom, set.isReady(0), let bytes = take() {
                try end.write(bytes)
                hasMoved = true
                if bytes.isEmpty { deadline = Machine.now + patience }
            }
            while out.unsentCount < mostUnsent, let bytes = try end.read() {
                out.add(bytes)
                hasMoved = true
            }
            pace.looked(hasMoved: hasMoved)
            guard out.flush(to: 1, isSocket: false) else { break }
        }
        if !end.hasEnded { try end.write([]) }
    }

    /// From standard input. Empty: it has ended; nil: nothing now.
    private static func take() -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: SpoolEnd.piece) { space, filled in
            count = read(0, space.baseAddress!, space.count)
            filled = max(0, count)
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? nil : bytes
    }
}
