import Formats
import Model
import Testing
@testable import AgentCore

@Suite("Inputs from other hosts")
struct SharedInputTests {
    private static let size = Int64(300_000)
    private let digest = SHA256.digest("input")
    private let here = SharingPlace(address: "192.0.2.1", port: 4_001)
    private let there = SharingPlace(address: "192.0.2.2", port: 4_002)
    private let yonder = SharingPlace(address: "192.0.2.3", port: 4_003)
    private let key = [UInt8](repeating: 5, count: SharingTerms.keyLength)

    /// A host that shares, and has been granted a run with an input of which so much is here.
    private func rig(_ from: Int64 = 0) -> Rig {
        var rig = Rig()
        rig.say(.share(SharingTerms(key: key, address: nil)))
        rig.tell(.listening(sweep: "s1", here, problem: ""))
        rig.grant(1, entry(1, job([Job.Input(path: "data", digest: digest, size: SharedInputTests.size)])))
        rig.tell(.object(digest, .partial(from)))
        return rig
    }

    private func elsewhere(_ place: SharingPlace) -> CoordinatorMessage {
        .elsewhere(ObjectSource(digest: digest, place: place))
    }

    private func bytes(_ place: SharingPlace, at offset: Int64, _ count: Int64) -> AgentEvent {
        .peerBytes(place, ObjectBytes(digest: digest, offset: offset, bytes: [UInt8](repeating: 1, count: Int(count))))
    }

    private func failure(_ place: SharingPlace, _ kind: SourceFailure.Kind) -> SourceFailure {
        SourceFailure(digest: digest, place: place, kind: kind, reason: "so it is")
    }

    private func failures(_ effects: [AgentEffect]) -> [SourceFailure] {
        effects.compactMap { if case .send(_, .unreached(let failure)) = $0 { failure } else { nil } }
    }

    private func isAnnounced(_ effects: [AgentEffect]) -> Bool { effects.contains(.send(1, .holding([digest]))) }

    private func isStored(_ effects: [AgentEffect]) -> Bool {
        effects.contains { if case .store = $0 { true } else { false } }
    }

