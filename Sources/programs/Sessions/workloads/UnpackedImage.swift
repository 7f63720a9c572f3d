import CSystem
import Foundation
import Model

/// The files of an image, unpacked without root: owners and odd modes are not those on this disk.
struct UnpackedImage {
    /// Lines for mksquashfs (`-pf`) that give files their owners and modes.
    private(set) var definitions: [String] = []
    private(set) var bytes: Int64 = 0
    /// What the runtime will be told, as umoci derives it from the image.
    let configuration: JSON
    /// Devices that the image has; the container gets its own.
    let devices: Int

    /// Unpacks an image into a new folder: `rootfs` there is its root.
    ///
    /// - Parameters:
    ///   - place: where the folder will be on the disk.
    ///   - limit: most bytes that the image may have, unpacked.
    init(
        _ layout: ImageLayout, to folder: String, at place: String, limit: Int64, scratch: String, shown: String
    ) throws {
        try UnpackedImage.checkSize(layout, limit, shown)
        let alone = "\(scratch)/alone"
        try? FileManager.default.removeItem(atPath: alone)
        try layout.writeAlone(to: alone)
        // A sparse file takes no room in an archive.
        let blocks = String(limit / 512 + 1)
        let start = time(nil)
        let unpacked = try Program.shell.run([
            "-c", #"ulimit -f "$1" && shift && exec umoci "$@""#, "sh", blocks, "--log=warn", "unpack", "--rootless",
            "--image", "\(alone):image", folder,
        ])
        if unpacked.status == 127 { _ = try Program.umoci.run(["--version"]) }
        guard unpacked.status == 0 else {
            throw Failure(.badData, "\(shown) cannot be unpacked by umoci", cause: unpacked.reason)
        }
        devices = unpacked.complaints.split(separator: "\n").filter { $0.contains("in place of device") }.count
        guard let data = FileManager.default.contents(atPath: "\(folder)/config.json") else {
            throw Failure(.storage, "\(folder)/config.json cannot be read")
        }
        configuration = try JSON(parsing: Array(data))
        for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where file != "rootfs" {
            try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
        }
        try settle("\(folder)/rootfs", "\(place)/rootfs", since: start)
    }

    // MARK: Before

    /// Holds what the layers have, decompressed, against the limit, and writes nothing.
    private static func checkSize(_ layout: ImageLayout, _ limit: Int64, _ shown: String) throws {
        // Deflate makes of a byte no more than 1,032.
        guard layout.layerBytes > limit / 1_032 else { return }
        var left = limit
        for path in layout.paths {
            let script = #"if [ "$(head -c 2 "$1" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then gzip -dc "$1"; "#
                + #"else cat "$1"; fi 2>/dev/null | head -c "$2" | wc -c"#
            let counted = try Program.shell.run(["-c", script, "sh", path, String(left + 1)])
            left -= Int64(counted.output.filter(\.isNumber)) ?? 0
            guard left >= 0 else {
                throw Failure(
                    .refused, "\(shown) has more than \(PeopleText.size(limit)) unpacked "
                        + "(\(PeopleText.size(layout.layerBytes)) compressed); to take it all the same, allow more: "
                        + "--limit SIZE")
            }
        }
    }

    // MARK: After

    /// Notes owners and modes, and gives folders that no layer names a time that does not depend on the day.
    private mutating func settle(_ path: String, _ place: String, since start: Int) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw UnpackedImage.unreadable(path) }
        let mode = status.st_mode & 0o7777
        let kind = status.st_mode & S_IFMT
        if kind == S_IFREG { bytes += Int64(status.st_size) }
        var (user, group) = (0, 0)
        if kind != S_IFLNK { (user, group) = UnpackedImage.owner(path) }
        // Root reads everything; others must be able to pack what they own.
        let needed: mode_t = kind == S_IFDIR ? 0o700 : kind == S_IFREG ? 0o400 : 0
        if mode & needed != needed {
            guard chmod(path, mode | needed) == 0 else { throw UnpackedImage.unreadable(path) }
        }
        let isOwned = Int(status.st_uid) == user && Int(status.st_gid) == group
        if !isOwned || mode & needed != needed {
            definitions.append("\(try UnpackedImage.quoted(place)) m \(String(mode, radix: 8)) \(user) \(group)")
        }
        if kind == S_IFDIR { try settleFolder(path, place, since: start) }
        if Int(status.st_mtim.tv_sec) >= start {
            let times = [timespec(), timespec()]
            utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW)
        }
    }

    private mutating func settleFolder(_ path: String, _ place: String, since start: Int) throws {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw UnpackedImage.unreadable(path)
        }
        for name in names.sorted() { try settle("\(path)/\(name)", "\(place)/\(name)", since: start) }
    }

    /// The owner that umoci noted in an attribute (`user.rootlesscontainers`: two numbers as protocol buffers have
    /// them, all ones for one that stays root).
    private static func owner(_ path: String) -> (user: Int, group: Int) {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Int(sys_attribute(path, "user.rootlesscontainers", &bytes, bytes.count))
        guard count > 0 else { return (0, 0) }
        var (found, rest) = ([0, 0, 0], bytes[..<count])
        while let tag = rest.popFirst() {
            var (number, shift) = (0, 0)
            while let byte = rest.popFirst(), shift < 35 {
                number |= Int(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
            if tag == 0x08 || tag == 0x10, number != 0xffff_ffff { found[Int(tag >> 3)] = number }
        }
        return (found[1], found[2])
    }

    private static func quoted(_ path: String) throws -> String {
        guard !path.utf8.contains(UInt8(ascii: "\n")) else {
            throw Failure(.badData, "'\(Names.shown(path))' has a line feed in its name; rename it in the image")
        }
        return "\"\(path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private static func unreadable(_ path: String) -> Failure {
        Failure(.storage, "\(path) cannot be read", cause: String(cString: strerror(errno)))
    }
}
