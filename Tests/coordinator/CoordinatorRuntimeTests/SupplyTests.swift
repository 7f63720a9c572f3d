import Formats
import Model
import Testing
@testable import CoordinatorRuntime

@Suite("Inputs on their way to many hosts")
struct SupplyTests {
    private let length = ObjectRange.maximumLength

    private func range(_ index: Int) -> ObjectRange {
        ObjectRange(digest: SHA256.digest("input"), offset: Int64(index * length), length: length)
    }

    /// Hosts that have asked for four megabytes each.
    private func supply(hosts: Int) throws -> Supply {
        var supply = Supply()
        for host in 0..<hosts { for index in 0..<43 { try supply.ask(range(index), for: host) } }
        return supply
    }

    @Test("However many hosts there are, and however slow, what is read for them is bounded, and each gets its turn")
    func bounded() throws {
        var supply = try supply(hosts: 1_000)
        var unsent = [Int](repeating: 0, count: 1_000)
        var sent = [Int](repeating: 0, count: 1_000)
        var most = 0
        while supply.isWaiting {
            for (host, range) in supply.next(unsent: { unsent[$0] }) {
                supply.wasRead(range.length, for: host)
                unsent[host] += range.length
                sent[host] += 1
            }
            most = max(most, unsent.reduce(0, +))
            let fewest = sent.min() ?? 0
            #expect(sent.allSatisfy { $0 <= fewest + 1 })
            // Streams take a little at a time.
            for host in unsent.indices { unsent[host] = max(0, unsent[host] - length / 2) }
        }
        #expect(sent.allSatisfy { $0 == 43 } && most < Supply.mostInAll + length)
    }

    @Test("A host that takes nothing keeps no other waiting, and costs no more than two megabytes")
    func stuck() throws {
        var supply = try supply(hosts: 2)
        var given = [0, 0]
        while true {
            let pieces = supply.next(unsent: { $0 == 0 ? given[0] : 0 })
            if pieces.isEmpty { break }
            for (host, range) in pieces {
                supply.wasRead(range.length, for: host)
                given[host] += range.length
            }
        }
        #expect(given[1] == 43 * length)
        #expect((Supply.mostToHost..<Supply.mostToHost + length).contains(given[0]))
        #expect(supply.isWaiting)
        supply.forget(0)
        #expect(!supply.isWaiting)
    }

    @Test("What is being read counts like what waits")
    func reading() throws {
        var supply = try supply(hosts: 1)
        let pieces = supply.next(unsent: { _ in 0 })
        #expect(pieces.map(\.range) == (0..<22).map(range), "in the order in which they were asked for")
        #expect(supply.next(unsent: { _ in 0 }).isEmpty)
        supply.wasRead(length, for: 0)
        #expect(supply.next(unsent: { _ in 0 }).map(\.range) == [range(22)])
    }

    @Test("Who asks for more than agents do is told so")
    func tooMuch() throws {
        var supply = Supply()
        for index in 0..<HostLimits.reads { try supply.ask(range(index), for: 0) }
        let failure = #expect(throws: Failure.self) { try supply.ask(range(0), for: 0) }
        #expect(failure?.code == .badMessage)
    }
}
