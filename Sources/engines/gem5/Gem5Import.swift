import Model

/// What becomes of gem5 checkpoints that another tool made, and of vSwarm-u's working folders.
struct Gem5Import: StudyImport {
    let folders: any CheckpointFolders = Gem5CheckpointFolders()
    let caution = "gem5 restores a checkpoint only into a machine with the same devices under the same "
        + "names; a checkpoint that was taken with KVM may not restore at all. Try one run first"
    /// Those that vSwarm-u's scripts make, by machine: of one, and of two.
    private static let systems = ["skylake", "two-machine"]

    func bundle(
        _ workload: String, state: [UInt8], _ files: [InputFile], kernel: Digest?, disk: Digest?
    ) throws(UnusableCheckpoint) -> ImportedCheckpoint {
        let facts = Gem5CheckpointFacts(state)
        if let why = facts.problem(files: files.map(\.path)) { throw UnusableCheckpoint(why: why) }
        guard let system = Gem5Import.systems.first(where: { Gem5Machines.of($0).sorted() == facts.machines }) else {
            let names = VisibleText.of(facts.machines.joined(separator: ", "), limit: 80)
            throw UnusableCheckpoint(
                why: "it is a checkpoint of \(names), which only the script that made it can restore")
        }
        let record = Gem5CheckpointRecord(
            origin: .init(
                kernel: kernel, disk: disk, workload: workload, machines: facts.machines,
                memoryBytes: facts.memoryBytes, cores: facts.cores),
            files: files.map { .init(path: $0.path, digest: $0.digest, size: $0.size) })
        return ImportedCheckpoint(system: system, record: Array((record.document.encoded + "\n").utf8))
    }

    func sweep(
        _ workloads: [String], _ checkpoints: [ImportedCheckpoint], isWhole: Bool, kernel: String, disk: String
    ) -> String {
        func quoted(_ text: String) -> String { "'\(text.map { $0 == "'" ? "''" : String($0) }.joined())'" }
        let checkpoint = isWhole ? "{directory: 'checkpoints/{workload}/cpt.warm'}" : "setup"
        let usual = Gem5Import.systems[0]
        let system = checkpoints.map(\.system).first { $0 != usual } ?? usual
        return """
            # Taken over from a working folder of vSwarm-u. Add axes, then: usweep plan sweep.yaml
            sweep: vswarm
            engine: gem5
            system: \(system)          # \(Gem5Settings.systems.joined(separator: " | "))
            guest: {kernel: \(quoted(kernel)), disk: \(quoted(disk))}
            workloads: [\(workloads.joined(separator: ", "))]
            checkpoint: \(checkpoint)
            axes:
              l2.size: [1MiB]
            measure: {warm: 10, invocations: 10}
            metrics: [cpi, l1i.mpki, l1d.mpki, l2.mpki]

            """
    }
}
