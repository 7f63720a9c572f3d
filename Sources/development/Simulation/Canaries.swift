import AgentCore
import Formats
import Model
import Ports
import SweepCore

/// Bugs that can be switched on, each at a seam: the simulation has to find every one of them.
public enum Canary: String, CaseIterable, Sendable {
    /// Commits return before they are durable.
    case acknowledgeBeforeCommit = "acknowledge-before-commit"
    /// The coordinator takes whatever comes for a run as coming under the lease that is in force.
    case forgetFencing = "forget-fencing"
    /// `fdatasync` does nothing.
    case skipFileSync = "skip-file-sync"
    /// `fdatasync` does nothing on the hosts.
    case skipAgentSync = "skip-agent-sync"
    /// `fsync` of a folder does nothing.
    case skipFolderSync = "skip-folder-sync"
    /// A grant now and then never reaches the agent.
    case loseLease = "lose-lease"
    /// A coordinator that starts again does not read the last record.
    case forgetRecord = "forget-record"
    /// Folders are not deleted.
    case leaveFiles = "leave-files"
    /// Programs are not signalled.
    case ignoreKill = "ignore-kill"
    /// The supervisor takes twice the slots.
    case overbook
    /// Agents take no notice of a lease that is void.
    case forgetRevocation = "forget-revocation"
    /// An agent that starts again is not told what its supervisor holds.
    case forgetInventory = "forget-inventory"
    /// The coordinator deletes what results were judged by.
    case loseEvidence = "lose-evidence"
    /// A host that is silent for a lease's term loses its runs.
    case endSilentLeases = "end-silent-leases"
    /// Hosts are taken for silent while the coordinator stands still.
    case sleepIsSilence = "sleep-is-silence"
    /// A login that is refused once ends a host's part.
    case refusalIsFinal = "refusal-is-final"
    /// A run that kills its host is never found.
    case forgetDeaths = "forget-deaths"
    /// Where two hosts have a run, the one that began last goes on.
    case adoptTheYounger = "adopt-the-younger"
    /// A run is cancelled only if its host is there.
    case forgetCancels = "forget-cancels"
    /// An agent that starts again goes on before it hears what of its runs is still wanted.
    case startUnconfirmed = "start-unconfirmed"
    /// What is said of an attempt again counts again.
    case countRepeats = "count-repeats"
    /// A run that its host dropped, with the end of its journal, is left to that host.
    case keepDropped = "keep-dropped"
    /// A lease that never reached its host counts against its runs.
    case blameUnsent = "blame-unsent"
    /// A host is not told that another one goes on with its run.
    case forgetWithdrawal = "forget-withdrawal"
    /// The supervisor does not hear what else than memory a program takes.
    case forgetNeeds = "forget-needs"
    /// More is begun however many runs in a row failed alike.
    case forgetPause = "forget-pause"
    /// A host that was paused gets as many runs as before.
    case trustTheSick = "trust-the-sick"
    /// Of a run that was begun a second time, the attempt that fails first decides.
    case countSecondStarts = "count-second-starts"
    /// The supervisor does not hear that other people use the machine, too.
    case overlookOthers = "overlook-others"
    /// A host that an audit fenced gets runs as before.
    case trustTheFenced = "trust-the-fenced"
    /// What a host found damaged is told only to the coordinator that is connected then.
    case forgetDamage = "forget-damage"
    /// What comes from another host is taken for what its name says.
    case believePeers = "believe-peers"
    /// A host from which nothing came is asked again and again.
    case askDeadPeers = "ask-dead-peers"
}

extension Canary {
    /// Where it shows: some bugs need runs that take minutes, and slots that have nothing to do.
    public var scenario: Scenario {
        switch self {
        case .sleepIsSilence, .adoptTheYounger, .forgetCancels, .forgetWithdrawal: .idle
        case .keepDropped, .blameUnsent: .forgetful
        case .forgetNeeds: .narrow
        case .believePeers, .askDeadPeers: .sharing
        case .trustTheSick, .countSecondStarts: .tail
        case .trustTheFenced: .auditing
        case .forgetDamage: .decaying
        case .overlookOthers: .crowded
        default: .standard
        }
    }

