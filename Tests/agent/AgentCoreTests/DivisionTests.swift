import Formats
import Model
import Ports
import Testing
@testable import AgentCore


@Suite("How a host is divided")
struct DivisionTests {
    private static let second: Nanoseconds = 1_000_000_000

    @Test("Equal parts: what one does not want is the others', and the rest goes round", arguments: [
        (8, [], 0, 0, 8), (8, [8], 0, 0, 4), (8, [2], 0, 0, 6), (8, [0, 100], 0, 0, 4), (9, [1, 9, 9], 0, 0, 3),
        (3, [9], 0, 0, 2), (3, [9], 1, 0, 1), (3, [9], 1, 1, 2), (3, [9], 0, 1, 1), (1, [1], 0, 0, 1),
        (1, [5], 1, 0, 0), (0, [1], 0, 0, 0), (-4, [1], 0, 0, 0), (2, [3, 3, 3], 0, 0, 1), (2, [3, 3, 3], 3, 0, 0),
        (2, [3, 3, 3], 3, 1, 1),
    ] as [(Int, [Int], Int, Int, Int)])
    func parts(_ whole: Int, _ others: [Int], _ place: Int, _ turn: Int, _ part: Int) {
        #expect(EqualParts.part(of: whole, others: others, place: place, turn: turn) == part)
    }

    @Test("Users who all want more than there is have all of it together, whosever turn it is", arguments: 1...6)
    func partsAddUp(users: Int) {
        for (whole, turn) in (0..<13).flatMap({ whole in (0..<4).map { (whole, $0) } }) {
            let others = Array(repeating: 99, count: users - 1)
            let parts = (0..<users).map { EqualParts.part(of: whole, others: others, place: $0, turn: turn) }
            #expect(parts.reduce(0, +) == whole)
            #expect((parts.max() ?? 0) - (parts.min() ?? 0) <= 1)
        }
    }

    @Test("What others use is given up when it was seen twice, and taken back when it is gone for a minute")
    func hysteresis() {
        var amount = YieldedAmount()
        amount.note(0, now: 0)
        amount.note(3, now: 5 * Self.second)
        #expect(amount.value == 0, "a moment")
        amount.note(2, now: 10 * Self.second)
        #expect(amount.value == 2)
        amount.note(0, now: 15 * Self.second)
        amount.note(1, now: 40 * Self.second)
        amount.note(0, now: 74 * Self.second)
        #expect(amount.value == 2)
        amount.note(0, now: 75 * Self.second)
        #expect(amount.value == 1, "the most that was seen in that time")
        amount.note(5, now: 80 * Self.second)
        amount.note(5, now: 85 * Self.second)
        #expect(amount.value == 5)
        var first = YieldedAmount()
        first.note(4, now: 0)
        #expect(first.value == 4, "the first time there is no other")
    }

    // MARK: The agent

    private func capacity(_ effects: [AgentEffect]) -> (slots: Int, memory: Int64, sweeps: [SweepSlots])? {
        for case .supervise(.capacity(let slots, let memory, let sweeps)) in effects.reversed() {
            return (slots, memory, sweeps)
        }
        return nil
    }

    private func offers(_ effects: [AgentEffect]) -> [HostOffer?] {
        effects.compactMap { effect -> HostOffer?? in
            if case .heartbeat(_, _, _, let offer) = effect { .some(offer) } else { nil }
        }
    }

    /// An agent of a machine with 8 cores and 16 hyper-threads.
    private func rig(watches: Bool = true) -> Rig {
        var rig = Rig(connected: false)
        rig.core = AgentCore(
            host: AgentCore.Host(
                processors: 16, cores: 8, memoryBytes: 64 << 30, attempts: "/w", program: "/a", watchesOthers: watches))
        rig.tell(.supervisorReady([]))
        return rig
    }

    private func terms(
        _ priority: Int = 0, _ others: OtherUsers = .share, nice: Int = 0, _ binding: SlotBinding = .unbound
    ) -> HostTerms {
        var terms = HostTerms()
        (terms.priority, terms.others, terms.nice, terms.binding) = (priority, others, nice, binding)
        return terms
    }

    @Test("Hyper-threads are no slots; nothing starts before it is known how busy the machine is")
    func firstLook() throws {
        var rig = rig()
        let before = try #require(capacity(rig.hello(1, slots: nil)))
        #expect(before.slots == 0 && before.sweeps == [SweepSlots(sweep: "s1", slots: 0)])
        #expect(rig.core.slots(of: "s1") == 8)
        let after = try #require(capacity(rig.tell(.surroundings(Surroundings()))))
        #expect(after.slots == 8 && after.memory == 64 << 30)
        var number = self.rig()
        #expect(try #require(capacity(number.hello(1, slots: 12))).slots == 12, "who says a number wants it")
    }

