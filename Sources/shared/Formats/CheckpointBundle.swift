public import Model

/// What a checkpoint is, where it comes from, and which files belong to it: JSON that people can read, canonical, so
/// that one bundle has one text.
///
///     {"version": 1, "checkpoint": SHA256, "engine": NAME, "engine_sha256": SHA256 or null, "workload": NAME,
///      "made_at": NANOSECONDS or null, "made_by": TEXT or null, "made_from": [TEXT...],
///      "files": [{"path": PATH, "size": BYTES, "sha256": SHA256}...]}
///
/// `checkpoint` is the digest of the file that names all others: what a sweep pins. `made_from` has a line for each
/// thing that the checkpoint depends on beside the engine, as the engine names them; null and an empty list: not known.
public struct CheckpointBundle: Sendable, Hashable {
    public static let version: Int64 = 1
    /// No bundle's text is longer, in bytes.
    public static let longest: Int64 = 4 << 20
    /// Of one file, in bytes: 64 TiB. So many as a text of that length can name have a sum.
    static let largestFile: Int64 = 1 << 46
    /// What stands for the workload of a guest that was booted for any.
    public static let bootedGuest = "booted-guest"

    public var checkpoint: Digest
    public var engine: String
    /// Of the engine's binary.
    public var binary: Digest?
    /// ``bootedGuest``: of none.
    public var workload: String
    /// Nanoseconds since 1970, by the clock of whoever wrote the bundle.
    public var madeAt: Nanoseconds?
    /// Host and sweep, or the folder that it was added from; for people.
    public var madeBy: String?
    public var madeFrom: [String]
    /// Relative to an attempt's folder.
    public var files: [Artifact]

    public init(
        checkpoint: Digest, engine: String, binary: Digest?, workload: String, madeAt: Nanoseconds?,
        madeBy: String?, madeFrom: [String], files: [Artifact]
    ) {
        self.checkpoint = checkpoint
        self.engine = engine
        self.binary = binary
        self.workload = workload
        self.madeAt = madeAt
        self.madeBy = madeBy
        self.madeFrom = madeFrom
        self.files = files
    }

    /// By which sweeps find it: the digest of all that it was made from; nil: that is not known.
    public var key: Digest? {
        guard let binary, !madeFrom.isEmpty else { return nil }
        return CheckpointBundle.key(binary, madeFrom.joined(separator: "\n"))
    }

    /// - Parameter source: all but the engine's binary that the checkpoint depends on, as lines.
    public static func key(_ binary: Digest, _ source: String) -> Digest {
        SHA256.digest("checkpoint 1\nengine \(binary)\n\(source)")
    }

    /// Whether it says the same, but for who made it when.
    public func hasSameContent(as other: CheckpointBundle) -> Bool {
        var (one, another) = (self, other)
        (one.madeAt, one.madeBy) = (nil, nil)
        (another.madeAt, another.madeBy) = (nil, nil)
        return one == another
    }

    /// Of all files, in bytes.
    public var size: Int64 { files.reduce(0) { $0 + $1.size } }

    public var document: JSON {
        .object([
            JSON.Member("version", .integer(CheckpointBundle.version)),
            JSON.Member("checkpoint", .string(checkpoint.hex)), JSON.Member("engine", .string(engine)),
            JSON.Member("engine_sha256", binary.map { .string($0.hex) } ?? .null),
            JSON.Member("workload", .string(workload)), JSON.Member("made_at", madeAt.map { .integer($0) } ?? .null),
            JSON.Member("made_by", madeBy.map { .string($0) } ?? .null),
            JSON.Member("made_from", .array(madeFrom.map { .string($0) })),
            JSON.Member("files", .array(files.map { file in
                .object([
                    JSON.Member("path", .string(file.path)), JSON.Member("size", .integer(file.size)),
                    JSON.Member("sha256", .string(file.digest.hex)),
                ])
            })),
        ])
    }

    /// - Throws: ``Failure`` (`badArchive`) for anything that is no such bundle: a newer version, names that lead out
    ///   of a folder or stand twice, a checkpoint that is none of its files.
    public init(_ bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= CheckpointBundle.longest else {
            throw CheckpointBundle.damaged("it has \(bytes.count) bytes")
        }
        let document: JSON
        do { document = try JSON(parsing: bytes) } catch { throw CheckpointBundle.damaged("it is not JSON") }
        guard document["version"]?.integer == CheckpointBundle.version else {
            throw CheckpointBundle.damaged(
                document["version"]?.integer.map {
                    "it was written by a newer usweep (version \($0); this one reads \(CheckpointBundle.version))"
                } ?? "it has no version")
        }
        guard let checkpoint = CheckpointBundle.digest(document["checkpoint"]),
            let engine = document["engine"]?.text, Names.isPlain(engine),
            let workload = document["workload"]?.text, Names.isPlain(workload)
        else { throw CheckpointBundle.damaged("its checkpoint, engine or workload is wrong") }
        self.checkpoint = checkpoint
        self.engine = engine
        self.workload = workload
        binary = CheckpointBundle.digest(document["engine_sha256"])
        madeAt = document["made_at"]?.integer
        madeBy = document["made_by"]?.text
        madeFrom = document["made_from"]?.elements?.compactMap(\.text) ?? []
        files = []
        for element in document["files"]?.elements ?? [] {
            guard let path = element["path"]?.text, RelativePath.isSafe(path), let size = element["size"]?.integer,
                0...CheckpointBundle.largestFile ~= size, let digest = CheckpointBundle.digest(element["sha256"])
            else { throw CheckpointBundle.damaged("an entry of 'files' is wrong") }
            files.append(Artifact(path: path, digest: digest, size: size))
        }
        guard Set(files.map(\.path)).count == files.count, files.contains(where: { $0.digest == checkpoint }) else {
            throw CheckpointBundle.damaged("'files' must name every file once, the checkpoint's own among them")
        }
    }

    private static func digest(_ value: JSON?) -> Digest? { value?.text.flatMap { Digest(hex: $0) } }

    private static func damaged(_ why: String) -> Failure {
        Failure(.badArchive, "a checkpoint's bundle.json cannot be used: \(why)")
    }
}
