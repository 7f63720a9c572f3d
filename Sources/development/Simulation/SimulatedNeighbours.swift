import AgentCore
import AgentRuntime
import Model

/// Another user's agent on a simulated machine: it comes and goes, and begins no more than what is free.
final class SimulatedNeighbours: Neighbours {
    private unowned let host: SimulatedHost
    private let until: Nanoseconds
    private var chance: Chance
    private var boot = 1
    /// Slots that its runs take.
    private(set) var running = 0
    private var wanted = 0
    let firstLook: Nanoseconds = 0
    let user = "me"

    /// - Parameter until: when it goes for good.
    init(_ host: SimulatedHost, seed: UInt64, until: Nanoseconds) {
        self.host = host
        self.until = until
        chance = Chance(seed: seed, stream: 500 + UInt64(host.index))
    }

    func look(_ own: SlotClaim) -> Surroundings {
        if boot != host.boot { (boot, running, wanted) = (host.boot, 0, 0) }
        if host.world.now > until {
            (running, wanted) = (0, 0)
        } else if chance.oneIn(2) {
            wanted = chance.below(host.processors + 3)
            let free = max(0, host.processors - own.running - running)
            running = min(wanted, running - min(running, chance.below(3)) + chance.below(free + 1))
            host.world.counts.note("another user runs \(running > 0 ? "something" : "nothing")")
        }
        let claims = wanted > 0 || running > 0 ? [SlotClaim(user: "other", running: running, wanted: wanted)] : []
        return Surroundings(claims: claims, place: chance.below(claims.count + 1))
    }

    func leave() {}
}
