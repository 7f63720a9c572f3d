import Foundation
import Model
import SweepFiles

/// Where a workload comes from: its manifest, and its image as an OCI image layout.
struct ImageSource {
    let manifest: WorkloadManifest
    /// Where the manifest's relative paths start.
    let folder: String
    let layout: ImageLayout

    /// - Parameters:
    ///   - text: a folder with workload.yaml and image/, a layout, an archive, or `docker://...`, as a person wrote it.
    ///   - path: the same, absolute.
    ///   - manifest: the manifest's folder, absolute; nil: `path` itself.
    ///   - scratch: a folder for what has to be converted.
    ///   - limit: most bytes that the image may have, unpacked: no file that is written on the way is longer.
    init(_ text: String, path: String, manifest named: String?, scratch: String, limit: Int64) throws {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if !text.contains("://"), !isThere { throw Failure(.missingFile, "there is no \(text)") }
        guard isFolder.boolValue || named != nil else {
            throw Failure(
                .usage, "\(text) comes without a manifest, which says how to call it: write a "
                    + "\(WorkloadManifest.fileName) into a folder, and pass the folder as --manifest")
        }
        folder = named ?? path
        manifest = try WorkloadManifest.read(inFolder: folder)
        if isFolder.boolValue {
            let own = "\(path)/image"
            let isPair = named == nil || FileManager.default.fileExists(atPath: own)
            layout = try ImageSource.readable(
                ImageLayout(isPair ? own : path, shown: text), scratch, limit, shown: text)
        } else {
            layout = try ImageSource.convert(text, path, scratch, limit)
        }
    }

    /// The image of a service, from a folder with image/, or a layout.
    static func service(
        _ service: WorkloadManifest.Service, of folder: String, scratch: String, limit: Int64
    ) throws -> ImageLayout {
        let path = URL(fileURLWithPath: "\(folder)/\(service.image)").standardizedFileURL.path
        let own = "\(path)/image"
        let isPair = FileManager.default.fileExists(atPath: own)
        let shown = "the image of the service '\(service.name)' (\(path))"
        return try readable(ImageLayout(isPair ? own : path, shown: shown), scratch, limit, shown: shown)
    }

    /// The same image with layers that umoci reads: it knows gzip only.
    private static func readable(
        _ layout: ImageLayout, _ scratch: String, _ limit: Int64, shown: String
    ) throws -> ImageLayout {
        guard layout.hasZstd else { return layout }
        let (alone, target) = ("alone-\(UUID().uuidString)", "gzip-\(UUID().uuidString)")
        try layout.writeAlone(to: "\(scratch)/\(alone)")
        let copied = try copy("oci:\(alone):image", to: target, in: scratch, limit)
        guard copied.status == 0 else {
            throw tooLarge(copied, limit, shown)
                ?? Failure(.badData, "\(shown) cannot be copied by skopeo", cause: message(of: copied.reason))
        }
        return try ImageLayout("\(scratch)/\(target)", shown: shown)
    }

    /// - Parameters:
    ///   - source: as skopeo names it, which takes a colon in a path for the path's end: so files are named from
    ///     `folder` on.
    ///   - target: the name of a new layout there.
    private static func copy(
        _ source: String, to target: String, in folder: String, _ limit: Int64
    ) throws -> Program.Ended {
        let words = [
            "--insecure-policy", "--override-arch", "amd64", "--override-os", "linux", "copy", "--quiet",
            "--dest-compress-format", "gzip", source, "oci:\(target):image",
        ]
        // An archive that is compressed is unpacked whole, into a temporary file.
        let script = #"ulimit -f "$1" && shift && exec skopeo "$@""#
        let ended = try Program.shell.run(["-c", script, "sh", String(limit / 512 + 1)] + words, folder: folder)
        // Says what is to be installed.
        if ended.status == 127 { _ = try Program.skopeo.run(["--version"]) }
        return ended
    }

    /// nil: that was not why it failed.
    private static func tooLarge(_ ended: Program.Ended, _ limit: Int64, _ shown: String) -> Failure? {
        let signs = ["short write", "file too large", "file size limit exceeded"]
        guard signs.contains(where: ended.complaints.contains) else { return nil }
        return Failure(
            .refused, "\(shown) has more than \(PeopleText.size(limit)) unpacked; to add it anyway, allow "
                + "more: --limit SIZE")
    }

    // MARK: Archives and registries

    private static func convert(
        _ text: String, _ path: String, _ scratch: String, _ limit: Int64
    ) throws -> ImageLayout {
        let isRemote = text.contains("://")
        let source = isRemote ? text : try "\(kind(of: path, text)):\(link(to: path, in: scratch))"
        let copied = try copy(source, to: "converted", in: scratch, limit)
        guard copied.status == 0 else {
            if let failure = tooLarge(copied, limit, text) { throw failure }
            let reason = message(of: copied.reason)
            if severalImages.contains(where: reason.contains) {
                throw Failure(
                    .badData, "\(text) has several images; save the one that you want in a file of its own: docker "
                        + "save NAME --output FILE, or skopeo copy SOURCE oci-archive:FILE")
            }
            guard isRemote else { throw Failure(.badData, "\(text) cannot be copied by skopeo", cause: reason) }
            throw Failure(
                .storage, "\(text) cannot be fetched by skopeo (\(reason)); if this machine cannot reach "
                    + "the registry, fetch the image on another one, and add the file: "
                    + "skopeo copy \(text) oci-archive:image.tar")
        }
        return try ImageLayout("\(scratch)/converted", shown: text)
    }

    /// How skopeo says that an archive has several.
    private static let severalImages = ["expected 1 item, got", "more than one image in oci"]

    /// A name without a colon for a file.
    private static func link(to path: String, in scratch: String) throws -> String {
        let name = "archive"
        guard symlink(path, "\(scratch)/\(name)") == 0 else {
            throw Failure(.storage, "\(scratch)/\(name) cannot be created", cause: String(cString: strerror(errno)))
        }
        return name
    }

    /// What a line of skopeo's log says, without its time and level.
    private static func message(of line: String) -> String {
        guard let start = line.range(of: "msg=\""), line.hasSuffix("\"") else { return line }
        return String(line[start.upperBound...].dropLast()).replacing("\\\"", with: "\"")
    }

    /// What skopeo calls an archive, by what it holds.
    private static func kind(of path: String, _ text: String) throws -> String {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int64
        guard size != 0 else { throw Failure(.badData, "\(text) is empty (0 bytes); save the image again") }
        let listed = try Program(name: "tar", package: "tar").run(["-tf", path])
        let names = listed.output.split(separator: "\n").map { $0.hasPrefix("./") ? $0.dropFirst(2) : $0 }
        guard listed.status == 0 else {
            throw Failure(.badData, "\(text) is not a tar archive, or is cut short", cause: listed.reason)
        }
        if names.contains("oci-layout") { return "oci-archive" }
        if names.contains("manifest.json") { return "docker-archive" }
        throw Failure(
            .badData, "\(text) is not an image: it has neither oci-layout (skopeo copy, buildah) nor manifest.json "
                + "(docker save, podman save)")
    }
}
