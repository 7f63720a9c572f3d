import Foundation
import TestKit
import Testing

/// Disks of the coordinator's machine that fail it.
@Suite("Failing storage", .serialized)
struct StorageTests {
    private static func waiting(_ folder: String) -> String {
        """
        sweep: stored
        engine: command
        command: [/bin/sh, -c, 'touch \(folder)/began-$USWEEP_X; while [ ! -e \(folder)/go ]; do sleep 0.05; done; \
        head -c 300000 /dev/urandom > noise; echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [1, 2, 3, 4]}
        results: results.json

        """
    }

    @Test("A full disk stops the coordinator with 74; when there is space again, resume ends the sweep",
        .enabled(if: getuid() == 0, "needs root for a tmpfs"))
    func full() throws {
        let study = try Study(hosts: 1)
        try study.mount("size=8m", as: "artifacts")
        try study.write("sweep.yaml", Self.waiting(study.folder))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-1") && study.exists("began-2") })
        _ = try? RealSSHD.run("sh", ["-c", "cat /dev/zero > \(study.folder)/artifacts/filler"])
        try study.write("go", "")
        let stopped = running.wait()
        #expect(stopped.status == 74, "\(stopped.errors)")
        #expect(stopped.errors.contains("usweep resume"), "\(stopped.errors)")
        try FileManager.default.removeItem(atPath: "\(study.folder)/artifacts/filler")
        let resumed = try study.run("resume")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try study.column("value") == ["1", "2", "3", "4"])
        #expect(try study.run("doctor", "--ledger").status == 0)
    }

    @Test("An artifacts folder that cannot be written is refused with 74, and still read",
        .enabled(if: getuid() == 0, "needs root for a tmpfs"))
    func readOnly() throws {
        let study = try Study(hosts: 1)
        try study.mount("size=8m", as: "artifacts")
        try study.write("go", "")
        try study.write("sweep.yaml", Self.waiting(study.folder))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        let before = try study.table()
        try RealSSHD.run("mount", ["-o", "remount,ro", "\(study.folder)/artifacts"])
        for arguments in [["launch", "sweep.yaml", "-i", "inventory.yaml"], ["resume"], ["retry"]] {
            let refused = try study.start(arguments).wait()
            #expect(refused.status == 74, "\(refused.errors)")
            #expect(refused.errors.contains("written"), "\(refused.errors)")
        }
        #expect(try study.table() == before)
        #expect(try study.run("doctor", "--ledger").status == 0)
    }

    @Test("A clock that was set back: the last sweep is still the one that was launched last")
    func clock() throws {
        let study = try Study(hosts: 1)
        try study.write("go", "")
        for name in ["first", "second"] {
            try study.write("sweep.yaml", Self.waiting(study.folder).replacingOccurrences(of: "stored", with: name))
            #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        }
        try RealSSHD.run("sh", ["-c", "touch -d yesterday \(study.folder)/artifacts/second-*/*"])
        #expect(try study.run("status", "--output", "json").output.contains(#""sweep":"second""#))
        #expect(try study.run("resume", "first").status == 0)
        #expect(try study.run("status", "--output", "json").output.contains(#""sweep":"first""#))
    }

    @Test("A ledger that was cut short is refused, repaired from its copy, and gives the same table again")
    func repaired() throws {
        let study = try Study(hosts: 1)
        try study.write("go", "")
        try study.write("sweep.yaml", Self.waiting(study.folder))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        let before = try study.table()
        let folder = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "\(study.folder)/artifacts")
                .first { $0.hasPrefix("stored-") })
        let ledger = "\(study.folder)/artifacts/\(folder)/ledger.sqlite"
        #expect(truncate(ledger, 9_000) == 0)
        for arguments in [["results"], ["resume"], ["doctor", "--ledger"]] {
            let refused = try study.start(arguments).wait()
            #expect(refused.status == 74)
            #expect(refused.errors.contains("doctor --ledger --repair"), "\(refused.errors)")
        }
        let repaired = try study.run("doctor", "--ledger", "--repair")
        #expect(repaired.status == 0 && repaired.output.contains("ledger.damaged-1.sqlite"), "\(repaired.errors)")
        #expect(try study.run("resume").status == 0)
        #expect(try study.table() == before)
    }

    @Test("A damaged journal of an agent: doctor says what launch says, and changes nothing", arguments: [
        "agent.journal", "supervisor.journal",
    ])
    func journal(_ name: String) throws {
        let study = try Study(hosts: 1)
        try study.write("go", "")
        try study.write("sweep.yaml", Self.waiting(study.folder))
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml").status == 0)
        #expect(try study.run("doctor", "-i", "inventory.yaml").status == 0)
        study.killAgent(0)
        let path = "\(study.workdir(0))/\(name)"
        // As a power cut leaves a file whose length alone was written. An empty one is taken for new.
        for (bytes, isDamaged) in [(Data(), false), (Data(count: 300), true)] {
            try bytes.write(to: URL(filePath: path))
            let doctor = try study.run("doctor", "-i", "inventory.yaml")
            #expect(doctor.status == (isDamaged ? 75 : 0), "\(doctor.output)\(doctor.errors)")
            let reason = "the journal \(path) is damaged: it does not begin as a journal"
            #expect((doctor.output + doctor.errors).contains(reason) == isDamaged, "\(doctor.output)")
            #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
            guard isDamaged else { continue }
            let launched = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new")
            #expect(launched.status == 75 && launched.errors.contains(reason), "\(launched.errors)")
        }
    }
}