    @Test("Listens when it is asked to, at the address that it is told, and says where")
    func listens() {
        var rig = Rig()
        #expect(rig.say(.share(SharingTerms(key: key, address: "192.0.2.9"))).contains(
            .listen(sweep: "s1", 1, address: "192.0.2.9")))
        #expect(rig.tell(.listening(sweep: "s1", nil, problem: "no")) == [.send(1, .sharing(nil, problem: "no"))])
        #expect(rig.tell(.listening(sweep: "s1", here, problem: "")) == [.send(1, .sharing(here, problem: ""))])
        #expect(rig.core.sharedKey(tag: PeerWire.tag("s1")) == key)
        #expect(rig.core.sharedKey(tag: PeerWire.tag("s2")) == nil)
        rig.say(.release)
        #expect(!rig.core.sharesSomething)
    }

    @Test("What is elsewhere is fetched from where it had stopped, announced when it is whole, and then given")
    func fetches() {
        var rig = rig(100)
        let source = ObjectSource(digest: digest, place: there)
        let fetch = PeerFetch(sweep: "s1", key: key, source: source, size: SharedInputTests.size, offset: 100)
        #expect(rig.say(elsewhere(there)) == [.fetch(fetch)])
        #expect(rig.say(elsewhere(there)).isEmpty, "it is under way")
        #expect(!rig.core.gives(digest, tag: PeerWire.tag("s1")))
        #expect(isStored(rig.tell(bytes(there, at: 100, 1_000))))
        #expect(!isStored(rig.tell(bytes(there, at: 100, 1_000))), "that came already")
        #expect(!isStored(rig.tell(bytes(yonder, at: 1_100, 1_000))), "it does not come from there")
        let range = ObjectRange(digest: digest, offset: 1_100, length: 1_000)
        let piece = ObjectBytes(digest: digest, offset: range.offset, bytes: [UInt8](repeating: 1, count: 1_000))
        #expect(!isStored(rig.say(.bytes(piece))), "nor from the coordinator")
        #expect(isStored(rig.tell(bytes(there, at: 1_100, SharedInputTests.size - 1_100))))
        let effects = rig.tell(.object(digest, .complete))
        #expect(isAnnounced(effects) && effects.prepared.count == 1)
        #expect(rig.core.gives(digest, tag: PeerWire.tag("s1")) && !rig.core.gives(digest, tag: PeerWire.tag("s2")))
    }

    @Test("What was evicted or damaged and comes again is announced again")
    func cameAgain() {
        var rig = rig()
        rig.say(elsewhere(there))
        rig.tell(bytes(there, at: 0, SharedInputTests.size))
        #expect(isAnnounced(rig.tell(.object(digest, .complete))))
        rig.tell(.evicted([digest]))
        #expect(!rig.core.gives(digest, tag: PeerWire.tag("s1")))
        rig.grant(2, entry(2, job([Job.Input(path: "data", digest: digest, size: SharedInputTests.size)])))
        rig.tell(.object(digest, .partial(0)))
        rig.say(elsewhere(yonder))
        rig.tell(bytes(yonder, at: 0, SharedInputTests.size))
        #expect(isAnnounced(rig.tell(.object(digest, .complete))))
        #expect(rig.core.gives(digest, tag: PeerWire.tag("s1")))
    }

    @Test("What does not come is asked for again, from where it stopped")
    func unreached() {
        var rig = rig()
        rig.say(elsewhere(there))
        rig.tell(bytes(there, at: 0, 1_000))
        let effects = rig.tell(.unreached(failure(there, .stalled)))
        #expect(failures(effects) == [failure(there, .stalled)])
        #expect(effects.wanted.first?.offset == 1_000)
        #expect(rig.tell(.unreached(failure(there, .stalled))).isEmpty)
        guard case .fetch(let fetch) = rig.say(elsewhere(yonder)).first else {
            Issue.record("it is not fetched")
            return
        }
        #expect(fetch.offset == 1_000 && fetch.source.place == yonder)
    }

    @Test("Whoever alone gave a wrong object is accused; of several, none is; nor where the coordinator gave all of it")
    func damaged() {
        var rig = rig()
        rig.say(elsewhere(there))
        rig.tell(bytes(there, at: 0, SharedInputTests.size))
        let effects = rig.tell(.object(digest, .damaged("wrong")))
        #expect(failures(effects).map(\.kind) == [.wrong] && effects.wanted.first?.offset == 0)

        rig.say(elsewhere(there))
        rig.tell(bytes(there, at: 0, 1_000))
        rig.tell(.unreached(failure(there, .unreachable)))
        rig.say(elsewhere(yonder))
        rig.tell(bytes(yonder, at: 1_000, SharedInputTests.size - 1_000))
        let doubtful = failures(rig.tell(.object(digest, .damaged("wrong"))))
        #expect(doubtful.map(\.kind) == [.doubtful, .doubtful] && Set(doubtful.map(\.place)) == [there, yonder])

        var other = self.rig(100)
        other.say(elsewhere(there))
        other.tell(bytes(there, at: 100, SharedInputTests.size - 100))
        #expect(failures(other.tell(.object(digest, .damaged("wrong")))).map(\.kind) == [.doubtful])
    }

    @Test("What comes from another host goes on without the coordinator, and the next one is told of it")
    func alone() {
        var rig = rig()
        rig.say(elsewhere(there))
        rig.tell(.disconnected(1))
        #expect(isStored(rig.tell(bytes(there, at: 0, SharedInputTests.size))))
        rig.tell(.object(digest, .complete))
        rig.hello(2)
        rig.say(.share(SharingTerms(key: key, address: nil)), on: 2)
        let effects = rig.tell(.listening(sweep: "s1", here, problem: ""))
        #expect(effects.contains(.send(2, .holding([digest]))))
        #expect(rig.core.gives(digest, tag: PeerWire.tag("s1")))
    }

    @Test("What cannot be kept is not waited for by others")
    func abandoned() {
        var rig = rig()
        rig.say(elsewhere(there))
        let effects = rig.tell(.object(digest, .impossible(.diskFull, "full")))
        #expect(failures(effects).map(\.kind) == [.abandoned])
        #expect(!rig.core.fetches(digest, from: there))
    }

    @Test("More is asked for at a time, as some of it waits for other hosts")
    func many() {
        var rig = rig()
        let digests = (0..<30).map { SHA256.digest("many \($0)") }
        rig.grant(2, entry(2, job(digests.map { Job.Input(path: $0.short, digest: $0, size: 10) })))
        var wanted = Set<Digest>()
        for digest in digests { wanted.formUnion(rig.tell(.object(digest, .partial(0))).wanted.map(\.digest)) }
        #expect(wanted.count == 15, "sixteen with the first")
    }

    @Test("Bytes in any portions are understood, and nothing is said to who cannot prove that it has the key")
    func wire() throws {
        let fetch = PeerFetch(
            sweep: "s1", key: key, source: ObjectSource(digest: digest, place: there), size: 5, offset: 2)
        var asker = PeerAsker(fetch, nonce: [UInt8](repeating: 1, count: 32))
        var giver = PeerGiver(nonce: [UInt8](repeating: 2, count: 32))
        var said: [UInt8] = []
        for byte in asker.greeting {
            if case .say(let answer) = giver.receive([byte], key: { _ in key }) { said += answer }
        }
        var request: [UInt8] = []
        for byte in said { request += try asker.receive([byte]).say }
        #expect(
            giver.receive(request, key: { _ in key }) == .give(tag: PeerWire.tag("s1"), digest, offset: 2))
        #expect(giver.appetite == 0)
        var content: [UInt8] = []
        for byte in PeerGiver.head(size: 5) + [7, 8, 9] { content += try asker.receive([byte]).content }
        #expect(content == [7, 8, 9] && asker.hasAll)
        #expect(throws: SourceFailure.self, "more than it has") { try asker.receive([1]) }

        var stranger = PeerAsker(fetch, nonce: [UInt8](repeating: 1, count: 32))
        var other = PeerGiver(nonce: [UInt8](repeating: 2, count: 32))
        guard case .say(let answer) = other.receive(stranger.greeting, key: { _ in [9] }) else {
            Issue.record("it does not answer")
            return
        }
        #expect(throws: SourceFailure.self, "it has another key") { try stranger.receive(answer) }
        #expect(throws: SourceFailure.self) {
            var asker = PeerAsker(fetch, nonce: [])
            _ = try asker.receive(said + PeerGiver.head(size: nil))
        }
    }
}
