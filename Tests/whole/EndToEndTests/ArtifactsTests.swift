import Foundation
import Testing

@Suite("Which files of runs come back over SSH", .serialized)
struct ArtifactsTests {
    private func sweep(_ artifacts: String, _ values: String = "1, 2") -> String {
        """
        sweep: chosen
        engine: command
        command: [/bin/sh, -c, 'echo $USWEEP_X > small.txt; head -c $((USWEEP_X * 1000000)) /dev/zero > trace.bin; \
        echo "{\\"value\\": $USWEEP_X}" > results.json']
        axes: {x: [\(values)]}
        results: results.json
        metrics: [value]
        artifacts: \(artifacts)

        """
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("Chosen files come back; another choice runs nothing again; too much ends a run with the reason")
    func chosen() throws {
        let study = try Study(hosts: 1)
        let first = try study.launch(sweep("{keep: ['*.txt', '*.bin'], leave: ['*.bin']}"))
        #expect(first.status == 0, "\(first.errors)")
        #expect(try study.run("pull", "--to", "pulled").status == 0)
        let pulled = try names("\(study.folder)/pulled/2-x=2")
        #expect(pulled.contains("small.txt") && pulled.contains("results.json"), "\(pulled)")
        #expect(!pulled.contains("trace.bin"), "\(pulled)")
        let attempts = try study.column("attempts", of: "runs")
        // Nothing of it is another point; what is new goes by the new rule.
        try study.write("sweep.yaml", sweep("{most: 3MB}", "1, 2, 4"))
        let plan = try study.run("plan", "sweep.yaml", "--output", "json").output
        #expect(plan.contains(#""kept":2,"new":1,"back":0,"gone":0"#), "\(plan)")
        let second = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml")
        #expect(second.status == 3, "\(second.errors)")
        #expect(try study.column("outcome") == ["succeeded", "succeeded", "failed"])
        #expect(try study.column("attempts", of: "runs") == attempts + ["1"])
        let why = try study.run("explain", "3").output
        for part in ["too-much-output", "artifacts: most", "trace.bin 3.8 MiB", "artifacts.most"] {
            #expect(why.contains(part), "\(part): \(why)")
        }
        // What the class advises, as it says.
        try study.write("sweep.yaml", sweep("{most: 5MB}", "1, 2, 4"))
        let third = try study.run("launch", "sweep.yaml", "-i", "inventory.yaml", "--retry")
        #expect(third.status == 0, "\(third.errors)")
    }
}
