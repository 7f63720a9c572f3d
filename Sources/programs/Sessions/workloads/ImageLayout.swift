import Foundation
import Model
import SweepFiles

/// An image of one platform in an OCI image layout, read and checked as far as that is possible without unpacking it.
struct ImageLayout {
    /// The layout's folder.
    let folder: String
    /// `sha256:...` of the image's manifest.
    let digest: String
    /// Of the compressed layers, together.
    let layerBytes: Int64
    private let entry: JSON
    private let manifest: JSON
    private let configuration: JSON

    /// No manifest or configuration is longer.
    static let mostJSON: Int64 = 4 << 20
    /// As overlay file systems have it.
    private static let mostLayers = 512

    /// - Parameter shown: how messages call the image.
    /// - Throws: ``Failure`` (`badData`) with what is wrong with the image.
    init(_ folder: String, shown: String) throws {
        self.folder = folder
        let index = try ImageLayout.json("\(folder)/index.json", shown)
        let (entry, manifest) = try ImageLayout.choose(ImageLayout.entries(index, folder, shown), folder, shown)
        self.entry = entry
        digest = entry["digest"]?.text ?? ""
        guard let config = manifest["config"], let layers = manifest["layers"]?.elements else {
            throw Failure(.badData, "\(shown): its manifest has no 'config' or no 'layers'")
        }
        let configuration = try ImageLayout.blob(config, folder, shown)
        try ImageLayout.checkPlatform(configuration, shown)
        self.manifest = manifest
        self.configuration = configuration
        startsSomething = ["Entrypoint", "Cmd"].contains { name in
            configuration["config"]?[name]?.elements?.isEmpty == false
        }
        guard layers.count <= ImageLayout.mostLayers else {
            throw Failure(.badData, "\(shown) has more than \(ImageLayout.mostLayers) layers")
        }
        hasZstd = layers.contains { $0["mediaType"]?.text?.hasSuffix("zstd") == true }
        layerBytes = try layers.reduce(0) { try $0 + ImageLayout.size(of: $1, folder, shown) }
        paths = try layers.map { try ImageLayout.path(of: $0, folder, shown) }
    }

    /// Whether a layer is compressed by zstd.
    let hasZstd: Bool
    /// Whether it has an entry point or a command.
    let startsSomething: Bool
    /// The layers' files, the lowest first.
    let paths: [String]

