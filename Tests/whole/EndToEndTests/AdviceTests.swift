import Foundation
import Model
import TestKit
import Testing

/// What the program says to type is typed, by a shell, to the letter: it works, and the problem is gone.
@Suite("Advice that is followed", .serialized)
struct AdviceTests {
    /// A run fails while a file `broken` is there, and waits while one called `hold` is.
    private static func sweep(_ study: Study) -> String {
        """
        sweep: advice
        engine: command
        command:
          - /bin/sh
          - -c
          - |
            if [ -e '\(study.folder)/broken' ]; then exit 7; fi
            while [ -e '\(study.folder)/hold' ]; do sleep 0.05; done
            echo '{"value": 1}' > results.json
        axes: {x: [1, 2]}
        results: results.json
        metrics: [value]
        retry: {attempts: 1}

        """
    }

    /// The commands of a message: each behind a colon, up to the end of its sentence, of the line, or of a clause.
    private func commands(_ text: String, _ program: String = "usweep") -> [String] {
        text.split(separator: "\n").flatMap { line in
            line.split(separator: ": \(program) ", omittingEmptySubsequences: false).dropFirst().map { rest in
                let ends = [". ", "; ", ", ", ")"].compactMap { rest.range(of: $0)?.lowerBound }
                let text = rest[..<(ends.min() ?? rest.endIndex)]
                return "\(program) \(text.hasSuffix(".") ? text.dropLast() : text)"
            }
        }
    }

    /// Types a command of a message.
    private func type(_ command: String, in study: Study) throws -> Study.Ended {
        let program = try Study.found(Study.program)
        let shell = try study.start(
            ["-c", "usweep() { '\(program)' \"$@\"; }; \(command)"], program: "/bin/sh")
        return shell.wait()
    }

    /// Types the one command of a message that has some words.
    @discardableResult
    private func follow(_ text: String, _ words: String, in study: Study, status: Int32 = 0) throws -> Study.Ended {
        let command = try #require(commands(text).first { $0.contains(words) }, "'\(words)' in: \(text)")
        let ended = try type(command, in: study)
        #expect(ended.status == status, "\(command): \(ended.output)\(ended.errors)")
        return ended
    }

    @Test("Runs that failed: why, and once more", arguments: [[], ["--artifacts", "else where"]])
    func failed(_ options: [String]) throws {
        let study = try Study(hosts: 1)
        try study.write("broken", "")
        let launched = try study.launch(Self.sweep(study), options: options)
        #expect(launched.status == 3)
        let told = try follow(launched.errors, "explain", in: study)
        #expect(told.output.contains("exit status 7"), "\(told.output)")
        try FileManager.default.removeItem(atPath: "\(study.folder)/broken")
        let again = try study.launch(Self.sweep(study), options: options)
        #expect(again.status == 3 && again.errors.contains("--retry"), "\(again.errors)")
        // Of one run: the other one still counts as failed.
        try follow(told.output, "retry", in: study, status: 3)
        try follow(launched.errors, "retry", in: study)
        let status = try study.start(["status"] + options).wait().output
        #expect(status.contains("2 of 2 runs succeeded"), "\(status)")
    }

    @Test("A sweep that was interrupted goes on; one is removed when that is confirmed")
    func interrupted() throws {
        let study = try Study(hosts: 1)
        try study.write("hold", "")
        try study.write("sweep.yaml", Self.sweep(study))
        let launch = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.text("launch1.err").contains("h0: joined") })
        launch.signal(SIGINT)
        let stopped = launch.wait()
        #expect(stopped.status == 130)
        try FileManager.default.removeItem(atPath: "\(study.folder)/hold")
        try follow(stopped.errors, "resume", in: study)
        #expect(try study.run("status").output.contains("2 of 2 runs succeeded"))
        let asked = try study.run("rm", "advice")
        #expect(asked.status == 64 && asked.errors.contains("--yes"), "\(asked.errors)")
        #expect(try study.run("rm", "advice", "--yes").status == 0)
        #expect(try study.run("status").status == 66)
    }

    @Test("What is wrong with files is mended by what the message says")
    func files() throws {
        let study = try Study(hosts: 1)
        try study.write("run.sh", "#!/bin/sh\n")
        try study.write("a.yaml", "sweep: a\nengine: command\ncommand: [./run.sh]\ninputs: [run.sh]\naxes: {x: [1]}\n")
        let refused = try study.run("plan", "a.yaml")
        #expect(refused.status == 65)
        let mend = try #require(commands(refused.errors, "chmod").first, "\(refused.errors)")
        #expect(try type(mend, in: study).status == 0)
        #expect(try study.run("plan", "a.yaml").status == 0)
        let inventory = try study.run("plan", "inventory.yaml")
        let command = try #require(commands(inventory.errors).first, "\(inventory.errors)")
        #expect(try type(command.replacing("SWEEP", with: "a.yaml"), in: study).status == 0)
        try study.write("m.yaml", "sweep: m\nengine: qemu\nguest: g\nworkloads: [a]\nmetrics: [zzz]\n")
        #expect(try follow(try study.run("plan", "m.yaml").errors, "metrics", in: study).output.contains("l1i.mpki"))
    }

    @Test("A number that may be a run or a host, and names that nobody knows")
    func names() throws {
        let study = try Study(hosts: 1)
        let inventory = study.text("inventory.yaml")
        try study.write("inventory.yaml", inventory.replacing("name: h0", with: "name: '1', address: h0"))
        #expect(try study.launch(Self.sweep(study)).status == 0)
        let ambiguous = try study.run("explain", "1")
        #expect(ambiguous.status == 64)
        try follow(ambiguous.errors, "logs", in: study)
        let unknown = try study.run("retry", "77")
        #expect(try follow(unknown.errors, "results", in: study).output.contains("succeeded"))
        let misspelt = try study.run("statsu")
        #expect(misspelt.status == 64 && misspelt.errors.contains("'status'"), "\(misspelt.errors)")
    }
}
