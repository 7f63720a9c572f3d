import CoordinatorRuntime
import Foundation
import Ledger
import Model
@testable import Sessions
import SweepCore
import SweepFiles
import Testing

/// Sweeps that were never run, with records written into their ledgers.
@Suite("Where a sweep stands", .serialized)
struct StatusTests {
    private let folder: ArtifactsFolder
    private let entry: ArtifactsFolder.Entry

    init() throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/usweep-status-\(UUID().uuidString)"
        folder = ArtifactsFolder(path: path)
        try folder.prepare()
        let file = "\(path)/sweep.yaml"
        try """
            sweep: study
            engine: command
            command: [/bin/true]
            axes: {x: [1, 2, 3]}

            """.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(AnyAgent.isNamed)
        let hosts = Inventory(hosts: [Model.Host(target: HostTarget(name: "lab1"))])
        entry = try Session.create(try SweepFile.read(path: file), inventory: hosts, in: folder).entry
    }

    private func commit(_ records: [Record]) throws { try Ledger.open(entry.ledger, sweep: "study").commit(records) }

    private func remove() { try? FileManager.default.removeItem(atPath: folder.path) }

    @Test("New identifiers begin with a letter, so that no number of a run begins one")
    func identifiers() {
        defer { remove() }
        #expect(entry.identifier.count == 8 && entry.identifier.first?.isLetter == true)
    }

    @Test("The end says how many, why, and what to type")
    func conclusion() throws {
        defer { remove() }
        #expect(
            try SweepStatus(entry).conclusion
                == "0 of 3 runs succeeded, 3 have not ended. Run the rest: usweep resume \(entry.identifier)")
        try commit([
            .runEnded(run: 1, state: .failed, failure: .exitNonzero, attempt: 0),
            .runEnded(run: 2, state: .failed, failure: .exitNonzero, attempt: 0),
        ])
        try commit([.runEnded(run: 3, state: .failed, failure: .timeout, attempt: 0)])
        let status = try SweepStatus(entry, troubles: 1)
        #expect(status.troubles.map(\.run) == [1])
        #expect(
            status.conclusion
                == "0 of 3 runs succeeded, 3 failed (2 exit-nonzero, 1 timeout). See why: usweep explain 1. "
                + "Run them again: usweep retry")
    }

    @Test("What broke the contract may be the sweep file's fault, which a retry does not mend")
    func contract() throws {
        defer { remove() }
        try commit((1...3).map { .runEnded(run: $0, state: .quarantined, failure: .contractBroken, attempt: 0) })
        #expect(
            try SweepStatus(entry, troubles: 1).conclusion
                == "0 of 3 runs succeeded, 3 quarantined (contract-broken). See why: usweep explain 1. "
                + "If the sweep file is wrong, correct it and launch it again; results are kept. "
                + "Run them again: usweep retry")
    }

    @Test("Cancelled runs are not called failed")
    func cancelled() throws {
        defer { remove() }
        let all = (1...3).map { Record.runEnded(run: $0, state: .cancelled, failure: .cancelled, attempt: 0) }
        try commit([.sweepStopped(reason: "cancelled")] + all)
        let status = try SweepStatus(entry)
        #expect(
            status.conclusion
                == "0 of 3 runs succeeded, 3 cancelled. Run the rest: usweep resume \(entry.identifier)")
        #expect(status.stop == "cancelled")
    }

    @Test("What advice brings back what was cancelled, one by one or as a whole")
    func cancelledAlone() throws {
        defer { remove() }
        let cancelled = Record.runEnded(run: 2, state: .cancelled, failure: .cancelled, attempt: 0)
        let succeeded = [1, 3].map { Record.runEnded(run: $0, state: .succeeded, failure: nil, attempt: 0) }
        try commit(
            [cancelled, .sweepStopped(reason: "once"), .runReopened(run: 2, reason: "again")] + succeeded + [cancelled])
        let status = try SweepStatus(entry)
        #expect(
            status.conclusion
                == "2 of 3 runs succeeded, 1 cancelled. Run what was cancelled: usweep retry --class cancelled")
        #expect(status.stop == nil, "it went on since")
        func reopened(_ retry: Session.Retry?) throws -> (open: Int, said: [String]) {
            var said: [String] = []
            let session = try Session.resume(entry, in: folder, Session.Resumption(retry: retry)) { said.append($0) }
            return (session.state.runCount - session.state.endedCount, said)
        }
        #expect(try reopened(nil).open == 0)
        let all = try RunChoice([], in: folder)
        let none = try reopened(Session.Retry(all, classes: []))
        #expect(none.open == 0)
        #expect(
            none.said.last == "no failed or quarantined run matches: nothing is run again; 1 was cancelled: "
                + "usweep retry --class cancelled \(entry.identifier)", "\(none.said)")
        #expect(try reopened(Session.Retry(all, classes: [.cancelled])).open == 1)
    }

    @Test("A coordinator that found no host leaves the reason")
    func lastEnd() throws {
        defer { remove() }
        do {
            let ledger = try Ledger.open(entry.ledger, sweep: "study")
            try ledger.note(EnvironmentVariable(Document.endNote, "lab1: unknown host name"))
            ledger.leave(status: 75)
        }
        #expect(try SweepStatus(entry).lastEnd == "lab1: unknown host name")
        let run = try Explanation(of: "1", in: folder).sentences
        #expect(run.contains { $0.hasSuffix("The last one ended: lab1: unknown host name") }, "\(run)")
        let host = try Explanation(of: "lab1", in: folder).sentences
        #expect(host.last == "The last coordinator ended: lab1: unknown host name", "\(host)")
        let ending = try LedgerSource(entry).refresh().ending
        #expect(ending?.message == "the coordinator ended: lab1: unknown host name")
    }

    @Test("retry and resume say what changed since the launch, and the command that uses it")
    func changes() throws {
        defer { remove() }
        let (file, inventory) = ("\(folder.path)/s.yaml", "\(folder.path)/i.yaml")
        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8)
        }
        try write("run.sh", "exit 3\n")
        let text = "sweep: edited\nengine: command\ncommand: [/bin/sh, run.sh]\ninputs: [run.sh]\naxes: {x: [1, 2]}\n"
        try write("s.yaml", text)
        try write("i.yaml", "hosts: [{name: here, address: local, slots: 1}]\n")
        let launched = try Session.create(
            try SweepFile.read(path: file), inventory: try HostConnections.inventory(path: inventory),
            files: LaunchFiles(sweep: file, inventory: inventory), in: folder).entry
        func changes() throws -> String { try LaunchFiles.changes(of: launched, options: " --retry").joined() }
        let advice = "usweep launch \(file) -i \(inventory) --retry"
        #expect(try changes() == "")
        try write("run.sh", "exit 0\n")
        #expect(try changes().hasPrefix("\(folder.path)/run.sh has changed since the last launch; "))
        #expect(try changes().hasSuffix(advice))
        try write("run.sh", "exit 3\n")
        try write("s.yaml", text.replacing("[1, 2]", with: "[1, 2, 3]"))
        try write("i.yaml", "hosts: [{name: here, address: local, slots: 2}]\n")
        #expect(try changes().hasPrefix("\(file) and \(inventory) have changed since"))
        #expect(try LaunchFiles.changes(of: launched, namesSweep: true, namesInventory: true).isEmpty)
        #expect(LaunchFiles.again(launched) == "usweep launch \(file) -i \(inventory)")
        #expect(LaunchFiles.again(entry) == nil)
        // A copy that has the same name.
        try write("copy.yaml", text.replacing("x: [1, 2]", with: "y: [1]"))
        var copied = Session.Resumption(
            sweep: try SweepFile.read(path: "\(folder.path)/copy.yaml"),
            files: LaunchFiles(sweep: "\(folder.path)/copy.yaml", inventory: inventory))
        copied.refusesCopies = true
        let refused = #expect(throws: Failure.self) { try Session.resume(launched, in: folder, copied) { _ in } }
        #expect(refused?.code == .usage && refused?.message.contains("copy.yaml has no point in common") == true)
        copied.refusesCopies = false
        _ = try Session.resume(launched, in: folder, copied) { _ in }
        let why = try Explanation(of: "\(launched.identifier)/1", in: folder)
        #expect(why.sentences.contains { $0.contains("no longer part of the sweep") }, "\(why.sentences)")
    }

    @Test("A sweep is paused only as long as nothing has happened since its coordinator said so")
    func paused() throws {
        defer { remove() }
        let failed = Record.runEnded(run: 1, state: .failed, failure: .exitNonzero, attempt: 0)
        func leave(isPaused: Bool) throws {
            let ledger = try Ledger.open(entry.ledger, sweep: "study")
            try ledger.commit([failed, .runReopened(run: 1, reason: "r"), failed])
            ledger.leave(status: 3, isPaused: isPaused)
        }
        try leave(isPaused: false)
        #expect(try !SweepStatus(entry).isPaused, "runs are open, for whatever reason")
        try commit([.runReopened(run: 1, reason: "r")])
        try leave(isPaused: true)
        let status = try SweepStatus(entry)
        #expect(status.isPaused && status.conclusion.contains("The sweep is paused"))
        // Whoever holds it for a moment leaves the lock as it was.
        try commit([.runReopened(run: 1, reason: "r")])
        guard case .ended(3, _) = Ledger.holder(entry.ledger) else {
            Issue.record("\(Ledger.holder(entry.ledger))")
            return
        }
        #expect(try !SweepStatus(entry).isPaused)
    }

    @Test("Memory that no host has is refused before anything starts")
    func memory() throws {
        defer { remove() }
        let file = "\(folder.path)/sweep.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8) + "limits: {memory: 600GiB}\n"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let sweep = try SweepFile.read(path: file)
        func outline(_ memories: [Int64?]) throws {
            let hosts = memories.enumerated().map { index, bytes in
                Model.Host(target: HostTarget(name: "lab\(index)"), memoryBytes: bytes)
            }
            _ = try SweepOutline(sweep, Inventory(hosts: hosts), in: folder)
        }
        try outline([64 << 30, nil])
        try outline([64 << 30, 700 << 30])
        let refused = #expect(throws: Failure.self) { try outline([64 << 30, 256 << 30]) }
        #expect(refused?.code == .badSpecification)
        #expect(refused?.message.contains("600 GiB") == true && refused?.message.contains("lab1 with 256 GiB") == true)
    }
}

