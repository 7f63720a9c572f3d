import Formats
import Foundation
import Ledger
import Model
import Ports
import Storage
import SweepFiles

/// One file for somebody else: a tar archive with a document, and the objects that it names as they are stored.
///
///     DOCUMENT            says what it is
///     README.txt          for people; not in all
///     objects/SHA256      files, maps and packs
///     maps/SHA256         the digest of the map of this object
struct ObjectArchive {
    private static let tar = Program(name: "tar", package: "tar")
    private static let readme = "README.txt"
    /// Bytes of a document: somebody else wrote it, and it is parsed in memory.
    private static let longestDocument: Int64 = 64 << 20

    /// The name of the document.
    let document: String
    /// What it is, as in "a checkpoint".
    let kind: String

    // MARK: Writing

    /// - Parameters:
    ///   - text: the document's.
    ///   - objects: which of `store` go along, each with all that it takes.
    ///   - folder: an empty one, on the file system of `store` so that nothing is copied.
    ///   - path: absolute; an archive that is there is replaced once this one is whole.
    /// - Throws: ``Failure`` (`storage`).
    func write(
        _ text: String, readme: String? = nil, _ objects: [Digest], of store: ObjectStore, in folder: String,
        to path: String
    ) throws {
        for name in ["objects", "maps"] { try LocalFiles().makeFolder("\(folder)/\(name)") }
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(document)"))
        if let readme { try Data(readme.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(ObjectArchive.readme)")) }
        for object in objects {
            guard let found = try store.map(of: object) else {
                try link(store, object, folder)
                continue
            }
            for part in found.map.packs.map(\.digest) + [found.digest] { try link(store, part, folder) }
            try Data(found.digest.hex.utf8).write(to: URL(fileURLWithPath: "\(folder)/maps/\(object.hex)"))
        }
        PartFile.removeAbandoned(in: (path as NSString).deletingLastPathComponent)
        guard let (part, descriptor) = PartFile.open(for: path) else {
            throw Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
        }
        defer {
            unlink(part)
            close(descriptor)
        }
        let ended = try ObjectArchive.tar.run(
            [
                "--format=ustar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--mode=u=rwX,go=rX",
                "-cf", part, "-C", folder, document,
            ] + (readme == nil ? [] : [ObjectArchive.readme]) + ["maps", "objects"])
        guard ended.status == 0 else { throw Failure(.storage, "\(path) cannot be written", cause: ended.reason) }
        guard rename(part, path) == 0 else {
            throw Failure(.storage, "\(path) cannot be written", cause: String(cString: strerror(errno)))
        }
    }

    private func link(_ store: ObjectStore, _ digest: Digest, _ folder: String) throws {
        let (source, target) = (store.path(digest), "\(folder)/objects/\(digest.hex)")
        if FileManager.default.fileExists(atPath: target) || Glibc.link(source, target) == 0 { return }
        do { try FileManager.default.copyItem(atPath: source, toPath: target) } catch {
            throw Failure(.storage, "\(source) cannot be copied", cause: SystemReason.of(error))
        }
    }

    // MARK: Reading

    /// Unpacks an archive, each object under the digest that it has.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - folder: an empty one.
    ///   - store: takes the objects; nothing in it is to be believed before the document's reader has compared.
    /// - Returns: the document.
    /// - Throws: ``Failure``: `badArchive` for an archive that is damaged, or holds anything else.
    func read(_ path: String, in folder: String, into store: ObjectStore) throws -> [UInt8] {
        guard let size = ThisMachine().size(path) else { throw Failure(.missingFile, "there is no file \(path)") }
        try checkForm(path)
        try checkNames(path)
        for name in ["objects", "maps"] { try LocalFiles().makeFolder("\(folder)/\(name)") }
        let options = ["-C", folder, "--no-same-owner", "--no-same-permissions", "--no-overwrite-dir"]
        let ended = try ObjectArchive.tar.run(["-xf", "-"] + options, input: path)
        guard ended.status == 0 else { throw damaged(path, ended.reason) }
        return try taken(folder, archiveSize: size, store, path)
    }

    /// An object that the document names is whole, and as long as it says.
    ///
    /// - Parameter name: what it is, for people.
    /// - Throws: ``Failure`` (`badArchive`).
    func check(_ digest: Digest, size: Int64, name: String, in store: ObjectStore, _ path: String) throws {
        let name = VisibleText.of(name, limit: 80)
        guard try store.size(digest) ?? store.map(of: digest)?.map.size == size else {
            throw damaged(path, "the file \(name) is missing, or does not have its recorded size")
        }
        if let problem = try store.problem(of: digest) { throw damaged(path, "\(name): \(problem)") }
    }

    func damaged(_ path: String, _ why: String) -> Failure {
        Failure(.badArchive, "\(path) cannot be used as \(kind): \(why). Nothing was taken from it")
    }

    /// An archive that is compressed could fill the disk before anything of it is looked at. That is why tar is given
    /// it as its input everywhere: a file it unpacks unasked, whatever is where a header has its magic.
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
        let ended = try ObjectArchive.tar.run(["--quoting-style=escape", "-tf", "-"], input: path)
        guard ended.status == 0 else { throw damaged(path, ended.reason) }
        let names = ended.output.split(separator: "\n").map(String.init)
        guard Set(names).count == names.count else { throw damaged(path, "it has a duplicate name") }
        let odd = names.first { name in
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            let isFolder = name == "objects/" || name == "maps/"
            let isObject =
                parts.count == 2 && (parts[0] == "objects" || parts[0] == "maps") && Digest(hex: parts[1]) != nil
            return name != document && name != ObjectArchive.readme && !isFolder && !isObject
        }
        if let odd { throw damaged(path, "'\(VisibleText.of(odd, limit: 80))' does not belong to \(kind)") }
        guard names.contains(document) else { throw damaged(path, "it is not \(kind): it has no \(document)") }
    }

    private func taken(
        _ folder: String, archiveSize: Int64, _ store: ObjectStore, _ path: String
    ) throws -> [UInt8] {
        let files = LocalFiles()
        var left = archiveSize
        func regular(_ file: String) throws {
            guard let status = try files.status(file), status.kind == .file else {
                throw damaged(path, "it contains something that is not a file")
            }
            left -= status.size
            // With holes a file can be longer than the archive that it came in.
            guard left >= 0 else { throw damaged(path, "its contents are longer than the file itself") }
        }
        try regular("\(folder)/\(document)")
        for entry in try files.list("\(folder)/objects") {
            let file = "\(folder)/objects/\(entry.name)"
            try regular(file)
            guard try store.publish(file: file).digest.hex == entry.name else {
                throw damaged(path, "the object \(entry.name.prefix(12)) does not match its digest")
            }
        }
        for entry in try files.list("\(folder)/maps") {
            let file = "\(folder)/maps/\(entry.name)"
            try regular(file)
            let text = try contents(file, atMost: 64, "maps/\(entry.name)", path)
            guard let object = Digest(hex: entry.name), let map = Digest(hex: String(decoding: text, as: UTF8.self))
            else {
                throw damaged(path, "the map of the object \(entry.name.prefix(12)) is not valid")
            }
            try store.note(map, of: object)
        }
        return try contents("\(folder)/\(document)", atMost: ObjectArchive.longestDocument, document, path)
    }

    private func contents(
        _ file: String, atMost limit: Int64, _ name: String, _ path: String
    ) throws -> [UInt8] {
        do { return try LocalInput.contents(file, atMost: limit, shown: name) ?? [] } catch let failure as Failure {
            throw damaged(path, failure.message)
        }
    }
}
