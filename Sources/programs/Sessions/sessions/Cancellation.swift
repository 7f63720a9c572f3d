import Foundation
import Ledger
import Model

/// Cancels a sweep or one run, whoever works on it.
package enum Cancellation {
    /// - Parameters:
    ///   - target: a sweep or a run, as people name them.
    ///   - say: what else they should know.
    /// - Returns: what was done, in a sentence.
    package static func cancel(_ target: String, in folder: ArtifactsFolder, say: (String) -> Void) throws -> String {
        let (entry, run) = try folder.findTarget(target)
        do {
            let session = try Session.resume(entry, in: folder, say: say)
            try session.cancel(run: run)
            return "cancelled \(run.map { "run \($0) of " } ?? "")\(entry.fullName); what succeeded is kept"
        } catch let failure as Failure where failure.code == .heldElsewhere {
            let view = try SweepView(entry)
            if let run { try check(run, view) }
            try Requests(entry: entry).leave(cancel: run)
            guard let run else {
                return "the coordinator of \(entry.fullName) is cancelling it; what succeeded is kept. Watch it: "
                    + entry.command("follow")
            }
            return try confirmation(of: run, view)
        }
    }

    private static func check(_ run: RunNumber, _ view: SweepView) throws {
        guard let found = try view.ledger.run(run), found.plan.place != nil else {
            throw Failure(.missingFile, "the sweep \(view.entry.fullName) has no run \(run)")
        }
        if let state = found.state { throw Failure(.usage, "run \(run) has ended already (\(state.rawValue))") }
    }

    /// What became of the request, by the ledger: only what is durable was done.
    private static func confirmation(of run: RunNumber, _ view: SweepView) throws -> String {
        for _ in 0..<250 {
            switch try view.ledger.run(run)?.state {
            case .cancelled: return "cancelled run \(run) of \(view.entry.fullName)"
            case .some(let state): return "run \(run) of \(view.entry.fullName) has just ended (\(state.rawValue))"
            case nil: usleep(20_000)
            }
        }
        let host = try view.ledger.run(run)?.host
        return "run \(run) of \(view.entry.fullName) will be cancelled "
            + (host.map { "as soon as \($0) can be told" } ?? "when its coordinator has started")
    }
}
