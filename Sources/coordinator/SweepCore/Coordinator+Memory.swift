import Model

/// Which runs a host has the memory for, where that is learned (``ReservedMemory``).
///
/// A host is handed out runs as long as what is reserved for all that it has is no more than what it offers. What does
/// not fit is passed over for what does, so that no slot is idle beside a large run. Small runs would then take every
/// piece of memory that becomes free, and a large one, which comes first because it takes long, would begin last of
/// all. So the host keeps memory for the first run that it passes over: from then on, others are handed out only as
/// far as that run has room as soon as the largest one ends that the host has. Nothing is kept idle while a large run
/// is at work, whose memory the next one gets. As many hosts do so as such runs wait, and no more.
extension Coordinator {
    /// What a host has left; nil: memory is not counted here.
    ///
    /// - Parameter ahead: how many runs it may hold beyond its slots; they take memory only later.
    func memoryLeft(on host: Int, slots: Int, ahead: Int) -> MemoryLeft? {
        guard state.memory.isLearned, !faults.contains(.packsBlindly), let offered = offeredMemory(by: host) else {
            return nil
        }
        let further = offered / Int64(max(1, slots)) * Int64(ahead)
        return MemoryLeft(
            free: offered + further - state.memory.ofHost[host], ahead: further, least: state.memory.least)
    }

    /// What that is good for.
    ///
    /// - Parameter ready: how many runs of each kind wait.
    func memoryRoom(on host: Int, _ left: MemoryLeft, ready: [Int]) -> MemoryRoom {
        let offered = offeredMemory(by: host) ?? 0
        return MemoryRoom(
            free: left.free, needs: ready.indices.map { need(of: $0, on: host, offered) },
            mayBeAwaited: ready.indices.map { ready[$0] > awaitingHosts[$0] }, awaited: links[host].awaited,
            largest: state.memory.largest(onHost: host))
    }

    /// What a run takes of a host's memory; nil: it is left to hosts with more. Where there are none, it gets all that
    /// a host has: what is reserved is a guess, which keeps no host out.
    private func need(of kind: Int, on host: Int, _ offered: Int64) -> Int64? {
        let bytes = state.memory.counted(kind)
        if bytes <= offered { return bytes }
        return offersAll(host) && offered >= largestOffer ? offered : nil
    }

    /// Whether the memory that a host has is not other people's for now.
    func offersAll(_ host: Int) -> Bool {
        offered(by: host)?.memoryBytes == links[host].joined?.arrival.memoryBytes
    }

    private func offeredMemory(by host: Int) -> Int64? {
        offered(by: host).map { ReservedMemory.counted($0.memoryBytes) }
    }

    /// Whether a host has the memory for a run just now. It does one at a time whatever that takes.
    ///
    /// - Parameter others: what it gets, too.
    func hasMemory(for run: RunNumber, on host: Int, beside others: [RunNumber] = []) -> Bool {
        guard state.memory.isLearned, let offered = offeredMemory(by: host) else { return true }
        let taken = (others + [run]).reduce(state.memory.ofHost[host]) {
            $0 + state.memory.counted(state.memoryKind(of: $1))
        }
        return taken <= offered || others.isEmpty && state.openRuns[host] == 0 && offersAll(host)
    }

    /// Whether it has the memory for any run.
    func hasMemory(_ host: Int) -> Bool {
        guard state.memory.isLearned, let offered = offeredMemory(by: host) else { return true }
        return state.memory.least <= offered - state.memory.ofHost[host] || state.openRuns[host] == 0
    }

    /// Whether a host has been given more than it offers by now.
    func hasTooMuch(_ host: Int) -> Bool {
        let slots = links[host].slots
        let ahead = ahead(slots: slots)
        if state.openRuns[host] > slots + ahead { return true }
        guard let left = memoryLeft(on: host, slots: slots, ahead: ahead) else { return false }
        return left.free < 0 && (state.openRuns[host] > 1 || !offersAll(host))
    }

    // MARK: What is kept

    mutating func keepMemory(on host: Int, for kind: Int?) {
        if let before = links[host].awaited { awaitingHosts[before] -= 1 }
        if let kind { awaitingHosts[kind] += 1 }
        links[host].awaited = kind
    }

