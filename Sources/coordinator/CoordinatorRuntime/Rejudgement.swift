public import Engines
package import Model
import Ports
import Results
package import Storage

/// Holds what an attempt left against a specification that it was not made for, from the object store alone.
public struct Rejudgement {
    /// What became of it.
    public enum Ruling: Sendable, Hashable {
        case verdict(EngineVerdict)
        /// The evidence is not there any more: the path of the artifact, and how.
        case lost(path: String, how: String)
    }

    private struct Lost: Error {
        var path: String
        var how: String
    }

    private let engine: any Engine
    private let points: Points
    private let store: ObjectStore

    package init(_ engine: any Engine, _ points: Points, _ store: ObjectStore) {
        self.engine = engine
        self.points = points
        self.store = store
    }

    /// - Parameter report: of an attempt of this task that ended with status 0, with all its artifacts.
    /// - Throws: ``Failure`` (`storage`) for what is there and cannot be read now, which is no reason to run anything
    ///   again.
    package func judge(_ task: EngineTask, _ report: AttemptReport) throws -> Ruling {
        let left = Dictionary(report.artifacts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        var checked: Set<Digest> = []
        let files = EvidenceFiles(size: { path in
            guard let artifact = left[path] else { return nil }
            if !checked.contains(artifact.digest) {
                try reading(artifact, of: report.id.run) { try check(artifact) }
                checked.insert(artifact.digest)
            }
            return artifact.size
        }) { path, offset, count in
            guard let artifact = left[path] else { return [] }
            return try reading(artifact, of: report.id.run) {
                try store.read(artifact.digest, at: offset, count: count)
            }
        }
        do {
            return .verdict(try engine.judge(task, points, report, files))
        } catch let lost as Lost {
            return .lost(path: lost.path, how: lost.how)
        }
    }

    /// A file is read only after this: what was kept for weeks may be gone, or have changed.
    private func check(_ artifact: Artifact) throws {
        guard try store.contains(artifact.digest) else { throw Lost(path: artifact.path, how: "is missing") }
        guard try store.verify(artifact.digest) else { throw Lost(path: artifact.path, how: "is damaged") }
    }

    /// How often a file is read that cannot be read: a network file system may be away for a moment.
    private static let tries = 3

    /// Only a file that is not there is lost. One that cannot be read may be well tomorrow.
    private func reading<Value>(_ artifact: Artifact, of run: RunNumber, _ read: () throws -> Value) throws -> Value {
        var failed = 0
        while true {
            do {
                return try read()
            } catch let error as FilesError where error.isMissing {
                throw Lost(path: artifact.path, how: "is missing")
            } catch let error as FilesError {
                failed += 1
                guard failed == Rejudgement.tries else { continue }
                throw Failure(
                    .storage, "run \(run) cannot be judged again, and nothing was changed: its artifact "
                        + "\(VisibleText.of(artifact.path)) cannot be read (\(error.reason)). Repeat the command when "
                        + "the disk works again, or remove the file so that the run is done again: "
                        + "rm -f '\(store.path(artifact.digest))'")
            }
        }
    }
}