    @Test("Cores that others keep busy are theirs where slots are automatic, but not runs of theirs twice")
    func load() throws {
        var rig = rig()
        rig.hello(1, slots: nil)
        rig.hello(2, "s2", slots: 8)
        rig.hello(3, "s3", slots: nil)
        rig.say(.terms(terms(0, .ignore)), on: 3)
        let claim = SlotClaim(user: "alice", running: 2, wanted: 2)
        let found = Surroundings(claims: [claim], place: 1, busyThousandths: 4_700, memoryBytes: 20 << 30)
        let effects = rig.tell(.surroundings(found))
        let told = try #require(capacity(effects))
        // 4.7 cores are busy, 2 of them with alice's runs.
        #expect(told.sweeps.map(\.slots) == [3, 6, 8])
        #expect(told.slots == 8 && told.memory == 64 << 30)
        let found1 = try #require(offers(effects).first ?? nil)
        #expect(found1.slots == 3 && found1.memoryBytes == 44 << 30)
        #expect(
            found1.reason == "other programs keep 3 of 8 cores busy; shared with the sweeps of alice "
                + "(2 running, 2 wanted); other programs take 20 GiB of memory")
        #expect(offers(effects).map { $0?.slots } == [3, 6], "for the third nothing has changed")
        var busy = self.rig()
        busy.hello(1, slots: nil)
        let full = busy.tell(.surroundings(Surroundings(place: 1, busyThousandths: 9_000)))
        #expect(
            offers(full).first??.reason == "other programs keep 8 of 8 cores busy ('slots: 8' or 'others: ignore' in "
                + "the inventory uses them anyway)", "\(offers(full))")
    }

    @Test("A heartbeat tells at once of what changed, and a machine's own needs are no news")
    func news() {
        var rig = rig()
        rig.hello(1, slots: nil)
        #expect(offers(rig.tell(.surroundings(Surroundings(memoryBytes: 2 << 30)))).isEmpty)
        rig.now += Self.second
        let busy = Surroundings(claims: [SlotClaim(user: "bob", running: 0, wanted: 99)], place: 0)
        #expect(offers(rig.tell(.surroundings(busy))).map { $0?.slots } == [4])
        #expect(offers(rig.tell(.surroundings(busy))).isEmpty)
        #expect(offers(rig.tell(.surroundings(Surroundings()))) == [nil])
    }

    @Test("Who yields has what other users' sweeps leave; nobody overbooks what they run")
    func users() throws {
        var rig = rig()
        rig.hello(1, slots: 8)
        func slots(_ others: OtherUsers, _ claims: (running: Int, wanted: Int)...) throws -> Int {
            rig.say(.terms(terms(0, others)))
            let found = claims.map { SlotClaim(user: "u", running: $0.running, wanted: $0.wanted) }
            rig.tell(.surroundings(Surroundings(claims: found, place: 0)))
            guard case .capacity(let slots, _, _) = rig.core.capacity else { return -1 }
            return slots
        }
        #expect(try slots(.share, (1, 3)) == 5)
        #expect(try slots(.share, (7, 8)) == 1, "it has 7 still")
        #expect(try slots(.share, (8, 8)) == 0)
        #expect(try slots(.share, (0, 8), (0, 8)) == 3)
        #expect(try slots(.yield, (1, 5)) == 3)
        #expect(try slots(.yield, (0, 9)) == 0)
        #expect(try slots(.ignore, (8, 8)) == 8)
    }

    @Test("Sweeps of a higher priority are served first, those of the same have equal parts")
    func priorities() {
        var rig = rig(watches: false)
        for (connection, sweep) in ["s1", "s2", "s3"].enumerated() { rig.hello(connection + 1, sweep, slots: 8) }
        rig.say(.terms(terms(5)), on: 3)
        func offers() -> [Int?] { ["s1", "s2", "s3"].map { rig.core.offer(to: $0)?.slots } }
        #expect(offers() == [nil, nil, nil])
        for run in 1...9 { rig.grant(LeaseNumber(run), entry(run), on: 1) }
        #expect(offers() == [nil, 4, nil], "what is held of one is shared with the other")
        for run in 1...2 { rig.grant(LeaseNumber(run), entry(run), on: 2) }
        #expect(offers() == [6, 4, nil])
        for run in 1...3 { rig.grant(LeaseNumber(run), entry(run), on: 3) }
        #expect(offers() == [3, 2, nil], "five are left of eight, and one wants two")
        for run in 4...12 { rig.grant(LeaseNumber(run), entry(run), on: 3) }
        #expect(offers() == [0, 0, nil])
        #expect(rig.core.offer(to: "s1")?.reason == "sweeps of yours with a higher priority are served first; "
            + "shared with 1 other sweep of yours")
        guard case .capacity(_, _, let shares) = rig.core.capacity else { return }
        #expect(shares.map(\.priority) == [0, 0, 5])
    }

    @Test("Programs are started on the terms of their sweep")
    func launched() {
        var rig = rig(watches: false)
        rig.hello(1, slots: 8)
        rig.say(.heartbeat)
        rig.say(.terms(terms(nice: 7, .core)))
        rig.grant(1, entry(1))
        let starts = rig.tell(.prepared(key(1))).compactMap { effect -> Launch? in
            if case .supervise(.start(_, let launch)) = effect { launch } else { nil }
        }
        #expect(starts.map(\.nice) == [7] && starts.map(\.binding) == [.core])
    }

    @Test("Others are told what runs, and what would")
    func claim() {
        var rig = rig(watches: false)
        rig.hello(1, slots: 4)
        #expect(rig.core.claim(user: "me") == SlotClaim(user: "me", running: 0, wanted: 0))
        rig.say(.heartbeat)
        for run in 1...9 { rig.grant(LeaseNumber(run), entry(run)) }
        for run in 1...3 { rig.run(key(run, lease: LeaseNumber(run))) }
        #expect(rig.core.claim(user: "me") == SlotClaim(user: "me", running: 3, wanted: 4))
    }
}

