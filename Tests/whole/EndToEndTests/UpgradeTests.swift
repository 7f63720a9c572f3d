import Foundation
import TestKit
import Testing

@Suite("Agents and coordinators of different builds")
struct UpgradeTests {
    /// Another build of the agent, as far as digests can tell.
    private func otherAgent(_ study: Study) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let built = environment["USWEEP_AGENT"] ?? "\(Bundle.main.bundlePath)/../../agent/usweep-agent"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: built))
        bytes.append(contentsOf: Array("another build".utf8))
        let path = "\(study.folder)/other-agent"
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The programs of the agents that serve a host's working folder.
    private func serving(_ study: Study) throws -> [String] {
        let pattern = "serve --workdir \(study.workdir(0))"
        let pids = (try? RealSSHD.run("pgrep", ["-f", pattern])) ?? ""
        return try pids.split(separator: "\n").map {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/exe")
        }
    }

    @Test("A newer agent takes over when the older has nothing to do, and kills no run")
    func upgrade() throws {
        let study = try Study(hosts: 1)
        try study.write(
            "sweep.yaml",
            """
            sweep: waiting
            engine: command
            command: [/bin/sh, -c, 'touch \(study.folder)/began-$USWEEP_X-$USWEEP_ATTEMPT; \
            while [ ! -e \(study.folder)/go ]; do sleep 0.05; done; echo "{\\"value\\": $USWEEP_X}" > results.json']
            axes: {x: [1, 2]}
            results: results.json
            metrics: [value]

            """)
        let running = try study.start(["launch", "sweep.yaml", "-i", "inventory.yaml"])
        #expect(study.eventually { study.exists("began-1-1") && study.exists("began-2-1") })
        let old = try serving(study)
        #expect(old.count == 1)
        running.signal(SIGKILL)
        _ = running.wait()

        let other = ["USWEEP_AGENT": try otherAgent(study)]
        let resuming = try study.start(["resume"], environment: other)
        #expect(study.eventually { study.text("launch2.err").contains("h0: joined") })
        #expect(try serving(study) == old, "the older agent has work, and keeps it")
        try study.write("go", "")
        let resumed = resuming.wait()
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try study.column("attempts", of: "runs") == ["1", "1"])

        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new", environment: other).status == 0)
        let new = try serving(study)
        #expect(new.count == 1)
        #expect(new != old, "without work it made room")
        // And back again: what counts is that the agent is the coordinator's own.
        #expect(try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--new").status == 0)
        #expect(try serving(study) == old)
    }
}
