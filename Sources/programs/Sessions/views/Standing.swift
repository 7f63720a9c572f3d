package import CoordinatorRuntime
import Ledger
package import Model
package import SweepCore

/// Where progress is seen: the loop of this process, or the ledger of another's.
package protocol ProgressSource {
    var standing: Standing { get }
    /// The failures for which nothing more is begun; nil: it goes on, or that is not known here.
    var pause: FailureSeries? { get }
    var hostCount: Int { get }
    func host(_ index: Int) -> HostView
    /// How long what is left takes; nil: that is not known. Asked for only to be shown.
    var timeLeft: TimeLeft? { get }
    /// What each host is at; nil: that is not known here. Asked for only to be shown.
    func work() -> [[LiveRun]]?
    /// That the coordinator does not answer; nil: it does, or there is none. Asked for only to be shown.
    var silence: CoordinatorSilence? { get }
}

/// How far a sweep is.
package struct Standing {
    package var runs: Int
    package var ended: Int
    package var notSucceeded: Int
    package var fenced = 0
    package var disagreements = 0
    package var left: Int { runs - ended }
}

/// The loop of this very process.
struct LoopSource: ProgressSource {
    let loop: CoordinatorLoop
    let hostCount: Int

    var standing: Standing {
        let state = loop.state
        return Standing(
            runs: state.runCount, ended: state.endedCount, notSucceeded: state.notSucceededCount,
            fenced: state.fencedCount, disagreements: state.disagreements)
    }

    var pause: FailureSeries? { loop.pause }

    var timeLeft: TimeLeft? { loop.timeLeft }
    func host(_ index: Int) -> HostView { loop.hostView(index) }
    func work() -> [[LiveRun]]? { loop.work() }
    var silence: CoordinatorSilence? { nil }
}

/// How far a sweep is that another process works on, by its ledger alone.
package final class LedgerSource: ProgressSource {
    /// How the other's work ended.
    package struct Ending {
        package let exitStatus: Int32
        /// What there is to know beyond that.
        package let message: String?
    }

    private let entry: ArtifactsFolder.Entry
    private let ledger: Ledger
    private var last: Int64
    private var hosts: [HostView] = []
    /// What its coordinator says of itself.
    private let watch: CoordinatorWatch
    private var live: LiveView? { watch.view }
    package private(set) var standing = Standing(runs: 0, ended: 0, notSucceeded: 0)
    package var hostCount: Int { live?.hosts.count ?? hosts.count }

    package init(_ entry: ArtifactsFolder.Entry) throws {
        self.entry = entry
        ledger = try Ledger.read(entry.ledger)
        watch = CoordinatorWatch(entry)
        last = try ledger.recordCount()
        try count()
    }

    package func host(_ index: Int) -> HostView { live?.hosts[index].view ?? hosts[index] }
    package var timeLeft: TimeLeft? { live?.timeLeft }
    /// When attempts begin is in no ledger: only a coordinator that can be asked knows.
    package func work() -> [[LiveRun]]? { live?.hosts.map(\.work) }
    package var silence: CoordinatorSilence? { watch.silence }
    /// Whether somebody told its coordinator to keep going is in no ledger.
    package var pause: FailureSeries? { nil }

    /// Reads what is new, and asks the coordinator now and then. Only the first time it waits for the answer, for two
    /// seconds at most.
    ///
    /// - Returns: `ending`: nil: it goes on.
    package func refresh() throws -> (records: [Record], ending: Ending?) {
        // Asked first: whatever was committed before it ended is then seen.
        let holder = Ledger.holder(entry.ledger)
        let records = try ledger.records(after: &last)
        if !records.isEmpty { try count() }
        watch.look()
        return (records, ending(holder))
    }

    private func ending(_ holder: LedgerHolder) -> Ending? {
        let complete: Int32? =
            standing.left > 0 ? nil : standing.notSucceeded == 0 ? 0 : ExitStatus.someRunsFailed
        switch holder {
        case .working: return nil
        case .elsewhere: return complete.map { Ending(exitStatus: $0, message: nil) }
        case .ended(let status, _):
            let end = (try? SweepView(entry).lastEnd()) ?? nil
            return Ending(exitStatus: status, message: end.map { "the coordinator ended: \($0)" })
        case .vanished(let pid, _, _):
            let message = "the coordinator (pid \(pid)) was killed; all results are kept"
            return Ending(exitStatus: complete ?? ExitStatus.interrupted, message: complete == nil ? message : nil)
        case .nobody:
            let message = complete == nil ? "no coordinator is running" : nil
            return Ending(exitStatus: complete ?? ExitStatus.interrupted, message: message)
        }
    }

    private func count() throws {
        let counts = try ledger.counts() + ledger.counts(ofSetups: true)
        let total = { (fits: (RunCount) -> Bool) in counts.filter(fits).reduce(0) { $0 + $1.count } }
        let fenced = try ledger.fencedCounts()
        standing = Standing(
            runs: total { _ in true }, ended: total { $0.state != nil },
            notSucceeded: total { $0.state != nil && $0.state != .succeeded }, fenced: fenced.all,
            disagreements: fenced.disagreeing)
        let held = Dictionary(try ledger.openRuns().map { ($0.host, $0.runs) }, uniquingKeysWith: { $1 })
        hosts = try ledger.hosts().map { host in
            let (slots, open) = (host.slots ?? 0, held[host.host] ?? 0)
            let isIdle = open == 0 && host.pauseReason != nil
            return HostView(
                name: host.host,
                standing: host.fenceReason != nil ? .refused : !isIdle ? .working : host.isRefused ? .refused : .paused,
                problem: host.fenceReason ?? (open > 0 ? "" : host.pauseReason ?? ""), slots: slots,
                running: min(open, slots), held: open)
        }
    }
}
