import Formats
import Model
import Testing
@testable import CoordinatorRuntime

@Suite("From where hosts get what they ask for")
final class FanoutTests {
    private static let second: Nanoseconds = 1_000_000_000
    private var fanout = Fanout()

    private func place(_ host: Int) -> SharingPlace { SharingPlace(address: "192.0.2.\(host + 1)", port: 4_000) }

    private func digest(_ number: Int) -> Digest { SHA256.digest("object \(number)") }

    private func range(_ number: Int, offset: Int64 = 0) -> ObjectRange {
        ObjectRange(digest: digest(number), offset: offset, length: ObjectRange.maximumLength)
    }

    private func failure(_ number: Int, _ giver: Int, _ kind: SourceFailure.Kind) -> SourceFailure {
        SourceFailure(digest: digest(number), place: place(giver), kind: kind, reason: "so it is")
    }

    // The expectations' macro takes no mutating call.

    private func ask(_ range: ObjectRange, by host: Int, now: Nanoseconds) -> Bool {
        fanout.ask(range, by: host, now: now)
    }

    private func decide(now: Nanoseconds) -> [Fanout.Effect] { fanout.decide(now: now) }

    private func unreached(_ failure: SourceFailure, by host: Int, now: Nanoseconds) -> Int? {
        fanout.unreached(failure, by: host, now: now)
    }

    private func hosts(_ count: Int) { for host in 0..<count { fanout.joins(host, at: place(host)) } }

    /// To whom goes what from here.
    private func served(_ effects: [Fanout.Effect]) -> [String] {
        effects.flatMap { effect -> [String] in
            guard case .serve(let host, let ranges) = effect else { return [] }
            return ranges.map { range in "\((0..<99).first { digest($0) == range.digest } ?? -1) to \(host)" }
        }
    }

    private func redirected(_ effects: [Fanout.Effect]) -> [String] {
        effects.compactMap { effect in
            guard case .redirect(let host, let source) = effect else { return nil }
            let giver = (0..<99).first { place($0) == source.place } ?? -1
            return "\((0..<99).first { digest($0) == source.digest } ?? -1) from \(giver) to \(host)"
        }
    }

    @Test("Who does not share, or is the only one that does, gets all from here")
    func alone() {
        #expect(ask(range(1), by: 0, now: 0))
        hosts(1)
        #expect(!ask(range(1), by: 0, now: 0))
        #expect(served(decide(now: 0)) == ["1 to 0"])
        #expect(ask(range(1, offset: 98_304), by: 0, now: 1))
    }

