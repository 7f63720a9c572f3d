import Foundation
import Model
import SweepFiles

/// Makes a workload's disk of its images: for each container a bundle, and the requests. The same images and the same
/// manifest give the same bytes.
struct WorkloadMaker {
    private let source: ImageSource
    /// Of this making alone, removed afterwards.
    private let scratch: String
    private let limit: Int64
    private let stage: String
    /// Lines for mksquashfs (`-pf`).
    private var definitions: [[UInt8]] = []
    private var images: [EnvironmentVariable] = []
    private(set) var devices = 0
    private var layerBytes: Int64 = 0
    private var unpackedBytes: Int64 = 0

    /// For the guest's kernel and programs.
    private static let guestMemory: Int64 = 96 << 20
    private static let memoryStep: Int64 = 64 << 20
    static let requestsName = "requests.calls"

    init(_ source: ImageSource, scratch: String, limit: Int64) {
        self.source = source
        self.scratch = scratch
        self.limit = limit
        stage = "\(scratch)/stage"
    }

    private var manifest: WorkloadManifest { source.manifest }

    /// The folders on the disk, one for each container.
    private var bundles: [String] { ["function"] + manifest.services.map(\.name) }

    /// Writes the workload's folder.
    ///
    /// - Parameter target: a folder that is not there.
    mutating func make(_ target: String) throws -> WorkloadRecord {
        try ServiceOrder(manifest, in: source.folder).check()
        let requests = try RequestsFile.read(of: manifest, in: source.folder)
        try NewFolder.make(stage)
        let function = Bundle(
            name: "function", core: 1, memoryBytes: manifest.memoryBytes, command: manifest.command,
            environment: manifest.environment)
        try add(function, source.layout, shown: "the image of '\(manifest.name)'")
        for service in manifest.services {
            let bundle = Bundle(
                name: service.name, core: service.core, memoryBytes: service.memoryBytes, command: service.command,
                environment: service.environment)
            try add(bundle, ImageSource.service(service, of: source.folder, scratch: scratch, limit: limit),
                shown: "the image of '\(service.name)'")
        }
        try addFiles(requests)
        try NewFolder.make(target)
        let disk = "\(target)/\(WorkloadRecord.diskName)"
        try pack(disk)
        try FileManager.default.copyItem(
            atPath: "\(stage)/calls", toPath: "\(target)/\(WorkloadMaker.requestsName)")
        let file = try LocalInput.file(disk, at: WorkloadRecord.diskPlace)
        let record = WorkloadRecord(
            manifest: manifest, images: images, disk: file.digest, diskBytes: file.size, layerBytes: layerBytes,
            unpackedBytes: unpackedBytes, memoryBytes: memory(file.size))
        try AtomicFile.write("\(target)/\(WorkloadRecord.fileName)") {
            try $0(Array((record.json.encoded + "\n").utf8))
        }
        return record
    }

    /// What the guest needs: its own, what the containers may take, and the disk, which it keeps in memory.
    private func memory(_ disk: Int64) -> Int64 {
        let containers = manifest.services.reduce(manifest.memoryBytes) { $0 + $1.memoryBytes }
        let all = WorkloadMaker.guestMemory + containers + disk
        return (all + WorkloadMaker.memoryStep - 1) / WorkloadMaker.memoryStep * WorkloadMaker.memoryStep
    }

    // MARK: What is on the disk

    private mutating func add(_ bundle: Bundle, _ layout: ImageLayout, shown: String) throws {
        guard layout.startsSomething || !bundle.command.isEmpty else {
            throw Failure(
                .badData, "\(shown) has neither entry point nor command; write 'command:' into the manifest")
        }
        let folder = "\(stage)/\(bundle.name)"
        let image = try UnpackedImage(
            layout, to: folder, at: bundle.name, limit: limit - unpackedBytes, scratch: scratch, shown: shown)
        try write("\(bundle.name)/config.json", bundle.configuration(image.configuration).encoded + "\n")
        definitions += image.definitions
        devices += image.devices
        unpackedBytes += image.bytes
        layerBytes += layout.layerBytes
        images.append(EnvironmentVariable(bundle.name, layout.digest))
    }

    private func addFiles(_ requests: Data) throws {
        try write("hosts", (["localhost"] + bundles).map { "127.0.0.1 \($0)\n" }.joined())
        try write("about", "\(manifest.port) \(manifest.protocol)\n")
        let services = manifest.services.map { "\($0.name) \($0.port) \($0.core)\n" }
        try write("containers", services.joined() + "function \(manifest.readyPort) 1\n")
        try write("calls", requests)
    }

    private func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    /// With a time and a mode that do not depend on whoever writes it.
    private func write(_ name: String, _ data: Data) throws {
        let path = "\(stage)/\(name)"
        do { try data.write(to: URL(fileURLWithPath: path)) } catch {
            throw Failure(.storage, "\(path) cannot be written", cause: SystemReason.of(error))
        }
        chmod(path, 0o644)
        WorkloadMaker.forgetTime(path)
    }

    // MARK: The disk

    private mutating func pack(_ disk: String) throws {
        for bundle in bundles {
            chmod("\(stage)/\(bundle)", 0o755)
            WorkloadMaker.forgetTime("\(stage)/\(bundle)")
        }
        chmod(stage, 0o755)
        WorkloadMaker.forgetTime(stage)
        if getuid() != 0 || getgid() != 0 { own() }
        let list = "\(scratch)/definitions"
        try Data(definitions.flatMap { $0 + [0x0a] }).write(to: URL(fileURLWithPath: list))
        let packed = try Program.mksquashfs.run([
            stage, disk, "-noappend", "-quiet", "-no-progress", "-root-uid", "0", "-root-gid", "0",
            // Takes a tenth of the instructions that zstd takes: most of a setup in a simulated machine.
            "-comp", "lz4", "-b", "256K", "-no-xattrs", "-no-exports", "-mkfs-time", "0", "-pf", list,
        ])
        guard packed.status == 0 else {
            throw Failure(.storage, "the disk cannot be created by mksquashfs", cause: packed.reason)
        }
    }

    /// What is not of an image is root's, too, whoever makes the disk.
    private mutating func own() {
        for folder in bundles { definitions.append(Array("\"\(folder)\" m 755 0 0".utf8)) }
        let files = ["about", "calls", "containers", "hosts"] + bundles.map { "\($0)/config.json" }
        for file in files { definitions.append(Array("\"\(file)\" m 644 0 0".utf8)) }
    }

    private static func forgetTime(_ path: String) {
        utimensat(AT_FDCWD, path, [timespec(), timespec()], AT_SYMLINK_NOFOLLOW)
    }
}