@Suite("Requests to a coordinator", .serialized)
struct RequestTests {
    @Test("A request is for the coordinator that it was left for, and one that is starting says so")
    func addressed() throws {
        let path = "\(NSTemporaryDirectory())/usweep-requests-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let entry = ArtifactsFolder.Entry(
            name: "study", identifier: "habcdefg", folder: path, changed: .now, artifacts: ArtifactsFolder(path: "/a"))
        let requests = Requests(entry: entry)
        try FileManager.default.createDirectory(atPath: "\(path)/requests", withIntermediateDirectories: true)
        func leave(_ text: String, _ time: Date = .now) throws {
            let place = "\(path)/requests/\(UUID().uuidString)"
            try text.write(toFile: place, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: place)
        }
        try leave("cancel all", .now - 60)
        // This process takes the sweep after that; it is not at its loop yet.
        try Data("pid \(getpid()) on \(ProcessInfo.processInfo.hostName) since now\n".utf8)
            .write(to: URL(fileURLWithPath: entry.ledger + ".lock"))
        for text in ["cancel 3", "tail 3 ../x", "nonsense"] { try leave(text, .now + 1) }
        #expect(requests.take() == [.cancel(run: 3, reason: "cancelled by 'usweep cancel'")])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/requests").isEmpty)
        signal(SIGUSR1, SIG_IGN)
        let starting = #expect(throws: Failure.self) { _ = try requests.tail(run: 3, path: "stdout.txt") }
        #expect(starting?.code == .heldElsewhere)
        #expect(starting?.message.contains("is starting") == true, "\(starting as Any)")
    }
}
