import CSystem
import Foundation
import Model
import SweepFiles

/// The files of an image, unpacked without root: owners and odd modes are not those on this disk.
struct UnpackedImage {
    /// Lines for mksquashfs (`-pf`) that give files their owners and modes, in bytes as names of files are.
    private(set) var definitions: [[UInt8]] = []
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
        try? FileManager.default.removeItem(atPath: "\(scratch)/alone")
        try layout.writeAlone(to: "\(scratch)/alone")
        let start = time(nil)
        let unpacked = try Program.shell.run(
            // By a name that has no colon: umoci takes what follows the first one for a tag.
            ["-c", UnpackedImage.script, "sh", String(limit), "alone:image", folder]
                + UnpackedImage.layersToCount(layout, limit), folder: scratch)
        if unpacked.status == 127 { _ = try Program.umoci.run(["--version"]) }
        if unpacked.status == UnpackedImage.tooMuch {
            throw Failure(
                .refused, "\(shown) has more than \(PeopleText.size(limit)) unpacked "
                    + "(\(PeopleText.size(layout.layerBytes)) compressed); to add it anyway, raise the limit: "
                    + "--limit SIZE")
        }
        guard unpacked.status == 0 else {
            throw Failure(.badData, "\(shown) cannot be unpacked by umoci", cause: unpacked.reason)
        }
        devices = unpacked.complaints.split(separator: "\n").filter { $0.contains("in place of device") }.count
        let (path, limit) = ("\(folder)/config.json", ImageLayout.mostJSON)
        guard let data = try LocalInput.contents(path, atMost: limit, shown: "config.json of \(shown)") else {
            throw Failure(.storage, "\(folder)/config.json is missing, though umoci unpacked \(shown)")
        }
        configuration = try JSON(parsing: data)
        for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where file != "rootfs" {
            try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
        }
        try settle(Array("\(folder)/rootfs".utf8), Array("\(place)/rootfs".utf8), since: start)
    }

    // MARK: Unpacking

    private static let tooMuch: Int32 = 90

    /// Unpacks the image $2 into the folder $3 while what the layers, the other arguments, have is counted: where it is
    /// more than $1 bytes, unpacking ends. A sparse file, which takes no room in an archive, must not be larger either.
    /// Both are parts of one pipeline, as a shell whose SIGCHLD is blocked would wait for ever for one behind it.
    private static let script = #"""
        limit=$1 left=$1 image=$2 folder=$3
        shift 3
        {
            sh -c 'ulimit -f "$1" && echo $$ >"$2.pid" && exec umoci --log=warn unpack --rootless --image "$2" "$3"' \
                sh $((limit / 512 + 1)) "$image" "$folder" >/dev/null
            echo $? >"$image.status"
        } | for layer; do
            if [ "$(head -c 2 "$layer" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
                gzip -dc "$layer"
            else
                cat "$layer"
            fi 2>/dev/null | head -c $((left + 1)) | wc -c >"$image.count"
            left=$((left - $(cat "$image.count")))
            [ $left -ge 0 ] && continue
            echo >"$image.over"
            kill "$(cat "$image.pid")" 2>/dev/null
            break
        done
        [ ! -e "$image.over" ] || exit 90
        exit "$(cat "$image.status")"
        """#

    /// The layers that may have more than the limit: deflate makes of a byte no more than 1,032.
    private static func layersToCount(_ layout: ImageLayout, _ limit: Int64) -> [String] {
        layout.layerBytes > limit / 1_032 ? layout.paths : []
    }

    // MARK: After

    /// Notes owners and modes, and gives folders that no layer names a time that does not depend on the day.
    private mutating func settle(_ name: [UInt8], _ place: [UInt8], since start: Int) throws {
        let path = name.map { CChar(bitPattern: $0) } + [0]
        var status = stat()
        guard lstat(path, &status) == 0 else { throw UnpackedImage.unreadable(name) }
        let mode = status.st_mode & 0o7777
        let kind = status.st_mode & S_IFMT
        if kind == S_IFREG { bytes += Int64(status.st_size) }
        var (user, group) = (0, 0)
        if kind != S_IFLNK { (user, group) = UnpackedImage.owner(path) }
        // Root reads everything; others must be able to pack what they own.
        let needed: mode_t = kind == S_IFDIR ? 0o700 : kind == S_IFREG ? 0o400 : 0
        if mode & needed != needed {
            guard chmod(path, mode | needed) == 0 else { throw UnpackedImage.unreadable(name) }
        }
        let isOwned = Int(status.st_uid) == user && Int(status.st_gid) == group
        if !isOwned || mode & needed != needed {
            let owner = " m \(String(mode, radix: 8)) \(user) \(group)"
            definitions.append(try UnpackedImage.quoted(place) + Array(owner.utf8))
        }
        if kind == S_IFDIR {
            for entry in try UnpackedImage.names(in: name) {
                try settle(name + [UnpackedImage.slash] + entry, place + [UnpackedImage.slash] + entry, since: start)
            }
        }
        if Int(status.st_mtim.tv_sec) >= start {
            let times = [timespec(), timespec()]
            utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW)
        }
    }

    private static let slash = UInt8(ascii: "/")

    /// What is in a folder, sorted: bytes, since not all names in images are UTF-8.
    private static func names(in folder: [UInt8]) throws -> [[UInt8]] {
        guard let stream = opendir(folder.map { CChar(bitPattern: $0) } + [0]) else { throw unreadable(folder) }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            // Only so can an error be told from the end: readdir(3).
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in Array(bytes.prefix { $0 != 0 }) }
            if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] { names.append(name) }
        }
        guard errno == 0 else { throw unreadable(folder) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The owner that umoci noted in an attribute (`user.rootlesscontainers`: two numbers as protocol buffers have
    /// them, all ones for one that stays root).
    private static func owner(_ path: [CChar]) -> (user: Int, group: Int) {
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

    private static func quoted(_ path: [UInt8]) throws -> [UInt8] {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        guard !path.contains(0x0a) else {
            let shown = Names.shown(String(decoding: path, as: UTF8.self))
            throw Failure(.badData, "'\(shown)' has a line feed in its name; rename it in the image")
        }
        return [quote] + path.flatMap { $0 == quote || $0 == backslash ? [backslash, $0] : [$0] } + [quote]
    }

    private static func unreadable(_ path: [UInt8]) -> Failure {
        let cause = String(cString: strerror(errno))
        return Failure(.storage, "\(VisibleText.of(path)) cannot be read", cause: cause)
    }
}
