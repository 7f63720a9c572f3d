import Formats
import Model
import Ports
import Testing
@testable import AgentCore


@Suite("Inputs that have to be fetched")
struct InputTests {
    private static let size = Int64(3 * ObjectRange.maximumLength + 5)
    private let digest = SHA256.digest("input")

    private func needy(_ run: RunNumber, _ digest: Digest, size: Int64 = InputTests.size) -> Shard.Entry {
        entry(run, job([Job.Input(path: "data", digest: digest, size: size)]))
    }

    private func piece(_ range: ObjectRange) -> CoordinatorMessage {
        let bytes = [UInt8](repeating: 1, count: range.length)
        return .bytes(ObjectBytes(digest: range.digest, offset: range.offset, bytes: bytes))
    }

    @Test("Looked for, asked for from where an earlier transfer stopped, and prepared when all is there")
    func fetches() {
        var rig = Rig()
        #expect(rig.grant(1, needy(1, digest), needy(2, digest)).located == [digest])
        let ranges = rig.tell(.object(digest, .partial(100))).wanted
        let offsets: [Int64] = [100, 98_404, 196_708]
        #expect(ranges.map(\.offset) == offsets)
        #expect(ranges.reduce(0) { $0 + Int64($1.length) } == Self.size - 100)
        for range in ranges {
            let effects = rig.say(piece(range))
            #expect(effects.count == 1 && effects.prepared.isEmpty)
            if case .store(let stored, let size) = effects.first {
                #expect(stored.offset == range.offset && size == Self.size)
            }
        }
        #expect(rig.tell(.object(digest, .complete)).prepared == [key(1), key(2)])
        #expect(rig.grant(1, needy(3, digest)).prepared == [key(3)], "it is known to be here")
    }

    @Test("A coordinator that sends nothing keeps no other from fetching")
    func stalledCoordinator() {
        var rig = Rig()
        rig.hello(2, "s2")
        for run in 1...6 {
            let digest = SHA256.digest("stalled \(run)")
            rig.grant(1, needy(run, digest))
            rig.tell(.object(digest, .partial(0)))
        }
        rig.grant(1, needy(1, digest), on: 2)
        #expect(rig.tell(.object(digest, .partial(0))).wanted.allSatisfy { $0.digest == digest })
        #expect(rig.tell(.object(SHA256.digest("nothing"), .partial(0))).wanted.isEmpty)
    }

    @Test("A list of inputs is forgotten with the last sweep that refers to it, and read again where it is needed")
    func forgotten() {
        var rig = Rig()
        let inputs = [Job.Input(path: "a", digest: digest, size: 5)]
        let list = InputListName(digest: SHA256.digest("list"), size: 40)
        var many = job()
        many.inputList = list
        rig.grant(1, entry(1, many))
        rig.tell(.object(list.digest, .complete))
        rig.tell(.listed(list.digest, inputs))
        rig.hello(2, "s2")
        rig.grant(1, entry(1, many), on: 2)
        rig.say(.release)
        #expect(rig.core.lists.keys.sorted() == [list.digest], "the other sweep's run refers to it")
        rig.say(.release, on: 2)
        #expect(rig.core.lists.isEmpty)
        rig.hello(3, "s3")
        #expect(rig.grant(1, entry(1, many), on: 3).contains(.list(list.digest)))
    }

    @Test("Thousands of inputs come as a list, which is fetched, read, and followed a few at a time")
    func listed() {
        var rig = Rig()
        let inputs = (0..<500).map { Job.Input(path: "in/\($0)", digest: SHA256.digest("\($0)"), size: 5) }
        let bytes = InputList.encode(inputs)
        let list = InputListName(digest: SHA256.digest(bytes), size: Int64(bytes.count))
        var many = job(limits: JobLimits(output: 1_000))
        many.inputList = list
        #expect(rig.grant(1, entry(1, many)).located == [list.digest])
        #expect(rig.tell(.object(list.digest, .complete)) == [.list(list.digest)])
        var located = rig.tell(.listed(list.digest, inputs)).located
        #expect(located.count == 64)
        var effects: [AgentEffect] = []
        while effects.prepared.isEmpty, let next = located.popLast() {
            effects = rig.tell(.object(next, .complete))
            located += effects.located
        }
        guard case .prepare(key(1), let full) = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(full.inputs == inputs)
        #expect(rig.core.neededObjects.count == 501)
        // They take room in its folder that is not its output, and it is one of those that could write to them.
        let started = rig.tell(.prepared(key(1)))
        guard case .supervise(.start(key(1), let launch)) = started.first else {
            Issue.record("\(started)")
            return
        }
        #expect(launch.folderLimit == 3_500)
        #expect(rig.core.attempts(with: inputs[3].digest).map(\.path) == ["in/3"])
        // After a restart its folder is told from what it left by the list, too.
        rig.tell(.started([key(1)]))
        rig.restart([SupervisedAttempt(key: key(1), state: .running)])
        #expect(rig.core.unreadLists == [list.digest])
        rig.tell(.listed(list.digest, inputs))
        guard case .collect(key(1), _, let job) = rig.end(key(1)).first else {
            Issue.record("nothing is collected")
            return
        }
        #expect(job.inputs == inputs)
    }

