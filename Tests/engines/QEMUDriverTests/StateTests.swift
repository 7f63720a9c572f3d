import Foundation
import Testing

extension GuestTests {
    @Test("From one checkpoint: others on the core, or empty caches, cost misses; what the function does stays")
    func states() throws {
        let checkpoint = try Guest.checkpoint.get()
        // All code of a call fits in these: a smaller cache misses as often when it is warm.
        let large = ["l1i.size=1MiB", "l1i.ways=16", "itlb.entries=1024"]
        func run(_ settings: String...) throws -> [[String: Int]] {
            let ended = try Guest.evaluate(checkpoint, settings: large + settings)
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
                let few = try #require(block[counter])
                #expect(try #require(cold[invocation][counter]) > few, "\(counter), cold")
                #expect(try #require(lukewarm[invocation][counter]) > few, "\(counter), lukewarm")
            }
            for counter in ["l1i.misses", "l2.misses", "llc.misses"] {
                #expect(try #require(lukewarm[invocation][counter]) > 4 * #require(block[counter]), "\(counter)")
            }
            // Emptied, each line that is used has to come from memory once.
            let lines = block["code.lines", default: 0] + block["data.lines", default: 0]
            #expect(cold[invocation]["llc.misses", default: 0] <= lines)
            #expect(cold[invocation]["llc.misses", default: 0] > lines / 2)
        }
    }

    @Test("Other workloads, with the function's names and port, are called between measured calls")
    func interleaved() throws {
        let others = ["aes-python", "fibonacci-python"]
        let disks = try others.flatMap { ["--other", try Guest.disk($0).path] }
        let machine = try Guest.machine("fibonacci-python", warm: 5, memory: 768) + disks
        let setup = try Guest.run(["setup"] + machine, in: Guest.folder())
        #expect(setup.status == 0, "\(setup.errors)")
        func run(_ state: String) throws -> [[String: Int]] {
            let ended = try Guest.run(
                ["evaluate"] + machine + Guest.state(setup.folder.appending(path: "checkpoint.zst"))
                    + ["--invocations", "3", "--set", "state=\(state)"], in: Guest.folder())
            #expect(ended.status == 0, "\(ended.errors)")
            return try ended.blocks()
        }
        let (warm, lukewarm, again) = (try run("warm"), try run("lukewarm"), try run("lukewarm"))
        #expect(lukewarm == again)
        // A timer of the runtime's may fall into a call, as the guest's time goes on while others are called.
        #expect(zip(warm, lukewarm).count { $0["user.instructions"] == $1["user.instructions"] } >= 2)
        for (warm, lukewarm) in zip(warm, lukewarm) {
            #expect(try #require(lukewarm["l2.misses"]) > 2 * #require(warm["l2.misses"]))
        }
    }

    @Test("An interleaved workload that answers wrongly is named")
    func interleavedWrong() throws {
        let wrong = try Guest.disk("fibonacci-python", calls: Guest.calls("3135 bytes 0a03363131"))
        let ended = try Guest.run(
            ["setup"] + Guest.machine("fibonacci-python", warm: 1, memory: 512) + ["--other", wrong.path],
            in: Guest.folder())
        #expect(ended.status == 4)
        #expect(ended.errors.contains("the interleaved workload 1, call 0: SayHello(15) gave '610', not '611'"))
    }

    @Test("A cold start is far more than a warm call, and the function's own work")
    func coldStart() throws {
        let checkpoint = try Guest.checkpoint.get()
        let settings = ["state=cold-start"]
        let first = try Guest.evaluate(checkpoint, warm: 1, invocations: 1, settings: settings)
        #expect(first.status == 0, "\(first.errors)")
        let warm = try Guest.evaluate(checkpoint, warm: 1, invocations: 1).blocks()
        for (cold, warm) in zip(try first.blocks(), warm) {
            for name in ["user.instructions", "system-calls", "code.lines"] {
                #expect(try #require(cold[name]) > 5 * #require(warm[name]), "\(name)")
            }
            #expect(try #require(cold["page-faults"]) > 100 + #require(warm["page-faults"]))
            #expect(try 20 * #require(cold["others.instructions"]) < #require(cold["instructions"]))
        }
    }

    @Test("Calls begin when they are due, or late where the one before takes longer", arguments: [
        (["arrivals.every=200000000"], 0), (["arrivals.mean=1000", "arrivals.seed=2"], 2),
    ])
    func arrivals(settings: [String], late: Int) throws {
        let ended = try Guest.evaluate(Guest.checkpoint.get(), settings: settings)
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.lastEvent.contains(#""begun":3,"ended":3,"late":\#(late)"#), "\(ended.lastEvent)")
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
