import AgentCore
import AgentRuntime
import Formats
import Model
import Ports
import SweepCore

/// A worker host: its disk, its clock, and the processes on it, of which agent and supervisor are the real ones.
final class SimulatedHost {
    static let workdir = Workdir(root: "/var/usweep", sockets: "/var/usweep", named: "/var/usweep")

    let world: World
    let index: Int
    let name: String
    let disk: Disk
    let processors: Int
    let memoryBytes: Int64
    var latency: Nanoseconds
    /// How many times longer everything takes.
    var slowness: Int64 = 1
    /// Every program fails here.
    var isSick = false
    /// Something of the agent was removed once: with the power gone before it is made again, it is lost.
    private(set) var wasCleaned = false
    /// Nobody can log in.
    var isLocked = false
    var hasAgentProgram: Bool
    private(set) var isUp = true
    private(set) var boot = 1
    var wallOffset: Nanoseconds
    private(set) var troubleUntil: Nanoseconds = 0
    private var bootedAt: Nanoseconds = 0
    var memoryKills: Int64 = 0

    /// Whether its programs give wrong numbers, each time the same.
    let lies: Bool
    /// How often it reads what it keeps again; nil: never.
    private let scrubRound: Nanoseconds?
    let canary: Canary?
    let canaries: Canaries?
    unowned(unsafe) var network: Network?
    let programs: Programs
    let watch: Checker
    let peering: Peering
    /// nil: the machine is this user's alone.
    private(set) var neighbours: SimulatedNeighbours?
    private(set) var agent: AgentInstance?
    private(set) var supervisor: SupervisorInstance?
    let agentRole: Role
    let supervisorRole: Role
    private var waiting: [(String?) -> Void] = []
    private(set) var chance: Chance

    init(
        _ index: Int, world: World, scenario: Scenario, seed: UInt64, watch: Checker, peering: Peering,
        canary: Canary?, death: Death?
    ) {
        self.world = world
        self.peering = peering
        self.index = index
        self.watch = watch
        self.canary = canary
        scrubRound = scenario.scrubRound
        lies = scenario.hasLiar && Int(seed % UInt64(scenario.hosts)) == index
        canaries = canary.map { Canaries($0, seed: seed, host: index) }
        name = "h\(index + 1)"
        chance = Chance(seed: seed, stream: 100 + UInt64(index))
        disk = Disk(seed: seed, stream: 200 + UInt64(index))
        disk.canary = canary == .skipAgentSync ? .skipFileSync : canary
        processors = scenario.slots
        memoryBytes = scenario.hostMemory
        latency = chance.oneIn(6) ? chance.within(30...150) * 1_000_000 : chance.within(100_000...10_000_000)
        hasAgentProgram = chance.oneIn(2)
        wallOffset = chance.within(-5...5) * Timing.second
        programs = Programs(host: index, seed: seed, scenario: scenario)
        agentRole = Role(name: "\(name)/agent", death: death)
        supervisorRole = Role(name: "\(name)/supervisor", death: death)
        programs.host = self
        canaries?.host = self
        disk.wallClock = { [unowned self] in system.wallClock }
        if scenario.hasNeighbours {
            neighbours = SimulatedNeighbours(self, seed: seed, until: scenario.faultsUntil)
        }
    }

    var system: SimulatedSystem { SimulatedSystem(host: self) }
    var now: Nanoseconds { world.now - bootedAt }

    // MARK: Attaching

    /// As `usweep-agent attach`: finds the agent or starts it.
    ///
    /// - Parameter done: told nil, or why there is none.
    func attach(_ done: @escaping (String?) -> Void) {
        guard isUp else { return }
        if agent != nil, waiting.isEmpty {
            world.after(chance.within(100_000...3_000_000) * slowness) { [self] in
                let answers = isUp && agent?.server.acceptsConnections ?? false
                done(answers ? nil : "the agent does not answer")
            }
            return
        }
        waiting.append(done)
        guard waiting.count == 1 else { return }
        let generation = boot
        world.after(chance.within(5_000_000...60_000_000) * slowness) { [self] in
            guard boot == generation, isUp else { return }
            let problem = agent == nil ? startAgent() : nil
            let all = waiting
            waiting.removeAll()
            for done in all { done(problem) }
        }
    }

