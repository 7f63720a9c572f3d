import Engines
package import Formats
import Foundation
import Model
import Ports
package import Storage

/// A capsule as one file for somebody else (``ObjectArchive``): its document, a short text for people, what the run
/// needs and what it left. The engine's binary is not in it.
package enum CapsuleArchive {
    private static let archive = ObjectArchive(document: "capsule.json", kind: "a capsule")

    /// How folders in an artifacts folder begin that are used while a capsule is written or read.
    static let scratch = ".exchange-"

    /// - Parameters:
    ///   - store: has the capsule's objects and artifacts.
    ///   - path: absolute; what is there is replaced once the new one is whole.
    package static func write(
        _ capsule: Capsule, of store: ObjectStore, in folder: ArtifactsFolder, to path: String
    ) throws {
        let use = try ArtifactsUse.adding(to: folder)
        defer { withExtendedLifetime(use) {} }
        let files = capsule.objects + capsule.artifacts
        for file in files where try !store.isIntact(file.digest) {
            throw Failure(
                .badArchive, "\(VisibleText.of(file.path, limit: 200)) of \(capsule.name) is damaged or missing in the "
                    + "artifacts folder")
        }
        try withScratch(folder) { scratch in
            try archive.write(
                capsule.document + "\n", readme: readme(capsule), Set(files.map(\.digest)).sorted(), of: store,
                in: scratch, to: path)
        }
    }

    /// Reads and checks a capsule; its objects and artifacts are in the folder's store then.
    ///
    /// - Parameter path: absolute.
    /// - Throws: ``Failure``: `badArchive` for one that is damaged, was changed, or holds anything else.
    package static func read(_ path: String, into folder: ArtifactsFolder) throws -> Capsule {
        try folder.prepare()
        let store = try folder.objects()
        let use = try ArtifactsUse.adding(to: folder)
        defer { withExtendedLifetime(use) {} }
        return try withScratch(folder) { scratch in
            let staged = try ObjectStore(root: "\(scratch)/staged", files: LocalFiles())
            let bytes = try archive.read(path, in: scratch, into: staged)
            let capsule: Capsule
            do throws(WireError) {
                capsule = try Capsule(document: String(decoding: bytes, as: UTF8.self))
            } catch {
                throw archive.damaged(
                    path, error.isNews ? "a newer usweep wrote it: this one does not know \(error.message)"
                        : "its document: \(error.message)")
            }
            for file in capsule.objects + capsule.artifacts {
                try archive.check(file.digest, size: file.size, name: file.path, in: staged, path)
            }
            try checkIsWhole(capsule, path)
            for file in capsule.objects + capsule.artifacts { _ = try store.take(file.digest, from: staged) }
            return capsule
        }
    }

    /// Nothing that the run needs is to be looked for on this machine, and the point is the one that it says.
    private static func checkIsWhole(_ capsule: Capsule, _ path: String) throws {
        let sweep = capsule.specification
        let known = Set(capsule.objects.map(\.digest))
        let needed = (sweep.inputs + sweep.images.map(\.disk)).map(\.digest) + capsule.machine.objects
        guard needed.allSatisfy(known.contains) else {
            throw archive.damaged(path, "not everything that its run needs is in it")
        }
        guard let points = try? Points(sweep, recipe: try sweep.recipe), points.count == 1,
            points.digest(0) == capsule.point, sweep.measure.repeats == capsule.repetition
        else { throw archive.damaged(path, "its sweep is not that of the point that it names") }
    }

    private static func withScratch<Result>(
        _ folder: ArtifactsFolder, _ body: (String) throws -> Result
    ) throws -> Result {
        let files = LocalFiles()
        for entry in try files.list(folder.path)
        where entry.name.hasPrefix(CapsuleArchive.scratch) && LocalFiles.isAbandoned(entry.name) {
            // Another one may do the same.
            try? files.removeTree("\(folder.path)/\(entry.name)")
        }
        let scratch = "\(folder.path)/\(scratch)\(UUID().uuidString).\(files.processMark)"
        try files.makeFolder(scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        return try body(scratch)
    }

    private static func readme(_ capsule: Capsule) -> String {
        let sweep = capsule.specification
        let values = sweep.axes.map { "  \($0.name) = \(VisibleText.of($0.values.first ?? "", limit: 200))" }
        let engine = capsule.binary.map { "its binary, SHA-256 \($0), is not in this file" } ?? "no binary of its own"
        return ([
            "This is \(capsule.name), measured with usweep \(capsule.tool).", "",
            "  engine = \(sweep.engine) (\(engine))",
        ] + sweep.workloads.map { "  workload = \($0)" } + values + [
            "", "To run it again and compare every number, on a host of an inventory:", "",
            "  usweep reproduce THIS-FILE.tar -i INVENTORY.yaml", "",
            "It runs what is in this file on that host: take it only from people whom you trust.",
            "capsule.json says what is what; objects/ has the files under their SHA-256.", "",
        ]).joined(separator: "\n")
    }
}
