package import Model
import Ports

/// What each sweep may use of this host: what other people leave, divided among the sweeps of this user.
///
/// Those of a higher priority are served first, those of the same have equal parts. The supervisor starts programs by
/// these rules; coordinators are told, so that they give elsewhere what would only wait here.
extension AgentCore {
    /// How often is looked at what others use.
    package static let looks: Nanoseconds = 5_000_000_000

    /// Who has what cannot be divided changes so often.
    private static let turns: Nanoseconds = 3_600_000_000_000

    /// Less memory than this part of it is what a machine needs for itself.
    private static let ownShareOfMemory: Int64 = 8

    public var hasSweeps: Bool { !order.isEmpty }

    /// What this agent has of the machine, for those of other users.
    public func claim(user: String) -> SlotClaim {
        var (running, wanted) = (0, 0)
        for name in order {
            let begun = taken(by: name) { $0 == .running }
            // Of what the supervisor was given, so much may have begun by now.
            let room = max(0, min(slots(of: name), allowance(of: name)) - begun)
            running += begun + min(room, taken(by: name) { $0 == .queued })
            wanted += min(demand(of: name), slots(of: name))
        }
        let most = order.map { slots(of: $0) }.max() ?? host.cores
        return SlotClaim(user: user, running: running, wanted: min(max(running, wanted), most))
    }

    mutating func noteSurroundings(_ found: Surroundings, now: Nanoseconds) {
        let before = capacity
        surroundings = found
        hasLooked = true
        turn = Int(now / AgentCore.turns)
        // Runs of other users' sweeps are counted as such.
        let runs = found.claims.reduce(0) { $0 + $1.running }
        let busy = (max(0, found.busyThousandths) + 500) / 1_000 - runs
        busyCores.note(Int64(max(0, busy)), now: now)
        let unit = max(1, host.memoryBytes / 64)
        let memory = (max(0, found.memoryBytes) + unit - 1) / unit * unit
        usedMemory.note(memory > host.memoryBytes / AgentCore.ownShareOfMemory ? memory : 0, now: now)
        if capacity != before { tellCapacity() }
        for name in order {
            // While its setup is tried, nothing is said to it.
            guard let sweep = sweeps[name], sweep.connection != nil, sweep.nextHeartbeat < .max else { continue }
            if offer(to: name) != sweep.offer { sweeps[name]?.nextHeartbeat = now }
        }
    }

    mutating func set(_ terms: HostTerms, of sweep: String) {
        guard sweeps[sweep]?.terms != terms else { return }
        sweeps[sweep]?.terms = terms
        tellCapacity()
    }

    // MARK: What other people leave

    /// Slots that this user's runs may take, as far as a sweep's terms say.
    func allowance(of sweep: String) -> Int {
        let whole = max(host.cores, slots(of: sweep))
        let terms = sweeps[sweep]?.terms ?? HostTerms()
        guard terms.others != .ignore else { return whole }
        if awaitsLook(sweep) { return 0 }
        let left = whole - lostCores(of: sweep)
        let claims = surroundings.claims
        let part =
            terms.others == .yield
            ? left - claims.reduce(0) { $0 + $1.wanted }
            : EqualParts.part(of: left, others: claims.map(\.wanted), place: surroundings.place, turn: turn)
        // What others run they go on with, however much that is.
        return max(0, min(part, left - claims.reduce(0) { $0 + $1.running }))
    }

    /// Nothing is begun before it is known how busy the machine is: what is begun may take days.
    private func awaitsLook(_ sweep: String) -> Bool {
        host.watchesOthers && !hasLooked && sweeps[sweep]?.context.slots == nil
    }

    /// Those that programs of other people keep busy; who gave a number of slots wants so many.
    private func lostCores(of sweep: String) -> Int {
        guard let sweep = sweeps[sweep], sweep.context.slots == nil, sweep.terms.others != .ignore else { return 0 }
        return Int(busyCores.value)
    }

