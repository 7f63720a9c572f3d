import AgentCore
import Model
import Ports
import SweepCore

/// Whether inputs whose bytes change on a host's disk spoil no result that counts, and nothing else is taken for
/// spoilt.
final class DamagedInputs {
    private struct Execution {
        var host: Int
        var began: Nanoseconds
        var ended: Nanoseconds?
        /// Inputs of it that were not what the sweep names.
        var spoilt: Set<Digest>
    }

    private struct Place: Hashable {
        var host: Int
        var digest: Digest
    }

    private let world: World
    private let fail: (String) -> Void
    /// When objects were damaged, and when their hosts found it.
    private var struckAt: [Place: [Nanoseconds]] = [:]
    private var foundAt: [Place: [Nanoseconds]] = [:]
    /// By run and attempt, the last execution.
    private var executions: [[Int]: Execution] = [:]

    /// By so much a coordinator may be wrong about a host's clock: what a greeting takes.
    private static let slack = Timing.second

    init(world: World, fail: @escaping (String) -> Void) {
        self.world = world
        self.fail = fail
    }

    // MARK: What happens

    func strike(_ host: SimulatedHost, _ digest: Digest) {
        struckAt[Place(host: host.index, digest: digest), default: []].append(world.now)
    }

    /// - Parameter spoilt: the inputs that are not what the sweep names.
    func programStarted(_ host: SimulatedHost, _ key: AttemptKey, spoilt: Set<Digest>) {
        for digest in spoilt where struckAt[Place(host: host.index, digest: digest)] == nil {
            fail("\(key) on \(host.name) has a wrong input \(digest.short)")
        }
        executions[[key.id.run, key.id.attempt]] = Execution(host: host.index, began: world.now, spoilt: spoilt)
    }

    func programLeft(_ id: AttemptID) { executions[[id.run, id.attempt]]?.ended = world.now }

    /// What a program that had a damaged input gives is wrong.
    func isSpoilt(_ id: AttemptID) -> Bool { executions[[id.run, id.attempt]]?.spoilt.isEmpty == false }

    /// A host found it, and will not forget it.
    ///
    /// - Parameter isOfUse: whether it still holds the sweep, whose coordinator is told before it ends.
    func found(_ host: SimulatedHost, _ damage: ObjectDamage, isOfUse: Bool) {
        world.counts.note("damage found")
        let place = Place(host: host.index, digest: damage.digest)
        guard let struck = struckAt[place]?.first else {
            return fail("\(host.name) found \(damage.digest.short) damaged, which is whole")
        }
        let whole = damage.wholeAt - (host.system.wallClock - world.now)
        if whole > struck, foundAt[place] == nil {
            fail("\(host.name) says that \(damage.digest.short) was whole after it was damaged")
        }
        if isOfUse { foundAt[place, default: []].append(world.now) }
    }

    // MARK: What the ledger says

    /// - Parameters:
    ///   - decided: by run, the attempts that are quarantined.
    ///   - offset: how far the coordinator's clock is ahead of the world's.
    func committed(_ found: DamagedInput, on host: SimulatedHost, decided: [RunNumber: AttemptNumber], offset: Int64) {
        let from = found.damage.wholeAt - offset - DamagedInputs.slack
        let until = found.damage.foundAt - offset + DamagedInputs.slack
        let struck = struckAt[Place(host: host.index, digest: found.damage.digest)] ?? []
        if !struck.contains(where: { from...until ~= $0 }) {
            fail("\(found.damage.digest.short) on \(host.name) was not damaged when its coordinator says")
        }
        for (run, attempt) in decided.sorted(by: { $0.key < $1.key }) {
            guard let execution = executions[[run, attempt]], let ended = execution.ended else { continue }
            if execution.host != host.index || ended < from || execution.began > until {
                fail("run \(run) is quarantined for an input on \(host.name), and had nothing of it")
            }
        }
    }

    /// Whether nobody can know that an attempt had a damaged input: its host did not find it while the sweep was there.
    func isHidden(_ id: AttemptID) -> Bool {
        guard let execution = executions[[id.run, id.attempt]] else { return false }
        return execution.spoilt.contains { digest in
            let place = Place(host: execution.host, digest: digest)
            let struck = struckAt[place]?.last { $0 <= execution.began } ?? 0
            return foundAt[place]?.contains { $0 >= struck } != true
        }
    }
}
