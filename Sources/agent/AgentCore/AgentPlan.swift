import Formats
public import Model
public import Ports

extension AgentCore {
    /// The shell text's place is the environment: nothing that comes from elsewhere is ever part of a command line.
    /// A setup that fails leaves the program without what it needs, which may give wrong numbers: it is not started.
    static let setupScript =
        "_usweep_folder=$PWD; eval \"$\(setupVariable)\" || { echo \"\(HostSetup.failure) $?\" >&2; exit 113; }; "
        // Setups change into the folders of tools; a run starts in its own.
        + "cd \"$_usweep_folder\" || exit 113; exec \"$@\""

    /// No axis has it: theirs begin with USWEEP_.
    package static let setupVariable = "_USWEEP_SETUP"

    /// How far behind a run whose inputs are on their way others are looked at.
    private static let lookahead = 64

    /// Everything that is to be done now.
    public mutating func effects(now: Nanoseconds) -> [AgentEffect] {
        if supervisorIsReady { fillWindow() }
        confirmReleases()
        for (connection, message) in objects.wants() { pending.append(.send(connection, message)) }
        noteNews()
        for name in order {
            flushStarted(name)
            announce(name)
            guard let sweep = sweeps[name], let connection = sweep.connection, now >= sweep.nextHeartbeat else {
                continue
            }
            sweeps[name]?.nextHeartbeat = now + sweep.heartbeatPeriod
            let offer = offer(to: name)
            sweeps[name]?.offer = offer
            pending.append(.heartbeat(connection, running: inFlight, waiting: sweep.queue.count, offer))
        }
        defer { pending.removeAll() }
        return pending
    }

    /// When ``effects(now:)`` has something to do though nothing happened.
    public var nextDeadline: Nanoseconds? {
        order.compactMap { name in
            sweeps[name].flatMap { $0.connection == nil ? nil : $0.nextHeartbeat }
        }.min()
    }

    /// Attempts that the supervisor was given and that did not end, by sweep and lease.
    public var runningAttempts: [AttemptKey] {
        order.flatMap { name in
            (sweeps[name]?.works ?? [:]).sorted { $0.key < $1.key }.compactMap { key, work in
                work.phase == .queued || work.phase == .running
                    ? AttemptKey(sweep: name, id: key.id(work.attempt)) : nil
            }
        }
    }

    /// Whether it has ends of attempts that no coordinator has acknowledged, or is about to.
    public var holdsOutcomes: Bool {
        order.contains { name in
            guard let sweep = sweeps[name] else { return false }
            return !sweep.unacknowledged.isEmpty || sweep.works.values.contains { $0.phase == .collecting }
        }
    }

    /// The attempts that are under way and have an object as an input, with its name in each.
    package func attempts(with digest: Digest) -> [(key: AttemptKey, path: String)] {
        order.flatMap { name in
            (sweeps[name]?.works ?? [:]).filter { $0.value.isInFlight || $0.value.phase == .collecting }
                .sorted { $0.key < $1.key }.flatMap { key, work in
                    full(work.entry.job).inputs.filter { $0.digest == digest }.map { input in
                        (AttemptKey(sweep: name, id: key.id(work.attempt)), input.path)
                    }
                }
        }
    }

    /// Prepares attempts, a sweep in turn, until enough stand ready.
    private mutating func fillWindow() {
        var isExhausted = false
        while inFlight < window, !isExhausted {
            isExhausted = true
            for name in order where inFlight < window {
                if prepareNext(of: name) { isExhausted = false }
            }
        }
    }

    private mutating func prepareNext(of name: String) -> Bool {
        // What is changed below is not held in a copy: that would cost a copy of all that waits.
        var index = 0
        while index < AgentCore.lookahead, let key = sweeps[name]?.queue.key(at: index) {
            guard let work = sweeps[name]?.works[key], work.phase == .waiting else {
                sweeps[name]?.queue.remove(at: index)
                return true
            }
            if work.isCancelled {
                sweeps[name]?.queue.remove(at: index)
                cancelledBeforeStart(name, key)
                return true
            }
            guard sweeps[name]?.isConfirmed == true, sweeps[name]?.isTryingSetup == false else {
                index += 1
                continue
            }
            switch inputs(of: work.entry.job, name, sweeps[name]?.connection) {
            case .here:
                sweeps[name]?.queue.remove(at: index)
                sweeps[name]?.works[key]?.phase = .preparing
                inFlight += 1
                pending.append(.prepare(AttemptKey(sweep: name, id: key.id(work.attempt)), full(work.entry.job)))
                return true
            case .impossible(let failure, let reason):
                sweeps[name]?.queue.remove(at: index)
                sweeps[name]?.works[key]?.phase = .preparing
                inFlight += 1
                notPrepared(AttemptKey(sweep: name, id: key.id(work.attempt)), failure, reason)
                return true
            case .onTheirWay: index += 1
            }
        }
        return false
    }

