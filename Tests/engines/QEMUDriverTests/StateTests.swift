import Foundation
import Testing

extension GuestTests {
    @Test("From one checkpoint: others on the core, or empty caches, cost misses; what the function does stays")
    func states() throws {
        let checkpoint = try Guest.checkpoint.get()
        func run(_ settings: String...) throws -> [[String: Int]] {
            let ended = try Guest.evaluate(checkpoint, settings: settings)
            #expect(ended.status == 0, "\(ended.errors)")
            return try ended.blocks()
        }
        let warm = try run("state=warm")
        let cold = try run("state=cold-caches")
        let lukewarm = try run("state=lukewarm", "interleave.stress=8388608")
        for (invocation, block) in warm.enumerated() {
            for name in ["instructions", "code.lines", "data.lines", "system-calls", "page-faults"] {
                #expect(cold[invocation][name] == block[name], "\(name)")
            }
            for counter in ["l1i.misses", "l2.misses", "llc.misses", "itlb.misses", "branch.misses"] {
                let (few, many) = (try #require(block[counter]), try #require(cold[invocation][counter]))
                #expect(many > few, "\(counter), cold")
                #expect(try #require(lukewarm[invocation][counter]) > few, "\(counter), lukewarm")
            }
            // Emptied, each line that is used has to come from memory once.
            let lines = block["code.lines", default: 0] + block["data.lines", default: 0]
            #expect(cold[invocation]["llc.misses", default: 0] <= lines)
            #expect(cold[invocation]["llc.misses", default: 0] > lines / 2)
        }
    }

    @Test("What an invocation is made of")
    func invocation() throws {
        let blocks = try Guest.evaluate(Guest.checkpoint.get(), settings: ["mode=full"]).blocks()
        for block in blocks {
            func count(_ name: String) throws -> Int { try #require(block[name], "\(name)") }
            #expect(try count("system-calls") > 2 && count("system-calls") < 1_000)
            #expect(try count("code.pages") < count("code.lines") && count("data.pages") < count("data.lines"))
            #expect(try count("code.lines.both") <= count("code.lines"))
            #expect(try count("code.lines.either") >= count("code.lines"))
            #expect(try 2 * count("code.lines.both") > count("code.lines.either"), "it does the same again")
            #expect(try count("idle.instructions") < count("kernel.instructions"))
            #expect(try 100 * count("others.instructions") < count("instructions"), "the core is the function's own")
        }
    }
}
