package import CoordinatorRuntime
package import Formats
import Foundation
import Ledger
import Model
import Ports
import Storage

/// A checkpoint as one file for somebody else: a tar archive with its bundle, and its objects as they are stored.
///
///     bundle.json
///     objects/SHA256      files, maps and packs
///     maps/SHA256         the digest of the map of this object
package struct CheckpointArchive {
    private static let tar = Program(name: "tar", package: "tar")
    private let store: CheckpointStore

    package init(_ store: CheckpointStore = Caches.checkpoints) { self.store = store }

    // MARK: Writing

    /// - Parameter path: absolute; an archive that is there is replaced once this one is whole.
    package func write(_ bundle: CheckpointBundle, to path: String) throws {
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        let objects = try store.objects()
        for file in bundle.files where try !objects.isIntact(file.digest) {
            throw Failure(
                .badArchive, "the checkpoint \(bundle.checkpoint.short) is damaged; see what is wrong with it: usweep "
                    + "checkpoint verify \(bundle.checkpoint.short)")
        }
        try store.withExchange(UUID().uuidString) { folder in
            for name in ["objects", "maps"] { try LocalFiles().makeFolder("\(folder)/\(name)") }
            try Data((bundle.document.encoded + "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/bundle.json"))
            for file in bundle.files {
                guard let found = try objects.map(of: file.digest) else {
                    try link(objects, file.digest, folder)
                    continue
                }
                for part in found.map.packs.map(\.digest) + [found.digest] { try link(objects, part, folder) }
                try Data(found.digest.hex.utf8).write(to: URL(fileURLWithPath: "\(folder)/maps/\(file.digest.hex)"))
            }
            let part = PartFile.path(for: path)
            defer { unlink(part) }
            let ended = try CheckpointArchive.tar.run([
                "--format=ustar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--mode=0644", "-cf", part,
                "-C", folder, "bundle.json", "maps", "objects",
            ])
            guard ended.status == 0 else {
                throw Failure(.storage, "\(path) cannot be written", cause: ended.reason)
            }
            guard rename(part, path) == 0 else {
                throw Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
            }
        }
    }

    private func link(_ objects: ObjectStore, _ digest: Digest, _ folder: String) throws {
        let (source, target) = (objects.path(digest), "\(folder)/objects/\(digest.hex)")
        if FileManager.default.fileExists(atPath: target) || Glibc.link(source, target) == 0 { return }
        do { try FileManager.default.copyItem(atPath: source, toPath: target) } catch {
            throw Failure(.storage, "\(source) cannot be copied", cause: error.localizedDescription)
        }
    }

    // MARK: Reading

    /// Takes in a checkpoint. Everything in the archive is checked before any of it counts.
    ///
    /// - Parameter path: absolute.
    /// - Throws: ``Failure``: `badArchive` for an archive that is damaged, or holds anything else.
    package func read(_ path: String) throws -> CheckpointBundle {
        let use = try ArtifactsUse.adding(to: store)
        defer { withExtendedLifetime(use) {} }
        guard let size = ThisMachine().size(path) else {
            throw Failure(.missingFile, "there is no file \(path)")
        }
        try checkForm(path)
        try checkNames(path)
        return try store.withExchange(UUID().uuidString) { folder in
            for name in ["objects", "maps"] { try LocalFiles().makeFolder("\(folder)/\(name)") }
            let ended = try CheckpointArchive.tar.run([
                "-xf", path, "-C", folder, "--no-same-owner", "--no-same-permissions", "--no-overwrite-dir",
            ])
            guard ended.status == 0 else { throw damaged(path, ended.reason) }
            let staged = try ObjectStore(root: "\(folder)/staged", files: LocalFiles())
            let bundle = try taken(folder, archiveSize: size, staged, path)
            for file in bundle.files {
                guard try staged.size(file.digest) ?? staged.map(of: file.digest)?.map.size == file.size else {
                    let name = VisibleText.of(file.path, limit: 80)
                    throw damaged(path, "the file \(name) is missing, or not as long as said")
                }
                if let problem = try staged.problem(of: file.digest) {
                    throw damaged(path, "\(VisibleText.of(file.path, limit: 80)): \(problem)")
                }
            }
            if let known = try store.bundle(bundle.checkpoint) {
                guard known.hasSameContent(as: bundle) else {
                    throw damaged(
                        path, "a checkpoint of the same digest is here, and was made from something else: "
                            + bundle.checkpoint.short)
                }
            }
            try store.add(bundle, from: staged)
            return bundle
        }
    }

    /// An archive that is compressed could fill the disk before anything of it is looked at: tar unpacks it unasked.
    private func checkForm(_ path: String) throws {
        let files = LocalFiles()
        guard let file = try? files.open(path, .read) else {
            throw Failure(.missingFile, "\(path) cannot be read, or is not a file")
        }
        defer { files.close(file) }
        guard try files.read(file, at: 257, count: 5) == Array("ustar".utf8) else {
            throw damaged(path, "it is not a tar archive, or is compressed")
        }
    }

    /// Before anything is unpacked: tar would go along with much.
    private func checkNames(_ path: String) throws {
        let ended = try CheckpointArchive.tar.run(["--quoting-style=escape", "-tf", path])
        guard ended.status == 0 else { throw damaged(path, ended.reason) }
        let names = ended.output.split(separator: "\n").map(String.init)
        guard Set(names).count == names.count else { throw damaged(path, "a name stands in it twice") }
        let odd = names.first { name in
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            let isFolder = name == "objects/" || name == "maps/"
            let isObject =
                parts.count == 2 && (parts[0] == "objects" || parts[0] == "maps") && Digest(hex: parts[1]) != nil
            return name != "bundle.json" && !isFolder && !isObject
        }
        if let odd { throw damaged(path, "'\(VisibleText.of(odd, limit: 80))' does not belong to a checkpoint") }
    }

    /// Puts what was unpacked into a store, each object under the digest that it has.
    private func taken(
        _ folder: String, archiveSize: Int64, _ staged: ObjectStore, _ path: String
    ) throws -> CheckpointBundle {
        let files = LocalFiles()
        var left = archiveSize
        func regular(_ file: String) throws {
            guard let status = try files.status(file), status.kind == .file else {
                throw damaged(path, "it holds something else than files")
            }
            left -= status.size
            // With holes a file can be longer than the archive that it came in.
            guard left >= 0 else { throw damaged(path, "what is in it is longer than it is itself") }
        }
        try regular("\(folder)/bundle.json")
        for entry in try files.list("\(folder)/objects") {
            let file = "\(folder)/objects/\(entry.name)"
            try regular(file)
            guard try staged.publish(file: file).digest.hex == entry.name else {
                throw damaged(path, "the object \(entry.name.prefix(12)) is not what its name says")
            }
        }
        for entry in try files.list("\(folder)/maps") {
            let file = "\(folder)/maps/\(entry.name)"
            try regular(file)
            let text = String(decoding: ThisMachine().contents(file) ?? [], as: UTF8.self)
            guard let object = Digest(hex: entry.name), let map = Digest(hex: text) else {
                throw damaged(path, "the map of \(entry.name.prefix(12)) is not named")
            }
            try staged.note(map, of: object)
        }
        return try CheckpointBundle(ThisMachine().contents("\(folder)/bundle.json") ?? [])
    }

    private func damaged(_ path: String, _ why: String) -> Failure {
        Failure(.badArchive, "\(path) cannot be imported: \(why). Nothing was imported")
    }
}
