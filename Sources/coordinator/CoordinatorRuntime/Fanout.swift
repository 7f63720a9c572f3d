import Formats
import Model

/// From where each host gets the objects that it asks for, where hosts give them to one another.
///
/// Level-triggered: it is decided by what hosts said that they have, what they ask for, and what is under way. An
/// object that nobody has goes to one host from here, the rarest first and different ones to different hosts, and the
/// others wait for it, but never long; one that somebody has comes from there, as far as that host is not busy.
/// Whoever cannot be served so is served from here.
struct Fanout: Sendable {
    /// Objects that go to hosts from here at a time, as long as all of them go on well; and at most.
    static let mostAtOnce = 4
    static let mostInAll = 16
    /// Objects that one host gives at a time, when it has shown that it can.
    static let mostGiven = 4
    /// Objects of which it is known who has them; no sweep has so many.
    private static let mostKnown = 1 << 20
    /// How long a host waits for another one before it is served from here.
    static let patience: Nanoseconds = 5_000_000_000
    /// A host to which bytes of an object have not gone for so long has stopped to ask.
    private static let pause: Nanoseconds = 10_000_000_000
    /// What is slower is slow, whatever the others do.
    private static let slowest: Int64 = 64 << 10
    private static let fast: Int64 = 4 << 20
    /// So many failures in a row, of one host with several others, are its own.
    private static let mostFailures = 3
    private static let firstPause: Nanoseconds = 10_000_000_000
    private static let longestPause: Nanoseconds = 300_000_000_000

    enum Effect: Sendable, Hashable {
        /// These pieces are sent from here.
        case serve(Int, [ObjectRange])
        case redirect(Int, ObjectSource)
    }

    /// A bug that the simulation switches on: a host from which nothing came is asked again and again.
    var forgetsFailures = false

    private struct Peer {
        var place: SharingPlace
        /// What it gives, and how much of that at a time.
        var giving = 0
        var most = 1
        /// How long an object took from it; nil: none has come yet.
        var span: Nanoseconds?
        /// In a row: others that could not get something from it, and it from others.
        var failures = 0
        var misses = 0
        var pausedUntil = Nanoseconds.min
        var isAloneUntil = Nanoseconds.min
        var doubts = 0
        /// It gave wrong bytes.
        var isBlamed = false
        /// What it asked for and is not decided, or not at its end: pieces that wait, and objects.
        var held = 0
    }

    private enum Way {
        case waiting
        case here(lastAsked: Nanoseconds, bytes: Int64)
        case from(Int)
    }

    private struct Want {
        var since: Nanoseconds
        var ranges: [ObjectRange] = []
        var way = Way.waiting
    }

    private struct Key: Hashable {
        var host: Int
        var digest: Digest
    }

    private struct Pair: Hashable {
        var asker: Int
        var giver: Int
    }

    private var peers: [Int: Peer] = [:]
    /// By object, in the order in which they said so.
    private var holders: [Digest: [Int]] = [:]
    private var wants: [Key: Want] = [:]
    /// What is asked for, in the order in which it was.
    private var order: [Key] = []
    private var pauses: [Pair: (failures: Int, until: Nanoseconds)] = [:]
    /// Objects that are made of others: word of that comes from here, at once.
    private var packed: Set<Digest> = []
    /// Bytes per second that go to hosts from here, and what went since when for the next look.
    private var rate: Int64 = 0
    private var bytes: Int64 = 0
    private var lookedAt: Nanoseconds = 0
    private var decidedAt: Nanoseconds = 0
    /// Objects that came to hosts from other hosts.
    private(set) var given = 0
    /// Whether something happened since the last decision.
    private var isChanged = false

    /// Whether a host waits for what others are to have.
    var isWaiting: Bool { !order.isEmpty }

    /// Whether a host gives objects to others, and gets them from others.
    func shares(_ host: Int) -> Bool { peers[host] != nil }

    /// What a host makes this remember: pieces that it waits for, and objects that it asked for.
    func held(by host: Int) -> Int { peers[host]?.held ?? 0 }

    // MARK: In

    mutating func joins(_ host: Int, at place: SharingPlace) {
        forget(host)
        peers[host] = Peer(place: place)
        isChanged = true
    }

