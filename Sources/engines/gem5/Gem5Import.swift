package import Model

/// What becomes of gem5 checkpoints that another tool made (`usweep import`).
package enum Gem5Import {
    /// A checkpoint that a sweep can start from.
    package struct Bundle: Sendable {
        /// The system of this project that restores it.
        package var system: String
        /// What goes beside its files, as ``recordName``.
        package var record: [UInt8]
    }

    package struct Misfit: Error {
        package var why: String
    }

    package static let recordName = Gem5CheckpointRecord.name
    /// Bytes of a record, and of the state of a machine (`m5.cpt`) beside its memory, at most.
    package static let longestRecord = Gem5CheckpointRecord.longest
    package static let longestState: Int64 = 256 << 20
    /// Those that vSwarm-u's scripts make, by machine: of one, and of two.
    private static let systems = ["skylake", "two-machine"]

    /// - Parameters:
    ///   - state: its `m5.cpt`.
    ///   - files: all of its files, but a record.
    /// - Throws: ``Misfit``: why it cannot be used.
    package static func bundle(
        _ workload: String, state: [UInt8], _ files: [InputFile], kernel: Digest?, disk: Digest?
    ) throws(Misfit) -> Bundle {
        let facts = Gem5CheckpointFacts(state)
        if let why = facts.problem(files: files.map(\.path)) { throw Misfit(why: why) }
        guard let system = systems.first(where: { Gem5Machines.of($0).sorted() == facts.machines }) else {
            let names = VisibleText.of(facts.machines.joined(separator: ", "), limit: 80)
            throw Misfit(why: "it is a checkpoint of \(names), which only the script that made it can restore")
        }
        let record = Gem5CheckpointRecord(
            origin: .init(
                kernel: kernel, disk: disk, workload: workload, machines: facts.machines,
                memoryBytes: facts.memoryBytes, cores: facts.cores),
            files: files.map { .init(path: $0.path, digest: $0.digest, size: $0.size) })
        return Bundle(system: system, record: Array((record.document.encoded + "\n").utf8))
    }

    /// What a record says, and does not.
    package struct Facts: Sendable {
        package var workload: String
        /// What it was made from, a line each.
        package var lines: [String]
        /// As in "its kernel".
        package var unknown: [String]
    }

    /// - Parameter files: of the checkpoint, but for the record.
    /// - Throws: ``Failure`` (`badArchive`) for one that is damaged, or of other files.
    package static func facts(_ record: [UInt8], _ files: [InputFile]) throws -> Facts {
        let record = try Gem5CheckpointRecord(record)
        let changed = record.files.first { file in
            !files.contains { $0.path == file.path && $0.digest == file.digest }
        }
        if let changed {
            throw Failure(
                .badArchive, "the checkpoint's file \(VisibleText.of(changed.path, limit: 80)) is not the one that its "
                    + "record names")
        }
        let origin = record.origin
        let lines = [
            origin.kernel.map { "kernel \($0)" }, origin.disk.map { "disk \($0)" },
            origin.workloadDisk.map { "workload-disk \($0)" }, "workload \(origin.workload)",
            origin.machines.map { "machines \($0.joined(separator: " "))" },
            origin.memoryBytes.map { "memory \($0)" }, origin.cores.map { "cores \($0)" },
        ]
        return Facts(workload: origin.workload, lines: lines.compactMap { $0 }, unknown: origin.unknown)
    }

    /// The text of a sweep file to go on from.
    ///
    /// - Parameter isWhole: whether every workload has its checkpoint.
    package static func sweep(
        _ workloads: [String], _ bundles: [Bundle], isWhole: Bool, kernel: String, disk: String
    ) -> String {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        let checkpoint = isWhole ? "{directory: 'checkpoints/{workload}/cpt.warm'}" : "setup"
        let system = bundles.map(\.system).first { $0 != systems[0] } ?? systems[0]
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
