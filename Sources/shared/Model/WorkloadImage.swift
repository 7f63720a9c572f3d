/// A workload as a run gets it: a disk with the root file systems of its containers and its requests.
public struct WorkloadImage: Sendable, Hashable {
    public var workload: String
    public var disk: InputFile
    /// Memory of the guest that runs it, in bytes.
    public var memoryBytes: Int64

    public init(workload: String, disk: InputFile, memoryBytes: Int64) {
        self.workload = workload
        self.disk = disk
        self.memoryBytes = memoryBytes
    }
}

extension Sweep {
    /// nil: the engine's guest has the workload itself.
    public func image(of workload: String) -> WorkloadImage? { images.first { $0.workload == workload } }

    /// A workload as part of the identity of its points: by name, and by content where the sweep knows that, so that
    /// another image is another point, and no other workload's point changes; the same of a checkpoint that is forced.
    func identity(of workload: String?) -> String {
        guard let workload else { return "none" }
        let disk = image(of: workload).map { ["disk \($0.disk.digest)", "memory \($0.memoryBytes)"] } ?? []
        let forced = forced.first { $0.workload == workload }?.differences.map { "forced\($0.identity)" } ?? []
        return (["workload \(workload)"] + disk + forced).joined(separator: "\n")
    }

    /// The same from a checkpoint of this age. That of a sweep with a single one is named by the recipe already, so
    /// that its points stay what they are when others are added.
    func identity(of workload: String?, from age: Int) -> String {
        identity(of: workload) + (age == measure.usualAge ? "" : "\n\(Names.checkpoint) \(age)")
    }
}
