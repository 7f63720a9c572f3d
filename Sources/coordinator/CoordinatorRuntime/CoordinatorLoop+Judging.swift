import Engines
import Model
import Ports
import Storage
import SweepCore

/// Attempts that ended, and all that they left is here.
extension CoordinatorLoop {
    func judge(_ report: AttemptReport, of host: Int) {
        let (engine, now) = (core.state.pins["engine"], time.wall())
        let isAudit = core.state.isAudit(report.id)
        judging.insert(report.id)
        // In one lane with the looks: the attempts of a run end in the order in which they came.
        workshop.hand(in: .run(report.id.run)) { [setting, store, countedNumbers] in
            var verdict = try setting.judge(report, store)
            // Before anybody is given it: hosts get it as it is kept.
            var problem: String?
            if let digest = verdict.provides, let engine, setting.keepsCheckpoints {
                problem = setting.keepCheckpoint(of: report.id.run, digest, engine, store, host: host, now: now)
            }
            let comparison = isAudit
                ? try setting.compare(report, &verdict, with: countedNumbers(report.id.run), store) : nil
            return .judged(host: host, report, verdict, comparison, problem: problem)
        }
    }

    /// Takes over a judgement, also where the host is gone in the meantime: all that it left is here.
    func judged(
        _ host: Int, _ report: AttemptReport, _ verdict: EngineVerdict, _ comparison: AuditComparison?
    ) -> [Event] {
        let endedAt = links[host]?.end(of: report, now: time.wall()) ?? time.wall()
        if verdict.failure == nil { doubt(host, began: endedAt.subtractingCapped(report.wallNanoseconds)) }
        return [
            .ended(
                host: host,
                Judged(
                    report: report, failure: verdict.failure, evidence: verdict.evidence, blocks: verdict.blocks,
                    provides: verdict.provides, comparison: comparison, endedAt: endedAt))
        ]
    }
}

extension CoordinatorLoop {
    /// Gives others what this sweep has made or found, beside everything else.
    func giveCheckpoints() {
        guard let common = setting.common, common.owes else { return }
        workshop.hand(in: .commonStore) { [now = time.wall()] in
            do {
                try common.giveAll(now: now)
                return .nothing
            } catch {
                return .said(problem: common.sentence(error))
            }
        }
    }
}
