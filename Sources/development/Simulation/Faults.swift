import AgentRuntime
import CoordinatorRuntime
import Model
import SweepCore

/// What goes wrong beside the programs themselves.
enum Fault: String, CaseIterable {
    case coordinatorDies = "the coordinator dies"
    case coordinatorHostCrashes = "the coordinator's machine crashes"
    case agentDies = "an agent dies"
    case supervisorDies = "a supervisor dies"
    case programIsKilled = "a program is killed"
    case memoryRunsOut = "a host runs out of memory"
    case hostReboots = "a host reboots"
    case connectionBreaks = "a connection breaks"
    case requestsStall = "nothing reaches a host"
    case answersStall = "nothing comes from a host"
    case networkStalls = "nothing passes either way"
    case linkIsCut = "a host is cut off"
    case coordinatorStandsStill = "the coordinator stands still"
    case hostIsRenewed = "a host comes back with an empty disk"
    case hostDiskFills = "a host's disk fills"
    case hostDiskFails = "a host's disk fails"
    case coordinatorDiskFills = "the coordinator's disk fills"
    case coordinatorDiskFails = "the coordinator's disk fails"
    case ledgerFills = "the ledger's disk fills"
    case hostSlows = "a host slows down"
    case hostLocks = "a host takes no logins"
    case hostSickens = "every program fails on a host"
    case hostIsCleaned = "somebody cleans a host's folder"
    case clockJumps = "clocks jump"
    case interrupt = "somebody presses Ctrl-C"
    case cancelRun = "somebody cancels a run"
    case cancelAll = "somebody cancels the sweep"
    case retry = "somebody retries what failed"
    case peersLie = "a host gives others wrong bytes"
    case peersVanish = "other hosts cannot reach a host"
    case inputIsDamaged = "an input on a host is damaged"

    /// What may go wrong wherever nothing else is said.
    static let general = allCases.filter { ![.peersLie, .peersVanish, .inputIsDamaged].contains($0) }
}

extension Simulation {
    /// Draws the faults of this seed.
    func planFaults() {
        guard scenario.faults > 0 else { return }
        // Few kinds a seed, and often one host, meet each other more often than all of them on all hosts.
        var kinds = (scenario.kinds ?? Fault.general).filter { _ in scenario.kinds != nil || chance.oneIn(4) }
        if !chance.oneIn(4) { kinds.removeAll { $0 == .cancelAll } }
        let victim = chance.oneIn(2) ? chance.below(network.hosts.count) : nil
        if kinds.contains(.peersLie) { spoilPeers() }
        let count = kinds.isEmpty ? 0 : chance.below(scenario.faults + 1)
        for _ in 0..<count {
            let fault = chance.pick(kinds)
            let time = chance.within(0...scenario.faultsUntil)
            world.after(time) { [self] in strike(fault, victim: victim) }
        }
        world.after(scenario.faultsUntil + 200 * Timing.second) { [self] in quieten() }
    }

    /// Inputs are given at the beginning, mostly.
    private func spoilPeers() {
        if chance.oneIn(2) { peering.lying.insert(chance.below(network.hosts.count)) }
        if chance.oneIn(2) { peering.unreachable.insert(chance.below(network.hosts.count)) }
    }

