import Model
package import Ports

// What tests and the simulation look at.

/// Where a run stands that an agent holds.
package enum WorkPhase: String, CaseIterable, Sendable {
    case waiting, preparing, queued, running, collecting, done
}

extension AgentCore {
    /// Every run that is held, with the attempt that is made or was made last; in no order.
    package func forEachWork(_ body: (AttemptKey, WorkPhase) -> Void) {
        for name in order {
            for (key, work) in sweeps[name]?.works ?? [:] {
                body(AttemptKey(sweep: name, id: key.id(work.attempt)), work.phase.shown)
            }
        }
    }

    /// What has to be the same after the journal was replayed, as text.
    package var digest: [String] {
        order.flatMap { name -> [String] in
            guard let sweep = sweeps[name] else { return [] }
            var lines = sweep.works.sorted { $0.key < $1.key }.map { key, work in
                "\(name) lease \(key.lease) run \(key.run) from \(work.entry.firstAttempt) \(work.isCancelled)"
            }
            lines += sweep.over.keys.sorted().map { "\(name) run \($0) over to \(sweep.over[$0] ?? 0)" }
            return lines
        }
    }
}

extension Work.Phase {
    fileprivate var shown: WorkPhase {
        switch self {
        case .waiting: .waiting
        case .preparing: .preparing
        case .queued: .queued
        case .running: .running
        case .collecting: .collecting
        case .done: .done
        }
    }
}
