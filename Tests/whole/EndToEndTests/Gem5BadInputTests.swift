import Foundation
import Testing

@Suite("Bad input for gem5: what is wrong, where, and what to do", .serialized)
struct Gem5BadInputTests {
    @Test(
        "A gem5 that is none of use",
        arguments: [
            (#", "version": "21.2.0.0""#, "too old: 22 or newer"), (#", "x86": false"#, "without the x86 ISA"),
            (#", "version": """#, "does not say that it is gem5"),
        ])
    func builds(_ member: String, _ word: String) throws {
        let study = try Study.gem5("[]", member, hosts: 1)
        let found = try study.run("doctor", "-i", "inventory.yaml")
        #expect(found.status == 75)
        #expect(found.output.contains(word), "\(found.output)")
    }

    @Test("One that cannot be executed")
    func locked() throws {
        let study = try Study.gem5(hosts: 1)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(study.folder)/gem5/gem5.opt")
        #expect(try study.run("doctor", "-i", "inventory.yaml").output.contains("is not executable"))
        let launched = try study.launch(Gem5SweepTests.small)
        #expect(launched.status == 75, "\(launched.errors)")
        #expect(launched.errors.contains("gem5.opt"))
    }

    @Test("Sweep files")
    func files() throws {
        let study = try Study.gem5(hosts: 0)
        for (old, new, status, word) in [
            ("vmlinux", "vmlinuz", 66, "vmlinuz"), ("disk.img", "disc.img", 66, "disc.img"),
            ("memory: 256MiB", "memroy: 256MiB", 65, "'memory'"), ("kernel:", "kernal:", 65, "'kernel'"),
            ("invocations: 3", "invocation: 3", 65, "'invocations'"), ("memory: 256MiB", "cores: 1", 65, "cores"),
            ("skylake", "skylark", 65, "'skylake'"),
        ] as [(String, String, Int32, String)] {
            try study.write("sweep.yaml", Gem5SweepTests.small.replacing(old, with: new))
            let planned = try study.run("plan", "sweep.yaml")
            #expect(planned.status == status, "\(new): \(planned.errors)")
            #expect(planned.errors.contains(word), "\(planned.errors)")
        }
    }

    @Test("A metric that divides by zero has no value, and no run without it is believed")
    func division() throws {
        let study = try Study.gem5()
        let sweep = Gem5SweepTests.small.replacing("define: {", with: "define: {odd: l2.misses / (cycles - cycles), ")
            .replacing("metrics: [", with: "metrics: [odd, ")
        #expect(try study.launch(sweep).status == 3)
        #expect(try study.column("class") == ["contract-broken", "contract-broken"])
        let told = try study.run("explain", "1").output
        #expect(
            told.contains("'odd' (l2.misses / (cycles - cycles)) cannot be computed: it divides by 0"), "\(told)")
    }

    @Test("Of a run that stands still its phase and what the process did are kept; one that is slow goes on")
    func stalled() throws {
        let study = try Study.gem5(Gem5SweepTests.always("stall"), #", "speed": 8"#)
        let sweep = Gem5SweepTests.small.replacing("stall: 60s", with: "stall: 5s") + "retry: {attempts: 1}\n"
        #expect(try study.launch(sweep).status == 3)
        #expect(try study.column("class") == ["", "stalled-simulator"])
        let told = try study.run("explain", "2").output
        for part in ["of CPU time", "sleeps", "in phase 'measure', 2 invocations begun, 1 ended"] {
            #expect(told.contains(part), "\(told)")
        }
        let logs = try study.run("logs", "2").output
        #expect(logs.contains("--- m5out/status.jsonl") && logs.contains("\"measure\""), "\(logs)")
    }
}
