/// Why an attempt did not succeed. With the evidence it is the attempt's outcome.
///
/// A new class is a case here, its rule below, and its row in the manual's table. The words are in ledgers, journals,
/// messages and tables: a case may be renamed, its word stays.
public enum FailureClass: String, Sendable, Hashable, CaseIterable {
    /// The program could not be started, or its inputs not be staged.
    case spawn = "spawn"
    /// The program ended with a status other than 0.
    case exitNonzero = "exit-nonzero"
    /// The host was rebooted, or somebody took the run's folder away. Silence alone ends nothing.
    case hostLost = "host-lost"
    /// The supervisor died, and the run with it.
    case supervisorLost = "supervisor-lost"
    /// The host ran out of memory.
    case outOfMemory = "out-of-memory"
    /// The host's working folder is full.
    case diskFull = "disk-full"
    /// The simulator died of a signal that nobody here sent.
    case simulatorCrash = "simulator-crash"
    /// The simulator refused to go on (`panic`, `fatal`, a wrong parameter): it would do so again.
    case simulatorFatal = "simulator-fatal"
    /// The guest's kernel panicked.
    case guestPanic = "guest-panic"
    /// The simulator makes progress, the guest does not.
    case stalledGuest = "stalled-guest"
    /// The simulator makes no progress.
    case stalledSimulator = "stalled-simulator"
    /// The time limit passed.
    case timeout = "timeout"
    /// It wrote more than its limit of output.
    case tooMuchOutput = "too-much-output"
    /// The checkpoint does not fit, or is damaged.
    case checkpointIncompatible = "checkpoint-incompatible"
    /// The host that gave its result was fenced by an audit.
    case hostFenced = "host-fenced"
    /// An input that it had was found damaged on its host's disk after it had succeeded.
    case inputDamaged = "input-damaged"
    /// It ended well but the evidence is incomplete.
    case contractBroken = "contract-broken"
    /// Somebody cancelled it.
    case cancelled = "cancelled"

    /// What the coordinator and the agent do about a failure of this class without being asked.
    public enum Remedy: Sendable, Hashable {
        /// Try again, on the same host if need be: the agent does it alone.
        case retryAnywhere
        /// Try again, on another host if there is one: the coordinator decides.
        case retryElsewhere
        /// Try again without counting it against the run: nothing was wrong with it.
        case retryUncounted
        /// It would only happen again.
        case giveUp
    }

    public var remedy: Remedy { rule.remedy }

    /// The state of a run whose last attempt ended with this class.
    public var finalState: RunState { rule.finalState }

    /// What a person can do about it: the end of a sentence that begins with "What to do: ".
    public var advice: String { rule.advice }

    /// Whether that may mean a change of the sweep file or of an input, which `usweep retry` does not read.
    public var asksForEdit: Bool { rule.asksForEdit }
}

extension FailureClass {
    /// What is done and said about failures of one class.
    private struct Rule {
        var remedy: Remedy
        var finalState: RunState
        var advice: String
        var asksForEdit: Bool

        init(
            _ remedy: Remedy, then finalState: RunState = .failed, asksForEdit: Bool = false, advice: String
        ) {
            self.remedy = remedy
            self.finalState = finalState
            self.advice = advice
            self.asksForEdit = asksForEdit
        }
    }

    private var rule: Rule {
        switch self {
        case .spawn:
            Rule(
                .retryElsewhere, asksForEdit: true,
                advice: "check that the program and its 'inputs' exist on the host and are executable; 'usweep doctor "
                    + "-i INVENTORY' checks the hosts")
        case .exitNonzero:
            Rule(
                .retryAnywhere, asksForEdit: true,
                advice: "read what the program wrote (stderr.txt: 'usweep logs'); if it fails on every host, look at "
                    + "the command, its inputs and the values of the point")
        case .hostLost:
            Rule(
                .retryUncounted,
                advice: "check that the host is up and can be reached: 'usweep doctor -i INVENTORY'; the run itself "
                    + "was fine")
        case .supervisorLost:
            Rule(
                .retryUncounted,
                advice: "find out who killed the supervisor on the host: look for the out-of-memory killer ('dmesg') "
                    + "and for limits on login sessions")
        case .outOfMemory:
            Rule(
                .retryElsewhere, asksForEdit: true,
                advice: "set 'limits.memory' to what a run needs, or give the host fewer 'slots' in the inventory")
        case .diskFull:
            Rule(
                .retryElsewhere,
                advice: "free space in the host's working folder ('usweep du -i INVENTORY' shows what takes it, "
                    + "'usweep clean HOST' removes what is no longer needed), or set another 'workdir' in the "
                    + "inventory")
        case .simulatorCrash:
            Rule(
                .retryAnywhere,
                advice: "read the simulator's last output ('usweep logs'); if it crashes on every host, report it to "
                    + "the simulator's developers with these logs")
        case .simulatorFatal:
            Rule(
                .giveUp, asksForEdit: true,
                advice: "read the simulator's reason ('usweep logs') and fix the sweep file; a retry without a change "
                    + "would end in the same way")
        case .guestPanic:
            Rule(.retryAnywhere, advice: "read the console of the guest, whose kernel panicked: 'usweep logs'")
        case .stalledGuest:
            Rule(
                .retryAnywhere, asksForEdit: true,
                advice: "read the guest's console ('usweep logs'), or raise 'limits.stall' if the guest is only slow")
        case .stalledSimulator:
            Rule(
                .retryAnywhere, asksForEdit: true,
                advice: "check whether the host is overloaded, or raise 'limits.stall'")
        case .timeout:
            Rule(
                .giveUp, asksForEdit: true,
                advice: "raise 'limits.time' ('time' of a Slurm cluster if its job ended), or make the run smaller; "
                    + "a host with more slots than processors is slow, too")
        case .tooMuchOutput:
            Rule(
                .giveUp, asksForEdit: true,
                advice: "raise 'limits.output' (output: 16GiB) or 'artifacts.most', whichever the reason names, or let "
                    + "the program write less")
        case .checkpointIncompatible:
            Rule(
                .retryElsewhere,
                advice: "make the checkpoint again with 'usweep launch --repin': it does not fit the engine, or is "
                    + "damaged")
        case .hostFenced:
            Rule(
                .giveUp, then: .quarantined,
                advice: "its host produced different numbers than two other hosts in an audit, so its results do not "
                    + "count; a retry runs on other hosts. 'usweep explain HOST' names the run that showed it")
        case .inputDamaged:
            Rule(
                .giveUp, then: .quarantined,
                advice: "one of its inputs was later found damaged on its host's disk, so its result does not count; a "
                    + "retry fetches the input again. 'usweep explain HOST' says which input, and since when")
        case .contractBroken:
            Rule(
                .giveUp, then: .quarantined, asksForEdit: true,
                advice: "read which evidence is missing, and fix the program, 'results' or 'metrics': the program "
                    + "ended with status 0, but without a complete result")
        case .cancelled:
            Rule(
                .giveUp, then: .cancelled,
                advice: "nothing is wrong with the run; 'usweep resume' continues a sweep that was cancelled as a "
                    + "whole")
        }
    }
}
