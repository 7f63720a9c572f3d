import Foundation
import Model
import Sessions
import SweepFiles
import Testing

@Suite("Images that become workloads")
struct WorkloadAddTests {
    /// A folder of a test, with an image and its manifest in `own`, and the artifacts.
    final class Place {
        let path = "\(NSTemporaryDirectory())/usweep-workload-\(UUID().uuidString)"
        var own: String { "\(path)/own" }
        var store: WorkloadStore { WorkloadStore(in: ArtifactsFolder(path: "\(path)/artifacts")) }

        init(manifest: String = "", calls: String? = "usweep-calls 1\ngrpc /f.F/Get 0801 bytes 0802\n") throws {
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            try write("workload.yaml", "name: own\nport: 5000\nrequests: calls\n" + manifest)
            if let calls { try write("calls", calls) }
        }

        deinit { _ = try? Tool.run("rm", "-rf", path) }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(own)/\(name)"))
        }

        func image(
            _ entries: [OwnImage.Entry] = [OwnImage.Entry(name: "bin/f", text: "#!", mode: 0o755)]
        ) throws -> OwnImage {
            var image = try OwnImage("\(own)/image")
            try image.layer(entries)
            return image
        }

        func add(_ path: String? = nil, manifest: String? = nil, limit: Int64 = 8 << 30) throws -> WorkloadStore.Added {
            try store.add(path ?? "own", path: path ?? own, manifest: manifest, limit: limit)
        }

        /// What the disk has, a line a file: mode, owner, and path.
        func listing() throws -> String {
            try Tool.run("unsquashfs", "-lln", "\(store.shelf.folder(of: "own"))/disk.squashfs")
        }

        func content(_ name: String) throws -> String {
            try Tool.run("unsquashfs", "-cat", "\(store.shelf.folder(of: "own"))/disk.squashfs", name)
        }