    private func lostMemory(of sweep: String) -> Int64 {
        guard let sweep = sweeps[sweep], sweep.context.memoryBytes == nil, sweep.terms.others != .ignore else {
            return 0
        }
        return usedMemory.value
    }

    /// Slots for all runs of this user.
    private var allowedSlots: Int { order.map { allowance(of: $0) }.max() ?? host.cores }

    /// What all sweeps may use together, and each of them.
    var capacity: SupervisorCommand {
        let shares = order.map { name in
            SweepSlots(
                sweep: name, slots: min(slots(of: name), allowance(of: name)),
                priority: sweeps[name]?.terms.priority ?? 0)
        }
        return .capacity(
            slots: allowedSlots, memoryBytes: order.map { leftMemory(of: $0) }.max() ?? host.memoryBytes,
            sweeps: shares)
    }

    private func leftMemory(of sweep: String) -> Int64 { max(0, memoryBytes(of: sweep) - lostMemory(of: sweep)) }

    // MARK: What each sweep has of it

    /// Slots that the runs of a sweep take that have not ended.
    private func demand(of sweep: String) -> Int {
        taken(by: sweep) { $0 != .collecting && $0 != .done }
    }

    private func taken(by sweep: String, in phases: (Work.Phase) -> Bool) -> Int {
        (sweeps[sweep]?.works ?? [:]).values.reduce(0) { sum, work in
            phases(work.phase) ? min(sum + max(1, work.entry.job.slots), 1 << 20) : sum
        }
    }

    /// What a sweep may use for now; nil: all that its coordinator counts on.
    func offer(to sweep: String) -> HostOffer? {
        let (whole, priority) = (slots(of: sweep), sweeps[sweep]?.terms.priority ?? 0)
        if awaitsLook(sweep) { return nil }
        let others = order.filter { $0 != sweep }.map { name in
            (name: name, priority: sweeps[name]?.terms.priority ?? 0, demand: demand(of: name))
        }.filter { $0.demand > 0 }
        let higher = others.filter { $0.priority > priority }.reduce(0) { $0 + $1.demand }
        let equals = others.filter { $0.priority == priority }
        let allowance = allowance(of: sweep)
        let before = order.prefix { $0 != sweep }
        let part = EqualParts.part(
            of: allowance - higher, others: equals.map(\.demand),
            place: equals.count { before.contains($0.name) }, turn: turn)
        let offered = min(whole, part)
        let memory = leftMemory(of: sweep)
        guard offered < whole || memory < memoryBytes(of: sweep) else { return nil }
        var reasons = why(sweep, isLess: min(whole, allowance) < whole)
        if offered < min(whole, allowance) {
            if higher > 0 { reasons.append("sweeps of yours with a higher priority are served first") }
            if !equals.isEmpty {
                reasons.append("shared with \(PeopleText.count(equals.count, "other sweep")) of yours")
            }
        }
        return HostOffer(slots: offered, memoryBytes: memory, reason: reasons.joined(separator: "; "))
    }

    /// Why other people leave less.
    private func why(_ sweep: String, isLess: Bool) -> [String] {
        var reasons: [String] = []
        let lost = min(lostCores(of: sweep), host.cores)
        if isLess, lost > 0 {
            let advice = lost < host.cores ? "" : " ('slots: \(host.cores)' or 'others: ignore' in the inventory uses "
                + "them anyway)"
            reasons.append(
                "other programs keep \(lost) of \(PeopleText.count(host.cores, "core")) busy\(advice)")
        }
        let claims = surroundings.claims.filter { max($0.running, $0.wanted) > 0 }
        if isLess, !claims.isEmpty {
            let shown = claims.map { "\($0.user) (\($0.running) running, \($0.wanted) wanted)" }
            reasons.append("shared with the sweeps of \(PeopleText.list(shown, atMost: 4))")
        }
        let memory = lostMemory(of: sweep)
        if memory > 0 { reasons.append("other programs take \(PeopleText.size(memory)) of memory") }
        return reasons
    }
}