    /// The stream to a host is no more.
    mutating func forget(_ host: Int) {
        for key in order where key.host == host { settle(key) }
        guard peers.removeValue(forKey: host) != nil else { return }
        for digest in holders.keys { holders[digest]?.removeAll { $0 == host } }
        // Who gets something from it tells by itself that it does not come any more.
        isChanged = true
    }

    mutating func holds(_ host: Int, _ digests: [Digest], now: Nanoseconds) {
        guard peers[host] != nil else { return }
        for digest in digests where holders[digest] != nil || holders.count < Fanout.mostKnown {
            if holders[digest]?.contains(host) != true { holders[digest, default: []].append(host) }
            let key = Key(host: host, digest: digest)
            if case .from(let giver) = wants[key]?.way { gave(giver, to: host, in: now - (wants[key]?.since ?? now)) }
            settle(key)
        }
        isChanged = true
    }

    /// - Returns: whether the piece is sent at once.
    mutating func ask(_ range: ObjectRange, by host: Int, now: Nanoseconds) -> Bool {
        guard let peer = peers[host], !packed.contains(range.digest) else { return true }
        let key = Key(host: host, digest: range.digest)
        switch wants[key]?.way {
        case nil:
            let isAlone = now < peer.isAloneUntil
            wants[key] = Want(
                since: now, ranges: isAlone ? [] : [range], way: isAlone ? .here(lastAsked: now, bytes: 0) : .waiting)
            order.append(key)
            peers[host]?.held += isAlone ? 1 : 2
            isChanged = true
            return isAlone
        case .waiting:
            wants[key]?.ranges.append(range)
            peers[host]?.held += 1
            return false
        case .here(_, let before):
            wants[key]?.way = .here(lastAsked: now, bytes: before + Int64(range.length))
            bytes += Int64(range.length)
            return true
        // Asked for before it heard where it is to be had.
        case .from: return false
        }
    }

    /// A host was told that an object is made of others: these are what goes from host to host.
    mutating func isPacked(_ digest: Digest, at host: Int) {
        packed.insert(digest)
        settle(Key(host: host, digest: digest))
        isChanged = true
    }

    /// What was to come from another host did not.
    ///
    /// - Returns: the host that gives nothing any more because of that.
    mutating func unreached(_ failure: SourceFailure, by host: Int, now: Nanoseconds) -> Int? {
        isChanged = true
        let key = Key(host: host, digest: failure.digest)
        let giver = peers.keys.sorted().first { peers[$0]?.place == failure.place }
        if case .from(let current) = wants[key]?.way, current == giver || giver == nil { settle(key) }
        guard let giver, giver != host else { return nil }
        switch failure.kind {
        case .abandoned: break
        case .absent: holders[failure.digest]?.removeAll { $0 == giver }
        case .wrong:
            holders[failure.digest]?.removeAll { $0 == giver }
            return blame(giver)
        case .doubtful:
            peers[giver]?.doubts += 1
            fails(giver, host, now)
            return peers[giver]?.doubts ?? 0 >= Fanout.mostFailures ? blame(giver) : nil
        case .unreachable, .refused, .stalled: fails(giver, host, now)
        }
        return nil
    }

    private mutating func blame(_ giver: Int) -> Int? {
        guard peers[giver]?.isBlamed == false else { return nil }
        peers[giver]?.isBlamed = true
        return giver
    }

    private mutating func fails(_ giver: Int, _ asker: Int, _ now: Nanoseconds) {
        if forgetsFailures { return }
        let pair = Pair(asker: asker, giver: giver)
        let failures = min(5, (pauses[pair]?.failures ?? 0) + 1)
        pauses[pair] = (failures, now + min(Fanout.longestPause, Fanout.firstPause << Int64(failures - 1)))
        peers[giver]?.most = 1
        peers[giver]?.failures += 1
        peers[asker]?.misses += 1
        let end = now + 6 * Fanout.firstPause
        if peers[giver]?.failures ?? 0 >= Fanout.mostFailures { peers[giver]?.pausedUntil = end }
        if peers[asker]?.misses ?? 0 >= Fanout.mostFailures { peers[asker]?.isAloneUntil = end }
    }

