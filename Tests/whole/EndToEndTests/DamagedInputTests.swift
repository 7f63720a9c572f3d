import Foundation
import Model
import TestKit
import Testing

@Suite("Inputs that a host's disk damaged")
struct DamagedInputTests {
    private static func sweep(_ folder: String, _ values: String) -> String {
        """
        sweep: damaged
        engine: command
        command: [/bin/sh, -c, 'while [ $USWEEP_X = 3 ] && [ ! -e \(folder)/go ]; do sleep 0.05; done; \
        echo "{\\"value\\": $(cksum < table.bin | cut -d " " -f 2)}" > results.json']
        axes: {x: \(values)}
        inputs: [table.bin]
        results: results.json
        metrics: [value]

        """
    }

    /// A bit changes on the disk, and the time of the file does not.
    private func flip(_ path: String) throws {
        try RealSSHD.run(
            "sh",
            [
                "-c", """
                    set -e; touch -r "$1" "$1.time"; chmod u+w "$1"
                    printf X | dd of="$1" bs=1 seek=5 conv=notrunc status=none
                    chmod u-w "$1"; touch -r "$1.time" "$1"; rm "$1.time"
                    """, "sh", path,
            ])
    }

    @Test("It is found; results that had it are named and quarantined, and the command that is printed mends them")
    func found() throws {
        let study = try Study(hosts: 1)
        let table = String(repeating: "0123456789", count: 500)
        try study.write("table.bin", table)
        let first = try study.launch(Self.sweep(study.folder, "[1, 2]"))
        #expect(first.status == 0, "\(first.errors)")
        study.killAgent(0)
        let digest = SHA256.digest(table)
        try flip("\(study.workdir(0))/objects/\(digest.hex.prefix(2))/\(digest.hex)")

        try study.write("sweep.yaml", Self.sweep(study.folder, "[1, 2, 3]"))
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        let finding = "the input table.bin (\(digest.short)) was found damaged on the disk of h0 at "
        #expect(study.eventually { study.text("\(running.name).err").contains(finding) })
        try study.write("go", "")
        let ended = running.wait()
        #expect(ended.status == 3, "\(ended.errors)")
        #expect(try study.column("outcome") == ["quarantined", "quarantined", "succeeded"])
        #expect(try study.column("class") == ["input-damaged", "input-damaged", ""])
        let status = try study.run("status").output
        #expect(status.contains("damage  \(finding)"), "\(status)")
        #expect(status.contains("the results of runs 1 and 2, which had it there, are quarantined"), "\(status)")
        let document = try study.run("status", "--output", "json").output
        #expect(document.contains(#""path":"table.bin""#) && document.contains(#""runs":[1,2]"#), "\(document)")
        #expect(try study.run("explain", "1").output.contains("It succeeded on h0, but later \(finding)"))
        #expect(try study.run("explain", "h0").output.contains("- \(finding)"))
        #expect(try study.run("results").errors.contains("warning: \(finding)"))
        #expect(try study.run("report").status == 0)

        let advice = try #require(status.firstMatch(of: /Run them again: (usweep retry --class input-damaged.*)/)?.1)
        let retried = try study.start(advice.split(separator: " ").dropFirst().map(String.init)).wait()
        #expect(retried.status == 0, "\(retried.errors)")
        #expect(try study.column("value") == ["5000", "5000", "5000"])
        #expect(try !study.run("status").output.contains("damage  "))
        // It is told again at each login, and is about results that do not count any more.
        #expect(try study.launch(Self.sweep(study.folder, "[1, 2, 3, 4]")).status == 0)
        #expect(try study.run("doctor", "--ledger").status == 0)
    }
}
