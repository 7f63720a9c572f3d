import Foundation
import Model
import SweepFiles
import Testing

@Suite("Workloads in files")
struct WorkloadTests {
    private static let minimal = "name: aes-go\nport: 50051\nrequests: requests.calls\n"

    private func manifest(_ text: String) throws -> WorkloadManifest {
        let scratch = try Scratch()
        try scratch.write("workload.yaml", text)
        return try WorkloadManifest.read(inFolder: scratch.path)
    }

    @Test("What a manifest leaves out has a usual value")
    func defaults() throws {
        let manifest = try manifest(Self.minimal)
        #expect(manifest.name == "aes-go" && manifest.port == 50051 && manifest.readyPort == 50051)
        #expect(manifest.protocol == "grpc" && manifest.memoryBytes == 128 << 20 && manifest.command.isEmpty)
    }

    @Test("All keys")
    func all() throws {
        let manifest = try manifest(
            Self.minimal + """
                runtime: go
                counterpart: vhiveease/aes-go
                protocol: http2
                ready: {port: 8080}
                command: [/bin/f, --port, "50051"]
                environment: {A: 1, B: on}
                memory: 256MiB
                services: [{name: redis, image: ../redis, port: 6379, core: 1, memory: 32MiB}]
                """)
        #expect(manifest.readyPort == 8080 && manifest.memoryBytes == 256 << 20 && manifest.protocol == "http2")
        #expect(manifest.command == ["/bin/f", "--port", "50051"])
        #expect(manifest.environment == [EnvironmentVariable("A", "1"), EnvironmentVariable("B", "on")])
        let service = try #require(manifest.services.first)
        #expect(service.name == "redis" && service.image == "../redis" && service.port == 6379 && service.core == 1)
    }

    @Test("What is wrong with a manifest is named with its place", arguments: [
        ("name: aes-go\nrequests: r", "workload.yaml:1:1: key 'port': is missing"),
        ("port: 1\nrequests: r", "key 'name': is missing"), ("name: a\nport: 1", "key 'requests': is missing"),
        ("name: A/b\nport: 1\nrequests: r", ":1:7: key 'name': 'A/b' is not a name for a workload"),
        ("name: a\nport: 70000\nrequests: r", ":2:7: key 'port': 70000 is out of range"),
        ("name: a\nport: 1\nrequests: ../r", ":3:11: key 'requests': '../r' is not a path below"),
        ("name: a\nport: 1\nrequests: r\nprotocl: grpc", "did you mean 'protocol'?"),
        ("name: a\nport: 1\nrequests: r\nprotocol: smtp", "'smtp' is not a protocol"),
        ("name: a\nport: 1\nrequests: r\nmemory: 1KiB", "1 KiB is out of range; write 4MiB to 64GiB"),
        ("name: a\nport: 1\nrequests: r\nservices: [{name: s}]", "has no 'image' and no 'port'"),
        (
            "name: a\nport: 1\nrequests: r\nservices: [{name: s, image: i, port: 1}]",
            "s and the function both have the port 1"
        ),
        (
            "name: a\nport: 1\nrequests: r\nservices: [{name: s, image: i, port: 2}, {name: s, image: i, port: 3}]",
            "'s' is a duplicate"
        ),
        (
            "name: a\nport: 1\nrequests: r\nservices: [{name: function, image: i, port: 2}]",
            "the function's own container"
        ),
        (
            "name: a\nport: 1\nrequests: r\nservices: [{name: hosts, image: i, port: 2}]",
            "'hosts' is a name of the guest's own; give the service another name"
        ),
        (
            "name: a\nport: 1\nrequests: r\nservices: [{name: localhost, image: i, port: 2}]",
            "'localhost' is a name of the guest's own"
        ),
        ("name: a\nport: 1\nrequests: r\ncommand: ['', a]", ":4:10: key 'command': begins with an empty word"),
        ("name: a\nport: 1\nrequests: r\nenvironment: {\"A\\nB\": x}", "the key 'A\\nB' has an invisible character"),
    ])
    func wrong(text: String, expected: String) throws {
        let found = message { _ = try manifest(text) }
        #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
    }

    // MARK: In sweeps

