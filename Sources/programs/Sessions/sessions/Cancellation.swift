import Foundation
import Ledger
import Model
import SweepCore

/// Cancels a sweep or some of its runs, whoever works on it.
package enum Cancellation {
    /// - Returns: what was done, in a sentence.
    /// - Throws: ``Failure`` (`usage`) where all of the runs have ended already.
    package static func cancel(_ choice: RunChoice, in folder: ArtifactsFolder) throws -> String {
        let entry = choice.entry
        if choice.runs == [] { return "nothing was cancelled" }
        do {
            // What resuming says is about what would be run.
            let session = try Session.resume(entry, in: folder) { _ in }
            let runs = try choice.runs.map { try open($0, end: session.end) }
            if runs == nil, session.state.isFinished, session.state.endedCount > 0 {
                return "all runs of \(entry.fullName) have ended already: nothing was cancelled"
            }
            try session.cancel(runs)
            return "cancelled \(runs.map { "\(names($0)) of " } ?? "")\(entry.fullName); results are kept"
        } catch let failure as Failure where failure.code == .heldElsewhere {
            guard let runs = choice.runs else {
                try Requests(entry: entry).leave(cancel: nil)
                return "the coordinator of \(entry.fullName) is cancelling it; results are kept. Watch it: "
                    + entry.command("follow")
            }
            let view = try SweepView(entry)
            let open = try open(runs) { run in
                guard let found = try view.ledger.run(run), found.plan.place != nil else {
                    throw Failure(.missingFile, "the sweep \(entry.fullName) has no run \(run)")
                }
                return found.state
            }
            for run in open { try Requests(entry: entry).leave(cancel: run) }
            return try confirmation(of: open, view)
        }
    }

    private static func names(_ runs: [RunNumber]) -> String {
        runs.count == 1 ? "run \(runs[0])" : PeopleText.count(runs.count, "run")
    }

    /// Those of some runs that have not ended.
    ///
    /// - Parameter end: how a run ended; nil: it has not.
    /// - Throws: ``Failure`` (`usage`) where all have.
    private static func open(
        _ runs: [RunNumber], end: (RunNumber) throws -> RunState?
    ) throws -> [RunNumber] {
        let ends = try runs.map(end)
        let open = zip(runs, ends).filter { $0.1 == nil }.map(\.0)
        guard open.isEmpty, let last = ends.last, let state = last else { return open }
        throw Failure(
            .usage, runs.count == 1 ? "run \(runs[0]) has ended already (\(state.rawValue))"
                : "all of these \(PeopleText.count(runs.count, "run")) have ended already")
    }

    /// What became of the requests, by the ledger: only what is durable was done.
    private static func confirmation(of runs: [RunNumber], _ view: SweepView) throws -> String {
        let name = view.entry.fullName
        var left = runs
        var others: [(run: RunNumber, state: RunState)] = []
        for _ in 0..<250 {
            left = try left.filter { run in
                guard let state = try view.ledger.run(run)?.state else { return true }
                if state != .cancelled { others.append((run, state)) }
                return false
            }
            if left.isEmpty { break }
            usleep(20_000)
        }
        if let other = others.first, runs.count == 1 {
            return "run \(other.run) of \(name) has just ended (\(other.state.rawValue))"
        }
        let cancelled = runs.filter { run in !left.contains(run) && !others.contains { $0.run == run } }
        guard let first = left.first else { return "cancelled \(names(cancelled)) of \(name)" }
        let host = try view.ledger.run(first)?.host
        return (cancelled.isEmpty ? "" : "cancelled \(names(cancelled)) of \(name); ")
            + "\(names(left)) of \(name) will be cancelled "
            + (host.map { "as soon as \(left.count > 1 ? "the hosts" : $0) can be reached" }
                ?? "when its coordinator has started")
    }
}
