import Foundation
import TestKit
import Testing

/// A sweep that a program of version 1 left interrupted: see `Tests/support/Golden/README.md`.
@Suite("Ledgers of earlier versions")
struct TakeOverTests {
    /// Its ledger as the only one of the artifacts, its program, and a sweep file as the user edited it then.
    private func study() throws -> Study {
        let study = try Study(hosts: 1)
        let folder = "\(study.folder)/artifacts/golden-k1t8enzm"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Golden.path("version1/command.sqlite"), toPath: "\(folder)/ledger.sqlite")
        try study.write("run.sh", try Golden.text("version1/run.sh"))
        try study.write(
            "sweep.yaml",
            """
            sweep: golden
            engine: command
            command: [/bin/sh, run.sh]
            axes: {x: [good2, good1, exit1, broken1, good3]}
            results: results.json
            inputs: [run.sh]
            metrics: [value]
            define: {twice: value * 2}
            limits: {time: 100s, memory: 16MiB}
            retry: {attempts: 2}

            """)
        return study
    }

    private func ledger(_ study: Study) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(study.folder)/artifacts/golden-k1t8enzm/ledger.sqlite"))
    }

    @Test("It is shown as it is; resumed, what it has is kept and what it lacks is run")
    func resumed() throws {
        let study = try study()
        let before = try ledger(study)
        let status = try study.run("status")
        #expect(status.status == 0 && status.output.contains("2 succeeded"), "\(status.output)\(status.errors)")
        #expect(try study.column("x") == ["good2", "good1", "exit1", "broken1", "hold3", "hold4"])
        #expect(try ledger(study) == before, "who only looks changes nothing")

        let resumed = try study.run("resume", "--sweep", "sweep.yaml", "-i", "inventory.yaml")
        #expect(resumed.status == 3, "\(resumed.errors)")
        #expect(resumed.errors.contains("the sweep changed"), "\(resumed.errors)")
        #expect(try study.column("x") == ["good2", "good1", "exit1", "broken1", "good3"])
        #expect(try study.column("outcome") == ["succeeded", "succeeded", "failed", "quarantined", "succeeded"])
        #expect(try study.column("attempts", of: "runs") == ["1", "1", "2", "1", "1"], "nothing was begun again")
        #expect(try study.run("doctor", "--ledger").status == 0)
    }

    @Test("One of a newer program is refused with what to do, and not touched")
    func newer() throws {
        let study = try study()
        let path = "\(study.folder)/artifacts/golden-k1t8enzm/ledger.sqlite"
        var bytes = try ledger(study)
        bytes[63] = 99
        try bytes.write(to: URL(fileURLWithPath: path))
        for words in [["status"], ["results"], ["resume", "-i", "inventory.yaml"], ["retry"], ["doctor", "--ledger"]] {
            let refused = try study.start(words).wait()
            #expect(refused.status == 74, "\(words): \(refused.errors)")
            let said = refused.output + refused.errors
            #expect(said.contains("written by a newer usweep") && said.contains("upgrade this one"), "\(said)")
        }
        #expect(try ledger(study) == bytes)
    }
}
