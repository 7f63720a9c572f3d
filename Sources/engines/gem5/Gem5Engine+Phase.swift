import Model

/// What a run says of itself while it goes on.
extension Gem5Engine {
    package var progressFile: String? {
        if case .script = settings.system { "stdout.txt" } else { Gem5Files.status }
    }

    package func phase(of task: EngineTask, _ tail: [UInt8]) -> RunPhase? {
        if case .script = settings.system { return RunPhase(lastLineOf: tail) }
        return RunPhase(eventsOf: tail, names: Gem5Engine.phaseNames, count: count, detail: Gem5Engine.pulse)
    }

    /// The phases of the scripts' events (`ops/gem5/simulation.py`), as people call them.
    private static let phaseNames = [
        "boot": "booting", "container": "starting the container", "pin": "waiting for the function",
        "warm-up": "warming the function", "checkpoint": "writing the checkpoint", "warm": "warming the caches",
        "measure": "invocation",
    ]

    private func count(_ phase: String, _ events: [JSON]) -> String {
        switch phase {
        case "warm":
            let done = events.count { $0["event"]?.text == "invocation-end" }
            return "\(min(done + 1, sweep.measure.warm)) of \(sweep.measure.warm)"
        case "measure":
            let number = events.last { $0["number"] != nil }?["number"]?.integer ?? 1
            return RunPhase.measured(number, sweep.measure, events)
        default: return ""
        }
    }

    /// How far the guest is: instructions of all cores since the start, and simulated time, of which a tick is 1 ps.
    private static func pulse(_ event: JSON) -> String? {
        guard let instructions = event["instructions"]?.integer, let tick = event["tick"]?.integer else { return nil }
        let idle = event["event"]?.text == "idle" ? "idle, " : ""
        let tenths = tick / 100_000_000_000
        return "\(idle)\(instructions / 1_000_000) M instructions, \(tenths / 10).\(tenths % 10) s simulated"
    }
}
