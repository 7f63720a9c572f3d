import Foundation
import Model
import TestKit
import Testing

/// Inputs that go from host to host, with real hosts, agents and coordinator.
@Suite("Hosts that share", .serialized)
struct HostsThatShareTests {
    private static let size = 3_000_000

    /// A sweep of whose inputs every host needs all.
    private static func sweep(_ files: [String], runs: Int) -> String {
        """
        sweep: shared
        engine: command
        command: [/bin/sh, -c, 'echo "{\\"value\\": $(cat part* | cksum | cut -d" " -f1)}" > results.json; sleep 1']
        inputs: [\(files.joined(separator: ", "))]
        axes: {x: [\((1...runs).map { "\($0)" }.joined(separator: ", "))]}
        results: results.json
        metrics: [value]

        """
    }

    private func study(hosts: Int, share: String = "lan") throws -> (Study, [String]) {
        let study = try Study(hosts: hosts, slots: 1)
        try study.write(
            "inventory.yaml",
            study.text("inventory.yaml").replacingOccurrences(of: "slots: 1}", with: "slots: 1, share: \(share)}"))
        let names = try (1...4).map { number in
            var bytes = [UInt8](repeating: 0, count: HostsThatShareTests.size)
            for index in bytes.indices { bytes[index] = UInt8.random(in: .min ... .max) }
            try Data(bytes).write(to: URL(fileURLWithPath: "\(study.folder)/part\(number)"))
            return "part\(number)"
        }
        return (study, names)
    }

    /// MiB that the coordinator sent, and what came from other hosts, as it says at the end.
    private func told(_ ended: Study.Ended) throws -> (mebibytes: Double, given: Int) {
        let text = ended.errors + ended.output
        let line = /inputs: ([0-9.]+) MiB sent from here; ([0-9]+) file/
        let found = try #require(try line.firstMatch(in: text), "\(text)")
        return (Double(found.1) ?? 0, Int(found.2) ?? 0)
    }

    @Test("Three hosts get four inputs, and the coordinator sends little more than one copy of them")
    func once() throws {
        let (study, names) = try study(hosts: 3)
        let launched = try study.launch(Self.sweep(names, runs: 6))
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(Set(try study.column("value")).count == 1)
        let (mebibytes, given) = try told(launched)
        #expect(given >= 4, "of the twelve that hosts need, two copies at most come from here")
        #expect(mebibytes < 2.1 * 4 * Double(HostsThatShareTests.size) / 1_048_576)
    }

    @Test("Hosts that do not share get all from the coordinator, and listen nowhere")
    func apart() throws {
        let (study, names) = try study(hosts: 2, share: "off")
        let launched = try study.launch(Self.sweep(names, runs: 4))
        #expect(launched.status == 0, "\(launched.errors)")
        #expect(!launched.errors.contains("other hosts") && !launched.output.contains("other hosts"))
    }

    @Test("An address that is not this host's is said to be so, once, and the sweep goes on without sharing")
    func wrongAddress() throws {
        let (study, names) = try study(hosts: 1, share: "{address: 192.0.2.77}")
        let launched = try study.launch(Self.sweep(names, runs: 1))
        #expect(launched.status == 0, "\(launched.errors)")
        let text = launched.errors + launched.output
        #expect(text.contains("h0 does not share inputs with other hosts: it cannot listen at 192.0.2.77"), "\(text)")
    }

    @Test("A host dies while it gives: the others get what they need from elsewhere")
    func dies() throws {
        let (study, names) = try study(hosts: 3)
        try study.write("sweep.yaml", Self.sweep(names, runs: 3))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        // As soon as it has something to give.
        let hasEnded = { study.text("\(running.name).err").contains("runs succeeded") }
        #expect(study.eventually { hasObjects(study, 0) || hasEnded() })
        study.killAgent(0)
        let ended = running.wait()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(Set(try study.column("value")).count == 1)
    }

    private func hasObjects(_ study: Study, _ host: Int) -> Bool {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "\(study.workdir(host))/objects")) ?? []
        return folders.contains { $0.utf8.count == 2 }
    }
}
