import Foundation
import TestKit
import Testing

/// Hosts of one machine, each with a program of its own.
@Suite("Audits over SSH", .serialized)
struct AuditTests {
    /// Prints what the host's own program prints; a working folder is all that tells hosts of one machine apart.
    private static func sweep(_ points: Int = 6) -> String {
        """
        sweep: audited
        engine: command
        command: [/bin/sh, -c, 'PATH=${PWD%%/attempts/*}/tools:$PATH; \
        echo "{\\"value\\": $(answer $USWEEP_X)}" > results.json']
        axes: {x: 1..\(points)}
        results: results.json
        metrics: [value]

        """
    }

    /// Nothing ends before each host has begun something.
    ///
    /// - Parameter programs: the body of each host's `answer`, in their order.
    private func study(_ programs: [String]) throws -> Study {
        let study = try Study(hosts: programs.count)
        for (host, program) in programs.enumerated() {
            let folder = "\(study.workdir(host))/tools"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let path = "\(folder)/answer"
            let begun = "\(study.folder)/begun"
            let script = """
                #!/bin/sh
                mkdir -p \(begun)/\(host)
                until [ $(ls \(begun) | wc -l) = \(programs.count) ]; do sleep 0.05; done
                \(program)

                """
            try script.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        return study
    }

    private static let right = "echo $(($1 * $1))"
    private static let wrong = "echo $(($1 * $1 + 1))"

    @Test("Agreeing hosts: the tables have the bytes of a launch without audits, and all places say what was compared")
    func agreeing() throws {
        let study = try study([Self.right, Self.right])
        #expect(try study.launch(Self.sweep()).status == 0)
        let plain = try study.text(of: "results.csv")
        let ended = try study.launch(Self.sweep(), options: ["--new", "--audit", "30%"])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.errors.contains("audit: 2 of 6 points were run again on other hosts: identical"))
        #expect(try study.text(of: "results.csv") == plain)
        #expect(Set(try study.column("attempts", of: "runs")) == ["1"])
        let status = try study.run("status").output
        #expect(status.contains("audit   2 of 6 points were run again on other hosts: identical"), "\(status)")
        #expect(try study.run("status", "--output", "json").output.contains(#""chosen":2,"identical":2"#))
        let told = try (1...6).map { try study.run("explain", "\($0)").output }
        #expect(told.count { $0.contains("identical: result: identical") && $0.contains("the same numbers.") } == 2)
        #expect(try study.run("report", "--to", "r.html").status == 0)
        #expect(study.text("r.html").contains("<dd>2 of 6 points were run again on other hosts: identical"))
        #expect(try study.run("doctor", "--ledger").status == 0)
        // Launched again, also with a larger share, only what was not audited is.
        let more = try study.launch(Self.sweep(), options: ["--audit", "100%"])
        #expect(more.status == 0 && more.errors.contains("audit: 6 of 6 points"), "\(more.errors)")
    }

    @Test("A host with a wrong program is fenced; its runs are quarantined, named, and done again on the others")
    func lying() throws {
        let study = try study([Self.right, Self.wrong, Self.right])
        let ended = try study.launch(Self.sweep(12), options: ["--audit", "100%"])
        #expect(ended.status == 3, "\(ended.errors)")
        #expect(ended.errors.contains("h1 is fenced: run "), "\(ended.errors)")
        #expect(ended.errors.contains("values differ; the first is invocation 1, value: "))
        let right = (1...12).map { "\($0 * $0)" }
        for (found, wanted) in zip(try study.column("value"), right) { #expect(found == wanted || found.isEmpty) }
        let host = try study.run("explain", "h1").output
        #expect(host.contains("fenced by an audit") && host.contains("results are quarantined: run"), "\(host)")
        let sweep = try #require(ended.errors.firstMatch(of: /usweep (retry --class host-fenced [a-z0-9]+)/))
        let again = try study.start(sweep.1.split(separator: " ").map(String.init)).wait()
        #expect(again.status == 0, "\(again.errors)")
        #expect(try study.column("value") == right)
        #expect(try !study.column("host", of: "runs").contains("h1"))
        #expect(try study.run("doctor", "--ledger").status == 0)
    }

    @Test("Of two hosts that differ both are named and none is fenced; one host is refused before anything runs")
    func twoHosts() throws {
        let study = try study([Self.right, Self.wrong])
        let ended = try study.launch(Self.sweep(), options: ["--audit", "1%"])
        #expect(ended.status == 4, "\(ended.errors)")
        #expect(ended.errors.contains(/run \d: h\d and h\d gave different numbers/), "\(ended.errors)")
        #expect(!ended.errors.contains("fenced:"))
        try study.write(
            "one.yaml", "hosts: [{name: here, address: local, workdir: \(study.folder)/one}]\n")
        let alone = try study.run("launch", "sweep.yaml", "-i", "one.yaml", "--new", "--audit", "2%")
        #expect(alone.status == 64 && alone.errors.contains("can use one host only (here)"), "\(alone.errors)")
        #expect(!study.exists("one"))
    }

    @Test("A program that throws dice fences nobody, and is called not deterministic")
    func dice() throws {
        let dice = "od -An -N4 -tu4 /dev/urandom | tr -d ' '"
        let study = try study([dice, dice, dice])
        let ended = try study.launch(Self.sweep(), options: ["--audit", "50%"])
        #expect(ended.status == 4, "\(ended.errors)")
        #expect(ended.errors.contains("0 identical, 3 differ") && ended.errors.contains("not deterministic"))
        #expect(!ended.errors.contains("fenced:"), "\(ended.errors)")
    }
}
