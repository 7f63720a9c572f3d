import Foundation
import Ledger
import Model
import Storage
import SweepFiles

/// Deletes sweeps, and objects that no sweep refers to.
///
/// A sweep is gone with the rename of its folder. What is left of it, whoever is killed, ``collect(_:isTrial:)`` finds.
package enum Removal {
    /// Folders with such names are sweeps that were removed, and are no sweeps any more.
    private static let prefix = ".removed-"

    /// What was deleted.
    package struct Deleted {
        package var objects = 0
        package var bytes: Int64 = 0
    }

    /// Whether a sweep can be removed.
    ///
    /// - Returns: what the user should know before; nil: nothing.
    /// - Throws: ``Failure`` (`heldElsewhere`) where a coordinator works on it, or runs of it go on.
    package static func check(_ entry: ArtifactsFolder.Entry) throws -> String? {
        switch Ledger.holder(entry.ledger) {
        case .working(let pid, _):
            throw Failure(
                .heldElsewhere, "process \(pid) is working on the sweep \(entry.fullName); end it first: "
                    + entry.command("cancel"))
        case .elsewhere(let pid, let host, _):
            throw Failure(
                .heldElsewhere, "process \(pid) on \(host) is working on the sweep \(entry.fullName), or was killed "
                    + "there; end it first: \(entry.command("cancel"))")
        case .ended, .vanished, .nobody: break
        }
        let busy: [(host: String, runs: Int)]
        do {
            busy = try Ledger.read(entry.ledger, sweep: entry.name).openRuns()
        } catch {
            return "the ledger of \(entry.fullName) cannot be read. Its runs may still be running on hosts, and "
                + "cannot be cancelled without it. Repair it first: "
                + entry.command("doctor --ledger --repair")
        }
        guard let first = busy.first else { return nil }
        throw Failure(
            .heldElsewhere, "\(PeopleText.count(first.runs, "run")) of the sweep \(entry.fullName) may still be "
                + "running on \(first.host); cancel them first: " + entry.command("cancel"))
    }

    /// Removes a sweep. Its objects stay until ``collect(_:isTrial:)``.
    package static func remove(_ entry: ArtifactsFolder.Entry, from folder: ArtifactsFolder) throws {
        let target = "\(folder.path)/\(prefix)\(entry.fullName)"
        try Ledger.locked(entry.ledger) {
            try? FileManager.default.removeItem(atPath: target)
            guard rename(entry.folder, target) == 0 else {
                throw Failure(.storage, "\(entry.folder) cannot be removed", cause: String(cString: strerror(errno)))
            }
        }
        try LocalFiles().syncFolder(folder.path)
    }

    /// Deletes what no sweep refers to.
    ///
    /// - Parameter isTrial: only says what would be deleted.
    /// - Throws: ``Failure``: `heldElsewhere` while a sweep is at work in this folder, `badArchive` where nobody knows
    ///   what a sweep refers to, `storage` where something could not be deleted; all else is then.
    package static func collect(_ folder: ArtifactsFolder, isTrial: Bool) throws -> Deleted {
        try folder.checkIsThere()
        let busy = Failure(
            .heldElsewhere, "a sweep is running in \(folder.path), or another 'usweep gc' is, so any file may be "
                + "needed; try again when it has ended")
        let store = try folder.objects()
        guard let use = try ArtifactsUse.deleting(in: store) else { throw busy }
        defer { withExtendedLifetime(use) {} }
        var references = References(store)
        for entry in try folder.entries() {
            // One of a version that did not lock the objects.
            if case .working = Ledger.holder(entry.ledger) { throw busy }
            do {
                try references.add(entry)
            } catch let failure as Failure where failure.code == .missingFile {
                // Somebody has just removed it.
                guard !FileManager.default.fileExists(atPath: entry.folder) else { throw failure }
            }
        }
        if let name = try folder.unseen().first {
            throw Failure(
                .badArchive, "\(folder.path)/\(name) looks like the folder of a sweep, but its ledger cannot be read, "
                    + "so it is not known which files it needs; nothing was deleted. Make it readable, or move it out "
                    + "of \(folder.path)")
        }
        return try delete(folder, store, keeping: references.all, isTrial: isTrial)
    }

    private static func delete(
        _ folder: ArtifactsFolder, _ store: ObjectStore, keeping kept: Set<Digest>, isTrial: Bool
    ) throws -> Deleted {
        var deleted = Deleted()
        for digest in try store.all() where !kept.contains(digest) {
            deleted.bytes += try store.size(digest) ?? 0
            deleted.objects += 1
            if !isTrial { try store.remove(digest) }
        }
        if !isTrial {
            try store.removeNotes(keeping: kept)
            try store.removeEmptyFolders()
        }
        var problem: (path: String, error: any Error)?
        for path in try rests(folder) {
            let bytes = DiskUse.bytes(below: path)
            do {
                if !isTrial { try FileManager.default.removeItem(atPath: path) }
                deleted.bytes += bytes
            } catch {
                problem = (path, error)
            }
        }
        if let (path, error) = problem {
            throw Failure(.storage, "\(path) cannot be deleted", cause: SystemReason.of(error))
        }
        return deleted
    }

    /// What is left of removed sweeps, of launches that came to nothing, of transfers and of capsules.
    static func rests(_ folder: ArtifactsFolder) throws -> [String] {
        let all = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let removed = all.filter { $0.hasPrefix(prefix) }
        // Nobody reads or writes a capsule meanwhile: that takes the folder, too.
        let exchanged = all.filter { $0.hasPrefix(CapsuleArchive.scratch) }
        // Nobody launches a sweep meanwhile, either.
        let abandoned = try folder.abandoned()
        let partial = "\(folder.path)/objects/partial"
        let parts = (try? FileManager.default.contentsOfDirectory(atPath: partial)) ?? []
        return (removed + exchanged + abandoned).map { "\(folder.path)/\($0)" } + parts.map { "\(partial)/\($0)" }
    }
}
