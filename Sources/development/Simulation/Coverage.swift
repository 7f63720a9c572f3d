/// What the seeds of the standard scenario have to meet together: every kind of fault and of program, and every
/// transition of the state machines of the coordinator's links and runs, the agent's works and the supervisor's
/// attempts. A simulation that never gets somewhere shows nothing about it.
///
/// Not in the list is what only few of thousands of seeds meet (an inventory with an attempt that was cancelled), and
/// what has no part in this scenario: setup runs, and hosts that are refused after they have joined.
public enum Coverage {
    public static let expected: [String] =
        Fault.general.map { "fault: \($0.rawValue)" } + Fate.allCases.map { "fate: \($0.rawValue)" } + faults
        + links + runs + works + attempts + records

    /// What was not met, in the order of the list.
    public static func missing(in counts: Counts) -> [String] {
        expected.filter { counts.values[$0, default: 0] == 0 }
    }

    private static let faults = [
        "fault: EIO on create", "fault: EIO on make the names durable in", "fault: EIO on write",
        "fault: ENOSPC on create", "fault: ENOSPC on make the folder", "fault: full disk under the ledger",
        "fault: half-delivered frame", "agent did not start", "agent ended by an error", "hosts away at the end",
        "paused",
    ]

    private static let links = [
        "link: away > connecting", "link: connecting > away", "link: connecting > joined",
        "link: connecting > refused", "link: joined > away",
    ]

    private static let runs = [
        "run: waiting > leased", "run: waiting > cancelled", "run: leased > waiting", "run: leased > succeeded",
        "run: leased > failed", "run: leased > quarantined", "run: leased > cancelled", "run: failed > waiting",
        "run: quarantined > waiting", "run: cancelled > waiting",
    ]

    /// As they stand after one step of the agent and after the next: a step may take several transitions. What an agent
    /// hands to its supervisor is wanted, since it begins nothing before its coordinator has said what is not: that
    /// it is revoked while it is queued there needs more luck than 2,000 seeds have.
    private static let works = [
        "work: new > waiting", "work: new > preparing", "work: new > running", "work: new > collecting",
        "work: waiting > preparing", "work: waiting > done", "work: preparing > queued", "work: preparing > done",
        "work: queued > running", "work: queued > preparing", "work: queued > collecting",
        "work: running > collecting", "work: running > gone", "work: collecting > done", "work: collecting > gone",
        "work: done > gone",
    ]

    private static let attempts = [
        "supervised: new > queued", "supervised: queued > running", "supervised: running, and adopted",
        "supervised: > ended by status 0", "supervised: > ended by status not 0", "supervised: > ended by signal",
        "supervised: > ended by signal, memory ran out", "supervised: > ended by signal, out of time",
        "supervised: > ended by signal, cancelled", "supervised: > ended by signal, revoked",
        "supervised: > ended by signal, stalled", "supervised: > ended by cannot start",
        "supervised: adopted after its end by status 0",
        "supervised: adopted after its end by host lost", "supervised: adopted after its end by supervisor lost",
        "supervised: ended > gone",
    ]

    private static let records = [
        "record: host seen", "record: lease granted", "record: lease void", "record: attempt ended",
        "record: fenced", "record: fenced, agrees", "record: run ended", "record: run opened again",
        "record: run adopted", "record: run withdrawn", "record: run cancel asked", "given away", "record: host paused",
        "record: host released", "record: sweep stopped", "outcome: success",
        "outcome: exit-nonzero", "outcome: simulator-crash", "outcome: stalled-simulator", "outcome: timeout",
        "outcome: contract-broken", "outcome: cancelled", "outcome: spawn", "outcome: disk-full",
        "outcome: out-of-memory", "outcome: host-lost", "outcome: supervisor-lost",
    ]
}