    private func startAgent() -> String? {
        let life = Life(role: agentRole)
        let files = SimulatedFiles(disk, life: life, world: world, who: agentRole.name)
        world.say(agentRole.name, "starts")
        do {
            try Workdir.make(SimulatedHost.workdir, files)
            let server = try AgentServer(
                SimulatedHost.workdir, program: "\(SimulatedHost.workdir.root)/bin/usweep-agent", host: system,
                files: files, setups: SimulatedSetups(), network: SimulatedPeers(self, life),
                neighbours: neighbours, scrubRound: scrubRound
            ) { [self] in openSupervisor(for: life) }
            guard life.isAlive else { throw Failure(.storage, "it ended at once") }
            server.believesPeers = canary == .believePeers
            let instance = AgentInstance(self, server: server, life: life)
            agent = instance
            instance.begin()
            return nil
        } catch {
            life.end()
            supervisor?.lose(life)
            didNotStart(agentRole, error)
            takeMachine(agentRole)
            return "the agent did not start in \(SimulatedHost.workdir.root): \(error)"
        }
    }

    /// Gives the agent a stream that a coordinator opened.
    func join(_ stream: AgentStream) {
        guard let agent else {
            stream.close()
            return
        }
        agent.accept(stream)
    }

    /// Somebody connected from another host.
    func meet(_ stream: SimulatedPeerStream) {
        guard let agent else { return stream.close() }
        agent.server.meet(stream)
        agent.wake()
    }

    func wakeAgent() { agent?.wake() }

    private func openSupervisor(for life: Life) -> SupervisorLink.Opened {
        if supervisor == nil {
            if let problem = startSupervisor() { return .problem("the supervisor did not start: \(problem)") }
        }
        guard let supervisor else { return .problem("the supervisor does not answer") }
        let (near, far) = LocalStream.pair()
        near.life = life
        far.life = supervisor.life
        near.asked = { [self] frames in asked(frames) }
        far.asked = { [self] frames in reported(frames) }
        near.wake = { [self] in agent?.wake() }
        far.wake = { [self] in self.supervisor?.wake() }
        supervisor.accept(far, of: life)
        return .stream(near)
    }

    /// What the agent asks of its supervisor.
    private func asked(_ frames: [Frame]) -> [Frame] {
        for frame in frames {
            switch try? SupervisorCommand(frame) {
            case .start(let key, _):
                world.counts.note("supervised: new > queued")
                watch.startAsked(self, key)
            case .forget(let keys):
                world.counts.note("supervised: ended > gone")
                watch.forgetAsked(self, keys)
            case .kill(let key, let kill): if kill != .timeout, kill != .stalled { watch.killAsked(self, key) }
            case .capacity, .stop, nil: break
            }
        }
        return canaries.map { frames.map($0.asked) } ?? frames
    }

    /// What the supervisor tells its agent.
    private func reported(_ frames: [Frame]) -> [Frame] {
        for frame in frames {
            switch try? SupervisorReport(frame) {
            case .started(let keys): for _ in keys { world.counts.note("supervised: queued > running") }
            case .ended(let attempts): ended(attempts)
            case .inventory(let attempts, _): for attempt in attempts { adopted(attempt) }
            case nil: break
            }
        }
        return canaries.map { $0.reported(frames) } ?? frames
    }

    private func ended(_ attempts: [SupervisedAttempt]) {
        for attempt in attempts {
            guard case .ended(let exit) = attempt.state else { continue }
            world.counts.note("supervised: > ended by \(Describe.kind(exit))")
        }
        watch.supervisorSaid(self, ended: attempts.map(\.key))
    }

