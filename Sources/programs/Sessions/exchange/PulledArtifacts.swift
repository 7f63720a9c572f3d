import Engines
import Foundation
import Ledger
import Model
import Ports
import Results
import Storage
import SweepFiles

/// The artifacts of a sweep's runs as plain folders: copies, which can be changed without harm.
///
/// A run's folder is called by its number and what it is, and has its parameters in `point.json`.
package struct PulledArtifacts {
    /// The layout of all engines: a folder a run.
    package static let plain = "runs"
    /// All that there are.
    package static let layouts = [plain] + EngineRegistry.all.flatMap(\.layouts).map(\.name)

    package private(set) var fileCount = 0
    package private(set) var runCount = 0
    private let view: SweepView
    private let store: ObjectStore
    /// Absolute.
    private let target: String
    /// Why files could not be written whose objects are lost or damaged.
    private var losses: [Failure] = []

    /// Writes what is not there yet, and removes what earlier pulls of the sweep left and this one does not have.
    ///
    /// - Parameters:
    ///   - target: the folder, absolute; made if it is missing.
    ///   - layout: ``plain``, or one that the sweep's engine has.
    /// - Throws: ``Failure``: `badArchive`, where files are damaged, after all others were written.
    package init(
        of entry: ArtifactsFolder.Entry, in folder: ArtifactsFolder, to target: String, layout name: String
    ) throws {
        view = try SweepView(entry)
        store = try folder.objects()
        try PulledArtifacts.check(target, in: folder)
        self.target = target
        let layout = try PulledArtifacts.layout(name, view)
        var places = FunctionFolders(view)
        var files = try PulledFiles(in: target, sweep: entry.name, layout: name)
        for (plan, state, attempt) in try ended() {
            let artifacts = try view.ledger.artifacts(of: plan.run, attempt: attempt)
            // The ledger holds only checked paths; one that was tampered with must not lead out of the folder.
            guard artifacts.allSatisfy({ RelativePath.isSafe($0.path) }) else {
                throw Failure(
                    .badArchive, "the ledger holds an artifact of run \(plan.run) whose path leads out of its folder")
            }
            if let layout {
                guard state == .succeeded, let place = places.place(of: plan) else { continue }
                let found = layout.files(artifacts).map { (path: "\(place)/\($0.0)", parts: $0.1) }
                try files.add(found.map(\.path))
                for (path, parts) in found { try copyIfWhole(parts, to: path) }
                fileCount += found.count
            } else {
                try put(plan, artifacts, &files)
                fileCount += artifacts.count
            }
            runCount += 1
        }
        try files.finish()
        try AtomicFile.write("\(target)/runs.csv") { sink in
            try view.write(.runs, .csv, selection: try Selection(axes: view.points.axes), sink: sink)
        }
        guard var failure = losses.first else { return }
        if losses.count > 1 { failure.message += " (and \(PeopleText.count(losses.count - 1, "other file")))" }
        throw failure
    }

    /// What is pulled may not lie among ledgers and objects.
    private static func check(_ target: String, in folder: ArtifactsFolder) throws {
        let (place, own) = (real(target), real(folder.path))
        if place == own || place.hasPrefix("\(own)/") {
            throw Failure(
                .usage, "--to \(target) is in the artifacts folder \(folder.path), where ledgers and objects are; name "
                    + "a folder outside of it")
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: target, isDirectory: &isFolder), !isFolder.boolValue {
            throw Failure(.usage, "--to \(target) is a file; name a folder")
        }
    }

    /// Without links, as far as it is there.
    private static func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }

    /// One of the layouts that the sweep's engine has; nil: the plain one.
    private static func layout(_ name: String, _ view: SweepView) throws -> ArtifactLayout? {
        if name == plain { return nil }
        if let found = view.descriptor.layouts.first(where: { $0.name == name }) { return found }
        guard layouts.contains(name) else {
            throw Failure(.usage, "--layout \(VisibleText.of(name)): \(Names.suggestion(name, in: layouts))")
        }
        throw Failure(.usage, "--layout \(name): runs of engine '\(view.sweep.engine)' have no such layout")
    }

    /// Nothing else can be asked of the ledger while its runs are read.
    private func ended() throws -> [(plan: PlannedRun, state: RunState?, attempt: AttemptNumber)] {
        var found: [(plan: PlannedRun, state: RunState?, attempt: AttemptNumber)] = []
        try view.ledger.forEachRun { run in
            guard !run.plan.key.isSetup, let decision = run.decision else { return }
            found.append((run.plan, run.state, decision.id.attempt))
        }
        return found
    }

    /// A run's folder of the plain layout.
    private mutating func put(_ plan: PlannedRun, _ artifacts: [Artifact], _ files: inout PulledFiles) throws {
        let place = FolderName.of(plan, view)
        try files.adopt(place)
        let document = view.document(of: plan)
        let point = "\(place)/point.json"
        try files.add(artifacts.map { "\(place)/\($0.path)" } + (document == nil ? [] : [point]))
        for artifact in artifacts { try copyIfWhole([artifact], to: "\(place)/\(artifact.path)") }
        if let document {
            try NewFolder.make("\(target)/\(place)")
            try AtomicFile.write("\(target)/\(point)") { try $0(Array(document.utf8)) }
        }
    }

    /// One file that is lost does not keep others from being written.
    private mutating func copyIfWhole(_ parts: [Artifact], to place: String) throws {
        do { try copy(parts, to: place) } catch let failure as Failure where failure.code == .badArchive {
            losses.append(failure)
        }
    }

    /// Writes objects one after the other into one file, unless it is there: runs of one size differ in what they say.
    private func copy(_ parts: [Artifact], to place: String) throws {
        let manager = FileManager.default
        let path = "\(target)/\(place)"
        if parts.count == 1, manager.fileExists(atPath: path),
            try LocalInput.file(path, at: place).digest == parts[0].digest
        { return }
        try NewFolder.make("\(target)/" + place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
        let piece: Int64 = 1 << 20
        try AtomicFile.write(path) { sink in
            for part in parts {
                var hash = SHA256()
                for offset in stride(from: 0, to: part.size, by: Int64.Stride(piece)) {
                    let bytes = try read(part, at: offset, count: Int(min(piece, part.size - offset)), place)
                    hash.update(bytes)
                    try sink(bytes)
                }
                guard hash.finish() == part.digest else { throw lost(part, place, "its contents differ") }
            }
        }
    }

    private func read(_ part: Artifact, at offset: Int64, count: Int, _ place: String) throws -> [UInt8] {
        do throws(FilesError) {
            return try store.read(part.digest, at: offset, count: count)
        } catch {
            throw lost(part, place, "\(error)")
        }
    }

    private func lost(_ part: Artifact, _ place: String, _ cause: String) -> Failure {
        Failure(
            .badArchive, "\(place) is damaged or incomplete in the object store (\(part.digest.short)); restore the "
                + "object from a copy, or measure again with 'usweep launch --new'", cause: cause)
    }
}
