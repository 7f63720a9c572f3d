package import Model

extension Sweep {
    /// - Throws: ``Failure`` (`badSpecification`) for a workload that has none.
    func checkImages() throws {
        guard let missing = workloads.first(where: { image(of: $0) == nil }) else { return }
        throw Failure(
            .badSpecification, "the workload '\(missing)' has no image: this engine's guest contains no functions; "
                + "launch the sweep file again, with --repin")
    }

    /// The image of a workload, where all have one.
    func requiredImage(of workload: String) throws -> WorkloadImage {
        guard let image = image(of: workload) else {
            throw Failure(.internalError, "the workload '\(workload)' without its image")
        }
        return image
    }
    /// Workloads that run between the calls of the measured one, by name.
    package var otherWorkloads: [String] { Interleaving.others(settings).map(\.workload) }
}
