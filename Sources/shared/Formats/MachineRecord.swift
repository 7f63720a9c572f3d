public import Model

/// What an engine asked of the machine that a sweep was launched on, and what it was answered: with this, the same
/// engine of the same sweep is had again where and when that machine is not.
///
///     {"version": 1, "contents": [{"path", "digest"?}], "sizes": [{"path", "size"?}],
///      "files": [{"path", "place", "file": INPUT}], "folders": [{"path", "place", "files": [INPUT...]}],
///      "checkpoints": [{"name", "workload", "engine", "digest", "files": [INPUT...], "record": digest?}],
///      "places": [{"variable", "beside", "repository", "paths": [...]}]}
///
/// An INPUT is as in a stored specification. What is missing in an answer was not there. Bytes are named by digest.
public struct MachineRecord: Sendable, Hashable {
    public struct Content: Sendable, Hashable {
        public var path: String
        public var digest: Digest?

        public init(path: String, digest: Digest?) {
            self.path = path
            self.digest = digest
        }
    }

    public struct Size: Sendable, Hashable {
        public var path: String
        public var size: Int64?

        public init(path: String, size: Int64?) {
            self.path = path
            self.size = size
        }
    }

    /// A file as an input, or the files of a folder.
    public struct Inputs: Sendable, Hashable {
        public var path: String
        public var place: String
        public var files: [InputFile]

        public init(path: String, place: String, files: [InputFile]) {
            self.path = path
            self.place = place
            self.files = files
        }
    }

    public struct Checkpoint: Sendable, Hashable {
        public var name: String
        public var workload: String
        public var engine: String
        public var digest: Digest
        public var files: [InputFile]
        public var record: Digest?

        public init(
            name: String, workload: String, engine: String, digest: Digest, files: [InputFile], record: Digest?
        ) {
            self.name = name
            self.workload = workload
            self.engine = engine
            self.digest = digest
            self.files = files
            self.record = record
        }
    }

    public struct Places: Sendable, Hashable {
        public var variable: String
        public var beside: String
        public var repository: String
        public var paths: [String]

        public init(variable: String, beside: String, repository: String, paths: [String]) {
            self.variable = variable
            self.beside = beside
            self.repository = repository
            self.paths = paths
        }
    }

    public var contents: [Content] = []
    public var sizes: [Size] = []
    public var files: [Inputs] = []
    public var folders: [Inputs] = []
    public var checkpoints: [Checkpoint] = []
    public var places: [Places] = []

    public init() {}

    /// All bytes that it names, each once, sorted.
    public var objects: [Digest] {
        let inputs = files.flatMap(\.files) + folders.flatMap(\.files) + checkpoints.flatMap(\.files)
        return Set(inputs.map(\.digest) + contents.compactMap(\.digest) + checkpoints.compactMap(\.record)).sorted()
    }

    public var document: String { json.encoded }

    /// - Throws: ``WireError`` for what is no such record, or one of a newer program.
    public init(document text: String) throws(WireError) {
        try self.init(try DocumentReader.open(text, newest: 1).document)
    }
}

extension MachineRecord: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("version", 1)
        writer.put(unlessEmpty: "contents", contents)
        writer.put(unlessEmpty: "sizes", sizes)
        writer.put(unlessEmpty: "files", files)
        writer.put(unlessEmpty: "folders", folders)
        writer.put(unlessEmpty: "checkpoints", checkpoints)
        writer.put(unlessEmpty: "places", places)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        let version: Int = try reader.take(ifAny: "version") ?? 1
        guard version == 1 else { throw WireError("version \(version) of it", isNews: true) }
        contents = try reader.take(list: "contents")
        sizes = try reader.take(list: "sizes")
        files = try reader.take(list: "files")
        folders = try reader.take(list: "folders")
        checkpoints = try reader.take(list: "checkpoints")
        places = try reader.take(list: "places")
        try reader.end()
    }
}

extension MachineRecord.Content: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("path", path)
        writer.put("digest", digest)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(path: try reader.take("path"), digest: try reader.take(ifAny: "digest"))
        try reader.end()
    }
}

extension MachineRecord.Size: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("path", path)
        writer.put("size", size)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(path: try reader.take("path"), size: try reader.take(ifAny: "size"))
        try reader.end()
    }
}

extension MachineRecord.Inputs: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("path", path)
        writer.put("place", place)
        writer.put(unlessEmpty: "files", files)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            path: try reader.take("path"), place: try reader.take("place"), files: try reader.take(list: "files"))
        try reader.end()
    }
}

extension MachineRecord.Checkpoint: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("workload", workload)
        writer.put("engine", engine)
        writer.put("digest", digest)
        writer.put(unlessEmpty: "files", files)
        writer.put("record", record)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            name: try reader.take("name"), workload: try reader.take("workload"), engine: try reader.take("engine"),
            digest: try reader.take("digest"), files: try reader.take(list: "files"),
            record: try reader.take(ifAny: "record"))
        try reader.end()
    }
}

extension MachineRecord.Places: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("variable", variable)
        writer.put("beside", beside)
        writer.put("repository", repository)
        writer.put(unlessEmpty: "paths", paths)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            variable: try reader.take("variable"), beside: try reader.take("beside"),
            repository: try reader.take("repository"), paths: try reader.take(list: "paths"))
        try reader.end()
    }
}