    private func adopted(_ attempt: SupervisedAttempt) {
        switch attempt.state {
        case .queued: world.counts.note("supervised: queued, and adopted")
        case .running: world.counts.note("supervised: running, and adopted")
        case .ended(let exit): world.counts.note("supervised: adopted after its end by \(Describe.kind(exit))")
        }
    }

    private func startSupervisor() -> String? {
        let life = Life(role: supervisorRole)
        let files = SimulatedFiles(disk, life: life, world: world, who: supervisorRole.name)
        world.say(supervisorRole.name, "starts")
        do {
            try Workdir.make(SimulatedHost.workdir, files)
            let instance = try SupervisorInstance(self, files: files, life: life)
            guard life.isAlive else { throw Failure(.storage, "it ended at once") }
            supervisor = instance
            instance.begin()
            return nil
        } catch {
            life.end()
            didNotStart(supervisorRole, error)
            takeMachine(supervisorRole)
            return "\(error)"
        }
    }

    private func didNotStart(_ role: Role, _ error: any Error) {
        note(troubleUntil: world.now + 60 * Timing.second)
        world.counts.note("\(role === agentRole ? "agent" : "supervisor") did not start")
        world.say(role.name, "did not start: \(error)")
        if (error as? Failure)?.code == .badArchive { watch.fail("\(role.name) cannot read what it wrote: \(error)") }
    }

    // MARK: Cleaners

    /// Somebody removes a file or folder of the agent's. Both processes look once a second.
    func clean(_ name: String) {
        let path = "\(SimulatedHost.workdir.root)/\(name)"
        guard isUp, disk.names[path] != nil else { return }
        world.say(name, "somebody removes \(path)")
        disk.removeTree(path)
        wasCleaned = true
        let generation = boot
        world.after(chance.within(0...1_000) * 1_000_000) { [self] in
            if boot == generation, isUp { lookAfterFiles() }
        }
    }

    private func lookAfterFiles() {
        supervisor?.lookAfterFiles()
        guard let agent else { return }
        do {
            try agent.server.lookAfterFiles()
            agent.wake()
        } catch {
            agentDied("ends by an error: \(error)")
        }
    }

    // MARK: Deaths

    func agentDied(_ how: String, inStep: Bool = false) {
        guard let instance = agent else { return }
        world.say(agentRole.name, how)
        agent = nil
        watch.agentEnded(self, inStep: inStep)
        instance.end()
        supervisor?.lose(instance.life)
        takeMachine(agentRole)
    }

    func supervisorDied(_ how: String) {
        guard let instance = supervisor else { return }
        world.say(supervisorRole.name, how)
        supervisor = nil
        instance.end()
        programs.parentDied()
        takeMachine(supervisorRole)
    }

    /// The death of a process may have been that of its machine.
    private func takeMachine(_ role: Role) {
        guard role.mustTakeMachine, isUp, let network else { return }
        role.mustTakeMachine = false
        reboot(downFor: 5 * Timing.second, network: network)
    }

    func killSupervisor(after acts: Int?) { supervisor?.life.actsLeft = acts }

    /// The machine stops, and begins anew after a while.
    func reboot(downFor time: Nanoseconds, network: Network) {
        guard isUp else { return }
        world.say(name, "loses its power")
        note(troubleUntil: world.now + time)
        isUp = false
        waiting.removeAll()
        agentDied("is gone with its host")
        supervisorDied("is gone with its host")
        programs.clear()
        disk.crash()
        for channel in network.channels where channel.host === self { channel.snap() }
        world.after(time) { [self] in
            isUp = true
            boot += 1
            bootedAt = world.now
            memoryKills = 0
            // When an input was whole and when not is told by this clock.
            if scrubRound == nil, chance.oneIn(4) { wallOffset += chance.within(-86_400...86_400) * Timing.second }
            world.say(name, "is up again")
        }
    }

