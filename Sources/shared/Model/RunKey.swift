/// What identifies a run within its sweep. No two runs have the same key, and if a key comes back after an edit of the
/// sweep file, it means the same run.
public enum RunKey: Sendable, Hashable {
    /// Evaluates a point once; `repetition` counts from 1.
    case evaluation(point: Digest, workload: String?, repetition: Int)
    /// Makes a workload's checkpoint. `recipe`: the digest of all that it depends on but the engine's binary; nil in
    /// a ledger that is older than these digests.
    case setup(workload: String, recipe: Digest?)
    /// Boots a guest that setups go on from. `recipe`: as of a setup.
    case boot(recipe: Digest)

    public var workload: String? {
        switch self {
        case .boot: nil
        case .evaluation(_, let workload, _): workload
        case .setup(let workload, _): workload
        }
    }

    /// nil: a setup or a boot.
    public var point: Digest? {
        if case .evaluation(let point, _, _) = self { point } else { nil }
    }

    public var repetition: Int {
        if case .evaluation(_, _, let repetition) = self { repetition } else { 1 }
    }

    /// Whether it makes a checkpoint.
    public var isSetup: Bool { point == nil }

    /// The name of the pin that a setup or a boot provides; nil: it is an evaluation.
    public var pin: String? {
        switch self {
        case .evaluation: nil
        case .setup(let workload, let recipe):
            recipe.map { "checkpoint:\(workload):\($0.short)" } ?? "checkpoint:\(workload)"
        case .boot(let recipe): "booted:\(recipe.short)"
        }
    }
}
