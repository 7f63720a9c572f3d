import Engines
import Model

extension Sweep {
    /// The sweep as it is run: with exactly those checkpoints forced that do not fit.
    ///
    /// - Parameters:
    ///   - misfits: the engine's.
    ///   - forces: whether all that can be forced is; else what the sweep has forced already.
    /// - Throws: ``Failure`` (`badSpecification`) for a checkpoint that does not fit and is not forced, or cannot be.
    func forcing(_ misfits: [CheckpointMisfit], all forces: Bool) throws(Failure) -> Sweep {
        var sweep = self
        sweep.forced = []
        for misfit in misfits {
            let wanted = ForcedCheckpoint(workload: misfit.workload, differences: misfit.differences)
            guard misfit.canBeForced, forces || forced.contains(wanted) else { throw Sweep.refusal(misfit) }
            sweep.forced.append(wanted)
        }
        return sweep
    }

    private static func refusal(_ misfit: CheckpointMisfit) -> Failure {
        let advice = misfit.canBeForced
            ? "; or launch it with --force: then all results from it say so"
            : "; the engine cannot restore it so, and --force does not change that"
        return Failure(
            .badSpecification,
            "the checkpoint of '\(misfit.workload)' does not fit: \(misfit.differences.sentence); let the sweep make "
                + "its own, with: checkpoint: setup\(advice)")
    }
}