    /// A folder with a workload of each name.
    private func shelf(
        _ names: String..., catalogue: [String] = []
    ) throws -> (scratch: Scratch, shelf: WorkloadShelf) {
        let scratch = try Scratch()
        func manifest(_ name: String) throws -> WorkloadManifest {
            let counterpart = Self.counterparts[name].map { "counterpart: \($0)" } ?? ""
            let text = "name: \(name)\nport: 1\nrequests: r\n" + counterpart
            let path = try scratch.write("m/workload.yaml", text)
            return try WorkloadManifest.read(inFolder: (path as NSString).deletingLastPathComponent)
        }
        for name in names {
            let manifest = try manifest(name)
            let record = WorkloadRecord(
                manifest: manifest, images: [], disk: SHA256.digest("disk of \(name)"), diskBytes: 1, layerBytes: 1,
                unpackedBytes: 1, memoryBytes: 256 << 20)
            try scratch.write("\(name)/\(WorkloadRecord.fileName)", record.json.encoded)
            try scratch.write("\(name)/\(WorkloadRecord.diskName)", "disk of \(name)")
        }
        let manifests = try catalogue.map(manifest)
        return (scratch, WorkloadShelf(path: scratch.path) { manifests })
    }

    private static let counterparts = [
        "hotel-geo": "vhiveease/hotel-app-geo:latest", "shop-currency": "vhiveease/onlineshop-currencyservice",
        "names-python": "vhiveease/rnn-serving-python", "aes-go": "vhiveease/aes-go", "own-aes": "vhiveease/aes-python",
        "other-aes": "vhiveease/aes-python",
    ]

    private func sweep(_ workloads: String, _ shelf: WorkloadShelf, folder: String = "/tmp") throws -> Sweep {
        let text = "sweep: s\nengine: qemu\nguest: g\nworkloads: \(workloads)\naxes: {l2.size: [1MiB]}\n"
        return try SweepFile.parse(text, file: "s.yaml", folder: folder, shelf: shelf)
    }

    @Test("A workload is named, or its folder is; its disk is in the sweep")
    func named() throws {
        let (scratch, shelf) = try shelf("aes-go", "fib")
        let sweep = try sweep("[aes-go, ./fib]", shelf, folder: scratch.path)
        #expect(sweep.workloads == ["aes-go", "fib"])
        #expect(sweep.image(of: "fib")?.disk.digest == SHA256.digest("disk of fib"))
        #expect(sweep.image(of: "aes-go")?.memoryBytes == 256 << 20)
    }

    @Test("Interleaved workloads are named in the same way, and their disks are in the sweep")
    func interleaved() throws {
        let (scratch, shelf) = try shelf("aes-go", "fib")
        let text = "sweep: s\nengine: qemu\nguest: g\nworkloads: [aes-go]\naxes: {state: [warm, lukewarm]}\n"
            + "measure: {interleave: [./fib, aes-go]}\n"
        let sweep = try SweepFile.parse(text, file: "s.yaml", folder: scratch.path, shelf: shelf)
        #expect(sweep.workloads == ["aes-go"])
        #expect(sweep.images.map(\.workload) == ["aes-go", "fib"])
        let others = sweep.settings["measure.interleave"]?.elements
        #expect(others?.map { $0["workload"]?.text } == ["fib", "aes-go"])
        #expect(others?.first?["disk"]?.text == SHA256.digest("disk of fib").hex)
        let unknown = text.replacing("./fib", with: "fob")
        let found = message { _ = try SweepFile.parse(unknown, file: "s.yaml", folder: scratch.path, shelf: shelf) }
        #expect(found?.contains("s.yaml:6:24") == true && found?.contains("did you mean 'fib'?") == true)
    }

    @Test("The list of vSwarm-u names them, too")
    func listed() throws {
        let (scratch, shelf) = try shelf("aes-go", "fib")
        try scratch.write("functions.list", "fib\n# aes-go\n")
        #expect(try sweep("{file: functions.list}", shelf, folder: scratch.path).images.map(\.workload) == ["fib"])
    }

    @Test("A list may have vSwarm's names, and stand among others")
    func vswarm() throws {
        let built = ["shop-currency", "hotel-geo"]
        let (scratch, shelf) = try shelf("hotel-geo", "aes-go", "names-python", catalogue: built)
        try scratch.write("functions.list", "geo # of the hotel\nrnn-serving-python\n")
        try scratch.write("other.list", "aes-go\n")
        let sweep = try sweep("[{file: functions.list}, {file: other.list}]", shelf, folder: scratch.path)
        #expect(sweep.workloads == ["hotel-geo", "names-python", "aes-go"])
        #expect(sweep.images.map(\.workload) == sweep.workloads)
    }