    @Test("What nobody has goes to one host, different objects to different hosts; the others get it from there")
    func onceFromHere() {
        hosts(3)
        for host in 0..<3 {
            for number in 1...3 { #expect(!ask(range(number), by: host, now: 0)) }
        }
        #expect(served(decide(now: 0)) == ["1 to 0", "2 to 1", "3 to 2"])
        #expect(decide(now: 1_000).isEmpty)
        fanout.holds(1, [digest(2)], now: 10)
        // It has not shown yet how much it can give: one at a time.
        #expect(redirected(decide(now: 10)) == ["2 from 1 to 0"])
        #expect(!ask(range(2, offset: 98_304), by: 0, now: 11), "asked before it knew")
        fanout.holds(0, [digest(2)], now: 1_000)
        #expect(redirected(decide(now: 1_000)) == ["2 from 1 to 2"])
    }

    @Test("All objects reach all hosts, and one copy of each goes from here")
    func all() {
        hosts(8)
        let numbers = Array(0..<40)
        var asked = [Int](repeating: 0, count: 8)
        var underWay: [(due: Nanoseconds, host: Int, number: Int)] = []
        var held = Set<[Int]>()
        var copies = 0
        var now: Nanoseconds = 0
        for _ in 0..<100_000 where held.count < 320 {
            for host in 0..<8 {
                let waiting = asked[host] - numbers.count { held.contains([host, $0]) }
                for _ in 0..<max(0, min(16 - waiting, 40 - asked[host])) {
                    if ask(range(asked[host]), by: host, now: now) { Issue.record("nothing is sent unasked") }
                    asked[host] += 1
                }
            }
            for effect in decide(now: now) {
                switch effect {
                case .serve(let host, let ranges):
                    copies += 1
                    let number = numbers.first { digest($0) == ranges[0].digest } ?? -1
                    underWay.append((now + 100_000_000, host, number))
                case .redirect(let host, let source):
                    let number = numbers.first { digest($0) == source.digest } ?? -1
                    let giver = (0..<8).first { place($0) == source.place } ?? -1
                    #expect(held.contains([giver, number]), "it has what it is to give")
                    underWay.append((now + 100_000_000, host, number))
                }
            }
            now += 10_000_000
            for one in underWay where one.due <= now {
                held.insert([one.host, one.number])
                fanout.holds(one.host, [digest(one.number)], now: now)
            }
            underWay.removeAll { $0.due <= now }
        }
        #expect(held.count == 320 && copies == 40)
        #expect(!fanout.isWaiting)
    }

    @Test("A host that gave wrong bytes is named once, and gives nothing more")
    func blame() {
        hosts(3)
        fanout.holds(0, [digest(1), digest(2)], now: 0)
        #expect(!ask(range(1), by: 1, now: 0))
        #expect(redirected(decide(now: 0)) == ["1 from 0 to 1"])
        #expect(unreached(failure(1, 0, .wrong), by: 1, now: 5) == 0)
        #expect(unreached(failure(1, 0, .wrong), by: 1, now: 5) == nil)
        for number in 1...2 { #expect(!ask(range(number), by: 1, now: 6)) }
        #expect(served(decide(now: 6)) == ["1 to 1", "2 to 1"])
        fanout.holds(0, [digest(3)], now: 7)
        #expect(!ask(range(3), by: 2, now: 7))
        #expect(served(decide(now: 7)) == ["3 to 2"])
    }

    @Test("One that cannot be reached is left alone for a while; one that reaches nobody is served from here at once")
    func firewall() {
        hosts(5)
        for giver in 0..<4 { fanout.holds(giver, [digest(1), digest(2)], now: 0) }
        var tried: [String] = []
        var now: Nanoseconds = 0
        for _ in 0..<3 {
            #expect(!ask(range(1), by: 4, now: now))
            tried += redirected(decide(now: now))
            _ = unreached(failure(1, tried.count - 1, .unreachable), by: 4, now: now + 1)
            now += 2
        }
        #expect(tried == ["1 from 0 to 4", "1 from 1 to 4", "1 from 2 to 4"])
        #expect(ask(range(1), by: 4, now: now), "three that failed are enough")
        #expect(ask(range(2), by: 4, now: now))
        // The others were not at fault.
        #expect(!ask(range(3), by: 1, now: now))
        fanout.holds(0, [digest(3)], now: now)
        #expect(redirected(decide(now: now)) == ["3 from 0 to 1"])
    }

    @Test("A host that takes an object slowly, or died with it, keeps no other waiting for long")
    func slow() {
        hosts(3)
        for host in 0..<3 { #expect(!ask(range(1), by: host, now: 0)) }
        #expect(served(decide(now: 0)) == ["1 to 0"])
        #expect(served(decide(now: 1 * Self.second)).isEmpty)
        #expect(served(decide(now: 4 * Self.second)) == ["1 to 1"], "a second copy, where the first is slow")
        fanout.forget(1)
        #expect(served(decide(now: 5 * Self.second)) == ["1 to 2"], "who died is not waited for")
    }

    @Test("What is to come from a host that says nothing any more is asked for again, and comes from here in the end")
    func busyForEver() {
        hosts(3)
        fanout.holds(0, [digest(1)], now: 0)
        for host in 1...2 { #expect(!ask(range(1), by: host, now: 0)) }
        #expect(redirected(decide(now: 0)) == ["1 from 0 to 1"])
        #expect(decide(now: 2 * Self.second).isEmpty)
        #expect(served(decide(now: 6 * Self.second)) == ["1 to 2"], "the only one that has it is busy")
    }

    @Test("What one host gives far more slowly than others goes on from one of these")
    func hurry() {
        hosts(3)
        fanout.holds(0, [digest(1), digest(2)], now: 0)
        #expect(!ask(range(1), by: 2, now: 0))
        #expect(redirected(decide(now: 0)) == ["1 from 0 to 2"])
        fanout.holds(1, [digest(1), digest(3)], now: 0)
        #expect(!ask(range(3), by: 2, now: 0))
        #expect(redirected(decide(now: 0)) == ["3 from 1 to 2"])
        fanout.holds(2, [digest(3)], now: Self.second / 2)
        #expect(redirected(decide(now: 4 * Self.second)).isEmpty)
        #expect(redirected(decide(now: 6 * Self.second)) == ["1 from 1 to 2"])
    }

    @Test("What a host makes the coordinator remember is counted, and forgotten with it")
    func counted() {
        hosts(2)
        for number in 0..<10 { #expect(!ask(range(number), by: 0, now: 0)) }
        #expect(fanout.held(by: 0) == 20)
        _ = decide(now: 0)
        #expect(fanout.held(by: 0) == 16)
        fanout.holds(0, (0..<10).map(digest), now: 1)
        #expect(fanout.held(by: 0) == 0 && !fanout.isWaiting)
        #expect(!ask(range(11), by: 0, now: 2))
        fanout.forget(0)
        #expect(fanout.held(by: 0) == 0 && !fanout.isWaiting)
    }
}