    /// The bugs that are the coordinator's.
    var faults: Coordinator.Faults {
        switch self {
        case .forgetFencing: .forgetsFencing
        case .endSilentLeases: .endsSilentLeases
        case .sleepIsSilence: .takesSleepForSilence
        case .refusalIsFinal: .takesRefusalAsFinal
        case .forgetDeaths: .forgetsDeaths
        case .adoptTheYounger: .adoptsTheYounger
        case .forgetCancels: .forgetsCancels
        case .countRepeats: .countsRepeats
        case .keepDropped: .keepsDropped
        case .blameUnsent: .blamesUnsent
        case .forgetWithdrawal: .forgetsWithdrawals
        case .forgetPause: .forgetsPauses
        case .trustTheSick: .trustsTheSick
        case .countSecondStarts: .countsSecondStarts
        case .trustTheFenced: .trustsTheFenced
        case .acknowledgeBeforeCommit, .skipFileSync, .skipAgentSync, .skipFolderSync, .loseLease, .forgetRecord,
            .leaveFiles, .ignoreKill, .overbook, .forgetRevocation, .forgetInventory, .loseEvidence, .startUnconfirmed,
            .forgetNeeds, .overlookOthers, .believePeers, .askDeadPeers, .forgetDamage:
            []
        }
    }
}

/// The bugs that are made of messages, on one host.
final class Canaries {
    let canary: Canary
    unowned(unsafe) var host: SimulatedHost?
    private var chance: Chance

    init(_ canary: Canary, seed: UInt64, host: Int) {
        self.canary = canary
        chance = Chance(seed: seed, stream: 400 + UInt64(host))
    }

    /// What the agent hears where the coordinator says this.
    func heard(_ frame: Frame) -> [Frame] {
        switch try? CoordinatorMessage(frame) {
        case .grant: return canary == .loseLease && chance.oneIn(10) ? [] : [frame]
        case .revoke(let leases):
            guard canary == .forgetRevocation, let host else { return [frame] }
            host.watch.revoked(host, leases)
            return []
        case .hello: return canary == .startUnconfirmed ? [frame, CoordinatorMessage.heartbeat.frame] : [frame]
        case .cancel, .acknowledge, .read, .bytes, .packed, .probe, .tail, .release, .heartbeat, .holder, .share,
            .elsewhere, .cacheLimit, .terms, nil:
            return [frame]
        }
    }

    /// Whether a coordinator hears what the agent says.
    func tells(_ frame: Frame) -> Bool {
        guard canary == .forgetDamage, let host, case .damaged(let damage) = try? AgentMessage(frame) else {
            return true
        }
        return host.system.wallClock - damage.foundAt < 100_000_000
    }

    /// What the supervisor hears where the agent asks for this.
    func asked(_ frame: Frame) -> Frame {
        if canary == .forgetNeeds, case .start(let key, var launch) = try? SupervisorCommand(frame) {
            (launch.slots, launch.shares) = (1, [])
            return SupervisorCommand.start(key, launch).frame
        }
        guard canary == .overbook || canary == .overlookOthers,
            case .capacity(let slots, let memory, let sweeps) = try? SupervisorCommand(frame)
        else { return frame }
        if canary == .overlookOthers {
            let all = host?.processors ?? slots
            let whole = sweeps.map { SweepSlots(sweep: $0.sweep, slots: all) }
            return SupervisorCommand.capacity(slots: all, memoryBytes: memory, sweeps: whole).frame
        }
        let twice = sweeps.map { SweepSlots(sweep: $0.sweep, slots: 2 * $0.slots) }
        return SupervisorCommand.capacity(slots: 2 * slots, memoryBytes: 2 * memory, sweeps: twice).frame
    }

    /// What the agent hears where its supervisor says this.
    func reported(_ frames: [Frame]) -> [Frame] {
        guard canary == .forgetInventory else { return frames }
        return frames.map { frame in
            guard case .inventory(_, let isLast) = try? SupervisorReport(frame) else { return frame }
            return SupervisorReport.inventory([], isLast: isLast).frame
        }
    }
}