    private enum Inputs {
        case here, onTheirWay
        case impossible(FailureClass, String)
    }

    private mutating func inputs(of job: Job, _ sweep: String, _ connection: Int?) -> Inputs {
        if let list = job.inputList {
            let isHere = need([Job.Input(path: "", digest: list.digest, size: list.size)], sweep, connection)
            guard case .here = isHere else { return isHere }
            guard lists[list.digest] != nil else {
                pending.append(.list(list.digest))
                return .onTheirWay
            }
        }
        return need(full(job).inputs, sweep, connection)
    }

    private mutating func need(_ inputs: [Job.Input], _ sweep: String, _ connection: Int?) -> Inputs {
        var missing = 0
        for input in inputs {
            switch objects.need(input.digest, size: input.size, from: connection) {
            case .held:
                noteHeld(input.digest, sweep, connection)
                continue
            case .locate: pending.append(.locate(input.digest))
            case .awaited: break
            case .impossible(let failure, let reason): return .impossible(failure, reason)
            case .made(let parts, let making, let connection):
                let isHere = need(parts, sweep, connection)
                if case .impossible = isHere { return isHere }
                if case .here = isHere { make(input.digest, making) }
            }
            missing += 1
            // Of thousands, a few at a time: the next turn goes on.
            if missing == AgentCore.mostMissing { break }
        }
        return missing == 0 ? .here : .onTheirWay
    }

    private mutating func make(_ object: Digest, _ making: ObjectDemand.Making) {
        objects.begin(object)
        switch making {
        case .read(let map): pending.append(.readMap(object: object, map: map))
        case .unpack(let map): pending.append(.unpack(object: object, map: map))
        }
    }

    /// Inputs of one run that are looked for at a time.
    private static let mostMissing = 64

    // MARK: Launching

    /// The program of an attempt, complete.
    func launch(_ key: AttemptKey, _ job: Job) -> Launch {
        let (context, terms) = (sweeps[key.sweep]?.context, sweeps[key.sweep]?.terms ?? HostTerms())
        let job = job.filled(run: key.id.run, attempt: key.id.attempt)
        let folder = "\(host.attempts)/\(key.folder)"
        var arguments = job.arguments.map { argument in
            switch argument {
            case .text(let text): text
            case .engine: context?.enginePath ?? ""
            case .agent: host.program
            case .joined(let pieces): pieces.text(run: key.id.run, attempt: key.id.attempt)
            }
        }
        var environment = job.environment
        environment.append(EnvironmentVariable("USWEEP_RUN", String(key.id.run)))
        environment.append(EnvironmentVariable("USWEEP_ATTEMPT", String(key.id.attempt)))
        environment.append(EnvironmentVariable("USWEEP_POINT_FILE", "\(folder)/point.json"))
        if let setup = context?.setup, !setup.isEmpty {
            arguments = ["/bin/sh", "-c", AgentCore.setupScript, "sh"] + arguments
            environment.append(EnvironmentVariable(AgentCore.setupVariable, setup))
        }
        return Launch(
            arguments: arguments, environment: environment, folder: folder, timeLimit: job.limits.time,
            stallLimit: job.limits.stall, memoryBytes: job.limits.memoryBytes ?? 0,
            slots: job.slots, shares: job.shares, nice: terms.nice, binding: terms.binding,
            folderLimit: job.limits.output.map { job.withInputs($0) },
            kept: job.artifacts.most.map { most in
                var rule = job.artifacts
                rule.most = job.withInputs(most)
                return rule
            })
    }
}

extension Job {
    /// What its folder may hold where so many bytes may be left in it.
    fileprivate func withInputs(_ bytes: Int64) -> Int64 { inputs.reduce(bytes) { $0.addingCapped($1.size) } }
}
