import Formats
import Foundation
import Model
import Testing
@testable import AgentRuntime

/// What attempts leave: names, links, numbers and sizes that a program may choose.
@Suite(.serialized) struct LeftTests {
    private func report(
        _ text: String, output: Int64? = nil, artifacts: ArtifactRule = ArtifactRule()
    ) throws -> (report: AttemptReport, results: [UInt8]?) {
        let scratch = try Scratch()
        let agent = try Attached(scratch.path)
        try agent.hello()
        var job = script(text)
        job.limits.output = output
        job.artifacts = artifacts
        try agent.send(.grant(Shard(lease: 1, entries: [entry(1, job)])))
        let report = try agent.outcome()
        return (report, try? agent.fetch(report, "results.json"))
    }

    @Test("Links within the folder are what they lead to; others are left out, and said")
    func links() throws {
        let (report, results) = try report(
            """
            mkdir run-7; echo 7 > run-7/r.json; ln -s run-7/r.json results.json; ln -s run-7 latest
            ln run-7/r.json hard
            ln -s / root; ln -s . self; ln -s nowhere dangling; ln -s /etc/passwd out; mkfifo pipe; ln -s .. run-7/up
            """)
        #expect(report.failure == nil)
        #expect(
            report.artifacts.map(\.path)
                == ["hard", "latest/r.json", "results.json", "run-7/r.json", "stderr.txt", "stdout.txt"])
        #expect(results == Array("7\n".utf8))
        for said in [
            "\"root\" (a link that leads out", "\"self\" (a link to a folder that contains it)",
            "\"dangling\" (a broken link)", "\"out\" (a link that leads out of the run's folder)",
        ] { #expect(report.evidence.contains(said), "\(report.evidence)") }
        #expect(!report.evidence.contains("latest"))
    }