    @Test("A name of vSwarm's that is not here, or means two workloads, or is not one of a list", arguments: [
        ("currencyservice", "functions.list:1:1: the workload 'shop-currency' was not built yet"),
        ("aes-python", "there is no workload 'aes-python'"), ("hotel-app-geo\ngeo", "'hotel-geo' is a duplicate"),
        ("hotel-gee", "did you mean 'hotel-geo'?"),
    ])
    func unknown(list: String, expected: String) throws {
        let (scratch, shelf) = try shelf("hotel-geo", "own-aes", "other-aes", catalogue: ["shop-currency"])
        try scratch.write("functions.list", list)
        let found = message { _ = try sweep("{file: functions.list}", shelf, folder: scratch.path) }
        #expect(found?.contains(expected) == true, "\(found ?? "taken")")
        let named = message { _ = try sweep("[geo]", shelf, folder: scratch.path) }
        #expect(named?.contains("what vSwarm calls so is 'hotel-geo' here") == true, "\(named ?? "taken")")
        let empty = message { _ = try sweep("[{}]", shelf, folder: scratch.path) }
        #expect(empty?.contains("is empty; write {file: functions.list}") == true, "\(empty ?? "taken")")
    }

    @Test("This project's guest of gem5 runs them, too; a guest of one's own holds its functions itself")
    func gem5() throws {
        let (scratch, shelf) = try shelf("fib")
        let text = "sweep: s\nengine: gem5\nguest: g\nworkloads: [./fib]\naxes: {l2.size: [1MiB]}\n"
        let own = try SweepFile.parse(text, file: "s.yaml", folder: scratch.path, shelf: shelf)
        #expect(own.image(of: "fib")?.disk.digest == SHA256.digest("disk of fib"))
        let other = text.replacing("guest: g", with: "guest: {kernel: k, disk: d}").replacing("./fib", with: "aes-go")
        let theirs = try SweepFile.parse(other, file: "s.yaml", folder: scratch.path, shelf: shelf)
        #expect(theirs.workloads == ["aes-go"])
        #expect(theirs.images.isEmpty)
        let little = text.replacing("guest: g", with: "guest: g\nsystem: {name: simple, memory: 128MiB}")
        let found = message { _ = try SweepFile.parse(little, file: "s.yaml", folder: scratch.path, shelf: shelf) }
        let problem = "s.yaml:4:24: key 'system.memory': the workload 'fib' needs a guest of 256 MiB"
        #expect(found?.contains(problem) == true, "\(found ?? "taken")")
    }

    @Test("One that is not here is refused with the nearest, or with how to get it", arguments: [
        ("[aes-g]", "s.yaml:4:13: key 'workloads': there is no workload 'aes-g'", "did you mean 'aes-go'?"),
        ("[auth-go]", "the workload 'auth-go' was not built yet", "usweep workload build auth-go"),
        ("[nothing-like-it]", "there is no workload 'nothing-like-it'", "there are: aes-go, auth-go"),
        ("[./none]", "./none has no workload.json", "name a folder"), ("[aes-go, ./aes-go]", "is a duplicate", ""),
        ("[./m]", "./m has no workload.json", "usweep workload add ./m"),
    ])
    func absent(workloads: String, what: String, advice: String) throws {
        let (scratch, shelf) = try shelf("aes-go", catalogue: ["auth-go"])
        let found = message { _ = try sweep(workloads, shelf, folder: scratch.path) }
        #expect(found?.contains(what) == true, "\(found ?? "taken")")
        #expect(advice.isEmpty || found?.contains(advice) == true, "\(found ?? "taken")")
    }

    @Test("A damaged one is refused")
    func damaged() throws {
        let (scratch, shelf) = try shelf("aes-go", "fib")
        try scratch.write("aes-go/\(WorkloadRecord.diskName)", "other")
        try scratch.write("fib/\(WorkloadRecord.fileName)", "{\"version\": 1")
        #expect(message { _ = try sweep("[aes-go]", shelf) }?.contains("is not the disk that its record names") == true)
        #expect(message { _ = try sweep("[fib]", shelf) }?.contains("is damaged; add the workload again") == true)
    }
}
