/// A process that dies right before a given act of its own, with its machine or without.
public struct Death: Sendable, Hashable, CustomStringConvertible {
    /// What the outside sees of a process.
    public enum Act: String, Sendable, CaseIterable {
        /// Something becomes durable.
        case commit
        /// Anything else: a message, a change on the disk, a program that starts.
        case effect
    }

    /// `coordinator`, `h1/agent`, `h1/supervisor`.
    public var process: String
    public var act: Act
    /// From 1, over all lives of the process.
    public var number: Int
    /// The power goes, too, and takes with it what was not durable.
    public var takesMachine: Bool

    public init(process: String, act: Act, number: Int, takesMachine: Bool) {
        self.process = process
        self.act = act
        self.number = number
        self.takesMachine = takesMachine
    }

    /// As ``description`` has it.
    public init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard 3...4 ~= parts.count, let act = Act(rawValue: String(parts[1])), let number = Int(parts[2]),
            parts.count == 3 || parts[3] == "machine"
        else { return nil }
        self.init(process: String(parts[0]), act: act, number: number, takesMachine: parts.count == 4)
    }

    public var description: String { "\(process):\(act.rawValue):\(number)\(takesMachine ? ":machine" : "")" }
}

/// Whether a process still lives. Every act of it on the outside asks first; after its death nothing that it still
/// computes has any effect.
final class Life {
    private(set) var isAlive = true
    /// Dies before the act that brings it to 0.
    var actsLeft: Int?
    private let role: Role

    init(role: Role) { self.role = role }

    /// Whether the act takes place.
    func act(_ act: Death.Act) -> Bool {
        guard isAlive else { return false }
        if role.isFatal(act) { isAlive = false }
        if let left = actsLeft {
            actsLeft = left - 1
            if left <= 0 { isAlive = false }
        }
        return isAlive
    }

    func end() { isAlive = false }
}

/// All lives of one process over a simulation, so that its k-th act can be told.
final class Role {
    let name: String
    private(set) var commits = 0
    private(set) var effects = 0
    private let death: Death?
    private(set) var hasDied = false
    /// The death that was asked for takes the machine, and did not yet.
    var mustTakeMachine = false

    init(name: String, death: Death?) {
        self.name = name
        self.death = death?.process == name ? death : nil
    }

    /// Counts an act; whether it is the one before which the process is to die.
    fileprivate func isFatal(_ act: Death.Act) -> Bool {
        let number: Int
        switch act {
        case .commit:
            commits += 1
            number = commits
        case .effect:
            effects += 1
            number = effects
        }
        guard let death, death.act == act, death.number == number else { return false }
        hasDied = true
        mustTakeMachine = death.takesMachine
        return true
    }
}