    /// It comes back as a machine that was installed anew.
    func renew() {
        disk.wipe()
        hasAgentProgram = false
        watch.renewed(self)
    }

    /// Until then it may be hard to reach.
    func note(troubleUntil time: Nanoseconds) { troubleUntil = max(troubleUntil, time) }

    func clear() {
        canaries?.host = nil
        agentDied("is put away")
        supervisorDied("is put away")
        programs.clear()
        programs.host = nil
        waiting.removeAll()
    }
}

/// Setup texts always work here.
final class SimulatedSetups: SetupTrials {
    private var sweeps: [String] = []

    func begin(_ sweep: String, _ text: String, now: Nanoseconds) { sweeps.append(sweep) }

    func ended(now: Nanoseconds) -> [(sweep: String, problem: String?)] {
        defer { sweeps = [] }
        return sweeps.map { ($0, nil) }
    }

    var nextDeadline: Nanoseconds? { sweeps.isEmpty ? nil : 0 }
}

/// What a host says of itself.
struct SimulatedSystem: HostSystem {
    unowned let host: SimulatedHost

    var now: Nanoseconds { host.now }
    var wallClock: Nanoseconds { 1_700_000_000 * Timing.second + host.world.now + host.wallOffset }
    var bootID: String { "\(host.name)-boot-\(host.boot)" }
    var hostName: String { host.name }
    var processors: Int { host.processors }
    var cores: [ProcessorCore] { (0..<host.processors).map { ProcessorCore(processors: [$0], node: 0) } }
    var processorTimes: [Int: Nanoseconds] { [:] }
    var memoryBytes: Int64 { host.memoryBytes }
    var memoryKills: Int64 { host.memoryKills }

    func log(_ message: StaticString, _ values: String...) {
        host.world.say(host.name, "log: \(message) \(values.joined(separator: " "))")
    }
}

/// One life of an agent.
final class AgentInstance {
    let server: AgentServer
    let life: Life
    private unowned let host: SimulatedHost
    private var alarm: Alarm?

    init(_ host: SimulatedHost, server: AgentServer, life: Life) {
        self.host = host
        self.server = server
        self.life = life
    }

    func begin() {
        host.watch.agentStarted(host, server.shell.core)
        alarm = host.alarm("the agent") { [self] in step() }
        server.observer = { [unowned host, life] core, events in host.watch.agentStepped(host, life, core, events) }
        wake()
    }

    func accept(_ stream: AgentStream) {
        stream.life = life
        server.accept(stream)
        wake()
    }

    func wake() { alarm?.set(after: host.stepTime) }

    private func step() {
        do {
            let goesOn = try server.step { stream in
                (stream as? AgentStream)?.hasNews ?? (stream as? LocalStream)?.hasNews ?? false
            } isPeerReady: { stream in
                (stream as? SimulatedPeerStream)?.hasNews ?? false
            }
            if !life.isAlive {
                host.agentDied("dies", inStep: true)
            } else if !goesOn {
                host.agentDied("ends")
            } else if let timeout = server.timeout {
                alarm?.set(after: max(timeout, host.stepTime))
            }
        } catch {
            host.world.counts.note("agent ended by an error")
            host.agentDied("ends by an error: \(error)", inStep: true)
        }
    }

    func end() {
        life.end()
        alarm?.stop()
        alarm = nil
        for (stream, _) in server.streams { stream.close() }
        host.peering.end(life)
        server.supervisorStream?.close()
    }
}

extension SimulatedHost {
    /// How long a process takes to notice something and to act upon it.
    var stepTime: Nanoseconds { 50_000 * slowness }

    func alarm(_ who: String, ring: @escaping () -> Void) -> Alarm {
        Alarm(world, ring: ring) { [self] in watch.fail("\(who) on \(name) spins") }
    }
}
