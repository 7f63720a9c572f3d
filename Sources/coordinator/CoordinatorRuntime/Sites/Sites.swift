import Formats
import Model
import Ports
import SweepCore

/// The Slurm clusters of an inventory: one stream to each login node, and over it a stream to each pilot's agent.
///
/// To the loop a pilot is a host like any other, whose stream is opened when a job runs for it. Used on the loop's
/// thread alone: what the transport tells comes through the inbox like everything else.
final class Sites {
    private struct Site {
        var core: SiteCore
        /// To log in with.
        let target: HostTarget
        /// Of the login node, which the compute nodes share.
        let workdir: String
        /// By pilot, from 0. Not all that the inventory has need be here.
        let hosts: [Int]
        /// The same pilots' numbers in the inventory, by which their jobs and folders go.
        let numbers: [Int]
        var link: GatewayLink?
        /// Whether its queue was ever seen.
        var isKnown = false
        /// Streams that wait for a job, by pilot.
        var waiting: [Int: BridgedConnection] = [:]
        /// By channel.
        var open: [Int: BridgedConnection] = [:]
    }

    private let sweepID: String
    private let agent: BroughtAgent
    private let transport: any Transport
    private let inbox: Inbox
    private var sites: [Site] = []
    /// The site of each host, and which of its pilots here the host is, from 1.
    private var places: [Int: (site: Int, pilot: Int)] = [:]
    private var generation = 0
    private var nextChannel = 1
    private var problems: [String] = []
    /// Decided, and sent when what it follows from is durable.
    private var decided: [(site: Int, request: GatewayRequest)] = []

    init(_ setting: Setting, _ transport: any Transport, _ inbox: Inbox) {
        sweepID = setting.sweepID
        agent = setting.agent
        self.transport = transport
        self.inbox = inbox
        for one in setting.hosts {
            guard let pilot = one.pilot, !sites.contains(where: { $0.core.site.name == pilot.site.name }) else {
                continue
            }
            var target = one.target
            target.name = pilot.site.name
            let hosts = setting.hosts.indices.filter { setting.hosts[$0].pilot?.site.name == pilot.site.name }
            for (index, host) in hosts.enumerated() { places[host] = (sites.count, index + 1) }
            sites.append(
                Site(
                    core: SiteCore(site: pilot.site, pilots: hosts.count), target: target, workdir: one.workdir,
                    hosts: hosts, numbers: hosts.compactMap { setting.hosts[$0].pilot?.number }))
        }
    }

    var isEmpty: Bool { sites.isEmpty }
    var count: Int { sites.count }
    func hosts(of site: Int) -> [Int] { sites[site].hosts }
    func wantsPacking(_ site: Int) -> Bool { sites[site].link?.wantsPacking ?? false }

    // MARK: Streams to pilots

    /// Begins a stream to the agent of a pilot; it opens when a job runs for it.
    func open(host: Int, observer: @escaping @Sendable (StreamEvent) -> Void, now: Nanoseconds) -> any Connection {
        guard let (site, pilot) = places[host] else { preconditionFailure("the host belongs to no cluster") }
        let connection = BridgedConnection(
            pilot: pilot, observer: observer,
            request: { [weak self] request in self?.send(request, to: site) },
            left: { [weak self] connection in self?.forget(connection, site) })
        sites[site].waiting[pilot] = connection
        if sites[site].link == nil { connect(site, now) }
        if let job = sites[site].core.runningJob(of: pilot) { begin(connection, job, site) }
        return connection
    }

    private func begin(_ connection: BridgedConnection, _ job: String, _ site: Int) {
        guard sites[site].link?.isStreaming == true else { return }
        sites[site].waiting[connection.pilot] = nil
        sites[site].open[nextChannel] = connection
        nextChannel += 1
        let folder = folder(ofPilot: connection.pilot, site)
        connection.begin(nextChannel - 1, job: job, folder: folder, sites[site].core.site.bridge)
    }

    private func forget(_ connection: BridgedConnection, _ site: Int) {
        if let channel = connection.channel { sites[site].open[channel] = nil }
        if sites[site].waiting[connection.pilot] === connection { sites[site].waiting[connection.pilot] = nil }
    }

    private var folderOfSweep: String { "pilots/\(sweepID)" }
    private func folder(ofPilot pilot: Int, _ site: Int) -> String {
        "\(folderOfSweep)/\(sites[site].numbers[pilot - 1])"
    }
    private var namesOfJobs: String { "\(sweepID)." }

    // MARK: The gateway

    private func connect(_ site: Int, _ now: Nanoseconds) {
        generation += 1
        let stream = generation
        let opened = BootstrappedStream(
            generation: stream, Bootstrap(agent: agent, workdir: sites[site].workdir, .gateway),
            open: { transport.open(sites[site].target, command: HostScript.command, observer: $0) },
            deliver: { [inbox] event in inbox.put(.gateway(site: site, generation: stream, event)) })
        sites[site].link = GatewayLink(opened, now: now)
    }

