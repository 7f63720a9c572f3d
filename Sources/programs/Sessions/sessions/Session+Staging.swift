import CoordinatorRuntime
import Engines
import Formats
import Model
import Storage
import SweepFiles

/// How the inputs of a sweep get into the store of its folder, from where hosts fetch them.
extension Session {
    /// From how many bytes on an input is put into the store while the sweep runs.
    private static let largeInput: Int64 = 32 << 20
    /// So many disks are looked through for what a disk has in common with others.
    private static let mostBases = 2

    /// Puts inputs into the store, but for large ones, which are left to the loop.
    ///
    /// - Returns: these.
    static func beginStaging(_ specification: Specification, _ folder: ArtifactsFolder) throws -> [InputFile] {
        let (store, inputs, sweep) = (try folder.objects(), specification.engine.inputs, specification.sweep)
        let disks = Set(sweep.images.map(\.disk.digest))
        let large = try inputs.filter {
            try $0.size >= largeInput && !isKept($0) && !disks.contains($0.digest) && isMissing($0, in: store)
        }
        // A disk that is too small is better found out before anything has begun.
        let bytes = large.reduce(Int64(0)) { $0.addingCapped($1.size) }
        let left = bytes < (try LocalFiles().freeBytes(folder.path)) / 2 ? large : []
        let digests = Set(left.map(\.digest))
        try stage(inputs.filter { !digests.contains($0.digest) }, of: sweep, folder)
        return left
    }

    /// Puts inputs into the store.
    static func stage(_ inputs: [InputFile], of sweep: Sweep, _ folder: ArtifactsFolder) throws {
        let store = try folder.objects()
        let missing = try inputs.filter { try isMissing($0, in: store) }
        try take(missing.filter(isKept), into: store)
        let disks = sweep.images.map(\.disk)
        let packed = Set(disks.map(\.digest))
        for input in missing where !isKept(input) {
            if packed.contains(input.digest), input.size >= CheckpointStore.smallestPacked {
                try pack(input, like: disks, into: store)
            } else {
                try put(input, into: store)
            }
        }
    }

    private static func isMissing(_ input: InputFile, in store: ObjectStore) throws -> Bool {
        try !store.holds(input.digest) && store.map(of: input.digest) == nil
    }

    /// Whether a file is one of the store of checkpoints.
    private static func isKept(_ input: InputFile) -> Bool { input.source.hasPrefix("\(Caches.checkpoints.folder)/") }

    static func put(_ input: InputFile, into store: ObjectStore) throws {
        try asItWas(input) {
            try store.publish(file: input.source, as: input.digest) { try LocalInput.isUnchanged(input) }
        }
    }

    /// Puts the disk of a workload into the store in packs. It is made of blocks that are compressed lightly, each by
    /// itself, so that a guest unpacks them quickly: packs are a fifth smaller, and two functions with the same runtime
    /// have nearly all of them in common.
    private static func pack(_ disk: InputFile, like others: [InputFile], into store: ObjectStore) throws {
        // Disks of one runtime differ little in size.
        let nearest = others.sorted { abs($0.size - disk.size) < abs($1.size - disk.size) }
        var bases: [ObjectMap] = []
        for other in nearest where bases.count < mostBases {
            if let known = try store.map(of: other.digest) { bases.append(known.map) }
        }
        try asItWas(disk) { _ = try Packer.pack(disk.digest, at: disk.source, LocalFiles(), into: store, bases: bases) }
        // Results count on it: unlike that of a checkpoint, this map is written down for good.
        try LocalFiles().syncFolder("\(store.root)/maps")
    }

    /// - Throws: ``Failure`` (`badSpecification`) where what was read has not the digest that the input had.
    private static func asItWas(_ input: InputFile, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let failure as Failure where failure.code == .badArchive {
            throw Failure(.badSpecification, "\(input.source) changed while it was being read; launch again")
        }
    }

    /// Takes files from the store of checkpoints, where they may be in packs.
    private static func take(_ inputs: [InputFile], into store: ObjectStore) throws {
        guard !inputs.isEmpty else { return }
        let use = try ArtifactsUse.adding(to: Caches.checkpoints)
        defer { withExtendedLifetime(use) {} }
        let objects = try Caches.checkpoints.objects()
        for input in inputs {
            Caches.checkpoints.noteUse(of: input.digest, now: SystemTime().wall())
            let isTaken = try objects.isIntact(input.digest) && store.take(input.digest, from: objects)
            guard isTaken else {
                throw Failure(
                    .badArchive, "the checkpoint that the sweep file names is damaged or incomplete; see which: usweep "
                        + "checkpoint verify")
            }
        }
    }
}
