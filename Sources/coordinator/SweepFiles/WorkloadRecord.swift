import Foundation
public import Model

/// What is known of a workload that was added: `workload.json` beside its disk.
public struct WorkloadRecord: Sendable, Hashable {
    public static let fileName = "workload.json"
    private static let longest: Int64 = 4 << 20
    public static let diskName = "disk.squashfs"
    /// Where the disk is in an attempt's folder.
    public static let diskPlace = "workload.squashfs"

    /// What the manifest says.
    public var manifest: WorkloadManifest
    /// Digests of the manifests of the images, by the names of the containers: the function, then its services.
    public var images: [EnvironmentVariable]
    public var disk: Digest
    public var diskBytes: Int64
    /// Of the compressed layers of the images.
    public var layerBytes: Int64
    /// Of the files that the disk holds.
    public var unpackedBytes: Int64
    /// What the guest needs.
    public var memoryBytes: Int64

    public init(
        manifest: WorkloadManifest, images: [EnvironmentVariable], disk: Digest, diskBytes: Int64, layerBytes: Int64,
        unpackedBytes: Int64, memoryBytes: Int64
    ) {
        self.manifest = manifest
        self.images = images
        self.disk = disk
        self.diskBytes = diskBytes
        self.layerBytes = layerBytes
        self.unpackedBytes = unpackedBytes
        self.memoryBytes = memoryBytes
    }

    /// - Throws: ``Failure``: `missingFile` where the folder has none; `badData` where it cannot be read.
    public init(inFolder folder: String, shown: String) throws {
        let path = "\(folder)/\(WorkloadRecord.fileName)"
        guard let data = try LocalInput.contents(path, atMost: WorkloadRecord.longest) else {
            let isImage = FileManager.default.fileExists(atPath: "\(folder)/\(WorkloadManifest.fileName)")
            let advice = isImage
                ? "it has an image, which first becomes a disk: usweep workload add \(shown)"
                : "name a folder that 'usweep workload add' made, or a workload by its name"
            throw Failure(.missingFile, "\(shown) has no \(WorkloadRecord.fileName); \(advice)")
        }
        do { try self.init(JSON(parsing: data)) } catch {
            throw Failure(.badData, "\(shown)/\(WorkloadRecord.fileName) is damaged; add the workload again: "
                + "usweep workload add", cause: "\(error)")
        }
    }

    /// The workload as a run gets it, of the folder that the record is of.
    ///
    /// - Throws: ``Failure``: also `badData` where the disk is not the one of the record.
    public func image(inFolder folder: String, shown: String) throws -> WorkloadImage {
        let file = try LocalInput.file("\(folder)/\(WorkloadRecord.diskName)", at: WorkloadRecord.diskPlace)
        guard file.digest == disk else {
            throw Failure(
                .badData, "\(shown)/\(WorkloadRecord.diskName) is not the disk that its record names; add the workload "
                    + "again: usweep workload add")
        }
        return WorkloadImage(workload: manifest.name, disk: file, memoryBytes: memoryBytes)
    }

    // MARK: As JSON

    public var json: JSON {
        .object([
            JSON.Member("version", .integer(1)), JSON.Member("manifest", manifest.json),
            JSON.Member("images", JSON(variables: images)),
            JSON.Member("disk", .string(disk.hex)), JSON.Member("disk_bytes", .integer(diskBytes)),
            JSON.Member("layer_bytes", .integer(layerBytes)), JSON.Member("unpacked_bytes", .integer(unpackedBytes)),
            JSON.Member("memory_bytes", .integer(memoryBytes)),
        ])
    }

    init(_ json: JSON) throws {
        func number(_ name: String) throws -> Int64 {
            guard let number = json[name]?.integer, number >= 0 else { throw Failure(.badData, "no '\(name)'") }
            return number
        }
        guard json["version"]?.integer == 1 else { throw Failure(.badData, "it was written by another version") }
        guard let manifest = json["manifest"], let disk = json["disk"]?.text.flatMap({ Digest(hex: $0) }) else {
            throw Failure(.badData, "no 'manifest' or 'disk'")
        }
        self.init(
            manifest: try WorkloadManifest(manifest),
            images: json["images"]?.variables ?? [],
            disk: disk, diskBytes: try number("disk_bytes"), layerBytes: try number("layer_bytes"),
            unpackedBytes: try number("unpacked_bytes"), memoryBytes: try number("memory_bytes"))
        guard memoryBytes >= 64 << 20, memoryBytes <= 1 << 40 else { throw Failure(.badData, "no 'memory_bytes'") }
    }
}
