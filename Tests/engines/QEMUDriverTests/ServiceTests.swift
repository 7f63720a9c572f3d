import Foundation
import Testing

extension GuestTests {
    @Test("A function with services, and one that calls another: all requests are answered as expected", arguments: [
        ("hotel-reservation", ["redis", "memcached"]), ("shop-recommendation", ["productcatalog"]),
    ])
    func services(workload: String, services: [String]) throws {
        let workloads = try Guest.folder()
        try Guest.usweep(["workload", "build", workload], workloads: workloads)
        let kept = workloads.appending(path: workload)
        let requests = try String(contentsOf: kept.appending(path: "requests.calls"), encoding: .utf8)
            .split(separator: "\n").filter { $0.hasPrefix("grpc ") }.count
        let record = try String(contentsOf: kept.appending(path: "workload.json"), encoding: .utf8)
        for service in services { #expect(record.contains("\"name\":\"\(service)\""), "\(record)") }
        let place = try Guest.folder()
        let disk = kept.appending(path: "disk.squashfs")
        func machine(_ warm: Int) throws -> [String] {
            // What the record says that the guest needs, in MiB.
            let bytes = try #require(record.firstMatch(of: #/"memory_bytes":([0-9]+)/#).flatMap { Int($0.1) })
            return try Guest.machine(workload, warm: warm, disk: disk, memory: bytes >> 20)
        }
        let setup = try Guest.run(["setup"] + machine(2 * requests), in: place)
        #expect(setup.status == 0, "\(setup.errors)")
        #expect(setup.text("status.jsonl").contains(#""phase":"services""#))
        let ended = try Guest.run(
            ["evaluate"] + machine(0) + Guest.state(place.appending(path: "checkpoint.zst"))
                + ["--invocations", "\(requests)"], in: Guest.folder())
        #expect(ended.status == 0, "\(ended.errors)")
        let blocks = try ended.blocks()
        #expect(blocks.count == requests)
        // The services are on the invoker's core.
        for block in blocks {
            #expect(try 20 * #require(block["others.instructions"]) < #require(block["instructions"]), "\(block)")
        }
    }
}
