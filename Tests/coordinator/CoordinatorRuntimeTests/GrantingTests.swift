import Formats
import Foundation
import Model
import Ports
import Storage
import SweepCore
import Testing
@testable import CoordinatorRuntime

@Suite("Leases that are written beside the loop")
struct GrantingTests {
    /// Of a sweep whose runs have so many inputs that these go as a list.
    private func listed(runs: Int = 1) throws -> Bench {
        try Bench(runs: runs, inputs: (0..<3_000).map { ("folder/file-\($0)", [UInt8]("\($0)".utf8)) })
    }

    /// Steps until the first lease waits to be written.
    private func holdFirst(_ bench: Bench) throws {
        bench.workshop.isOpen = false
        try bench.run(until: { bench.workshop.lanes.contains(.grants) })
    }

    /// What a host has heard of its leases, one word each.
    private func words(_ host: FakeHost) -> [String] {
        host.heard.compactMap { message in
            switch message {
            case .grant: "grant"
            case .cancel: "cancel"
            case .revoke: "revoke"
            case .heartbeat: "heartbeat"
            default: nil
            }
        }
    }

    @Test("The loop goes on, and what is decided for the host meanwhile comes behind its lease")
    func order() throws {
        let bench = try listed()
        bench.host.part = { _, message in if case .grant = message { true } else { false } }
        try holdFirst(bench)
        bench.inbox.put(.request(.cancel(run: 1, reason: "cancelled by a test")))
        bench.host.say(.heartbeat(HostLoad(running: 1, waiting: 0, freeBytes: 1)))
        try bench.run(until: { bench.time.now > 12 * Timing.second && bench.loop.hostView(0).running == 1 })
        #expect(words(bench.host) == [])
        bench.workshop.finish { $0 == .grants }
        try bench.step()
        let said = words(bench.host)
        #expect(said.first == "grant" && said.contains("cancel") && said.contains("heartbeat"), "\(said)")
    }

    @Test("Other hosts do not wait, and a lease is written once for each of them")
    func others() throws {
        let inputs = (0..<3_000).map { ("folder/file-\($0)", [UInt8]("\($0)".utf8)) }
        let bench = try Bench(runs: 4, hosts: ["h0", "h1"], inputs: inputs)
        #expect(try bench.run() == .complete(allSucceeded: true))
        let lists = bench.hosts.flatMap(\.grants).flatMap(\.entries).map(\.job.inputList)
        #expect(lists.count == 4 && Set(lists).count == 1 && lists[0] != nil)
    }

    @Test("A host that is gone when its lease is written gets it when it comes back")
    func gone() throws {
        let bench = try listed()
        try holdFirst(bench)
        bench.host.breakOff()
        try bench.step()
        bench.workshop.isOpen = true
        #expect(try bench.run() == .complete(allSucceeded: true))
        #expect(bench.host.streams == 2 && bench.host.grants.count == 1)
    }

    @Test("A checkpoint whose record is gone ends the loop, and says which")
    func lost() throws {
        let bench = try Bench(runs: 1, engine: SetupEngine())
        bench.workshop.isOpen = false
        try bench.run(until: {
            bench.workshop.finish { $0 != .grants || bench.ledger.ends.isEmpty }
            return !bench.ledger.ends.isEmpty && bench.workshop.lanes.contains(.grants)
        })
        let checkpoint = try #require(bench.host.files.keys.first)
        try bench.store.remove(checkpoint)
        bench.workshop.isOpen = true
        let error = #expect(throws: Failure.self) { try bench.run() }
        #expect(error?.message.contains("the checkpoint \(checkpoint.short) is damaged or incomplete") == true)
    }

    @Test("Leases that need nothing of the disk are sent at once")
    func short() throws {
        let bench = try Bench(runs: 1)
        bench.workshop.isOpen = false
        try bench.run(until: { !bench.host.grants.isEmpty })
        #expect(!bench.workshop.lanes.contains(.grants))
    }
}
