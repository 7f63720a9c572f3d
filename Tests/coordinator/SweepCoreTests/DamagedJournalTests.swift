import Formats
import Model
import TestKit
import Testing
@testable import SweepCore

/// Whatever a damaged or hand-edited ledger says, it is refused or something comes of it: nothing traps.
@Suite("A journal with numbers out of range")
struct DamagedJournalTests {
    private static let hosts = ["lab1", "lab2"]

    /// One of each kind, in an order that may happen.
    private static let everything: [Record] = {
        func report(_ run: RunNumber, _ lease: LeaseNumber, _ attempt: AttemptNumber) -> AttemptReport {
            AttemptReport(
                id: AttemptID(run: run, lease: lease, attempt: attempt), wallNanoseconds: 5, peakMemoryBytes: 7,
                artifacts: [Artifact(path: "a", digest: SHA256.digest("a"), size: 1)], startedAt: 3)
        }
        func ended(_ report: AttemptReport, _ failure: FailureClass?) -> Record {
            .attemptEnded(
                report, host: "lab1", failure: failure, evidence: "", blocks: failure == nil ? ResultText("[]") : nil,
                endedAt: 9)
        }
        func seen(_ host: String, _ boot: String) -> Record {
            .hostSeen(host: host, bootID: boot, hostName: host, slots: 4, memoryBytes: 1 << 30, clockOffset: 0)
        }
        return [
            seen("lab1", "b1"), seen("lab2", "b2"), .pinned(name: "engine", digest: SHA256.digest("e")),
            .leaseGranted(
                lease: 1, host: "lab1", grants: (1...4).map { Grant(run: $0, firstAttempt: 1, attempts: 3) }),
            .leaseGranted(lease: 2, host: "lab2", grants: [Grant(run: 1, firstAttempt: 4, attempts: 3)]),
            .runAdopted(run: 1, lease: 1, reason: "r"), ended(report(1, 1, 1), nil),
            .runEnded(run: 1, state: .succeeded, failure: nil, attempt: 1),
            .attemptFenced(report(1, 2, 4), host: "lab2", agrees: false),
            .auditGranted(lease: 7, host: "lab2", grants: [Grant(run: 1, firstAttempt: 9, attempts: 1)]),
            .auditEnded(
                report(1, 7, 9), host: "lab2", failure: nil, evidence: "",
                comparison: AuditComparison(numbers: SHA256.digest("2"), counted: SHA256.digest("1")), endedAt: 1),
            .hostFenced(host: "lab2", reason: "", runs: RunList(1..<2)),
            .inputDamaged(
                DamagedInput(
                    host: "lab1", path: "p", damage: ObjectDamage(digest: SHA256.digest("d"), wholeAt: 1, foundAt: 2),
                    runs: RunList(1..<2), makers: RunList(6..<7))),
            .judgedAgain(report(1, 1, 1).id, failure: .contractBroken, evidence: "", blocks: nil),
            .runReopened(run: 1, reason: "r"), ended(report(2, 1, 1), .exitNonzero), ended(report(3, 1, 1), .hostLost),
            seen("lab1", "b3"), .runWithdrawn(run: 3, lease: 1, reason: "r"), .runCancelAsked(run: 4, reason: "r"),
            .leaseGranted(lease: 3, host: "gone", grants: [Grant(run: 5, firstAttempt: 1, attempts: 3)]),
            .leaseMoved(lease: 3, host: "lab2"), .leaseVoided(lease: 3, reason: "r"),
            .hostPaused(host: "lab1", reason: "r"),
            .revised(
                Revision(
                    number: 2, specification: "{}", runs: RunList(ranges: [3..<6, 1..<3]) ?? RunList(), madeAt: 1)),
            .hostReleased(host: "lab2"), .sweepStopped(reason: "r"), .restored(reason: "r"),
            .leaseGranted(lease: 1_000_009, host: "lab2", grants: [Grant(run: 6, firstAttempt: 1_009, attempts: 3)]),
            .repinned(reason: "r"),
            .leaseGranted(lease: 1_000_010, host: "lab1", grants: [Grant(run: 2, firstAttempt: 2_009, attempts: 3)]),
        ]
    }()

    private static func golden() throws -> [Record] {
        var reader = ByteReader(try Golden.bytes("version2/records"))
        var records: [Record] = []
        while reader.remaining > 0 { records.append(try Record(encoded: try reader.data())) }
        return records
    }

    /// Behind its version, its kind and the length of its fields.
    private func mutations(of record: Record) throws -> [[UInt8]] {
        var reader = ByteReader(record.encoded)
        let (version, kind) = (try reader.unsigned(), try reader.unsigned())
        return ExtremeNumbers.inFields(try reader.data()).map { fields in
            var writer = ByteWriter()
            writer.put(version)
            writer.put(kind)
            writer.put(fields)
            return writer.bytes
        }
    }

    /// What a coordinator does that takes up such a sweep.
    private func takeUp(_ state: SweepState) {
        _ = (state.digest, state.reopening, state.reopening([1, 2, 3]))
        var core = Coordinator(state: state, now: 0)
        for host in 0..<2 {
            let leases = state.leasesOfHost[host].map {
                HeldLease(lease: $0, runs: core.state.openRuns(of: $0, host: host))
            }
            _ = core.handle(.joined(host: host, Cluster.facts(host, slots: 4, leases: leases)), now: 1)
            for held in leases {
                for run in held.runs {
                    guard let claim = core.state.claim(of: held.lease, on: run) else { continue }
                    let judged = Cluster.ended(
                        run, lease: held.lease, attempt: claim.attempts.lowerBound, failure: .exitNonzero)
                    _ = core.handle(.ended(host: host, judged), now: 2)
                }
            }
        }
        for now in [3, Timing.second, 3_600 * Timing.second] {
            _ = core.tick(now: now)
            _ = (core.effects(now: now), core.nextDeadline(now: now), core.view(of: 0, running: 0, now: now))
        }
    }

    @Test("is refused, or something comes of it", arguments: [false, true])
    func extremes(isGolden: Bool) throws {
        let records = isGolden ? try DamagedJournalTests.golden() : DamagedJournalTests.everything
        // Golden records name ten runs.
        let plan = Plan(groups: [Plan.Group(runs: 1..<11)], hosts: DamagedJournalTests.hosts)
        var (refused, taken) = (0, 0)
        for (place, original) in records.enumerated() {
            var before = SweepState(plan: plan)
            for record in records[..<place] { try before.replay(record) }
            for encoded in try mutations(of: original) {
                do {
                    var state = before
                    try state.replay(try Record(encoded: encoded))
                    for record in records[(place + 1)...] { try state.replay(record) }
                    takeUp(state)
                    taken += 1
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 100 && taken > 100, "refused \(refused), taken \(taken)")
    }

    @Test("names the run that the sweep does not have", arguments: [0, 4, Int.max, .min])
    func run(number: RunNumber) {
        var state = SweepState(plan: Plan(groups: [Plan.Group(runs: 1..<4)], hosts: []))
        let failure = #expect(throws: Failure.self) {
            try state.replay(.runReopened(run: number, reason: "by hand"))
        }
        #expect(failure?.code == .badArchive)
        #expect(failure?.message == "it is about run \(number), and the sweep has runs 1 to 3")
    }
}