    private mutating func gave(_ giver: Int, to asker: Int, in span: Nanoseconds) {
        given += 1
        pauses[Pair(asker: asker, giver: giver)] = nil
        peers[asker]?.misses = 0
        guard var peer = peers[giver] else { return }
        peer.failures = 0
        peer.most = min(Fanout.mostGiven, peer.most + 1)
        peer.span = peer.span.map { ($0 * 3 + span) / 4 } ?? span
        peers[giver] = peer
    }

    /// It gives one object less. Of a host that came anew meanwhile, none may be known.
    private mutating func spare(_ giver: Int) {
        if let giving = peers[giver]?.giving { peers[giver]?.giving = max(0, giving - 1) }
    }

    /// What a host asked for is decided no more.
    private mutating func settle(_ key: Key) {
        guard let want = wants.removeValue(forKey: key) else { return }
        if case .from(let giver) = want.way { spare(giver) }
        peers[key.host]?.held -= 1 + want.ranges.count
        order.removeAll { $0 == key }
    }

    // MARK: Out

    /// What is to be done now. To be asked again at the latest 100 ms later while something waits.
    mutating func decide(now: Nanoseconds) -> [Effect] {
        // With very many hosts not for each piece of news.
        let hasNews = isChanged && (order.count < 2_000 || now - decidedAt >= 50_000_000)
        guard hasNews || now - decidedAt >= 100_000_000, !order.isEmpty else { return [] }
        isChanged = false
        decidedAt = now
        measure(now)
        // Who has not asked on for so long, and did not say that it has all, has given it up.
        for key in order {
            if case .here(let last, _)? = wants[key]?.way, now - last > 6 * Fanout.pause { settle(key) }
        }
        var effects: [Effect] = []
        for key in order {
            guard case .from(let giver)? = wants[key]?.way, let effect = hurry(key, giver, now) else { continue }
            effects.append(effect)
        }
        // The rarest first; what is asked for at the same time, in turn by host.
        var left = order.filter { if case .waiting = wants[$0]?.way { true } else { false } }
        let serving = servings(now)
        var copies: [Digest: Int] = [:]
        for key in left { copies[key.digest] = holders[key.digest]?.count ?? 0 }
        for key in serving { copies[key.digest, default: holders[key.digest]?.count ?? 0] += 1 }
        left = left.enumerated().sorted { one, other in
            (copies[one.element.digest] ?? 0, one.offset) < (copies[other.element.digest] ?? 0, other.offset)
        }.map(\.element)
        for key in left {
            if let effect = redirect(key, now) { effects.append(effect) }
        }
        left.removeAll { if case .waiting = wants[$0]?.way { false } else { true } }
        return effects + serve(left, copies, serving, now)
    }

    private mutating func measure(_ now: Nanoseconds) {
        let time = now - lookedAt
        guard time >= 100_000_000 else { return }
        let measured = Int64(Double(bytes) * 1e9 / Double(time))
        rate = time > 5_000_000_000 ? measured : (rate * 3 + measured) / 4
        (bytes, lookedAt) = (0, now)
    }

    /// What goes to hosts from here, and goes on.
    private func servings(_ now: Nanoseconds) -> [Key] {
        order.filter { key in
            guard case .here(let last, _)? = wants[key]?.way else { return false }
            return now - last < Fanout.pause
        }
    }

    /// Whether a host takes what is sent to it far slower than its share of what others take.
    private func isSlow(_ key: Key, among count: Int, _ now: Nanoseconds) -> Bool {
        guard let want = wants[key], case .here(_, let bytes) = want.way else { return false }
        let fair = max(Fanout.slowest, min(Fanout.fast, rate / Int64(4 * max(1, count))))
        return now - want.since > 2_000_000_000 + Int64(Double(bytes) / Double(fair) * 1e9)
    }

    /// Hosts that have an object and can give it to another.
    private func givers(_ key: Key, _ now: Nanoseconds) -> [Int] {
        (holders[key.digest] ?? []).filter { giver in
            guard giver != key.host, let peer = peers[giver] else { return false }
            let until = max(peer.pausedUntil, pauses[Pair(asker: key.host, giver: giver)]?.until ?? .min)
            return now >= until && !peer.isBlamed
        }
    }

