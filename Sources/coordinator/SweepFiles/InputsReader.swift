import Engines
import Foundation
import Model

/// Reads `inputs`: files and folders that runs need, with their digests.
struct InputsReader {
    private let read: FieldReader
    private let folder: Folder
    private var files: [InputFile] = []
    /// Those with names in braces, until all axes are known.
    private var ofPoints: [(field: Field, text: String)] = []
    /// Of which points the files are that are being added.
    private var only: [Assignment] = []
    /// Per place in an attempt's folder, by the rules of Unicode, which files of this machine may go there.
    private var taken: [String: [InputFile]] = [:]
    /// What every attempt's folder has.
    private static let ownNames = [
        "point.json": "describes the point", "stdout.txt": "takes the program's standard output",
        "stderr.txt": "takes the program's standard error",
    ]
    private static let limit = 100_000
    private static let maximumDepth = 32

    init(read: FieldReader, folder: Folder) {
        self.read = read
        self.folder = folder
    }

    mutating func add(list field: Field) {
        for element in read.list(field) ?? [] {
            guard let text = read.text(element) else { continue }
            if Placeholders.names(text).isEmpty {
                add(Placeholders.fill(text, []), element)
            } else {
                ofPoints.append((element, text))
            }
        }
    }

    private mutating func add(_ text: String, _ field: Field) {
        do {
            if text.hasSuffix("/") { try addFolder(text, field) } else { try addFile(text) }
        } catch { read.fail(field, error) }
    }

    /// Adds what has names in braces, for the values that there are: each point gets its own.
    mutating func addThoseOfPoints(_ sweep: Sweep) {
        for (field, text) in ofPoints {
            if let problem = Placeholders.ofInput.problem(text, sweep) { read.fail(field, problem) }
        }
        guard read.problems.isEmpty, !ofPoints.isEmpty, let points = try? Points(sweep, recipe: "") else { return }
        for (field, text) in ofPoints {
            for values in InputsReader.values(of: Placeholders.names(text), points) {
                only = values
                add(Placeholders.fill(text, values), field)
            }
        }
    }

    /// Which values of some axes (or `workload`) there are together.
    private static func values(of names: [String], _ points: Points) -> [[Assignment]] {
        let columns = names.map { name in points.axes.firstIndex(of: name) }
        var seen: Set<[String]> = []
        var all: [[Assignment]] = []
        for point in 0..<points.count {
            let values = points.values(point)
            let own = columns.map { $0.map { values[$0] } ?? points.workload(point) ?? "" }
            guard seen.insert(own).inserted else { continue }
            all.append(zip(names, own).map { Assignment(axis: $0, value: $1) })
        }
        return all
    }

    /// Adds a script, unless `inputs` names it already. Returns its place in an attempt's folder.
    mutating func add(script field: Field) -> String? {
        guard let text = read.text(field) else { return nil }
        let place = InputsReader.place(text)
        guard taken[place]?.contains(where: { $0.source == folder.resolve(text) }) != true else { return place }
        do { try addFile(text) } catch {
            read.fail(field, error)
            return nil
        }
        return place
    }

    /// The files in the order of their places' bytes.
    var sorted: [InputFile] {
        files.sorted { Array($0.path.utf8).lexicographicallyPrecedes(Array($1.path.utf8)) }
    }

    /// As written, where that is a path below; else the last part: `../tools/run.sh` is at `run.sh`.
    private static func place(_ text: String) -> String {
        let parts = text.split(separator: "/").filter { $0 != "." }
        guard !text.hasPrefix("/"), !text.hasPrefix("~"), !parts.contains("..") else {
            return parts.last.map(String.init) ?? ""
        }
        return parts.joined(separator: "/")
    }

    // MARK: Files