    private func send(_ request: GatewayRequest, to site: Int) {
        do throws(WireError) { try sites[site].link?.send(request) } catch {
            // Nobody sends so much in one request; the stream is of no use without it.
            drop(site, StreamEnd(kind: .unreachable, message: "\(name(site)): \(error.message)."))
        }
    }

    private func name(_ site: Int) -> String { sites[site].core.site.name }

    /// The stream to a login node is over, and with it those to the pilots. Their jobs go on.
    private func drop(_ site: Int, _ end: StreamEnd) {
        sites[site].link?.connection.close()
        sites[site].link = nil
        sites[site].core.lostGateway()
        let connections = sites[site].waiting.values.sorted { $0.pilot < $1.pilot }
            + sites[site].open.sorted { $0.key < $1.key }.map(\.value)
        sites[site].waiting = [:]
        sites[site].open = [:]
        for connection in connections { connection.end(end) }
    }

    /// Streams on which nothing comes.
    func dropOverdue(now: Nanoseconds) {
        for site in sites.indices {
            guard let reason = sites[site].link?.overdue(now: now) else { continue }
            drop(site, StreamEnd(kind: .unreachable, message: "\(name(site)): \(reason)."))
        }
    }

    /// Something came on the stream to a login node.
    func take(_ site: Int, _ stream: Int, _ event: StreamEvent, now: Nanoseconds) -> [Event] {
        guard sites[site].link?.generation == stream else { return [] }
        sites[site].link?.took(event)
        switch event {
        case .opened: sites[site].link?.opened(now: now)
        case .noted: break
        case .diagnostic(let bytes):
            do throws(Failure) { try sites[site].link?.note(diagnostic: bytes) } catch { drop(site, after: error) }
        case .closed(let seen):
            let said = sites[site].link?.diagnostics ?? ""
            let end = sites[site].link?.meaning(of: seen) ?? seen
            drop(site, StreamEnd(kind: end.kind, message: end.message + (said.isEmpty ? "" : " (it said: \(said))")))
            return []
        case .received(let bytes): return receive(site, bytes, now)
        }
        return progress(site)
    }

    /// Something moves on the way to a cluster: as to any other host, it is waited for.
    private func progress(_ site: Int) -> [Event] { sites[site].hosts.prefix(1).map { .progress(host: $0) } }

    private func receive(_ site: Int, _ bytes: [UInt8], _ now: Nanoseconds) -> [Event] {
        var events: [Event] = []
        do {
            guard let (reports, isNew) = try sites[site].link?.receive(bytes, now: now) else { return [] }
            if isNew {
                let poll = Int(sites[site].core.site.poll / 1_000_000)
                send(.watch(names: namesOfJobs, milliseconds: poll), to: site)
            }
            events = progress(site)
            for report in reports { events += try self.events(of: report, site, now) }
        } catch {
            drop(site, after: error)
        }
        return events
    }

    /// What the login node lacks may be repaired: it is tried again like a host that cannot be reached. A gateway that
    /// sends what makes no sense would do so again.
    private func drop(_ site: Int, after error: any Error) {
        let failure = error as? Failure
        let isRepairable = failure?.code == .noHost
        let reason = failure?.description ?? "its gateway sent a message that is not valid: \(error)"
        drop(
            site, StreamEnd(kind: isRepairable ? .unreachable : .misconfigured, message: "\(name(site)): \(reason)."))
    }

    private func events(of report: GatewayReport, _ site: Int, _ now: Nanoseconds) throws(Failure) -> [Event] {
        switch report {
        case .queue(let jobs):
            sites[site].isKnown = true
            let own = jobs.compactMap { job in pilot(of: job.name, site).map { (pilot: $0, job: job) } }
            return sites[site].core.see(own, now: now).flatMap { events(of: $0, site, now) }
        case .blind(let problem): noteBlind(site, problem)
        // Where Slurm was seen before, it is being installed anew, or its folder is away.
        case .missing(let program) where sites[site].isKnown:
            noteBlind(site, "there is no program \(VisibleText.of(program, limit: 80)) in its PATH")
        case .missing(let program):
            let login = sites[site].target.address ?? name(site)
            drop(
                site, StreamEnd(
                    kind: .misconfigured, message: "\(name(site)): \(login) has no Slurm: there is no program "
                        + "\(VisibleText.of(program, limit: 80)) in the PATH of a login. Name the cluster's login node "
                        + "in the inventory (slurm: {login: HOST}), or add Slurm's folder to PATH in ~/.bashrc there; "
                        + "then check it: usweep doctor -i INVENTORY"))
        case .submitted(let job, let id, let problem):
            guard let pilot = pilot(of: job, site) else { return [] }
            return sites[site].core.submitted(pilot, job: id, problem: problem, now: now)
                .flatMap { events(of: $0, site, now) }
        case .data(let channel, let bytes): try sites[site].open[channel]?.receive(bytes)
        case .credit(let channel, let count): sites[site].open[channel]?.take(credit: count)
        case .closed(let channel, let reason):
            let connection = sites[site].open.removeValue(forKey: channel)
            let message = "its stream through \(name(site)) ended: \(reason)."
            connection?.end(StreamEnd(kind: .unreachable, message: message))
        case .left(let folder):
            problems.append(
                "\(name(site)): some of its jobs have not ended yet; look there: squeue --me. When they have, "
                    + "\(VisibleText.of(folder, limit: 400)) may be removed")
        }
        return []
    }

