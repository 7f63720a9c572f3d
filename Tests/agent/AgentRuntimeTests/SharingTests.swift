import CSystem
import Formats
import Foundation
import Glibc
import Model
import Testing
@testable import AgentCore
@testable import AgentRuntime

/// Two real agents, of which one gives what the other needs, over real sockets.
@Suite(.serialized) struct SharingTests {
    private static let key = [UInt8](repeating: 7, count: SharingTerms.keyLength)
    /// Where a connection says that it came in, as sshd does.
    private static let environment = ["SSH_CONNECTION": "192.0.2.1 40000 127.0.0.1 22"]

    private let first: Scratch
    private let second: Scratch
    private let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }
    private var digest: Digest { SHA256.digest(bytes) }
    private var input: Job.Input { Job.Input(path: "data", digest: digest, size: Int64(bytes.count)) }

    init() throws {
        first = try Scratch()
        second = try Scratch()
    }

    private func attach(_ scratch: Scratch) throws -> Attached {
        let attached = try Attached(scratch.path, environment: SharingTests.environment)
        try attached.hello()
        try attached.send(.share(SharingTerms(key: SharingTests.key, address: nil)))
        return attached
    }

    private func place(_ attached: Attached) throws -> SharingPlace {
        while true {
            if case .sharing(let place, let problem) = try attached.next() { return try #require(place, "\(problem)") }
        }
    }

    private func run(_ attached: Attached, _ run: RunNumber = 1) throws {
        try attached.send(.grant(Shard(lease: 1, entries: [entry(run, script("cksum < data > sum", inputs: [input]))])))
    }

    private func holding(_ attached: Attached) throws -> [Digest] {
        while true {
            if case .holding(let digests) = try attached.next() { return digests }
        }
    }

    /// An agent that has the object, and where it gives it.
    private func giver() throws -> (Attached, SharingPlace) {
        let giver = try attach(first)
        giver.objects = [digest: bytes]
        let place = try place(giver)
        #expect(place.address == "127.0.0.1")
        try run(giver)
        #expect(try holding(giver) == [digest])
        #expect(try giver.outcome().failure == nil)
        return (giver, place)
    }

    @Test("What one host has comes to another from there, and none of it from the coordinator")
    func fromHostToHost() throws {
        let (giver, place) = try giver()
        let asker = try attach(second)
        _ = try self.place(asker)
        try run(asker)
        asker.redirects = [digest: place]
        #expect(try holding(asker) == [digest])
        let report = try asker.outcome()
        #expect(report.failure == nil)
        #expect(asker.sent == 0 && giver.sent == bytes.count)
        let sum = try asker.fetch(report, "sum")
        #expect(String(decoding: sum, as: UTF8.self).hasSuffix(" \(bytes.count)\n"))
    }

    private func unreached(_ attached: Attached) throws -> SourceFailure {
        while true {
            if case .unreached(let failure) = try attached.next() { return failure }
        }
    }

    /// What comes to somebody who asks for an object and shows this key, after the first answer.
    private func ask(
        _ place: SharingPlace, _ digest: Digest, key: [UInt8] = SharingTests.key, sweep: String = "s1"
    ) throws -> [UInt8] {
        let stranger = Stranger(place)
        let tag = PeerWire.tag(sweep)
        let nonce = [UInt8](repeating: 3, count: 32)
        stranger.say(PeerWire.magic + tag.bytes + nonce)
        let answer = stranger.hear(PeerWire.answerLength)
        guard answer.count == PeerWire.answerLength else { return answer }
        let request = digest.bytes + PeerWire.number(0)
        stranger.say(PeerWire.askerProof(key, tag, nonce, Array(answer.prefix(32)), request) + request)
        return stranger.hear(2_000_000)
    }

    @Test("What comes from another host and is another object is thrown away, and its giver named")
    func wrongBytes() throws {
        let liar = BadPeer(key: SharingTests.key, size: Int64(bytes.count)) { [bytes] offset in
            bytes[Int(offset)...].dropLast() + [bytes[bytes.count - 1] ^ 1]
        }
        let asker = try attach(second)
        _ = try place(asker)
        asker.objects = [digest: bytes]
        asker.redirects = [digest: liar.place]
        try run(asker)
        let failure = try unreached(asker)
        #expect(failure.kind == .wrong && failure.place == liar.place)
        #expect(try asker.outcome().failure == nil)
        #expect(asker.sent == bytes.count)
    }

    @Test("Where a host ends in the middle, or is not there, another one goes on from where it stopped")
    func endsInTheMiddle() throws {
        let (_, place) = try giver()
        let half = BadPeer(key: SharingTests.key, size: Int64(bytes.count)) { [bytes] offset in
            Array(bytes[Int(offset)..<bytes.count / 2])
        }
        let asker = try attach(second)
        _ = try self.place(asker)
        asker.redirects = [digest: half.place]
        try run(asker)
        #expect(try unreached(asker).kind == .unreachable)
        asker.redirects = [digest: SharingPlace(address: "127.0.0.1", port: 9)]
        #expect(try unreached(asker).kind == .unreachable)
        asker.redirects = [digest: place]
        #expect(try asker.outcome().failure == nil)
        #expect(asker.sent == 0)
    }

    @Test("A connection gives nothing to who does not know the key, and nothing that its sweep did not name")
    func strangers() throws {
        let (giver, place) = try giver()
        #expect(try ask(place, digest).count == PeerWire.headLength + bytes.count)
        #expect(try ask(place, digest, sweep: "s2") == [], "another sweep is not shared")
        #expect(try ask(place, digest, key: [UInt8](repeating: 8, count: 32)) == [])
        let garbage = Stranger(place)
        garbage.say([UInt8](repeating: 65, count: 4_096))
        #expect(garbage.hear(100) == [])

        // An object that is here for a sweep that does not share.
        let secret = Array("secret".utf8)
        let other = try Attached(first.path, environment: SharingTests.environment)
        other.objects = [SHA256.digest(secret): secret]
        try other.hello("s2")
        let job = script("cksum < data", inputs: [Job.Input(path: "data", digest: SHA256.digest(secret), size: 6)])
        try other.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        #expect(try other.outcome().failure == nil)
        #expect(try ask(place, SHA256.digest(secret)) == PeerGiver.head(size: nil))
        _ = giver
    }

    @Test("What was said on one connection is of no use on another")
    func replay() throws {
        let (giver, place) = try giver()
        let tag = PeerWire.tag("s1")
        let greeting = PeerWire.magic + tag.bytes + [UInt8](repeating: 3, count: 32)
        let first = Stranger(place)
        first.say(greeting)
        let nonce = Array(first.hear(PeerWire.answerLength).prefix(32))
        let request = digest.bytes + PeerWire.number(0)
        let proof = PeerWire.askerProof(SharingTests.key, tag, Array(greeting.suffix(32)), nonce, request) + request
        first.say(proof)
        #expect(first.hear(1) == [0])

        let second = Stranger(place)
        second.say(greeting)
        let answer = second.hear(PeerWire.answerLength)
        #expect(answer.count == PeerWire.answerLength && !answer.starts(with: nonce))
        second.say(proof)
        #expect(second.hear(1) == [])
        _ = giver
    }

    @Test("Who says nothing is dropped after some seconds, and takes no room from others then")
    func silent() throws {
        let (giver, place) = try giver()
        let silent = (0..<PeerExchange.mostStrangers).map { _ in Stranger(place) }
        #expect(silent.allSatisfy { $0.hear(1) == [] }, "they are dropped")
        #expect(try ask(place, digest).count == PeerWire.headLength + bytes.count)
        _ = giver
    }
}