    /// Looks at all hosts, now and then: those that nothing is begun on keep nothing for others.
    mutating func reviewMemory(_ now: Nanoseconds) {
        guard state.memory.isLearned else { return }
        largestOffer = 0
        for host in links.indices {
            if isUsable(host, now) {
                largestOffer = max(largestOffer, offeredMemory(by: host) ?? 0)
            } else {
                keepMemory(on: host, for: nil)
            }
        }
    }

    // MARK: Estimates

    /// What is reserved on average for a run that waits; nil: memory is not counted here, or nothing waits.
    var usualMemory: Int64? {
        guard state.memory.isLearned else { return nil }
        let ready = state.readyOfKinds
        let (count, sum) = ready.indices.reduce((0, 0.0)) {
            ($0.0 + ready[$1], $0.1 + Double(ready[$1]) * Double(state.memory.counted($1)))
        }
        return count > 0 ? max(1, Int64(sum / Double(count))) : nil
    }

    /// How many such runs a host does at a time.
    ///
    /// - Parameter usual: what they take on average.
    func usualSlots(of host: Int, _ usual: Int64?) -> Int {
        let slots = allowedSlots(of: host)
        guard let usual, let offered = offeredMemory(by: host) else { return slots }
        return min(slots, max(1, Int(offered / usual)))
    }

    /// How many runs a host can have at a time: where memory is short, those that it has, and as many more as it has
    /// memory for on average; 0: it is not there.
    public func slots(of host: Int) -> Int {
        guard let usual = usualMemory, let offered = offeredMemory(by: host) else { return links[host].slots }
        let more = max(0, offered - state.memory.ofHost[host]) / usual
        return min(links[host].slots, max(1, state.openRuns[host] + Int(more)))
    }
}

/// What a host has left of its memory.
struct MemoryLeft: Sendable {
    /// In bytes.
    var free: Int64
    /// Of these, what is for runs that it holds beyond its slots.
    var ahead: Int64
    /// What a run takes of the kind that takes least.
    var least: Int64

    /// Whether there is room for no run.
    var isUsedUp: Bool { free < least }
    /// Whether the host could run nothing more at once.
    var isBusy: Bool { free - ahead < least }
    /// Whether most of what it may hold beyond its slots is used.
    var isSmall: Bool { free * 4 < ahead }
}

/// The same by kinds of runs, while it is decided which ones the host is handed out.
struct MemoryRoom: Sendable {
    /// In bytes.
    var free: Int64
    /// Per kind of run, what one takes; nil: it is left to other hosts.
    var needs: [Int64?]
    /// Per kind of run, whether memory may be kept for one.
    var mayBeAwaited: [Bool]
    /// For which kind it is kept.
    var awaited: Int?
    /// What the largest run takes that the host has. One that is handed out while memory is kept for another kind does
    /// not count: it would always come first.
    var largest: Int64
    /// Whether a run of the awaited kind was seen to wait.
    var sawAwaited = false

    /// Whether it is of any use to look for runs of a kind: there is room, or their waiting matters.
    func isWanted(_ kind: Int) -> Bool {
        guard let need = needs[kind] else { return false }
        if awaited == kind { return !sawAwaited || need <= free }
        return awaited == nil && mayBeAwaited[kind] || need <= free && isUnneeded(need, by: kind)
    }

    /// Takes the memory for a run, if there is room.
    mutating func take(_ kind: Int) -> Bool {
        if awaited == kind { sawAwaited = true }
        guard let need = needs[kind] else { return false }
        if need <= free, isUnneeded(need, by: kind) {
            free -= need
            if awaited == nil || awaited == kind { (awaited, largest) = (nil, max(largest, need)) }
            return true
        }
        if awaited == nil, mayBeAwaited[kind] { (awaited, sawAwaited) = (kind, true) }
        return false
    }

    /// Whether so much is not kept for others.
    private func isUnneeded(_ bytes: Int64, by kind: Int) -> Bool {
        guard let awaited, awaited != kind, let need = needs[awaited] else { return true }
        return free - bytes + largest >= need
    }
}
