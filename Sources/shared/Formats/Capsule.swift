public import Model

/// One run with all that it was made from, so that it can be run again: JSON that people can read.
///
///     {"version": 1, "sweep": NAME, "run": NUMBER, "point": SHA256, "repetition": NUMBER, "tool": VERSION,
///      "specification": {...}, "machine": {...}, "pins": [{"name", "digest"}...],
///      "objects": [{"path", "digest", "size"}...], "artifacts": [{"path", "digest", "size"}...], "result": TEXT}
///
/// `specification` is a stored one, of this point alone; `machine` a ``MachineRecord``. Pins are those of the run: the
/// engine's binary, which is not among the objects, and the checkpoint. `objects` are all files that the run needs, and
/// `artifacts` what it left; `result` is what was accepted of it, to the digit.
public struct Capsule: Sendable, Hashable {
    public static let version = 1
    /// No document's text is longer, in bytes.
    public static let longest: Int64 = 64 << 20

    /// Name and identifier of the sweep.
    public var sweep: String
    public var run: RunNumber
    public var point: Digest
    public var repetition: Int
    /// The version of the program that measured it.
    public var tool: String
    public var specification: Sweep
    public var machine: MachineRecord
    public var pins: [Pin]
    public var objects: [Artifact]
    public var artifacts: [Artifact]
    public var result: ResultText

    public struct Pin: Sendable, Hashable {
        public var name: String
        public var digest: Digest

        public init(name: String, digest: Digest) {
            self.name = name
            self.digest = digest
        }
    }

    public init(
        sweep: String, run: RunNumber, point: Digest, repetition: Int, tool: String, specification: Sweep,
        machine: MachineRecord, pins: [Pin], objects: [Artifact], artifacts: [Artifact], result: ResultText
    ) {
        self.sweep = sweep
        self.run = run
        self.point = point
        self.repetition = repetition
        self.tool = tool
        self.specification = specification
        self.machine = machine
        self.pins = pins
        self.objects = objects
        self.artifacts = artifacts
        self.result = result
    }

    /// Of the engine's binary; nil: the engine has none.
    public var binary: Digest? { pins.first { $0.name == "engine" }?.digest }

    public var document: String {
        var writer = DocumentWriter()
        writer.put("version", Capsule.version)
        writer.put("sweep", sweep)
        writer.put("run", run)
        writer.put("point", point)
        writer.put("repetition", repetition)
        writer.put("tool", tool)
        writer.put("specification", (try? JSON(parsing: specification.document)) ?? .null)
        writer.put("machine", machine)
        writer.put("pins", pins)
        writer.put("objects", objects)
        writer.put("artifacts", artifacts)
        writer.put("result", result.text)
        return writer.json.encoded
    }

    /// - Throws: ``WireError`` for what is no capsule, one of a newer program, or one with paths that lead out of a
    ///   folder.
    public init(document text: String) throws(WireError) {
        let (_, document) = try DocumentReader.open(text, newest: Capsule.version)
        var reader = try DocumentReader(document)
        let specification: JSON = try reader.take("specification")
        self.init(
            sweep: try reader.take("sweep"), run: try reader.take("run", in: 1...WireLimits.number),
            point: try reader.take("point"),
            repetition: try reader.take("repetition", in: 1...WireLimits.number), tool: try reader.take("tool"),
            specification: try Sweep(document: specification.encoded), machine: try reader.take("machine"),
            pins: try reader.take(list: "pins"), objects: try reader.take(list: "objects"),
            artifacts: try reader.take(list: "artifacts"), result: ResultText(try reader.take("result")))
        try reader.end()
        let inputs = self.specification.inputs + self.specification.images.map(\.disk)
        guard (inputs.map(\.path) + artifacts.map(\.path)).allSatisfy(RelativePath.isSafe) else {
            throw WireError("a path that leads out of its folder")
        }
        // A point's digest says nothing of the sweep's name, which becomes that of a folder.
        let names = [sweep, self.specification.name, tool] + self.specification.workloads
            + self.specification.allAxes.map(\.name)
        guard names.allSatisfy({ Names.isPlain($0, limit: 200) }) else { throw WireError("a name that is not valid") }
        guard (try? JSON(parsing: self.result.text)) != nil else { throw WireError("a result that is not JSON") }
    }
}

extension Capsule.Pin: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("digest", digest)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(name: try reader.take("name"), digest: try reader.take("digest"))
        try reader.end()
    }
}

extension Artifact: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("path", path)
        writer.put("digest", digest)
        writer.put("size", size)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(path: try reader.take("path"), digest: try reader.take("digest"), size: try reader.take("size"))
        guard size >= 0 else { throw WireError("a negative size") }
    }
}
