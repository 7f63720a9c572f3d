import Model

/// The states of a function that this engine can measure, all from one checkpoint: its run script tells the restored
/// guest what to do between calls.
enum Gem5States {
    /// Axes that are not parameters of the machine.
    static let axes = [Interleaving.stateAxis, Interleaving.stressAxis]

    static func isState(_ assignment: Assignment) -> Bool { axes.contains(assignment.axis) }

    /// Of the configuration package, for a point's run.
    static func arguments(_ point: [Assignment], _ settings: JSON) -> [String] {
        switch Interleaving.state(point) {
        case "lukewarm":
            ["--state", "lukewarm", "--stress", "\(Interleaving.stress(point, settings) ?? 0)B"]
        case "warm": []
        case let state: ["--state", state]
        }
    }

    static func problems(_ sweep: Sweep, _ settings: Gem5Settings) -> [KeyProblem] {
        guard !settings.isScript else {
            guard sweep.settings[Interleaving.key] != nil else { return [] }
            return [KeyProblem(Interleaving.key, "has no effect with a script of your own; remove it")]
        }
        if !Interleaving.others(sweep.settings).isEmpty {
            return [
                KeyProblem(
                    Interleaving.key, "this engine cannot interleave workloads: gem5's PC has two disks, the guest's "
                        + "and the function's; write interleave: {stress: 8MiB}, or use the engine qemu")
            ]
        }
        let states = sweep.allAxes.first { $0.name == Interleaving.stateAxis }?.values ?? []
        guard let state = states.first(where: { $0 != "warm" }) else { return Interleaving.problems(sweep) }
        func refuse(_ why: String) -> [KeyProblem] { [KeyProblem("axes.\(Interleaving.stateAxis)", why)] }
        if states.contains("cold-start") {
            return refuse(
                "this engine has no cold-start: it would simulate the start of a container, up to billions of "
                    + "instructions, on the modelled cores; remove the value, or use the engine qemu")
        }
        if case .named("two-machine", _) = settings.system {
            return refuse(
                "\(state): with two-machine nothing can run beside the function, as its invoker is on the other "
                    + "machine; write system: skylake, or remove the axis")
        }
        guard settings.takesImages else {
            return refuse(
                "\(state): works only with the guest of this project; build it (ops/guest/build gem5) and name its "
                    + "folder as 'guest', or remove the axis")
        }
        return Interleaving.problems(sweep)
    }
}
