import CoordinatorRuntime
import Engines
package import Formats
import Ledger
package import Model
import Results
package import Storage

/// Runs that are done again from what is on record.
package enum Reproduction {
    /// The note of a ledger with what the engine asked of the machine (``MachineRecord``).
    static let machineNote = "machine"
    /// The note of a ledger whose sweep does a run of another again: its capsule.
    static let originNote = "reproduces"
    /// Where reproductions are, in an artifacts folder: an artifacts folder of their own.
    private static let folderName = "reproduced"

    package static func folder(in folder: ArtifactsFolder) -> ArtifactsFolder {
        ArtifactsFolder(path: "\(folder.path)/\(folderName)", isNamed: true)
    }

    /// What an engine sees when a sweep goes on: a reproduction's machine is only on record.
    static func machine(_ metadata: LedgerMetadata, _ store: ObjectStore) throws -> any LaunchingMachine {
        guard metadata.notes.contains(where: { $0.name == originNote }) else { return ThisMachine() }
        return RecordedMachine(try record(metadata) ?? MachineRecord(), store)
    }

    /// What a sweep does again; nil: it is none of those.
    package static func origin(of entry: ArtifactsFolder.Entry) throws -> Capsule? {
        try origin(try Ledger.read(entry.ledger).metadata())
    }

    static func origin(_ metadata: LedgerMetadata) throws -> Capsule? {
        guard let note = metadata.notes.first(where: { $0.name == originNote }) else { return nil }
        do { return try Capsule(document: note.value) } catch {
            throw Failure(.badArchive, "what the sweep reproduces cannot be read from its ledger", cause: error.message)
        }
    }

    /// The checkpoints that a reproduction began with; none for other sweeps.
    static func givenPins(_ ledger: Ledger) throws -> Set<String> {
        guard try ledger.metadata().notes.contains(where: { $0.name == originNote }) else { return [] }
        return Set(try ledger.pins().map(\.name).filter { $0.hasPrefix("checkpoint:") })
    }

    /// The inventory that a sweep was launched or resumed with last.
    package static func inventory(of entry: ArtifactsFolder.Entry) throws -> Inventory {
        try Document.inventory(of: try Ledger.read(entry.ledger).metadata())
    }

    private static func record(_ metadata: LedgerMetadata) throws -> MachineRecord? {
        guard let note = metadata.notes.first(where: { $0.name == machineNote }) else { return nil }
        do { return try MachineRecord(document: note.value) } catch {
            throw Failure(
                .badArchive, "what the sweep was launched with cannot be read from its ledger", cause: error.message)
        }
    }

    // MARK: From a sweep

    /// A run that has succeeded, with all that it was made from, which is in the folder's store.
    ///
    /// - Throws: ``Failure``: `usage` for a run without a result, `missingFile` for one that the sweep does not have,
    ///   or where something is no longer there.
    package static func capsule(
        of run: RunNumber, _ entry: ArtifactsFolder.Entry, in folder: ArtifactsFolder
    ) throws -> Capsule {
        let view = try SweepView(entry)
        let found = try succeeded(run, view)
        let store = try folder.objects()
        let metadata = try view.ledger.metadata()
        let sweep = view.sweep.reduced(to: found.place, of: view.points, repetition: found.repetition)
        guard try Points(sweep, recipe: try sweep.recipe).digest(0) == found.point else {
            throw Failure(
                .internalError, "the point of run \(run) cannot be taken out of the sweep file; please report this")
        }
        // Sweeps of older versions have no record: what they were launched with has to be here still.
        let recorded = try record(metadata)
        let machine = RecordingMachine(recorded.map { RecordedMachine($0, store) } ?? ThisMachine())
        let specification = try Specification(sweep, on: machine)
        let pins = try view.ledger.pins()
        try specification.checkPins(pins)
        if recorded == nil { try stage(specification, machine, store, folder) }
        let checkpoint = try checkpoint(specification, pins, store)
        let needed = specification.engine.inputs.map { Artifact(path: $0.path, digest: $0.digest, size: $0.size) }
            + checkpoint.files
        return Capsule(
            sweep: entry.fullName, run: run, point: found.point, repetition: found.repetition,
            tool: metadata.toolVersion, specification: sweep, machine: machine.record,
            pins: pins.filter { $0.name == "engine" || $0.name == checkpoint.pin }
                .map { Capsule.Pin(name: $0.name, digest: $0.digest) },
            objects: try objects(needed, machine.record, store),
            artifacts: try view.ledger.artifacts(of: run, attempt: found.attempt), result: found.result)
    }

    private struct Succeeded {
        /// Of the point in the sweep file.
        var place: Int
        var point: Digest
        var repetition: Int
        var attempt: AttemptNumber
        var result: ResultText
    }

    private static func succeeded(_ run: RunNumber, _ view: SweepView) throws -> Succeeded {
        let entry = view.entry
        guard let status = try view.ledger.run(run), let place = status.plan.place else {
            throw Failure(
                .missingFile, "the sweep \(entry.fullName) has no run \(run), or its sweep file no longer contains it; "
                    + "its runs: \(entry.command("results")) --table runs")
        }
        guard case .evaluation(let point, _, let repetition) = status.plan.key else {
            throw Failure(
                .usage, "run \(run) made a checkpoint; name one of the runs that started from it: "
                    + entry.command("results"))
        }
        guard status.state == .succeeded, let decision = status.decision, let result = decision.blocks else {
            throw Failure(
                .usage, "run \(run) has no result that another could be compared with; see why: "
                    + entry.command("explain", run: run))
        }
        return Succeeded(
            place: place / view.sweep.measure.repeats, point: point, repetition: repetition,
            attempt: decision.id.attempt, result: result)
    }

    /// Puts what only this machine has into the store.
    private static func stage(
        _ specification: Specification, _ machine: RecordingMachine, _ store: ObjectStore, _ folder: ArtifactsFolder
    ) throws {
        let use = try ArtifactsUse.adding(to: folder)
        defer { withExtendedLifetime(use) {} }
        try Session.stage(specification.engine.inputs, of: specification.sweep, folder)
        try machine.publish(into: store)
    }

    /// The checkpoint that the run started from, and its pin; none: the sweep made none for it.
    private static func checkpoint(
        _ specification: Specification, _ pins: [(name: String, digest: Digest)], _ store: ObjectStore
    ) throws -> (pin: String?, files: [Artifact]) {
        guard let maker = specification.setupTasks.first,
            let pin = specification.keys.first(where: { if case .setup = $0 { true } else { false } })?.pin,
            let digest = pins.first(where: { $0.name == pin })?.digest
        else { return (nil, []) }
        let files = try specification.engine.files(ofCheckpoint: digest, madeBy: maker) { object in
            let size = try store.size(object) ?? store.map(of: object)?.map.size ?? 0
            guard size <= CheckpointBundle.longest else {
                throw Failure(.storage, "the record of the checkpoint \(digest.short) cannot be read")
            }
            return try store.read(object, at: 0, count: Int(size))
        }
        return (pin, try files.map { Artifact(path: $0.path, digest: $0.digest, size: try size($0.digest, store)) })
    }

    /// All that a run needs, each object once.
    private static func objects(
        _ named: [Artifact], _ machine: MachineRecord, _ store: ObjectStore
    ) throws -> [Artifact] {
        var objects = named
        for digest in machine.objects {
            objects.append(Artifact(path: "of the machine", digest: digest, size: try size(digest, store)))
        }
        var seen: Set<Digest> = []
        return objects.filter { seen.insert($0.digest).inserted }
    }

    private static func size(_ digest: Digest, _ store: ObjectStore) throws -> Int64 {
        guard let size = try store.size(digest) ?? store.map(of: digest)?.map.size else {
            throw Failure(
                .missingFile, "what the run was made from is no longer complete in the artifacts folder "
                    + "(\(digest.short)), so it cannot be run again")
        }
        return size
    }

    // MARK: Running again

    /// A sweep of this run alone, in a folder of its own, with the pins that it had.
    ///
    /// - Parameters:
    ///   - store: has the capsule's objects.
    ///   - anyEngine: also with another binary of the engine than the run had.
    package static func session(
        _ capsule: Capsule, from store: ObjectStore, in folder: ArtifactsFolder, on inventory: Inventory,
        anyEngine: Bool
    ) throws -> Session {
        try folder.prepare()
        let own = try folder.objects()
        let use = try ArtifactsUse.adding(to: folder)
        defer { withExtendedLifetime(use) {} }
        for object in capsule.objects where try !own.take(object.digest, from: store) {
            throw Failure(
                .missingFile, "\(VisibleText.of(object.path, limit: 200)) is no longer in the artifacts folder, so the "
                    + "run cannot be reproduced")
        }
        // To be compared with, also by who resumes this later.
        for artifact in capsule.artifacts { _ = try own.take(artifact.digest, from: store) }
        var capsule = capsule
        if anyEngine { capsule.pins.removeAll { $0.name == "engine" } }
        return try Session.create(capsule.specification, inventory: inventory, in: folder, from: capsule)
    }
}

extension Capsule {
    /// For people.
    package var name: String { "run \(run) of \(VisibleText.of(sweep))" }
}

extension Sweep {
    /// The sweep with one of its points only.
    ///
    /// - Parameters:
    ///   - place: the point's among `points`.
    ///   - repetition: the last of its repeats that is done.
    func reduced(to place: Int, of points: Points, repetition: Int) -> Sweep {
        var sweep = self
        let workload = points.workload(place)
        sweep.workloads = workload.map { [$0] } ?? []
        sweep.images = images.filter { $0.workload == workload || otherWorkloads.contains($0.workload) }
        sweep.axes = points.parameters(place).map { Axis(name: $0.axis, values: [$0.value]) }
        if !measure.checkpoints.isEmpty { sweep.measure.checkpoints = [measure.ages[points.checkpoint(place)]] }
        (sweep.zips, sweep.exclude, sweep.include) = ([], [], [])
        sweep.measure.repeats = repetition
        // Where it runs now, hosts may have other labels.
        sweep.hostLabels = []
        sweep.limits.sweep = nil
        return sweep
    }
}