    private func packed(_ object: Digest, _ map: Digest) -> CoordinatorMessage {
        .packed(PackedObject(object: object, map: map, mapSize: 300))
    }

    @Test("An object in packs: its map is fetched and read, then its packs, then it is put together")
    func packs() {
        var rig = Rig()
        let map = SHA256.digest("map")
        let packs = ["one", "two"].map { Job.Input(path: "", digest: SHA256.digest($0), size: 100) }
        rig.grant(1, needy(1, digest))
        rig.tell(.object(digest, .partial(0)))
        #expect(rig.say(packed(digest, map)).located == [map])
        #expect(rig.say(packed(digest, map)).isEmpty, "it was asked for in several ranges, and each is answered")
        #expect(rig.tell(.object(map, .partial(0))).wanted.map(\.digest) == [map])
        #expect(rig.tell(.object(map, .complete)) == [.readMap(object: digest, map: map)])
        #expect(rig.tell(.timer).isEmpty)
        #expect(rig.tell(.mapped(digest, packs)).located == packs.map(\.digest))
        #expect(rig.core.neededObjects == [digest, map, packs[0].digest, packs[1].digest])
        rig.tell(.object(packs[0].digest, .complete))
        // Room was made: what is gone is looked for again.
        rig.tell(.evicted([map]))
        rig.tell(.object(map, .complete))
        #expect(rig.tell(.object(packs[1].digest, .complete)) == [.unpack(object: digest, map: map)])
        #expect(rig.tell(.object(digest, .complete)).prepared == [key(1)])
        #expect(rig.core.neededObjects == [digest], "what it was made of may go now")
    }

    @Test("A coordinator that goes takes along what it said of packs; what is being put together goes on")
    func packsOfAnother() {
        var rig = Rig()
        let (map, second) = (SHA256.digest("map"), SHA256.digest("second"))
        rig.grant(1, needy(1, digest), needy(2, second))
        rig.tell(.object(digest, .partial(0)), .object(second, .partial(0)))
        rig.say(packed(digest, map))
        rig.tell(.object(map, .complete))
        rig.tell(.mapped(digest, []))
        rig.say(packed(second, SHA256.digest("map 2")))
        #expect(rig.tell(.disconnected(1)).located == [second], "the next one may know nothing of packs")
        rig.hello(3, "s1")
        #expect(rig.tell(.object(digest, .complete)).prepared == [key(1)])
    }

    @Test("What an object is made of is asked of whoever told so, though another's run needs it, too")
    func packsForTwo() {
        var rig = Rig()
        rig.hello(2, "s2")
        let map = SHA256.digest("map")
        rig.grant(1, needy(1, digest))
        rig.grant(1, needy(1, digest), on: 2)
        rig.tell(.object(digest, .partial(0)))
        rig.say(packed(digest, map))
        let asked = rig.tell(.object(map, .partial(0))).compactMap { effect -> Int? in
            if case .send(let connection, .want) = effect { connection } else { nil }
        }
        #expect(asked == [1])
        rig.tell(.disconnected(1))
        #expect(rig.tell(.object(digest, .partial(0))).wanted.allSatisfy { $0.digest == digest })
    }

    @Test("What objects are made of is made of nothing else: no circle")
    func packsInACircle() {
        var rig = Rig()
        let map = SHA256.digest("map")
        rig.grant(1, needy(1, digest))
        rig.tell(.object(digest, .partial(0)))
        #expect(rig.say(packed(digest, digest)).isEmpty)
        rig.say(packed(digest, map))
        rig.tell(.object(map, .partial(0)))
        #expect(rig.say(packed(map, SHA256.digest("another"))).isEmpty)
        rig.tell(.object(map, .complete))
        rig.tell(.mapped(digest, [Job.Input(path: "", digest: digest, size: 5)]))
        #expect(!rig.core.isIdle)
    }

    @Test("Runs that need nothing pass those whose inputs are on their way")
    func passed() {
        var rig = Rig()
        #expect(rig.grant(1, needy(1, digest), entry(2)).prepared == [key(2)])
    }

    @Test("Bytes that nobody asked for, or out of turn, are not stored")
    func unasked() {
        var rig = Rig()
        rig.grant(1, needy(1, digest))
        let ranges = rig.tell(.object(digest, .partial(0))).wanted
        #expect(rig.say(piece(ranges[1])).isEmpty)
        #expect(rig.say(piece(ObjectRange(digest: SHA256.digest("other"), offset: 0, length: 5))).isEmpty)
        #expect(rig.say(.bytes(ObjectBytes(digest: digest, offset: 0, bytes: []))).isEmpty)
        rig.hello(2, "s2")
        #expect(rig.say(piece(ranges[0]), on: 2).isEmpty, "it was asked of another")
        #expect(!rig.say(piece(ranges[0])).isEmpty)
        #expect(rig.say(piece(ranges[0])).isEmpty, "once is enough")
    }

