import Foundation
import Ledger
import Model
import Storage

/// Deletes sweeps, and objects that no sweep refers to.
///
/// A sweep is gone with the rename of its folder. Whatever is killed after that leaves folders and objects that
/// ``collect(_:isTrial:)`` finds.
package enum Removal {
    /// Folders with such names are sweeps that were removed, and are no sweeps any more.
    private static let prefix = ".removed-"

    /// What was deleted.
    package struct Deleted {
        package var objects = 0
        package var bytes: Int64 = 0
    }

    /// Whether sweeps can be removed.
    ///
    /// - Throws: ``Failure``: `heldElsewhere` where a coordinator works on one, `usage` where runs of one go on.
    package static func check(_ entries: [ArtifactsFolder.Entry]) throws {
        for entry in entries {
            if case .working(let pid, _) = Ledger.holder(entry.ledger) {
                throw Failure(
                    .heldElsewhere, "process \(pid) works on the sweep \(entry.fullName); end it first: "
                        + entry.command("cancel"))
            }
            // A damaged ledger tells nothing, and is no reason to keep it.
            let busy = try? Ledger.read(entry.ledger, sweep: entry.name).openRuns()
            guard let first = busy?.first else { continue }
            throw Failure(
                .usage, "\(PeopleText.count(first.runs, "run")) of the sweep \(entry.fullName) may still be at work on "
                    + "\(first.host); cancel them first: " + entry.command("cancel"))
        }
    }

    /// Removes sweeps, and the objects to which only they refer.
    ///
    /// - Returns: what was deleted; nil: the sweeps are removed, but their objects have to wait, as a sweep is at work
    ///   in this folder.
    package static func remove(
        _ entries: [ArtifactsFolder.Entry], from folder: ArtifactsFolder
    ) throws -> Deleted? {
        try check(entries)
        for entry in entries {
            let target = "\(folder.path)/\(prefix)\(entry.fullName)"
            try Ledger.locked(entry.ledger) {
                try? FileManager.default.removeItem(atPath: target)
                guard rename(entry.folder, target) == 0 else {
                    throw Failure(
                        .storage, "\(entry.folder) cannot be removed", cause: String(cString: strerror(errno)))
                }
            }
        }
        try LocalFiles().syncFolder(folder.path)
        return try delete(folder, isTrial: false)
    }

    /// Deletes what no sweep refers to.
    ///
    /// - Parameter isTrial: only says what would be deleted.
    /// - Throws: ``Failure`` (`heldElsewhere`) while a sweep is at work in this folder.
    package static func collect(_ folder: ArtifactsFolder, isTrial: Bool) throws -> Deleted {
        guard let deleted = try delete(folder, isTrial: isTrial) else {
            throw Failure(
                .heldElsewhere, "a sweep is at work in \(folder.path), which may need any file that is there; try "
                    + "again when it has ended")
        }
        return deleted
    }

    private static func delete(_ folder: ArtifactsFolder, isTrial: Bool) throws -> Deleted? {
        guard let use = try ArtifactsUse.deleting(in: folder) else { return nil }
        defer { withExtendedLifetime(use) {} }
        let entries = try folder.entries()
        let store = try folder.objects()
        var references = References(store)
        for entry in entries {
            // One of a version that did not lock the objects.
            if case .working = Ledger.holder(entry.ledger) { return nil }
            try references.add(entry)
        }
        var deleted = Deleted()
        for digest in try store.all() where !references.all.contains(digest) {
            deleted.bytes += try store.size(digest) ?? 0
            deleted.objects += 1
            if !isTrial { try store.remove(digest) }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix(prefix) {
            deleted.bytes += DiskUse.bytes(below: "\(folder.path)/\(name)")
            if !isTrial { try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)") }
        }
        if !isTrial { try store.removePartial() }
        return deleted
    }
}
