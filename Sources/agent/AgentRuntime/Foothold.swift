import CSystem
import Glibc
import Model
import Storage

/// What a process that works in a folder holds there: locks, and the socket at which it is found.
///
/// Cleaners of temporary files (tmpwatch(8), systemd-tmpfiles(8), `rm -rf`) remove such things while programs work that
/// run for weeks. The lock that counts is one on the folder itself, as no name in the folder is worth anything then;
/// systemd-tmpfiles leaves folders alone that are locked so. What is gone is noticed within a second, and made again.
/// Where all of the folder was removed, and somebody else works in a new one of the same name, this process has to end.
final class Foothold {
    /// What is held, by whom.
    enum Part {
        case agent, supervisor
    }

    /// What a look showed.
    enum News {
        case nothingNew
        /// What was gone is there again.
        case remade
        /// Another process works here now.
        case taken
    }

    private static let pause: Int64 = 1_000_000_000

    private let workdir: Workdir
    private let part: Part
    private var folderLock: Int32 = -1
    /// What earlier versions lock, which may run here still.
    private var fileLock: Int32 = -1
    private var socketsLock: Int32 = -1
    private(set) var listener: Int32 = -1
    private var socketStatus = stat()
    private var nextLook: Int64
    private var hasTold = false

    /// - Throws: ``Failure`` (`heldElsewhere`) where another process has it.
    init(_ workdir: Workdir, _ part: Part) throws(Failure) {
        self.workdir = workdir
        self.part = part
        nextLook = Machine.now + Foothold.pause
        guard try lock() else {
            let who = part == .agent ? "agent" : "supervisor"
            throw Failure(.heldElsewhere, "another \(who) works in \(workdir.root)")
        }
    }

    private var folder: String { part == .agent ? workdir.root : workdir.attempts }
    private var lockFile: String { part == .agent ? workdir.agentLock : workdir.supervisorLock }
    private var socket: String { part == .agent ? workdir.agentSocket : workdir.supervisorSocket }

    /// How long until the folder is to be looked at, in nanoseconds.
    var timeout: Int64 { max(0, nextLook - Machine.now) }

    // MARK: Making

    /// Takes all locks that are not held. False: another process has one.
    private func lock() throws(Failure) -> Bool {
        if !Foothold.isInPlace(folderLock, folder) {
            guard try take(&folderLock, folder, sys_lock_folder(folder, 0)) else { return false }
        }
        if !Foothold.isInPlace(fileLock, lockFile) {
            guard try take(&fileLock, lockFile, sys_lock(lockFile, 0)) else { return false }
        }
        if workdir.sockets != workdir.root, !Foothold.isInPlace(socketsLock, workdir.sockets) {
            _ = try take(&socketsLock, workdir.sockets, sys_lock_folder(workdir.sockets, 1))
        }
        return true
    }

    private func take(_ held: inout Int32, _ path: String, _ fresh: Int32) throws(Failure) -> Bool {
        guard fresh >= 0 else {
            if errno == EWOULDBLOCK { return false }
            throw Failure(.storage, "\(path) cannot be locked", cause: SystemText.of(errno))
        }
        if held >= 0 { close(held) }
        held = fresh
        return true
    }

    /// Begins to listen. Only who holds the locks may.
    func listen() throws(Failure) {
        let fresh = sys_listen(socket)
        guard fresh >= 0, lstat(socket, &socketStatus) == 0 else {
            throw Failure(.storage, "no socket at \(socket)", cause: SystemText.of(errno))
        }
        if listener >= 0 { close(listener) }
        listener = fresh
    }

    /// Removes the socket, if it is still the one that was made here.
    func leave() { if socketIsInPlace { unlink(socket) } }

    // MARK: Looking

    private static func isInPlace(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        var found = stat()
        guard descriptor >= 0, fstat(descriptor, &held) == 0, stat(path, &found) == 0 else { return false }
        return held.st_dev == found.st_dev && held.st_ino == found.st_ino
    }

    private var socketIsInPlace: Bool {
        var found = stat()
        guard lstat(socket, &found) == 0 else { return false }
        return found.st_dev == socketStatus.st_dev && found.st_ino == socketStatus.st_ino
    }

    /// Looks whether all is in place, once a second, and makes what is not.
    func look() -> News {
        guard Machine.now >= nextLook else { return .nothingNew }
        nextLook = Machine.now + Foothold.pause
        var isWhole = Foothold.isInPlace(folderLock, folder) && Foothold.isInPlace(fileLock, lockFile)
        if workdir.sockets != workdir.root { isWhole = isWhole && Foothold.isInPlace(socketsLock, workdir.sockets) }
        guard !isWhole || !socketIsInPlace else {
            hasTold = false
            return .nothingNew
        }
        do throws(Failure) {
            try Workdir.makeAgain(workdir)
            guard try lock() else { return .taken }
            Log.reopen(workdir.log)
            if !socketIsInPlace { try listen() }
            Log.write("files of the working folder were removed, and are recreated; exclude the folder from cleaning:",
                workdir.root)
            return .remade
        } catch {
            if !hasTold { Log.write("files of the working folder were removed, and cannot be recreated:", "\(error)") }
            hasTold = true
            return .nothingNew
        }
    }
}
