package import Foundation
import Ledger
package import Model
package import Storage

/// What launches leave: `<sweep>-<id>/ledger.sqlite` with the merged tables beside it, and `objects/`.
package struct ArtifactsFolder {
    /// Absolute.
    package let path: String

    /// - Parameter path: absolute.
    package init(path: String) { self.path = path }

    /// One sweep's folder.
    package struct Entry {
        package var name: String
        package var identifier: String
        /// Absolute.
        package var folder: String
        package var changed: Date

        package var ledger: String { "\(folder)/ledger.sqlite" }
    }

    /// Makes the folder if need be and makes sure that it can be written.
    package func prepare() throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "the artifacts folder \(path) cannot be made", cause: error.localizedDescription)
        }
        let probe = "\(path)/.writable-\(getpid())"
        let descriptor = open(probe, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(
                .storage, "the artifacts folder \(path) cannot be written; make it writable, or name another with "
                    + "--artifacts", cause: String(cString: strerror(errno)))
        }
        close(descriptor)
        unlink(probe)
    }

    package func objects() throws -> ObjectStore {
        do {
            return try ObjectStore(root: "\(path)/objects", files: LocalFiles())
        } catch {
            throw Failure(.storage, "the object store cannot be used", cause: "\(error)")
        }
    }

    /// Every sweep here, the one that was launched or resumed last first. That order is written down, as clocks can be
    /// set back; only what is not in it goes by the clock.
    package func entries() throws -> [Entry] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        let places = Dictionary(recent.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return names.compactMap { entry(folder: $0) }.map { (places["\($0.name)-\($0.identifier)"] ?? .max, $0) }
            .sorted { ($1.0, $0.1.changed, $0.1.folder) > ($0.0, $1.1.changed, $1.1.folder) }.map(\.1)
    }

    /// Remembers that a sweep was taken up.
    package func noteUse(of entry: Entry) throws {
        let name = "\(entry.name)-\(entry.identifier)"
        guard recent.first != name else { return }
        let kept = recent.filter { $0 != name && FileManager.default.fileExists(atPath: "\(path)/\($0)") }
        try AtomicFile.write("\(path)/recent") { sink in
            try sink(Array(([name] + kept).map { $0 + "\n" }.joined().utf8))
        }
    }

    /// Names of sweeps' folders, the last one that was taken up first.
    private var recent: [String] {
        let text = (try? String(contentsOfFile: "\(path)/recent", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    private func entry(folder name: String) -> Entry? {
        guard let dash = name.lastIndex(of: "-") else { return nil }
        let ledger = "\(path)/\(name)/ledger.sqlite"
        // Where the ledger itself is lost, its copy is something to mend it from.
        let found = [ledger, Ledger.backupPath(ledger)].lazy.compactMap {
            try? FileManager.default.attributesOfItem(atPath: $0)
        }
        guard let attributes = found.first else { return nil }
        // The write-ahead log changes with every commit, the ledger itself only at checkpoints.
        let log = try? FileManager.default.attributesOfItem(atPath: ledger + "-wal")
        let dates = [attributes, log].compactMap { $0?[.modificationDate] as? Date }
        return Entry(
            name: String(name[..<dash]), identifier: String(name[name.index(after: dash)...]),
            folder: "\(path)/\(name)", changed: dates.max() ?? .distantPast)
    }

    /// The newest sweep of that name.
    package func newest(named name: String) throws -> Entry? { try entries().first { $0.name == name } }

    /// The sweep that the user means.
    package func find(_ id: String) throws -> Entry {
        let all = try entries()
        if id == "last" {
            guard let last = all.first else {
                throw Failure(.missingFile, "there is no sweep in \(path); launch one, or name another --artifacts")
            }
            return last
        }
        if let named = all.first(where: { $0.name == id }) { return named }
        let matches = all.filter { $0.identifier.hasPrefix(id) || "\($0.name)-\($0.identifier)" == id }
        guard let match = matches.first else {
            let known = all.prefix(8).map { "\($0.name)-\($0.identifier)" }.joined(separator: ", ")
            throw Failure(
                .missingFile, "there is no sweep '\(id)' in \(path)\(known.isEmpty ? "" : "; there are: \(known)")")
        }
        guard matches.count == 1 else {
            throw Failure(.usage, "'\(id)' is the beginning of \(matches.count) identifiers; write more of it")
        }
        return match
    }

    /// `ID/NUMBER`, or a number within the last sweep.
    package func findRun(_ text: String) throws -> (entry: Entry, run: RunNumber) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = parts.last, let run = RunNumber(last), run > 0, parts.count <= 2 else {
            throw Failure(.usage, "'\(text)' is not a run: write ID/NUMBER, or its number within the last sweep")
        }
        return (try find(parts.count == 2 ? String(parts[0]) : "last"), run)
    }
}
