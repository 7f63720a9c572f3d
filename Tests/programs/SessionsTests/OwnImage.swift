import Foundation
import Model

/// An OCI image layout, written by hand: what no tool would make can be made.
struct OwnImage {
    /// A file of a layer.
    struct Entry {
        var name: String
        var text = ""
        /// As in the archive: `0` plain, `1` hard link, `2` symbolic link, `3` character device, `5` folder.
        var kind: Character = "0"
        var mode = 0o644
        var user = 0
        var link = ""
        /// Bytes that the name ends with, which need not be UTF-8.
        var ending: [UInt8] = []
    }

    let folder: String
    private var layers: [(digest: Digest, size: Int)] = []
    /// Of the layers, decompressed.
    private var contents: [Digest] = []
    private var isCompressed = false

    init(_ folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: "\(folder)/blobs/sha256", withIntermediateDirectories: true)
        try write("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    private func blob(_ bytes: [UInt8]) throws -> (digest: Digest, size: Int) {
        let digest = SHA256.digest(bytes)
        try write("blobs/sha256/\(digest.hex)", bytes)
        return (digest, bytes.count)
    }

    /// - Parameter compressed: by gzip; then all layers are.
    mutating func layer(_ entries: [Entry], compressed: Bool = false) throws {
        let archive = entries.flatMap(OwnImage.archived) + [UInt8](repeating: 0, count: 1_024)
        contents.append(SHA256.digest(archive))
        isCompressed = compressed
        layers.append(try blob(compressed ? OwnImage.compressed(archive) : archive))
    }

    private static func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appending(path: "usweep-layer-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-1", "-n", "-c", file.path]
        let output = Pipe()
        gzip.standardOutput = output
        try gzip.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        gzip.waitUntilExit()
        return Array(data)
    }

    /// A layer of which another than its own bytes is in its place.
    func spoil() throws {
        guard let layer = layers.last else { return }
        try write("blobs/sha256/\(layer.digest.hex)", [UInt8](repeating: 7, count: layer.size))
    }

    /// Names the image in the index.
    ///
    /// - Parameters:
    ///   - config: members of the image's configuration beside its platform.
    ///   - also: platforms of further images of the index, which have the same manifest.
    func finish(_ config: String = #"{"Cmd":["/bin/f"]}"#, architecture: String = "amd64", also: [String] = []) throws {
        let ids = contents.map { "\"sha256:\($0.hex)\"" }.joined(separator: ",")
        let text = #"{"architecture":"\#(architecture)","os":"linux","config":\#(config),"rootfs":{"type":"layers","#
            + #""diff_ids":[\#(ids)]}}"#
        let configuration = try blob(Array(text.utf8))
        let list = layers.map { descriptor("layer.v1.tar\(isCompressed ? "+gzip" : "")", $0) }.joined(separator: ",")
        let manifest = try blob(Array(
            #"{"schemaVersion":2,"config":\#(descriptor("config.v1+json", configuration)),"layers":[\#(list)]}"#.utf8))
        let entries = ([architecture] + also).map { architecture in
            String(descriptor("manifest.v1+json", manifest).dropLast())
                + #","platform":{"os":"linux","architecture":"\#(architecture)"}}"#
        }
        try write("index.json", Array(#"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#.utf8))
    }

    private func descriptor(_ type: String, _ blob: (digest: Digest, size: Int)) -> String {
        #"{"mediaType":"application/vnd.oci.image.\#(type)","digest":"sha256:\#(blob.digest.hex)","#
            + #""size":\#(blob.size)}"#
    }

    /// A header of the ustar format (POSIX.1) and the content.
    private static func archived(_ entry: Entry) -> [UInt8] {
        func field(_ text: String, _ width: Int, ending: [UInt8] = []) -> [UInt8] {
            let bytes = Array(text.utf8) + ending
            return Array(bytes.prefix(width)) + [UInt8](repeating: 0, count: max(0, width - bytes.count))
        }
        func octal(_ number: Int, _ width: Int) -> [UInt8] {
            let digits = String(number, radix: 8)
            return field(String(repeating: "0", count: width - 1 - digits.count) + digits, width)
        }
        let content = Array(entry.text.utf8)
        func header(_ sum: [UInt8]) -> [UInt8] {
            let name = field(entry.name, 100, ending: entry.ending)
            return name + octal(entry.mode, 8) + octal(entry.user, 8) + octal(entry.user, 8)
                + octal(content.count, 12) + octal(1_000, 12) + sum + Array(String(entry.kind).utf8)
                + field(entry.link, 100) + field("ustar", 6) + Array("00".utf8) + field("", 64)
                + octal(1, 8) + octal(3, 8) + field("", 167)
        }
        let sum = header([UInt8](repeating: 0x20, count: 8)).reduce(0) { $0 + Int($1) }
        let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        return header(octal(sum, 7) + [0x20]) + content + padding
    }
}
