import Glibc
import Ledger
import Model
import Testing

@Suite struct ReadOnlyTests {
    @Test func aFolderThatTakesNoFilesIsAFailureOfStorage() {
        #expect {
            _ = try Ledger.create("/proc/ledger.sqlite", metadata: Sample.metadata, runs: Sample.runs(1))
        } throws: { error in
            (error as? Failure)?.code.exitStatus == 74
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func aFolderThatMayNotBeWrittenCanBeRead() throws {
        let folder = try Folder()
        do { try Sample.ledger(folder).commit([.sweepStopped(reason: "signal")]) }
        chmod(folder.path, 0o500)
        #expect(try Ledger.read(folder.ledger).stops() == ["signal"])
        chmod(folder.ledger + ".lock", 0o400)
        expectNothingIsWritten(folder)
    }

    /// The same for root, who may write wherever the file system lets anybody.
    @Test(.enabled(if: geteuid() == 0, "only root mounts file systems"))
    func aFileSystemThatIsReadOnlyCanBeRead() throws {
        let folder = try Folder()
        try #require(mount("tmpfs", folder.path, "tmpfs", 0, "size=8m") == 0)
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        do { try Sample.ledger(folder).commit([.sweepStopped(reason: "signal")]) }
        let flags = UInt(MS_REMOUNT | MS_RDONLY)
        try #require(mount("tmpfs", folder.path, "tmpfs", flags, nil) == 0)
        #expect(try Ledger.read(folder.ledger).stops() == ["signal"])
        expectNothingIsWritten(folder)
    }

    private func expectNothingIsWritten(_ folder: Folder) {
        #expect { _ = try Ledger.open(folder.ledger) } throws: { ($0 as? Failure)?.code == .storage }
        let other = folder.path + "/other.sqlite"
        #expect {
            _ = try Ledger.create(other, metadata: Sample.metadata, runs: Sample.runs(1))
        } throws: { error in
            (error as? Failure)?.code == .storage
        }
    }
}