@Suite("Which cores programs are kept on")
struct CoreUseTests {
    /// Two nodes of three cores, each with two hyper-threads.
    private static let cores = (0..<6).map { ProcessorCore(processors: [$0, $0 + 6], node: $0 / 3) }

    private static func taken(_ use: inout CoreUse, _ run: Int, _ slots: Int, _ binding: SlotBinding) -> [Int] {
        use.take(key(run), slots: slots, binding)
    }

    @Test("Each has cores of its own, on the emptier node, with their hyper-threads, until there are none")
    func cores() {
        var use = CoreUse(Self.cores)
        let taken = (1...6).map { Self.taken(&use, $0, 1, .core) }
        #expect(taken == [[0, 6], [3, 9], [1, 7], [4, 10], [2, 8], [5, 11]])
        #expect(Self.taken(&use, 7, 1, .core) == [0, 6], "more programs than cores")
        use.giveBack(key(2))
        #expect(Self.taken(&use, 8, 1, .core) == [3, 9])
        #expect(Self.taken(&use, 9, 1, .unbound).isEmpty)
    }

    @Test("Several cores are of one node where one has so many; a node is bound as a whole")
    func nodes() {
        var use = CoreUse(Self.cores)
        #expect(Self.taken(&use, 1, 2, .core) == [0, 1, 6, 7])
        #expect(Self.taken(&use, 2, 2, .core) == [3, 4, 9, 10])
        #expect(Self.taken(&use, 3, 4, .core).count == 8, "no node has four")
        var other = CoreUse(Self.cores)
        #expect(Self.taken(&other, 1, 1, .numa) == [0, 1, 2, 6, 7, 8])
        #expect(Self.taken(&other, 2, 1, .numa) == [3, 4, 5, 9, 10, 11])
        #expect(Self.taken(&other, 3, 4, .numa).count == 12)
        #expect(Self.taken(&other, 4, 99, .core).count == 12, "no more than there are")
    }

    @Test("Cores that something else keeps busy come last")
    func busy() {
        var use = CoreUse(Self.cores)
        use.note(busy: [0, 7, 3])
        #expect((1...3).map { Self.taken(&use, $0, 1, .core) } == [[2, 8], [4, 10], [5, 11]])
    }

    @Test("On a machine with one core there is nothing to choose")
    func single() {
        var use = CoreUse([ProcessorCore(processors: [0, 1], node: 0)])
        #expect(Self.taken(&use, 1, 1, .core).isEmpty)
    }

    @Test("What the kernel says is understood, and nothing else")
    func kernel() {
        #expect(KernelText.list("0-2,8\n") == [0, 1, 2, 8])
        #expect(KernelText.list("") == [] && KernelText.list("3-1,x,-4,7") == [7])
        let stat = "cpu  9 9 9 9\ncpu0 10 1 5 900 30 2 3 40 0 0\ncpu11 1 0 0 0 0 0 0 0 0 0\nintr 5\n"
        #expect(KernelText.busyTicks(stat) == [0: 21, 11: 1])
        let fields = (3...22).map { $0 == 22 ? "777" : "\($0)" }.joined(separator: " ")
        let process = KernelText.process("42 (a b) c) S \(fields.dropFirst(2)) 0 0")
        #expect(process?.start == 777 && process?.ticks == 14 + 15 + 16 + 17)
        #expect(KernelText.process("42 (x) S 1") == nil)
        let memory = "MemTotal:       16 kB\nMemTotalX: 3 kB\nRssAnon:\t    20 kB\n"
        #expect(KernelText.bytes("MemTotal", in: memory) == 16_384)
        #expect(KernelText.bytes("RssAnon", in: memory) == 20_480)
        #expect(KernelText.bytes("Swap", in: memory) == nil)
    }
}