    private mutating func redirect(_ key: Key, _ now: Nanoseconds) -> Effect? {
        guard now >= peers[key.host]?.isAloneUntil ?? .min, !packed.contains(key.digest) else { return nil }
        let all = givers(key, now)
        let fastest = all.compactMap { peers[$0]?.span }.min() ?? 0
        let free = all.filter { giver in
            guard let peer = peers[giver], peer.giving < peer.most else { return false }
            // What is far slower than another is better waited for.
            return fastest == 0 || (peer.span ?? fastest) <= max(8 * fastest, 500_000_000)
        }
        let costs = free.map { giver in Int64(1 + (peers[giver]?.giving ?? 0)) * (peers[giver]?.span ?? fastest) }
        guard let best = costs.indices.min(by: { (costs[$0], $0) < (costs[$1], $1) }) else { return nil }
        return send(key, to: free[best], now)
    }

    private mutating func send(_ key: Key, to giver: Int, _ now: Nanoseconds) -> Effect? {
        guard let place = peers[giver]?.place else { return nil }
        peers[key.host]?.held -= wants[key]?.ranges.count ?? 0
        wants[key] = Want(since: now, way: .from(giver))
        peers[giver]?.giving += 1
        return .redirect(key.host, ObjectSource(digest: key.digest, place: place))
    }

    /// What comes far slower than others give goes on from one of these.
    private mutating func hurry(_ key: Key, _ giver: Int, _ now: Nanoseconds) -> Effect? {
        let time = now - (wants[key]?.since ?? now)
        guard time > Fanout.patience else { return nil }
        let others = givers(key, now).filter { other in
            guard other != giver, let peer = peers[other], let span = peer.span else { return false }
            return peer.giving < peer.most && 8 * span < time
        }
        guard let other = others.first else { return nil }
        spare(giver)
        let span = peers[giver]?.span ?? 0
        peers[giver]?.most = 1
        peers[giver]?.span = max(time, span)
        return send(key, to: other, now)
    }

    /// What goes from here, of what nobody else can give now.
    private mutating func serve(
        _ left: [Key], _ copies: [Digest: Int], _ serving: [Key], _ now: Nanoseconds
    ) -> [Effect] {
        var effects: [Effect] = []
        var (left, copies, all) = (left, copies, serving)
        var byHost = all.reduce(into: [Int: Int]()) { $0[$1.host, default: 0] += 1 }
        while true {
            let well = all.count { !isSlow($0, among: all.count, now) }
            let isFull = all.count >= Fanout.mostInAll || well >= Fanout.mostAtOnce
            // In the order of rarity; of one rarity, to whom least is under way.
            var best: (index: Int, rank: (Int, Int))?
            for (index, key) in left.enumerated() where mustServe(key, among: all, isFull: isFull, now) {
                let rank = (copies[key.digest] ?? 0, byHost[key.host] ?? 0)
                if best.map({ rank < $0.rank }) ?? true { best = (index, rank) }
            }
            guard let best else { return effects }
            let key = left.remove(at: best.index)
            let ranges = wants[key]?.ranges ?? []
            let length = ranges.reduce(0) { $0 + Int64($1.length) }
            bytes += length
            peers[key.host]?.held -= ranges.count
            wants[key] = Want(since: now, way: .here(lastAsked: now, bytes: length))
            all.append(key)
            copies[key.digest, default: 0] += 1
            byHost[key.host, default: 0] += 1
            effects.append(.serve(key.host, ranges))
        }
    }

    private func mustServe(_ key: Key, among all: [Key], isFull: Bool, _ now: Nanoseconds) -> Bool {
        guard let want = wants[key], let peer = peers[key.host] else { return true }
        guard peers.count > 1, now >= peer.isAloneUntil else { return true }
        if packed.contains(key.digest) { return true }
        let waited = now - want.since
        guard waited < 3 * Fanout.patience else { return true }
        guard !isFull else { return false }
        let underWay = all.filter { $0.digest == key.digest }
        guard givers(key, now).isEmpty else { return waited >= Fanout.patience && underWay.isEmpty }
        // One copy is enough where it goes on well; a second one where that is slow, more where all are for long.
        guard underWay.allSatisfy({ isSlow($0, among: all.count, now) }) else { return false }
        return underWay.count < 2 || waited >= 2 * Fanout.patience
    }
}
