import CoordinatorRuntime
import Model

/// What the coordinator does beside its loop, in virtual time: everything takes a while by chance, lanes overtake one
/// another, and what was not done when the process died never happened.
final class SimulatedWorkshop: Workshop, @unchecked Sendable {
    private let inbox: Inbox
    private let life: Life
    private let world: World
    private let wake: () -> Void
    private let died: () -> Void
    private var chance: Chance
    private var freeAt: [Lane: Nanoseconds] = [:]

    /// - Parameters:
    ///   - wake: told when something was put into the inbox.
    ///   - died: told when the process died in the middle of a piece of work.
    init(
        _ inbox: Inbox, life: Life, world: World, chance: Chance, wake: @escaping () -> Void,
        died: @escaping () -> Void
    ) {
        self.inbox = inbox
        self.life = life
        self.world = world
        self.chance = chance
        self.wake = wake
        self.died = died
    }

    func hand(in lane: Lane, _ work: @escaping @Sendable () throws -> Finished) {
        // Mostly short, now and then very long.
        let longest: Nanoseconds = chance.within(0...19) == 0 ? 3_000_000_000 : 5_000_000
        let done = max(freeAt[lane] ?? 0, world.now) + chance.within(1_000...longest)
        freeAt[lane] = done
        world.after(done - world.now) { [self] in
            guard life.isAlive else { return }
            let result = Result { try work() }
            guard life.isAlive else { return died() }
            inbox.put(.finished(result))
            wake()
        }
    }
}
