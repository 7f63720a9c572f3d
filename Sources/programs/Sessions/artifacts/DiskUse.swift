import CoordinatorRuntime
import Glibc
package import Model
import Results
import Storage
import SweepFiles

/// What takes space in an artifacts folder.
package struct DiskUse {
    package struct Share {
        package var sweep: String
        /// The ledger and the merged tables.
        package var folderBytes: Int64
        /// Objects that no other sweep refers to.
        package var ownBytes: Int64
        /// Objects that others refer to, too.
        package var sharedBytes: Int64
    }

    package private(set) var shares: [Share] = []
    /// All objects that some sweep refers to, each once.
    package private(set) var referredBytes: Int64 = 0
    /// What `usweep gc` would delete.
    package private(set) var unreferredBytes: Int64 = 0
    package private(set) var unreferredObjects = 0
    package private(set) var workloadsBytes: Int64 = 0
    /// Of runs that were reproduced; what they have in common with the folder's own sweeps takes space once, and counts
    /// here, too.
    package private(set) var reproducedBytes: Int64 = 0
    /// Of the store of checkpoints, which is not in the folder; what sweeps here have of it, too, takes space once.
    package private(set) var checkpointsBytes: Int64 = 0
    private let folder: ArtifactsFolder

    package init(_ folder: ArtifactsFolder) throws {
        self.folder = folder
        try folder.checkIsThere()
        let store = try folder.objects()
        var uses: [Digest: Int] = [:]
        let entries = try folder.entries()
        let references = try entries.map { entry in
            var references = References(store)
            try references.add(entry)
            return references.all
        }
        for digest in references.joined() { uses[digest, default: 0] += 1 }
        var sizes: [Digest: Int64] = [:]
        for digest in try store.all() { sizes[digest] = try store.size(digest) }
        for (entry, digests) in zip(entries, references) {
            var share = Share(
                sweep: entry.fullName, folderBytes: DiskUse.bytes(below: entry.folder), ownBytes: 0, sharedBytes: 0)
            for digest in digests {
                guard let size = sizes[digest] else { continue }
                if uses[digest] == 1 { share.ownBytes += size } else { share.sharedBytes += size }
            }
            shares.append(share)
        }
        for (digest, size) in sizes {
            if uses[digest] == nil {
                unreferredBytes += size
                unreferredObjects += 1
            } else {
                referredBytes += size
            }
        }
        for path in try Removal.rests(folder) { unreferredBytes += DiskUse.bytes(below: path) }
        checkpointsBytes = DiskUse.bytes(below: Caches.checkpoints.folder)
        reproducedBytes = DiskUse.bytes(below: Reproduction.folder(in: folder).path)
        workloadsBytes = DiskUse.bytes(below: WorkloadStore(in: folder).shelf.path)
    }

    package var totalBytes: Int64 {
        shares.map(\.folderBytes).reduce(0, +) + referredBytes + unreferredBytes + workloadsBytes
    }

    /// What the files below a folder take on the disk; symbolic links are not followed.
    static func bytes(below folder: String) -> Int64 {
        var bytes: Int64 = 0
        var rest = [folder]
        while let path = rest.popLast() {
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            bytes += Int64(status.st_blocks) * 512
            guard status.st_mode & S_IFMT == S_IFDIR, let stream = opendir(path) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { rest.append("\(path)/\(name)") }
            }
        }
        return bytes
    }

    // MARK: Shown

    package func table() throws -> String {
        func size(_ bytes: Int64) -> String { PeopleText.size(bytes) }
        var text = try TableWriter.text(
            ["SWEEP", "LEDGER AND TABLES", "ITS FILES", "SHARED FILES"],
            shares.map { [$0.sweep, size($0.folderBytes), size($0.ownBytes), size($0.sharedBytes)] })
        text += "\nfiles of sweeps, each once: \(size(referredBytes))\n"
        text += "files of no sweep: \(size(unreferredBytes)) in \(PeopleText.count(unreferredObjects, "file"))"
        text += unreferredBytes == 0 ? "\n" : "; to delete them: \(folder.command("gc"))\n"
        text += "workloads: \(size(workloadsBytes))\n"
        if reproducedBytes > 0 {
            let folder = Reproduction.folder(in: self.folder)
            text += "reproductions, not counted below: \(size(reproducedBytes)); see which: \(folder.command("du"))\n"
        }
        text += "all: \(size(totalBytes))\n"
        return text + "checkpoints of all sweeps, in \(VisibleText.of(Caches.checkpoints.folder)): "
            + "\(size(checkpointsBytes)); see which: usweep checkpoint list\n"
    }

    /// - Parameter hosts: those that were looked at; nil: nobody asked.
    package func document(with hosts: [HostUse]? = nil) -> JSON {
        let sweeps = shares.map { share in
            JSON.object([
                JSON.Member("sweep", .string(share.sweep)), JSON.Member("folder_bytes", .integer(share.folderBytes)),
                JSON.Member("own_bytes", .integer(share.ownBytes)),
                JSON.Member("shared_bytes", .integer(share.sharedBytes)),
            ])
        }
        return .object([
            JSON.Member("version", .integer(1)), JSON.Member("sweeps", .array(sweeps)),
            JSON.Member("referred_bytes", .integer(referredBytes)),
            JSON.Member("unreferred_bytes", .integer(unreferredBytes)),
            JSON.Member("unreferred_objects", .integer(Int64(unreferredObjects))),
            JSON.Member("workloads_bytes", .integer(workloadsBytes)),
            JSON.Member("reproduced_bytes", .integer(reproducedBytes)),
            JSON.Member("checkpoints_bytes", .integer(checkpointsBytes)),
            JSON.Member("total_bytes", .integer(totalBytes)),
        ] + (hosts.map { [JSON.Member("hosts", .array($0.map(\.document)))] } ?? []))
    }
}