    @Test("A folder that is gone with what was in it is no fault of the run")
    func gone() throws {
        let (report, _) = try report("echo 7 > results.json; rm -rf \"$PWD\"")
        #expect(report.failure == .hostLost)
        #expect(
            report.evidence.contains("its folder on the host was removed before its results were collected"),
            "\(report.evidence)")
    }

    @Test("Odd names, too many and too deep ones do not take the result with them")
    func names() throws {
        let (report, results) = try report(
            """
            : > "$(printf 'a\\tb')"; : > "$(printf 'caf\\351.txt')"; : > "$(printf '%0255d' 1)"; : > 'a b'; : > -rf
            i=0; while [ $i -lt 1100 ]; do : > f$i; i=$((i + 1)); done
            d=.; i=0; while [ $i -lt 70 ]; do d=$d/d; i=$((i + 1)); done; mkdir -p $d; echo deep > $d/deep
            echo 7 > results.json
            """)
        #expect(report.failure == nil)
        #expect(results == Array("7\n".utf8))
        #expect(report.artifacts.count == 1_000)
        #expect(report.artifacts.contains { $0.path == "a b" })
        #expect(report.artifacts.contains { $0.path.utf8.count == 255 })
        #expect(report.evidence.contains(#""a\tb" (its name has control characters"#), "\(report.evidence)")
        #expect(report.evidence.contains("(its name is not UTF-8)"))
        #expect(report.evidence.contains("more than 64 folders deep"))
        #expect(report.evidence.contains("and "), "\(report.evidence)")
        #expect(report.evidence.utf8.count < 2_000)
    }

    @Test("What programs write into names and errors takes no more of a report than there is room for")
    func evidence() throws {
        let (report, _) = try report(
            #"""
            n=$(printf '\001%.0s' $(seq 250)); for i in 1 2 3 4 5; do : > "$n$i"; done
            printf '\001%.0s' $(seq 500) >&2; exit 3
            """#)
        #expect(report.failure == .exitNonzero)
        #expect(report.evidence.utf8.count == Collector.longestEvidence)
        #expect(report.evidence.hasPrefix("exit status 3; not collected: "), "\(report.evidence)")
        #expect(report.evidence.hasSuffix("..."))
    }

    @Test("More output than the limit: the class says so, with what was found; what is small is kept")
    func tooMuch() throws {
        let (report, results) = try report(
            "echo 7 > results.json; head -c 3000000 /dev/zero > trace.bin; echo why", output: 1 << 20)
        #expect(report.failure == .tooMuchOutput)
        #expect(report.evidence.hasPrefix("it wrote more than its limit of 1 MiB (limits: output): it left 2.9 MiB"))
        #expect(report.evidence.contains("trace.bin") && report.evidence.contains("ends with \"why\"") == false)
        #expect(report.artifacts.map(\.path) == ["results.json", "stderr.txt", "stdout.txt"])
        #expect(results == Array("7\n".utf8))
    }

    @Test("A run that goes on writing is stopped when it has written more than its limit")
    func stopped() throws {
        let (report, _) = try report("head -c 3000000 /dev/zero; exec sleep 1000", output: 1 << 20)
        #expect(report.failure == .tooMuchOutput)
        #expect(report.evidence.contains("its folder held 2.9 MiB, most of it in stdout.txt"), "\(report.evidence)")
        #expect(report.artifacts.map(\.path) == ["stderr.txt"])
    }

    private static let rule = ArtifactRule(
        keep: ["*.txt", "*.bin"], leave: ["*.bin"], most: 1 << 20, evidence: ["results.json"])

    @Test("What is not wanted stays, however large; what judging needs comes back, whatever the patterns say")
    func chosen() throws {
        let (report, results) = try report(
            """
            echo 7 > results.json; mkdir d; echo 1 > d/a.txt; : > d/other; head -c 3000000 /dev/zero > d/trace.bin
            """, artifacts: Self.rule)
        #expect(report.failure == nil && report.evidence.isEmpty, "\(report)")
        #expect(report.artifacts.map(\.path) == ["d/a.txt", "results.json", "stderr.txt", "stdout.txt"])
        #expect(results == Array("7\n".utf8))
    }

    @Test("More to take than the sweep wants: the class says so, with the largest files")
    func tooMuchKept() throws {
        let (report, results) = try report(
            """
            echo 7 > results.json; head -c 2000000 /dev/zero > b.txt; head -c 1500000 /dev/zero > a.txt
            head -c 9000000 /dev/zero > c.bin
            """, artifacts: Self.rule)
        #expect(report.failure == .tooMuchOutput)
        #expect(report.evidence.contains("(artifacts: most): "), "\(report.evidence)")
        #expect(report.evidence.contains("it left 3.3 MiB: b.txt 1.9 MiB, a.txt 1.4 MiB, "), "\(report.evidence)")
        #expect(report.artifacts.map(\.path) == ["results.json", "stderr.txt", "stdout.txt"])
        #expect(results == Array("7\n".utf8))
    }

    @Test("A run that goes on writing what is to be taken is ended; one that writes what is not goes on")
    func stoppedForWhatIsKept() throws {
        let (report, _) = try report(
            "head -c 9000000 /dev/zero > c.bin; sleep 3; head -c 3000000 /dev/zero; exec sleep 1000",
            artifacts: Self.rule)
        #expect(report.failure == .tooMuchOutput)
        #expect(report.evidence.contains("they held 2.9 MiB while it ran"), "\(report.evidence)")
        #expect(report.evidence.contains("stdout.txt 2.9 MiB"), "\(report.evidence)")
    }

    @Test("A run that puts a link in the place of its folder gets nothing collected")
    func replaced() throws {
        let (report, _) = try report(
            "here=$(pwd -P); mkdir ../private; echo secret > ../private/key; mv $here ../gone; ln -s private $here")
        #expect(report.failure == .contractBroken)
        #expect(report.evidence.contains("it replaced its own working folder"), "\(report.evidence)")
        #expect(report.artifacts.isEmpty)
    }

    @Test("A run that removes its folder is told from one that is well")
    func removed() throws {
        let (report, _) = try report("rm -rf \"$(pwd -P)\"")
        #expect(report.failure == .hostLost, "\(report)")
        #expect(report.artifacts.isEmpty)
    }
}
