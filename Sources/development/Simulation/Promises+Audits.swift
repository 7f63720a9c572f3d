import Model
import SweepCore

/// Whether audits are done by others than those whose results they look at, and hosts are fenced that lie, no other.
extension Promises {
    func auditGranted(_ run: RunNumber, to host: String) {
        world.counts.note("audit")
        guard let counted = state.countedHost(of: run) else {
            return fail("run \(run) is audited on \(host), and has no result")
        }
        if counted == host { fail("run \(run) is audited on \(host), which gave its result") }
        if !state.claims(on: run).isEmpty { fail("run \(run) is audited on \(host) and on another host at a time") }
    }

    func auditEnded(_ id: AttemptID, _ host: String, _ comparison: AuditComparison?) {
        if isUnwanted(id) { fail("audit \(Describe.id(id)) counts, and its lease is not in force") }
        guard let comparison, let counted = state.countedHost(of: id.run) else { return }
        let isSame = holder(host)?.lies == holder(counted)?.lies
        if comparison.agrees != isSame {
            fail("run \(id.run) on \(host) and \(counted): said to agree: \(comparison.agrees)")
        }
    }

    func fenced(_ host: String) {
        if holder(host)?.lies != true { fail("\(host) is fenced, and it gave the right numbers") }
    }

    func checkFence(_ host: String) {
        if state.fencedHosts[host] != nil { fail("\(host) was fenced, and gets more runs") }
    }

    /// No result counts of a host that was fenced.
    func checkResults() {
        for run in 1...state.runs.count {
            guard let host = state.countedHost(of: run), state.fencedHosts[host] != nil else { continue }
            fail("run \(run) counts, and \(host), which gave its result, was fenced")
        }
    }
}
