import Model
import Testing

@Suite("Which files come back")
struct ArtifactRuleTests {
    @Test(
        "Patterns without a / are for names, others for paths; what to leave goes before what to keep",
        arguments: [
            ([], [], "a/b.bin", true), (["*.txt"], [], "a.txt", true), (["*.txt"], [], "a/b.txt", true),
            (["*.txt"], [], "a.txt/b.bin", false), (["stats*"], [], "m5out/stats.txt", true),
            (["m5out/*"], [], "m5out/cpt/m5.cpt", true), (["m5out/*"], [], "x/m5out/a", false),
            ([], ["*.bin"], "a/b.bin", false), ([], ["*.bin"], "a.bin.txt", true),
            (["*.txt"], ["secret*"], "d/secret.txt", false), (["a?.txt"], [], "ab.txt", true),
            ([], ["traces/*"], "traces", true), (["*"], ["*"], "results.json", true),
            (["*"], ["*"], "sub/results.json", false), (["none"], [], "results.json", true),
        ] as [([String], [String], String, Bool)])
    func patterns(_ keep: [String], _ leave: [String], _ path: String, _ isKept: Bool) {
        let rule = ArtifactRule(keep: keep, leave: leave, evidence: ["results.json"])
        #expect(KeptFiles(rule).contains(path) == isKept)
    }
}
