import Engines
import Model
import Results
import Testing

/// What an engine offers beside sweeps, as others find it: by its descriptor alone.
@Suite("What engines offer") struct OffersTests {
    @Test("Engines are found by what they offer")
    func offers() {
        #expect(EngineRegistry.offers(\.workloadTries).map(\.engine) == ["qemu"])
        #expect(EngineRegistry.offers(\.checkpointFolders).map(\.engine) == ["gem5"])
        #expect(EngineRegistry.offers(\.statistics).map(\.engine) == ["gem5"])
    }

    @Test("A workload is booted, then measured from the checkpoint that was left, with the same machine")
    func tries() throws {
        let tries = try #require(QEMUDescriptor().workloadTries)
        let disk = InputFile(
            path: "disk.squashfs", source: "/w/aes/disk.squashfs", digest: SHA256.digest("disk"), size: 1,
            isExecutable: false)
        let tried = TriedWorkload(
            image: WorkloadImage(workload: "aes", disk: disk, memoryBytes: 256 << 20), guest: "/guest", warm: 3,
            invocations: 7)
        let (boot, measure) = (tries.boot(tried), tries.measure(tried))
        let machine = ["--kernel", "/guest/vmlinuz", "--disk", "/w/aes/disk.squashfs", "--memory", "256"]
        for arguments in [boot, measure] { #expect(machine.allSatisfy(arguments.contains)) }
        #expect(boot.starts(with: ["qemu", "setup"]) && boot.suffix(3) == ["--warm", "3", "--log"])
        #expect(measure.starts(with: ["qemu", "evaluate"]) && measure.suffix(2) == ["--invocations", "7"])
        #expect(measure.contains("/guest/model.so") && measure.contains("checkpoint.zst"))
    }

    @Test("What was counted of each call; a line that is cut counts for none")
    func counts() throws {
        let tries = try #require(QEMUDescriptor().workloadTries)
        let text = """
            {"instructions": 30, "user.instructions": 20}
            {"kernel.instructions": 1}
            {"ins
            """
        #expect(
            tries.counts(Array(text.utf8)) == [
                TriedCounts(instructions: 30, userInstructions: 20, kernelInstructions: nil),
                TriedCounts(instructions: nil, userInstructions: nil, kernelInstructions: 1),
            ])
    }

    @Test("A run's question is answered from the files that it names, or refused with what can be asked")
    func question() throws {
        let run = EarlyRun(cycles: [2_000, 2_001, 1_999, 2_000, 2_000])
        let answer = try Gem5Question.answer(["enough", EarlyRun.until.document.encoded, "m5out"]) { folder in
            folder == "m5out" ? run.files : EvidenceFiles { _ in nil }
        }
        #expect(answer.hasPrefix(#"{"tight":"#) && !answer.contains(#""reach":null"#), "\(answer)")
        for words in [[], ["enough"], ["enough", "{}", "m5out"], ["else", "{}", "m5out"]] {
            let error = #expect(throws: UnknownQuestion.self) {
                try Gem5Question.answer(words) { _ in EvidenceFiles { _ in nil } }
            }
            #expect(error?.usage.hasPrefix("gem5 enough RULE FOLDER") == true)
        }
    }
}
