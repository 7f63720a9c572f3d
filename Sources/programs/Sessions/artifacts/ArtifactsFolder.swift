import Foundation
import Ledger
package import Model
package import Storage
import SweepFiles

/// What launches leave: `<sweep>-<id>/ledger.sqlite` with the merged tables beside it, and `objects/`.
package struct ArtifactsFolder: Sendable {
    /// Absolute.
    package let path: String
    /// What a command needs to find it again: empty, or ` --artifacts DIR`.
    let option: String

    /// - Parameters:
    ///   - path: absolute.
    ///   - isNamed: whether a command finds it only where `--artifacts` names it.
    package init(path: String, isNamed: Bool = false) {
        self.path = path
        option = isNamed ? " --artifacts \(ShellWord.of(path))" : ""
    }

    /// One sweep's folder.
    package struct Entry: Sendable {
        package let name: String
        package let identifier: String
        /// Absolute.
        package let folder: String
        let changed: Date
        /// Where it is.
        package let artifacts: ArtifactsFolder

        /// What nothing else is called.
        package var fullName: String { "\(name)-\(identifier)" }

        var ledger: String { "\(folder)/ledger.sqlite" }

        /// A command about this sweep as it can be typed: `command("resume")` is `usweep resume 7f3a...`.
        package func command(_ verb: String, run: RunNumber? = nil) -> String {
            artifacts.command("\(verb) \(identifier)\(run.map { "/\($0)" } ?? "")")
        }

        /// The same without the identifier if this is the last sweep, which commands take where none is named.
        func shortCommand(_ verb: String, run: RunNumber? = nil) -> String {
            guard (try? artifacts.find("last"))?.fullName == fullName else { return command(verb, run: run) }
            return artifacts.command(verb + (run.map { " \($0)" } ?? ""))
        }
    }

    /// A command as it can be typed, with what finds this folder again.
    package func command(_ words: String) -> String { "usweep \(words)\(option)" }

    /// Makes the folder if need be and makes sure that it can be written.
    package func prepare() throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "the artifacts folder \(path) cannot be created", cause: SystemReason.of(error))
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
        let places = Dictionary((recent ?? []).enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return names.compactMap { entry(folder: $0) }.map { (places[$0.fullName] ?? .max, $0) }
            .sorted { ($1.0, $0.1.changed, $0.1.folder) > ($0.0, $1.1.changed, $1.1.folder) }.map(\.1)
    }

    /// Folders that are called as sweeps are, and whose ledgers cannot be seen: a disk that is not mounted, a folder
    /// that is closed to this user, a ledger that is lost with its copy.
    func unseen() throws -> [String] {
        let seen = Set(try entries().map(\.fullName))
        return try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
            let identifier = name.split(separator: "-", omittingEmptySubsequences: false).last ?? ""
            let isIdentifier = identifier.utf8.count == 8
                && identifier.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            return name.contains("-") && !name.hasPrefix(".") && isIdentifier && !seen.contains(name)
                && mayBeSweep(name)
        }.sorted()
    }

    /// Folders of launches that ended before their ledgers were whole: nothing was run, and no object is theirs.
    func abandoned() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter(isAbandoned).sorted()
    }

    /// False for people's own folders, which are called like that by chance, and for ``abandoned()``.
    private func mayBeSweep(_ name: String) -> Bool {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder), !isFolder.boolValue {
            return false
        }
        // An empty one may be where a disk is mounted.
        guard let held = held(name), !held.isEmpty else { return true }
        return held.contains { $0.hasPrefix("ledger.") } && !isAbandoned(name)
    }

    private func isAbandoned(_ name: String) -> Bool {
        guard name.contains("-"), let held = held(name), held.contains("ledger.sqlite.new") else { return false }
        return held.allSatisfy(["ledger.sqlite.lock", "ledger.sqlite.new", "ledger.sqlite.new-journal"].contains)
    }

    /// nil: it is no folder, or cannot be read.
    private func held(_ name: String) -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")
    }

    /// - Throws: ``Failure`` (`missingFile`) where nothing was ever launched.
    func checkIsThere() throws {
        guard FileManager.default.fileExists(atPath: "\(path)/objects") else { throw emptiness }
    }

    var emptiness: Failure {
        let unseen = (try? unseen()) ?? []
        if !unseen.isEmpty {
            return Failure(
                .storage, "the sweeps in \(path) cannot be read by this user: \(PeopleText.list(unseen, atMost: 4)); "
                    + "ask who launched them to open their folders (chmod -R go+rX), or name another --artifacts")
        }
        return Failure(.missingFile, "there is no sweep in \(path); launch one, or name another --artifacts")
    }

    /// Remembers that a sweep was taken up.
    func noteUse(of entry: Entry) throws {
        let name = entry.fullName
        // A newer program's file is left to it.
        guard let recent, recent.first != name else { return }
        let kept = recent.filter { $0 != name && FileManager.default.fileExists(atPath: "\(path)/\($0)") }
        try AtomicFile.write("\(path)/recent") { sink in
            try sink(Array(([ArtifactsFolder.header.line, name] + kept).map { $0 + "\n" }.joined().utf8))
        }
    }

    private static let header = TextVersion(name: "usweep recent", current: 2)
    private static let longestRecent: Int64 = 16 << 20

    /// Names of sweeps' folders, the last one that was taken up first; nil: a newer program wrote them, and sweeps go
    /// by the clock.
    private var recent: [String]? {
        let bytes = try? LocalInput.contents("\(path)/recent", atMost: ArtifactsFolder.longestRecent)
        return ArtifactsFolder.header.lines(String(decoding: bytes ?? [], as: UTF8.self))?.map(String.init)
    }

    private func entry(folder name: String) -> Entry? {
        // What begins with a dot is no sweep any more: see ``Removal``.
        guard let dash = name.lastIndex(of: "-"), !name.hasPrefix(".") else { return nil }
        let ledger = "\(path)/\(name)/ledger.sqlite"
        // Where the ledger itself is lost, its copy is something to repair it from.
        let found = [ledger, Ledger.backupPath(ledger)].lazy.compactMap {
            try? FileManager.default.attributesOfItem(atPath: $0)
        }
        guard let attributes = found.first else { return nil }
        // The write-ahead log changes with every commit, the ledger itself only at checkpoints.
        let log = try? FileManager.default.attributesOfItem(atPath: ledger + "-wal")
        let dates = [attributes, log].compactMap { $0?[.modificationDate] as? Date }
        return Entry(
            name: String(name[..<dash]), identifier: String(name[name.index(after: dash)...]),
            folder: "\(path)/\(name)", changed: dates.max() ?? .distantPast, artifacts: self)
    }

    /// The newest sweep of that name.
    package func newest(named name: String) throws -> Entry? { try entries().first { $0.name == name } }

    /// Takes up the newest sweep of a name, or makes one where there is none: of launches at the same moment one does.
    ///
    /// - Throws: ``Failure`` (`heldElsewhere`) for the others; what the closures throw.
    package func takeUp(
        _ name: String, existing: (Entry) throws -> Session, new: () throws -> Session
    ) throws -> Session {
        let path = "\(self.path)/\(name)"
        let launch = try LedgerLock(ledger: path)
        defer {
            unlink("\(path).lock")
            withExtendedLifetime(launch) {}
        }
        if let entry = try newest(named: name) { return try existing(entry) }
        return try new()
    }
}
