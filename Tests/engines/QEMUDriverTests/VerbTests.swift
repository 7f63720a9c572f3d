import Engines
import Foundation
import Model
import Results
import Testing

/// The verbs that runs of engines start of the agent.
@Suite("Verbs of engines") struct VerbTests {
    private func agent(_ words: [String]) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = Guest.agent
        process.arguments = words
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Neither has more to say than a pipe holds.
        let texts = [output, errors].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        return (process.terminationStatus, texts[0], texts[1])
    }

    private static let block = """
        ---------- Begin Simulation Statistics ----------
        simTicks 2000 # (Tick)
        finalTick 2000 # (Tick)
        simFreq 1000000000000 # (Tick/Second)
        system.cpu1.numCycles 2000 #
        system.cpu1.commitStats0.numInsts 1000 #
        ---------- End Simulation Statistics   ----------

        """

    @Test("Each is found, and says how it is used", arguments: [
        (["gem5", "enough"], "gem5: usage: gem5 enough RULE FOLDER"), (["qemu", "fly"], "qemu: the verb is boot,"),
        (["command"], "a verb and --workdir are needed"),
    ])
    func usage(words: [String], said: String) throws {
        let ended = try agent(words)
        #expect(ended.status == 64 && ended.output.isEmpty)
        #expect(ended.errors.contains(said), "\(ended.errors)")
    }

    @Test("A question is answered from the files of a folder; one that cannot be read is an error")
    func question() throws {
        let rule = StoppingRule(Precision(metric: "cpi", interval: 10_000), MetricFormula.gem5).document.encoded
        let folder = try Guest.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let statistics = folder.appending(path: "stats.txt")
        try Data(VerbTests.block.utf8).write(to: statistics)
        let answer = try agent(["gem5", "enough", rule, folder.path])
        #expect(answer.status == 0 && answer.output.hasPrefix(#"{"tight":false,"reach":null,"next":"#), "\(answer)")
        #expect(answer.output.hasSuffix("\n"))
        try Data().write(to: statistics)
        let unread = try agent(["gem5", "enough", rule, folder.path])
        #expect(unread.status == 74 && unread.errors.contains("gem5: stats.txt: "), "\(unread)")
    }
}