    private func strike(_ fault: Fault, victim: Int?) {
        guard !isFinished else { return }
        let host = network.hosts[victim ?? chance.below(network.hosts.count)]
        // Around the lease's term everything is closest.
        let time = chance.oneIn(3) ? chance.within(14_000...18_000) * 1_000_000 : chance.within(1...60) * Timing.second
        // Longer than a lease's term, than the least patience, and than most runs take.
        let long = chance.pick([35, 120, 600]) * Timing.second
        world.counts.note("fault: \(fault.rawValue)")
        world.say("fault", "\(fault.rawValue) (\(host.name))")
        // Whatever it is, the host may be hard to reach for as long as it lasts.
        host.note(troubleUntil: world.now + 2 * time)
        switch fault {
        case .coordinatorDies, .coordinatorHostCrashes, .coordinatorDiskFills, .coordinatorDiskFails, .ledgerFills,
            .interrupt, .cancelRun, .cancelAll,
            .retry, .coordinatorStandsStill:
            strikeCoordinator(fault, time, long)
        case .agentDies: host.agent?.life.actsLeft = chance.below(12)
        case .supervisorDies: host.killSupervisor(after: chance.below(8))
        case .programIsKilled: host.programs.strike(chance.pick([9, 11, 15]), memory: false)
        case .memoryRunsOut: host.programs.strike(9, memory: true)
        case .hostReboots: host.reboot(downFor: time, network: network)
        case .hostIsRenewed:
            host.reboot(downFor: time, network: network)
            host.renew()
        case .linkIsCut:
            host.note(troubleUntil: world.now + long)
            network.hold(host.index, .toHost, for: long)
            network.hold(host.index, .toCoordinator, for: long)
            // After some minutes both ends have given up what is not answered.
            guard long > 100 * Timing.second else { break }
            for channel in network.channels where channel.host === host { channel.snap() }
        case .connectionBreaks: for channel in network.channels where channel.host === host { channel.snap() }
        case .requestsStall: network.hold(host.index, .toHost, for: 2 * time)
        case .answersStall: network.hold(host.index, .toCoordinator, for: 2 * time)
        case .networkStalls:
            network.hold(host.index, .toHost, for: 2 * time)
            network.hold(host.index, .toCoordinator, for: 2 * time)
        case .hostDiskFills:
            host.disk.isFull = true
            world.after(time) { host.disk.isFull = false }
        case .hostDiskFails: host.disk.failures = 1 + chance.below(3)
        case .hostSlows:
            host.slowness = 5
            world.after(2 * time) { host.slowness = 1 }
        case .hostLocks:
            host.isLocked = true
            for channel in network.channels where channel.host === host { channel.snap() }
            world.after(time) { host.isLocked = false }
        case .peersLie: peering.lying.insert(host.index)
        case .peersVanish: peering.unreachable.insert(host.index)
        case .inputIsDamaged: damageInput(on: host)
        case .hostSickens:
            host.isSick = true
            world.after(time) { host.isSick = false }
        case .hostIsCleaned:
            host.clean(chance.pick(["agent.journal", "supervisor.journal", "objects", "attempts"]))
        case .clockJumps:
            wallOffset += chance.within(-86_400...86_400) * Timing.second
            host.wallOffset += chance.within(-86_400...86_400) * Timing.second
        }
    }

    /// One of those that it keeps for runs.
    private func damageInput(on host: SimulatedHost) {
        let digest = SHA256.digest(chance.pick(prepared.inputs))
        let path = "\(SimulatedHost.workdir.objects)/\(digest.hex.prefix(2))/\(digest.hex)"
        guard let node = host.disk.names[path] else { return }
        world.say(host.name, "\(digest.short) is damaged on the disk")
        host.disk.damage(node, at: chance.below(node.content.count))
        checker.damages.strike(host, digest)
    }

    /// Now and then this is the last thing that somebody does: the host, before it has told it, or the coordinator,
    /// before it has taken note of it.
    func inputWasFoundDamaged(by host: SimulatedHost) {
        guard !isQuiet, chance.oneIn(2) else { return }
        let victim = chance.oneIn(2) ? host.agent?.life : coordinator?.life
        victim?.actsLeft = chance.below(6)
    }

    private func strikeCoordinator(_ fault: Fault, _ time: Nanoseconds, _ long: Nanoseconds) {
        switch fault {
        case .coordinatorDies: coordinator?.life.actsLeft = chance.below(40)
        case .coordinatorHostCrashes:
            coordinatorDied("is gone with its machine")
            disk.crash()
        case .coordinatorDiskFills:
            disk.isFull = true
            world.after(time) { [self] in disk.isFull = false }
        case .coordinatorDiskFails: disk.failures = 1 + chance.below(2)
        case .ledgerFills:
            ledger.isFull = true
            world.after(time) { [self] in ledger.isFull = false }
        case .coordinatorStandsStill: coordinator?.standStill(for: long)
        case .interrupt: coordinator?.ask(.interrupt(byKey: true))
        case .cancelRun:
            let run = 1 + chance.below(scenario.points)
            if coordinator != nil { checker.promises.cancelAsked(run) }
            checker.cancelled.insert(run)
            coordinator?.ask(.cancel(run: run, reason: "somebody asked for it"))
        case .cancelAll: coordinator?.ask(.cancel(run: nil, reason: "somebody asked for it"))
        case .retry:
            isRetryAsked = true
            coordinator?.ask(.interrupt(byKey: true))
        case .agentDies, .supervisorDies, .programIsKilled, .memoryRunsOut, .hostReboots, .connectionBreaks,
            .requestsStall, .answersStall, .networkStalls, .hostDiskFills, .hostDiskFails, .hostSlows, .hostLocks,
            .hostSickens, .hostIsCleaned, .clockJumps, .linkIsCut, .hostIsRenewed, .peersLie,
            .peersVanish, .inputIsDamaged:
            break
        }
    }

    /// From here on nothing goes wrong any more, and what had gone wrong is repaired.
    private func quieten() {
        world.say("fault", "no more faults")
        isQuiet = true
        disk.isFull = false
        disk.failures = 0
        ledger.isFull = false
        coordinator?.life.actsLeft = nil
        for host in network.hosts {
            host.disk.isFull = false
            host.disk.failures = 0
            host.slowness = 1
            host.isSick = false
            host.isLocked = false
            host.agent?.life.actsLeft = nil
            host.killSupervisor(after: nil)
        }
    }
}