    /// The queue cannot be seen now: who waits for a job is told, and asks again.
    private func noteBlind(_ site: Int, _ problem: String) {
        let waiting = sites[site].waiting.values.sorted { $0.pilot < $1.pilot }
        sites[site].waiting = [:]
        let end = StreamEnd(kind: .unreachable, message: "the queue of \(name(site)) cannot be read: \(problem)")
        for connection in waiting { connection.end(end) }
    }

    private func pilot(of job: String, _ site: Int) -> Int? {
        guard job.hasPrefix(namesOfJobs), let number = Int(job.dropFirst(namesOfJobs.count)) else { return nil }
        return sites[site].numbers.firstIndex(of: number).map { $0 + 1 }
    }

    private func events(of news: SiteCore.News, _ site: Int, _ now: Nanoseconds) -> [Event] {
        let hosts = sites[site].hosts
        switch news {
        case .waits(let pilot, let reason): return [.pilotWaits(host: hosts[pilot - 1], reason: reason)]
        case .runs(let pilot, let job, let left):
            if let connection = sites[site].waiting[pilot] { begin(connection, job, site) }
            guard let left else { return [] }
            return [.leaves(host: hosts[pilot - 1], at: now.addingCapped(Nanoseconds(left) * Timing.second))]
        case .gone(let pilot, let end, let reason):
            let event = Event.pilotEnded(host: hosts[pilot - 1], meaning(of: end, site), reason: reason)
            guard let pause = sites[site].core.pause else { return [event] }
            return [event, .pilotGivenUp(host: hosts[pilot - 1], reason: pause)]
        case .paused(let reason):
            problems.append("\(name(site)): no more jobs are submitted: \(reason)")
            let live = sites[site].core.livePilots
            return hosts.indices.filter { !live.contains($0 + 1) }.map {
                .pilotGivenUp(host: hosts[$0], reason: reason)
            }
        }
    }

    private func meaning(of end: SlurmJob.End?, _ site: Int) -> Coordinator.PilotEnd {
        switch end {
        case .walltime: .walltime(sites[site].core.site.time)
        case .memory, .nodeFailed, .failed: .doubtful
        case .completed, .cancelled, .preempted, nil: .blameless
        }
    }

    /// What people should know of clusters, told once.
    func takeProblems() -> [String] {
        defer { problems = [] }
        return problems
    }

    // MARK: What follows

    /// Decides what jobs to submit and to end; ``sendDecided()`` does it.
    ///
    /// - Returns: what follows for the pilots.
    func act(_ site: Int, _ demand: SiteCore.Demand, now: Nanoseconds) -> [Event] {
        guard sites[site].link?.isStreaming == true else { return [] }
        for (index, pilot) in demand.pilots.enumerated() where pilot.isJoined { sites[site].core.joined(index + 1) }
        var news: [SiteCore.News] = []
        for action in sites[site].core.actions(demand, now: now, &news) {
            switch action {
            case .cancel(let jobs): decided.append((site, .cancel(jobs: jobs)))
            case .submit(let pilot, let excluded):
                let submission = GatewaySubmission(
                    name: "\(namesOfJobs)\(sites[site].numbers[pilot - 1])",
                    arguments: sites[site].core.site.submission(excluding: excluded),
                    folder: folder(ofPilot: pilot, site), bridge: sites[site].core.site.bridge)
                decided.append((site, .submit(submission)))
            }
        }
        return news.flatMap { events(of: $0, site, now) }
    }

    func sendDecided() {
        for (site, request) in decided { send(request, to: site) }
        decided = []
    }

    /// Nothing is left to do: all jobs end, and what they left on the shared folder goes.
    ///
    /// - Returns: the sites whose gateways are at it; each ends its stream when it is done.
    func finish() -> [Int] {
        sites.indices.filter { site in
            let jobs = sites[site].core.finish()
            guard sites[site].link?.isStreaming == true else {
                if jobs.isEmpty { return false }
                problems.append(
                    "\(name(site)): its login node cannot be reached, so its jobs were not cancelled; cancel them "
                        + "there: scancel \(jobs.joined(separator: " "))")
                return false
            }
            send(.finish(jobs: jobs, folder: folderOfSweep), to: site)
            return true
        }
    }

    /// Nobody waits any longer for the ends of jobs.
    func giveUp(_ site: Int) {
        problems.append("\(name(site)): it is not known whether its jobs have ended; look there: squeue --me")
    }
}
