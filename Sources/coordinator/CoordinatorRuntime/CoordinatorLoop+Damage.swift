import Engines
import Formats
import Model
import Storage
import SweepCore

/// Inputs that hosts found damaged on their disks, and who had them.
///
/// Nothing of it has to survive: a host tells all that it found whenever it is joined, and results that are quarantined
/// already are no news.
extension CoordinatorLoop {
    /// More at a time no agent of ours tells of.
    private static let mostDamages = 1_024

    func note(_ damage: ObjectDamage, of host: Int) {
        guard let offset = links[host]?.clockOffset, damages[host, default: []].count < CoordinatorLoop.mostDamages
        else { return }
        damages[host, default: []].append(damage.on(clockBehind: offset))
        doubted.insert(host)
    }

    /// An attempt of the host succeeded only now, and may have had what was found damaged meanwhile.
    func doubt(_ host: Int, began: Nanoseconds) {
        if damages[host]?.contains(where: { began <= $0.foundAt }) == true { doubted.insert(host) }
    }

    /// Finds the results that were made with a damaged input. After a commit: the ledger has all that have ended.
    func lookAtDoubted() {
        let pins = core.state.pins
        for host in doubted.sorted() {
            for damage in damages[host] ?? [] {
                doubtsUnderWay += 1
                workshop.hand(in: .host(host)) { [setting, store, results] in
                    let name = setting.hosts[host].name
                    do {
                        let runs = try results(name, damage.wholeAt, damage.foundAt)
                        let found = try setting.damaged(damage, on: name, among: runs, pins, store)
                        return .doubted(host: host, found, problem: nil)
                    } catch {
                        return .doubted(
                            host: host, nil,
                            problem: "\(damage.digest.short) was found damaged on the disk of \(name), and it is not "
                                + "known which results were made with it: \(error)")
                    }
                }
            }
        }
        doubted = []
    }

    /// A sweep is not complete before it is known which of its results count: nobody looks at them afterwards. It is
    /// asked again when something came, and once a second.
    func finish(_ ending: Ending) -> Ending? {
        switch ending {
        case .complete, .outOfTime: doubtsUnderWay > 0 ? nil : ending
        case .paused, .noHost, .interrupted: ending
        }
    }
}

extension Setting {
    /// Those of some runs that have a damaged object as an input; nil: none.
    fileprivate func damaged(
        _ damage: ObjectDamage, on host: String, among runs: [RunNumber], _ pins: [String: Digest],
        _ store: ObjectStore
    ) throws -> DamagedInput? {
        var found = DamagedInput(host: host, path: "", damage: damage, runs: RunList(), makers: RunList())
        var checkpoints: [Digest: [Job.Input]] = [:]
        for run in runs {
            guard let task = task(of: run) else { continue }
            let job = try job(for: task, pins) { digest, maker in
                if let known = checkpoints[digest] { return known }
                let inputs = try inputs(ofCheckpoint: digest, madeBy: maker, store)
                checkpoints[digest] = inputs
                return inputs
            }
            guard let input = job.inputs.first(where: { $0.digest == damage.digest }) else { continue }
            found.path = input.path
            if case .evaluation = task { found.runs.append(run) } else { found.makers.append(run) }
        }
        return found.path.isEmpty ? nil : found
    }
}