    private mutating func addFile(_ text: String) throws {
        let source = folder.resolve(text)
        let status = try InputsReader.status(source, text, follow: true)
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(.badSpecification, "'\(Names.shown(text))' is a folder; write '\(Names.shown(text))/'")
        }
        try append(place: InputsReader.place(text), source: source, shown: text, status)
    }

    private mutating func append(place: String, source: String, shown: String, _ status: stat) throws {
        let name = Names.shown(shown)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.badSpecification, "'\(name)' is neither a file nor a folder; remove it")
        }
        guard RelativePath.isSafe(place) else {
            throw Failure(.badSpecification, "'\(name)' cannot be the name of an input; rename the file")
        }
        if let use = InputsReader.ownNames[place] {
            throw Failure(.badSpecification, "'\(place)' is the file that \(use); rename the input")
        }
        if let other = taken[place]?.first(where: { !$0.isExclusive(with: only) }) {
            throw Failure(.badSpecification, "'\(name)' \(InputsReader.conflict(place, source, other))")
        }
        guard files.count < InputsReader.limit else {
            throw Failure(.badSpecification, "more than \(InputsReader.limit) files; pack them into an archive")
        }
        let (digest, size) = try Folder.digest(source, shown: shown)
        let file = InputFile(
            path: place, source: source, digest: digest, size: size, isExecutable: status.st_mode & 0o111 != 0,
            only: only)
        taken[place, default: []].append(file)
        files.append(file)
    }

    private static func conflict(_ place: String, _ source: String, _ other: InputFile) -> String {
        if other.source.utf8.elementsEqual(source.utf8) { return "is a duplicate; remove one" }
        guard other.path.utf8.elementsEqual(place.utf8) else {
            return "differs from another input only in its Unicode normal form, and not every host tells them apart; "
                + "rename one"
        }
        return "would have the same place as '\(Names.shown(other.source))'; remove one"
    }

    // MARK: Folders

    private mutating func addFolder(_ text: String, _ field: Field) throws {
        let source = folder.resolve(text)
        let status = try InputsReader.status(source, text, follow: true)
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(
                .badSpecification, "'\(Names.shown(text))' is not a folder; write it without the '/' at its end")
        }
        let place = InputsReader.place(text)
        guard !place.isEmpty, let root = InputsReader.real(source), root != InputsReader.real(folder.path) else {
            throw Failure(.badSpecification, "'\(Names.shown(text))' is the sweep's own folder; name one below it")
        }
        let before = files.count
        try walk(source, place: place, root: root, depth: 0)
        guard files.count > before else {
            throw Failure(.badSpecification, "'\(Names.shown(text))' has no file; remove it, or add one")
        }
    }

    private mutating func walk(_ path: String, place: String, root: String, depth: Int) throws {
        guard depth < InputsReader.maximumDepth else {
            throw Failure(.badSpecification, "'\(Names.shown(place))' is nested too deep; flatten it")
        }
        for name in try Folder.names(path, shown: place) {
            let source = "\(path)/\(name)"
            let below = "\(place)/\(name)"
            var status = try InputsReader.status(source, below, follow: false)
            if status.st_mode & S_IFMT == S_IFLNK {
                // A link could bring any file of this machine to the hosts, or lead in a circle.
                status = try InputsReader.status(source, below, follow: true)
                let target = InputsReader.real(source) ?? ""
                guard target.hasPrefix(root + "/"), status.st_mode & S_IFMT == S_IFREG else {
                    throw Failure(
                        .badSpecification,
                        "'\(Names.shown(below))' is a link to a folder or out of its own; put the file itself there")
                }
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                try walk(source, place: below, root: root, depth: depth + 1)
            } else {
                try append(place: below, source: source, shown: below, status)
            }
        }
    }

    private static func status(_ path: String, _ shown: String, follow: Bool) throws -> stat {
        var status = stat()
        guard (follow ? stat(path, &status) : lstat(path, &status)) == 0 else { throw Folder.failure(errno, shown) }
        return status
    }

    private static func real(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

extension InputFile {
    /// Whether no point needs both this file and one of other points.
    fileprivate func isExclusive(with others: [Assignment]) -> Bool {
        only.contains { own in others.contains { $0.axis == own.axis && $0.value != own.value } }
    }
}