    /// The same image, alone and with a tag, for umoci: a layout in a new folder that shares the blobs.
    func writeAlone(to target: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            let tag = JSON.object([JSON.Member(ImageLayout.tag, .string("image"))])
            let entry = try writeBlobs(to: target).with("annotations", tag)
            let index = JSON.object([
                JSON.Member("schemaVersion", .integer(2)), JSON.Member("manifests", .array([entry])),
            ])
            try Data(index.encoded.utf8).write(to: URL(fileURLWithPath: "\(target)/index.json"))
            try Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8).write(to: URL(fileURLWithPath: "\(target)/oci-layout"))
        } catch {
            throw Failure(.storage, "\(target) cannot be written", cause: SystemReason.of(error))
        }
    }

    /// - Returns: what the index says of the image.
    private func writeBlobs(to target: String) throws -> JSON {
        let files = FileManager.default
        guard let variables = completedVariables else {
            try files.createSymbolicLink(atPath: "\(target)/blobs", withDestinationPath: "\(folder)/blobs")
            return entry
        }
        let blobs = "\(target)/blobs/sha256"
        try files.createDirectory(atPath: blobs, withIntermediateDirectories: true)
        for path in Set(paths) {
            try files.createSymbolicLink(
                atPath: "\(blobs)/\((path as NSString).lastPathComponent)", withDestinationPath: path)
        }
        func write(_ blob: JSON, for descriptor: JSON?) throws -> JSON {
            let bytes = Array(blob.encoded.utf8)
            let digest = SHA256.digest(bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(blobs)/\(digest.hex)"))
            return (descriptor ?? .object([])).with("digest", .string("sha256:\(digest.hex)"))
                .with("size", .integer(bytes.count))
        }
        let settings = (configuration["config"] ?? .object([])).with("Env", variables)
        let config = try write(configuration.with("config", settings), for: manifest["config"])
        return try write(manifest.with("config", config), for: entry)
    }

    /// The variables of an image of which some have no '=': Docker and podman take such a one for empty text, and umoci
    /// takes none. nil: there is no such variable.
    private var completedVariables: JSON? {
        let variables = configuration["config"]?["Env"]?.elements?.compactMap(\.text) ?? []
        guard variables.contains(where: { !$0.contains("=") }) else { return nil }
        return .array(variables.filter { !$0.isEmpty }.map { .string($0.contains("=") ? $0 : "\($0)=") })
    }

    // MARK: Which image

    private static func isIndex(_ entry: JSON) -> Bool {
        let type = entry["mediaType"]?.text ?? ""
        return type.contains("image.index") || type.contains("manifest.list")
    }

    /// All images of an index, those of indexes in it, too.
    private static func entries(_ index: JSON, _ folder: String, _ shown: String) throws -> [JSON] {
        guard let entries = index["manifests"]?.elements, !entries.isEmpty else {
            throw Failure(.badData, "\(shown)/index.json names no image")
        }
        return try entries.flatMap { entry in
            guard isIndex(entry) else { return [entry] }
            return try blob(entry, folder, shown)["manifests"]?.elements?.filter { !isIndex($0) } ?? []
        }
    }

    /// The only image, or of several the only one for this guest.
    private static func choose(
        _ entries: [JSON], _ folder: String, _ shown: String
    ) throws -> (entry: JSON, manifest: JSON) {
        // The same image under several tags is one.
        var seen: Set<String> = []
        let entries = entries.filter { entry in
            seen.insert("\(entry["digest"]?.text ?? "") \(platform(entry["platform"]) ?? "")").inserted
        }
        let platforms = try entries.map { try platform(of: $0, folder, shown) }
        let fitting = entries.indices.filter { entries.count == 1 || platforms[$0] == wanted }.map { entries[$0] }
        guard let entry = fitting.first, fitting.count == 1 else {
            let found = zip(entries, platforms).map { entry, platform in
                (entry["annotations"]?[tag]?.text.map { "\($0): " } ?? "") + (platform ?? "unknown")
            }.joined(separator: ", ")
            throw Failure(
                .badData,
                "\(shown) has \(PeopleText.count(entries.count, "image")) (\(VisibleText.of(found, limit: 200))), "
                    + "of which \(fitting.isEmpty ? "none is" : "\(fitting.count) are") for \(wanted); copy the one "
                    + "that you want into a layout of its own: skopeo copy SOURCE oci:FOLDER")
        }
        return (entry, try blob(entry, folder, shown))
    }

    private static let wanted = "linux/amd64"
    /// Where an index has an image's tag.
    private static let tag = "org.opencontainers.image.ref.name"

    /// What the index says, else what the image itself does: skopeo and umoci leave it out of the index.
    private static func platform(of entry: JSON, _ folder: String, _ shown: String) throws -> String? {
        if let named = platform(entry["platform"]) { return named }
        guard let config = try blob(entry, folder, shown)["config"] else { return nil }
        // What is no image has a configuration of another kind.
        return (try? blob(config, folder, shown)).flatMap { platform($0) }
    }

    private static func platform(_ json: JSON?) -> String? {
        guard let system = json?["os"]?.text, let architecture = json?["architecture"]?.text else { return nil }
        return "\(system)/\(architecture)"
    }

    private static func checkPlatform(_ config: JSON, _ shown: String) throws {
        let found = platform(config) ?? "an unnamed platform"
        guard found == wanted else {
            throw Failure(
                .badData, "\(shown) is an image for \(VisibleText.of(found, limit: 60)), but the guest is \(wanted); "
                    + "add the image for \(wanted)")
        }
    }

    // MARK: Blobs

    /// A small blob, whose digest is checked.
    private static func blob(_ descriptor: JSON, _ folder: String, _ shown: String) throws -> JSON {
        let path = try path(of: descriptor, folder, shown)
        guard try size(of: descriptor, folder, shown) <= mostJSON, let data = FileManager.default.contents(atPath: path)
        else { throw Failure(.badData, "\(shown): \(path) is too large for a manifest, or cannot be read") }
        let bytes = Array(data)
        guard "sha256:\(SHA256.digest(bytes))" == descriptor["digest"]?.text else {
            throw Failure(
                .badData, "\(shown): \(path) does not have the digest that its name says; copy the image again")
        }
        return try parse(bytes, path)
    }

    private static func json(_ path: String, _ shown: String) throws -> JSON {
        guard let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int64,
            let data = size <= mostJSON ? FileManager.default.contents(atPath: path) : nil
        else {
            throw Failure(
                .missingFile, "\(shown) is not an OCI image layout: it has no index.json; make one: "
                    + "skopeo copy SOURCE oci:FOLDER")
        }
        return try parse(Array(data), path)
    }

    private static func parse(_ bytes: [UInt8], _ path: String) throws -> JSON {
        do { return try JSON(parsing: bytes) } catch {
            throw Failure(.badData, "\(path) is not JSON", cause: "\(error)")
        }
    }

    private static func path(of descriptor: JSON, _ folder: String, _ shown: String) throws -> String {
        let text = descriptor["digest"]?.text ?? ""
        guard text.hasPrefix("sha256:"), let digest = Digest(hex: String(text.dropFirst(7))) else {
            throw Failure(.badData, "\(shown): '\(Names.shown(text))' is not a digest (sha256:...)")
        }
        return "\(folder)/blobs/sha256/\(digest.hex)"
    }

    /// The blob's size, which must be what its descriptor says.
    private static func size(of descriptor: JSON, _ folder: String, _ shown: String) throws -> Int64 {
        let path = try path(of: descriptor, folder, shown)
        guard let found = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int64 else {
            throw Failure(.badData, "\(shown) is not complete: \(path) is missing; copy the image again")
        }
        guard found == descriptor["size"]?.integer else {
            throw Failure(
                .badData, "\(shown): \(path) has \(found) bytes, and its descriptor says "
                    + "\(descriptor["size"]?.integer.map(String.init) ?? "nothing"); copy the image again")
        }
        return found
    }
}

extension JSON {
    /// An object with another value of a member, which goes to its end.
    fileprivate func with(_ name: String, _ value: JSON) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != name } + [Member(name, value)])
    }
}