        func message(_ path: String? = nil, manifest: String? = nil, limit: Int64 = 8 << 30) -> String {
            do {
                _ = try add(path, manifest: manifest, limit: limit)
                return "added"
            } catch { return "\((error as? Failure)?.code.exitStatus ?? 0): \(error)" }
        }
    }

    enum Tool {
        @discardableResult
        static func run(_ words: String...) throws -> String {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = words
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
        }
    }

    @Test("The same image gives the same disk, wherever and whenever it is added")
    func same() throws {
        let disks = try (0..<2).map { _ in
            let place = try Place()
            try place.image().finish()
            return try place.add().record.disk
        }
        #expect(disks[0] == disks[1])
    }

    @Test("Layers, whiteouts, links, owners and odd modes are on the disk as in the image")
    func layers() throws {
        let place = try Place()
        var image = try place.image([
            OwnImage.Entry(name: "etc/passwd", text: "app:x:1000:1000::/:/bin/sh\n"),
            OwnImage.Entry(name: "gone", text: "x"), OwnImage.Entry(name: "kept", text: "old"),
        ])
        try image.layer([
            OwnImage.Entry(name: ".wh.gone"), OwnImage.Entry(name: "kept", text: "new"),
            OwnImage.Entry(name: "bin/su", text: "su", mode: 0o4755),
            OwnImage.Entry(name: "home/app", kind: "5", mode: 0o700, user: 1_000),
            OwnImage.Entry(name: "home/app/secret \"1\"", text: "s", mode: 0o000, user: 1_000),
            OwnImage.Entry(name: "link", kind: "2", link: "/etc/passwd"),
            OwnImage.Entry(name: "hard", kind: "1", link: "kept"),
        ])
        try image.finish(#"{"Cmd":["/bin/f","a b"],"Env":["A=1","B=2"],"User":"app","WorkingDir":"/home"}"#)
        let added = try place.add()
        #expect(!added.replaces)
        let listing = try place.listing()
        func has(_ pattern: String) -> Bool {
            listing.range(of: pattern, options: .regularExpression) != nil
        }
        #expect(!listing.contains("/gone") && !listing.contains(".wh."), "\(listing)")
        #expect(has("-rwsr-xr-x 0/0 .*/function/rootfs/bin/su\n"), "\(listing)")
        #expect(has("drwx------ 1000/1000 .*/home/app\n"), "\(listing)")
        #expect(has(#"---------- 1000/1000 .*/secret "1"\n"#), "\(listing)")
        #expect(has("link -> /etc/passwd\n"), "\(listing)")
        #expect(try place.content("function/rootfs/kept") == "new" && place.content("function/rootfs/hard") == "new")
        let config = try JSON(parsing: Array(place.content("function/config.json").utf8))
        #expect(config["process"]?["args"] == .array([.string("/bin/f"), .string("a b")]))
        #expect(config["process"]?["user"]?["uid"]?.integer == 1_000)
        #expect(config["process"]?["cwd"] == .string("/home"))
        let variables = config["process"]?["env"]?.elements?.compactMap(\.text) ?? []
        #expect(variables.contains("A=1") && variables.contains("B=2") && !variables.contains("TERM=xterm"))
    }

    @Test("Names that are not UTF-8")
    func otherNames() throws {
        let place = try Place()
        var image = try place.image()
        try image.layer([
            OwnImage.Entry(name: "caf", text: "x", mode: 0o000, user: 1_000, ending: [0xe9]),
            OwnImage.Entry(name: "caf", text: "y", ending: [0xc3, 0xa9]),
            OwnImage.Entry(name: "sub", kind: "5", mode: 0o750, user: 7, ending: [0xff, 0x22]),
            OwnImage.Entry(name: "sub", text: "z", user: 8, ending: [0xff, 0x22, 0x2f, 0x5c, 0xfe]),
        ])
        try image.finish()
        #expect(place.message() == "added")
        let listing = try place.listing()
        func has(_ pattern: String) -> Bool {
            listing.range(of: pattern, options: .regularExpression) != nil
        }
        #expect(has("---------- 1000/1000 .*/rootfs/caf\u{fffd}\n"), "\(listing)")
        #expect(has("-rw-r--r-- 0/0 .*/rootfs/caf\u{e9}\n"), "\(listing)")
        #expect(has("drwxr-x--- 7/7 .*/rootfs/sub\u{fffd}\"\n"), "\(listing)")
        #expect(has("-rw-r--r-- 8/8 .*/rootfs/sub\u{fffd}\"/\\\\\u{fffd}\n"), "\(listing)")
    }

    @Test("The manifest counts before the image, and services come before the function")
    func manifest() throws {
        let place = try Place(
            manifest: "command: [/bin/g]\nenvironment: {B: 3}\nmemory: 64MiB\nready: {port: 5001}\n"
                + "services: [{name: redis, image: ../redis, port: 6379, core: 0}]\n")
        try place.image().finish(#"{"Cmd":["/bin/f"],"Env":["B=2"]}"#)
        var service = try OwnImage("\(place.path)/redis")
        try service.layer([OwnImage.Entry(name: "bin/redis", text: "r", mode: 0o755)])
        try service.finish(#"{"Cmd":["/bin/redis"]}"#)
        let record = try place.add().record
        #expect(record.memoryBytes == 320 << 20, "96, 64 and 128 MiB and the disk, rounded up")
        #expect(try place.content("containers") == "redis 6379 0\nfunction 5001 1\n")
        #expect(try place.content("about") == "5000 grpc\n")
        #expect(try place.content("hosts").contains("127.0.0.1 redis\n"))
        let config = try JSON(parsing: Array(place.content("function/config.json").utf8))
        #expect(config["process"]?["args"] == .array([.string("/bin/g")]))
        #expect(config["process"]?["env"]?.elements?.compactMap(\.text).filter { $0.hasPrefix("B=") } == ["B=3"])
        #expect(config["linux"]?["resources"]?["memory"]?["limit"]?.integer == 64 << 20)
    }

    @Test("An archive is as good as a layout", arguments: ["oci-archive", "docker-archive"])
    func archive(kind: String) throws {
        let place = try Place()
        try place.image().finish()
        let disk = try place.add().record.disk
        let file = "\(place.path)/image.tar"
        try Tool.run("skopeo", "--insecure-policy", "copy", "oci:\(place.own)/image", "\(kind):\(file):own:latest")
        #expect(try place.add(file, manifest: place.own).record.disk == disk)
    }

    @Test("Layers that are compressed by zstd")
    func zstd() throws {
        let place = try Place()
        try place.image().finish()
        let disk = try place.add().record.disk
        try Tool.run("mv", "\(place.own)/image", "\(place.path)/plain")
        try Tool.run(
            "skopeo", "--insecure-policy", "copy", "--dest-compress-format", "zstd", "oci:\(place.path)/plain",
            "oci:\(place.own)/image:latest")
        #expect(try Tool.run("grep", "-r", "tar+zstd", "\(place.own)/image").contains("mediaType"))
        #expect(try place.add().record.disk == disk)
    }

    /// What a registry has is fetched by skopeo: by a stand-in here, which has one image, and no network.
    @Test("A reference to a registry")
    func registry() throws {
        let place = try Place()
        try place.image().finish()
        try Tool.run("mkdir", "\(place.path)/bin")
        let standIn = """
            #!/bin/sh
            for word; do case $word in docker://*) reference=$word ;; oci:*) target=${word#oci:} ;; esac; done
            [ "$reference" = docker://here/own:1 ] && exec cp -r '\(place.own)/image' "${target%:image}"
            echo 'time="2026" level=fatal msg="pinging registry \\"none\\": no such host"' >&2
            exit 1
            """
        try Data(standIn.utf8).write(to: URL(fileURLWithPath: "\(place.path)/bin/skopeo"))
        try Tool.run("chmod", "+x", "\(place.path)/bin/skopeo")
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        func add(_ reference: String) throws -> String {
            try Tool.run(
                "sh", "-c", #"PATH=$1:$PATH; shift; "$@" 2>&1; echo "status $?""#, "sh", "\(place.path)/bin",
                "\(own)/usweep", "workload", "add", reference, "--manifest", place.own, "--artifacts",
                "\(place.path)/artifacts")
        }
        let added = try add("docker://here/own:1")
        #expect(added.contains("own: added") && added.hasSuffix("status 0\n"), "\(added)")
        let lost = try add("docker://none/own:1")
        #expect(lost.contains("cannot be fetched by skopeo (pinging registry \"none\": no such host)"), "\(lost)")
        #expect(lost.contains("skopeo copy docker://none/own:1 oci-archive:image.tar"), "\(lost)")
        #expect(lost.hasSuffix("status 74\n"), "\(lost)")
    }

    @Test("Adding again replaces; removing leaves nothing")
    func replace() throws {
        let place = try Place()
        try place.image().finish()
        let before = try place.add().record
        try place.write("calls", "usweep-calls 1\ngrpc /f.F/Get 0803 any -\n")
        let after = try place.add()
        #expect(after.replaces && after.record.disk != before.disk)
        #expect(place.store.shelf.names == ["own"])
        try place.store.remove("own")
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.store.shelf.path).isEmpty)
        #expect(throws: Failure.self) { try place.store.remove("own") }
    }

    @Test("127 layers")
    func manyLayers() throws {
        let place = try Place()
        var image = try place.image()
        for number in 1..<127 { try image.layer([OwnImage.Entry(name: "f\(number)", text: "\(number)")]) }
        try image.finish()
        _ = try place.add()
        #expect(try place.content("function/rootfs/f126") == "126")
    }

    // MARK: What is refused

    @Test("Another architecture")
    func architecture() throws {
        let place = try Place()
        try place.image().finish(architecture: "arm64")
        #expect(place.message().contains("65: own is an image for linux/arm64, but the guest is linux/amd64"))
        #expect(place.store.shelf.names.isEmpty)
    }

    @Test("Of an index with several platforms the one for this guest is taken; none, or two, are refused")
    func platforms() throws {
        let place = try Place()
        try place.image().finish(also: ["arm64", "riscv64"])
        #expect(place.message() == "added")
        try place.image().finish(also: ["amd64"])
        #expect(place.message() == "added", "the same one twice")
        try place.image().finish(architecture: "arm64", also: ["riscv64"])
        #expect(place.message().contains("of which none is for linux/amd64"))
    }

    @Test("Of a layout with several tags, as skopeo writes it, the one image for this guest is taken")
    func tags() throws {
        let place = try Place()
        let (one, both) = ("\(place.path)/one", "\(place.path)/both")
        func tag(_ tag: String, _ text: String, _ architecture: String = "amd64") throws -> String {
            try Tool.run("rm", "-rf", one)
            var image = try OwnImage(one)
            try image.layer([OwnImage.Entry(name: "f", text: text)])
            try image.finish(architecture: architecture)
            try Tool.run("skopeo", "--insecure-policy", "copy", "oci:\(one)", "oci:\(both):\(tag)")
            return place.message(both, manifest: place.own)
        }
        #expect(try tag("a", "1") == "added")
        #expect(try tag("b", "1") == "added")
        #expect(try tag("c", "2", "arm64") == "added")
        let said = try tag("d", "3")
        let found = "has 3 images (a: linux/amd64, c: linux/arm64, d: linux/amd64), of which 2 are for linux/amd64"
        #expect(said.contains(found), "\(said)")
    }

    @Test("Folders and files whose names have a colon", arguments: ["gzip", "zstd"])
    func colons(compression: String) throws {
        let place = try Place()
        try place.image().finish()
        let disk = try place.add().record.disk
        let folder = "\(place.path)/a:b"
        try Tool.run("mkdir", folder)
        let store = WorkloadStore(in: ArtifactsFolder(path: "\(folder)/artifacts:1"))
        try Tool.run(
            "skopeo", "--insecure-policy", "copy", "--dest-compress-format", compression, "oci:\(place.own)/image",
            "oci:\(place.path)/layout:latest")
        try Tool.run(
            "skopeo", "--insecure-policy", "copy", "oci:\(place.own)/image",
            "docker-archive:\(place.path)/x:own:latest")
        try Tool.run("mv", "\(place.path)/layout", "\(place.path)/x", folder)
        for name in ["layout", "x"] {
            let path = "\(folder)/\(name)"
            #expect(try store.add(name, path: path, manifest: place.own, limit: 8 << 30).record.disk == disk)
        }
    }

    @Test("A variable without '=' is one with empty text, and the image keeps its digest")
    func variableWithoutValue() throws {
        let place = try Place()
        try place.image().finish(#"{"Cmd":["/bin/f"],"Env":["A=1","OLD","B=x=y"]}"#)
        let index = try JSON(parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(place.own)/image/index.json"))))
        let digest = index["manifests"]?.elements?.first?["digest"]?.text
        #expect(try place.add().record.images.map(\.value) == [digest])
        let config = try JSON(parsing: Array(place.content("function/config.json").utf8))
        let variables = config["process"]?["env"]?.elements?.compactMap(\.text) ?? []
        #expect(variables.contains("OLD=") && !variables.contains("OLD"), "\(variables)")
        #expect(variables.contains("A=1") && variables.contains("B=x=y"))
    }

    @Test("An archive with several images says what to do")
    func refusedByTools() throws {
        let place = try Place()
        // What docker save makes of two: skopeo goes no further than to its list.
        let (file, list) = ("\(place.path)/two.tar", "\(place.path)/manifest.json")
        let items = ["a", "b"].map { #"{"Config":"\#($0).json","RepoTags":["\#($0):1"],"Layers":[]}"# }
        try Data("[\(items.joined(separator: ","))]".utf8).write(to: URL(fileURLWithPath: list))
        try Tool.run("tar", "-cf", file, "-C", place.path, "manifest.json")
        let several = place.message(file, manifest: place.own)
        #expect(several.hasPrefix("65: ") && several.contains("has several images; save the one"), "\(several)")
    }

    @Test("A damaged workload hides no others from the list")
    func damagedAmongOthers() throws {
        let place = try Place()
        try place.image().finish()
        _ = try place.add()
        let damaged = place.store.shelf.folder(of: "damaged")
        try Tool.run("mkdir", damaged)
        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(damaged)/workload.json"))
        let list = try WorkloadListing(place.store)
        #expect(try list.table().contains("own"))
        #expect(list.problems.map { $0.message.hasPrefix("\(damaged)/workload.json is damaged") } == [true])
    }

    @Test(
        "Paths that lead out of the image stay in it",
        arguments: ["../../../../escaped", "/escaped", "a/../../escaped"])
    func escape(name: String) throws {
        let place = try Place()
        var image = try place.image()
        try image.layer([
            OwnImage.Entry(name: "out", kind: "2", link: place.path), OwnImage.Entry(name: name, text: "x"),
            OwnImage.Entry(name: "out/through", text: "x"),
        ])
        try image.finish()
        let said = place.message()
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path).sorted()
        #expect(names == ["artifacts", "own"], "\(said)")
        #expect(!FileManager.default.fileExists(atPath: "/escaped"))
    }

    @Test("Device files are left out, and counted")
    func devices() throws {
        let place = try Place()
        var image = try place.image()
        try image.layer([OwnImage.Entry(name: "dev/null", kind: "3"), OwnImage.Entry(name: "disk", kind: "4")])
        try image.finish()
        #expect(try place.add().devices == 2)
        #expect(try !place.listing().contains("\nc") && !place.listing().contains("\nb"))
    }

    @Test("A layer whose digest lies")
    func lie() throws {
        let place = try Place()
        let image = try place.image()
        try image.finish()
        try image.spoil()
        let said = place.message()
        #expect(said.hasPrefix("65: ") && said.contains("cannot be unpacked by umoci"), "\(said)")
        #expect(place.store.shelf.names.isEmpty)
    }

    @Test("A blob that is cut short, and a manifest that is another")
    func cut() throws {
        let place = try Place()
        let image = try place.image()
        try image.finish()
        let blobs = "\(place.own)/image/blobs/sha256"
        for name in try FileManager.default.contentsOfDirectory(atPath: blobs) {
            let content = FileManager.default.contents(atPath: "\(blobs)/\(name)") ?? Data()
            try Data(content.dropLast()).write(to: URL(fileURLWithPath: "\(blobs)/\(name)"))
            #expect(place.message().contains("and its descriptor says"))
            try Data(content.dropLast() + [0x20]).write(to: URL(fileURLWithPath: "\(blobs)/\(name)"))
            #expect(place.message().hasPrefix("65: "))
            try content.write(to: URL(fileURLWithPath: "\(blobs)/\(name)"))
        }
        #expect(place.message() == "added")
    }

    @Test("More than the limit: unpacking ends, and nothing is left")
    func bomb() throws {
        let place = try Place()
        var image = try place.image()
        try image.layer([OwnImage.Entry(name: "large", text: String(repeating: "x", count: 3 << 20))])
        try image.finish()
        let said = place.message(limit: 1 << 20)
        #expect(said.hasPrefix("65: ") && said.contains("more than 1 MiB unpacked"), "\(said)")
        #expect(said.contains("--limit"))
        #expect(place.message(limit: 8 << 20) == "added")
    }

    @Test("0 bytes, no archive, no image, nothing")
    func noImage() throws {
        let place = try Place()
        let file = "\(place.path)/image.tar"
        for (content, said) in [("", "is empty (0 bytes)"), ("not a tar", "is not a tar archive")] {
            try Data(content.utf8).write(to: URL(fileURLWithPath: file))
            #expect(place.message(file, manifest: place.own).contains(said))
        }
        try Tool.run("tar", "-cf", file, "-C", place.own, "calls")
        #expect(place.message(file, manifest: place.own).contains("is not an image: it has neither oci-layout"))
        #expect(place.message(file).contains("pass the folder as --manifest"))
        #expect(place.message("\(place.path)/none").contains("there is no"))
        #expect(place.message().contains("is not an OCI image layout"))
    }

    @Test("A layer of some bytes that becomes many")
    func compressedBomb() throws {
        let place = try Place()
        var image = try place.image()
        let large = OwnImage.Entry(name: "large", text: String(repeating: "x", count: 64 << 20))
        try image.layer([large], compressed: true)
        try image.finish()
        let said = place.message(limit: 16 << 20)
        #expect(said.hasPrefix("65: ") && said.contains("more than 16 MiB unpacked"), "\(said)")
        // Skopeo unpacks a compressed archive before anybody can look into it.
        let file = "\(place.path)/image.tar"
        try Tool.run(
            "skopeo", "--insecure-policy", "copy", "oci:\(place.own)/image", "docker-archive:\(file):own:latest")
        try Tool.run("gzip", file)
        let archive = place.message("\(file).gz", manifest: place.own, limit: 16 << 20)
        #expect(archive.contains("more than 16 MiB unpacked; to add it"), "\(archive)")
        #expect(place.store.shelf.names.isEmpty)
    }

    @Test("Services of services are to be named, each before those that need it; a circle is told")
    func serviceOrder() throws {
        let redis = "{name: redis, image: ../redis, port: 6379}", shop = "{name: shop, image: ../shop, port: 80}"
        let place = try Place(manifest: "services: [\(shop)]\n")
        try place.image().finish()
        for name in ["redis", "shop"] {
            var service = try OwnImage("\(place.path)/\(name)/image")
            try service.layer([OwnImage.Entry(name: "bin/\(name)", text: name, mode: 0o755)])
            try service.finish()
        }
        func write(_ name: String, _ services: String) throws {
            try place.write("../\(name)/workload.yaml", "name: \(name)\nport: 80\nservices: [\(services)]\n")
        }
        try write("shop", redis)
        #expect(place.message().contains("the service 'shop' needs 'redis' (port 6379) to be started before it"))
        let head = "name: own\nport: 5000\nrequests: calls\n"
        try place.write("workload.yaml", head + "services: [\(shop), \(redis)]\n")
        #expect(place.message().contains("the service 'shop' needs 'redis'"))
        try place.write("workload.yaml", head + "services: [\(redis), \(shop)]\n")
        #expect(place.message() == "added")
        try write("redis", shop)
        let circle = "the services depend on each other in a circle (redis -> shop -> redis)"
        #expect(place.message().contains("65: own: \(circle)"))
        try write("redis", "{name: own, image: ../own, port: 5000}")
        #expect(place.message().contains("in a circle (own -> redis -> own)"))
    }
}
