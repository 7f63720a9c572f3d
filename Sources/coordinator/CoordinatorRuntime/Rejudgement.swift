public import Engines
package import Model
import Ports
import Results
package import Storage

/// Holds what an attempt left against a specification that it was not made for, from the object store alone.
public struct Rejudgement {
    public enum Finding: Sendable, Hashable {
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
    package func judge(_ task: EngineTask, _ report: AttemptReport) throws -> Finding {
        let left = Dictionary(report.artifacts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let files = EvidenceFiles(size: { path in
            guard let artifact = left[path] else { return nil }
            try check(artifact)
            return artifact.size
        }) { path, offset, count in
            try left[path].map { try store.read($0.digest, at: offset, count: count) } ?? []
        }
        do {
            return .verdict(try engine.judge(task, points, report, files))
        } catch let lost as Lost {
            return .lost(path: lost.path, how: lost.how)
        }
    }

    /// A file is read only after this: what was kept for weeks may be gone, or have changed.
    private func check(_ artifact: Artifact) throws {
        do {
            guard try store.contains(artifact.digest) else { throw Lost(path: artifact.path, how: "is missing") }
            guard try store.verify(artifact.digest) else { throw Lost(path: artifact.path, how: "is damaged") }
        } catch let error as FilesError {
            throw Lost(path: artifact.path, how: "cannot be read: \(error)")
        }
    }
}
