package import Model

extension FailureClass {
    /// What a person can do about a failure of this class: the one place where that is written down.
    package var advice: String {
        switch self {
        case .spawn:
            "the program could not be started: see that it and its 'inputs' are there and can be executed; "
                + "'usweep doctor -i INVENTORY' looks at the hosts"
        case .exitNonzero:
            "read what the program said ('usweep logs', stderr.txt); where it fails on every host, the command, its "
                + "inputs or the values of the point are at fault"
        case .hostLost:
            "nothing was wrong with the run: see whether the host is up and reachable ('usweep doctor -i INVENTORY')"
        case .supervisorLost:
            "somebody killed the supervisor on the host: look for the out-of-memory killer and for limits on login "
                + "sessions there"
        case .outOfMemory:
            "the host ran out of memory: say by 'limits.memory' how much a run needs, or give the host fewer 'slots'"
        case .diskFull:
            "make space in the host's working folder, or name another by 'workdir' in the inventory"
        case .simulatorCrash:
            "the simulator died of a signal: its last words are in 'usweep logs'; if it does so on every host, it is "
                + "a fault of the simulator, to be reported with these logs"
        case .simulatorFatal:
            "the simulator refused to go on and would do so again: 'usweep logs' has its reason; mend the sweep file"
        case .guestPanic:
            "the guest's kernel panicked: its console is in 'usweep logs'"
        case .stalledGuest:
            "the guest made no progress while the simulator ran: see its console in 'usweep logs', or raise "
                + "'limits.stall' if it is only slow"
        case .stalledSimulator:
            "the simulator itself stood still: see whether the host is overloaded, or raise 'limits.stall'"
        case .timeout:
            "raise 'limits.time', or make the run smaller; a host with more slots than processors is slow, too"
        case .tooMuchOutput:
            "give it more room under limits (output: 16GiB), or let it write less"
        case .checkpointIncompatible:
            "the checkpoint does not fit the engine, or is damaged: 'usweep launch --repin' makes it anew"
        case .contractBroken:
            "the program ended well, but without the evidence of a result: the reason names what is missing; mend "
                + "the program, 'results' or 'metrics'"
        case .cancelled: "somebody cancelled it; launching the sweep again takes up what was cancelled with it"
        case .preempted: "the batch system took the machine away: nothing was wrong with the run"
        }
    }
}

extension FailureClass.Remedy {
    /// What was done about a failure without being asked.
    var sentence: String {
        switch self {
        case .retryAnywhere: "Failures of this kind are tried again, on the same host if need be."
        case .retryElsewhere: "Failures of this kind are tried again on another host, if there is one."
        case .retryUncounted: "Failures of this kind are tried again and do not count against the run."
        case .giveUp: "Failures of this kind are not tried again: it would only happen once more."
        }
    }
}