    @Test("Four objects are asked for at a time, of each an equal share of what may be on its way")
    func bounded() {
        var rig = Rig(slots: 8)
        let digests = (0..<6).map { SHA256.digest("\($0)") }
        rig.say(.grant(Shard(lease: 1, entries: digests.indices.map { needy($0 + 1, digests[$0], size: 1 << 30) })))
        var wanted: [ObjectRange] = []
        for digest in digests { wanted += rig.tell(.object(digest, .partial(0))).wanted }
        #expect(Set(wanted.map(\.digest)) == Set(digests.prefix(4)))
        for digest in digests.prefix(4) {
            let bytes = wanted.filter { $0.digest == digest }.reduce(0) { $0 + $1.length }
            #expect(abs(bytes - 4 << 20) < ObjectRange.maximumLength)
        }
        #expect(wanted.count < 192, "no coordinator takes more than 256 pieces")
        #expect(rig.say(piece(wanted[0])).wanted.count == 1, "one piece came, one is asked for")
    }

    @Test("The connection breaks: what came is kept, and gone on from with the next one")
    func broken() {
        var rig = Rig()
        rig.grant(1, needy(1, digest))
        let ranges = rig.tell(.object(digest, .partial(0))).wanted
        rig.say(piece(ranges[0]))
        rig.tell(.disconnected(1))
        rig.hello(2)
        #expect(rig.tell(.timer).located.isEmpty, "it was looked for as soon as somebody was there")
        let after = rig.tell(.object(digest, .partial(ranges[1].offset))).wanted
        #expect(after.first == ranges[1])
    }

    @Test("An input that cannot be stored ends the attempt with its class; the next attempt asks again")
    func impossible() {
        var rig = Rig()
        rig.grant(1, needy(1, digest))
        let effects = rig.tell(.object(digest, .impossible(.diskFull, "no space")))
        #expect(effects.outcomes.map(\.failure) == [.diskFull])
        rig.say(.acknowledge([key(1).id]))
        #expect(rig.grant(2, entry(1, first: 2, needy(1, digest).job)).located == [digest])
    }

    @Test("An input that is gone from the cache is fetched again, and the attempt keeps its number")
    func gone() {
        var rig = Rig()
        rig.grant(1, needy(1, digest))
        rig.tell(.object(digest, .complete))
        let effects = rig.tell(.inputMissing(key(1), digest))
        #expect(effects.discarded == [key(1)] && effects.located == [digest])
        #expect(rig.core.inFlight == 0)
        #expect(rig.tell(.object(digest, .complete)).prepared == [key(1)])
    }

    @Test("Needed is what runs that are still to be made refer to; what made room is fetched again")
    func evicted() {
        var rig = Rig()
        let others = (0..<2).map { SHA256.digest("other \($0)") }
        rig.grant(1, needy(1, digest))
        rig.grant(2, needy(2, others[0]), needy(3, digest))
        #expect(rig.core.neededObjects == [digest, others[0]])
        rig.tell(.object(digest, .complete))
        rig.complete(key(1))
        rig.complete(key(3, lease: 2))
        #expect(rig.core.neededObjects == [others[0]], "what has ended needs nothing")
        rig.say(.revoke([2]))
        #expect(rig.core.neededObjects.isEmpty)
        rig.tell(.evicted([digest]))
        #expect(rig.grant(3, entry(4, needy(4, digest).job)).located == [digest])
        rig.say(.cancel([4]))
        rig.tell(.object(digest, .complete))
        rig.say(.release)
        #expect(rig.core.neededObjects.isEmpty)
    }

    @Test("Reads, probes and tails go to the shell")
    func others() {
        var rig = Rig()
        let range = ObjectRange(digest: digest, offset: 5, length: 6)
        #expect(rig.say(.read(range)) == [.read(1, range)])
        #expect(rig.say(.probe(path: "/bin/x")) == [.probe(1, path: "/bin/x")])
        let request = TailRequest(run: 1, path: "stdout.txt", maximumLength: 10)
        #expect(rig.say(.tail(request)) == [.send(1, .tail(Tail(run: 1, path: "stdout.txt", bytes: nil)))])
        rig.grant(1, entry(1))
        rig.run(key(1))
        #expect(rig.say(.tail(request)) == [.tail(1, key(1), request)])
        rig.end(key(1))
        #expect(rig.say(.tail(request)) == [.tail(1, key(1), request)], "it says how far what it left is collected")
        rig.collect(key(1))
        #expect(rig.say(.tail(request)) == [.send(1, .tail(Tail(run: 1, path: "stdout.txt", bytes: nil)))])
    }
}
