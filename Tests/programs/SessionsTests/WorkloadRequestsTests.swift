import Foundation
import Testing

/// What a workload is called with: the guest must be able to read it.
extension WorkloadAddTests {
    @Test("Nothing to start, or to ask")
    func nothing() throws {
        let place = try Place(calls: nil)
        try place.image().finish()
        #expect(place.message().contains("calls, which workload.yaml names as 'requests'"))
        try place.write("calls", "")
        #expect(place.message().contains("has 0 B"))
        try place.write("calls", "usweep-calls 1\n# none\n")
        #expect(place.message().contains("has no requests"))
        try place.write("calls", "usweep-calls 1\ngrpc /f.F/Get - any -\n")
        try place.image().finish("{}")
        #expect(place.message().contains("has neither entry point nor command"))
        try place.write("workload.yaml", "name: own\nport: 5000\nrequests: calls\ncommand: [/bin/f]\n")
        #expect(place.message() == "added")
    }

    @Test("Requests that the guest would refuse are refused with their line", arguments: [
        ("grpc", "[\n{\"grpc\": \"f.F/Get\"}]\n", ":1: this is JSON, which the guest does not read"),
        ("grpc", "usweep-calls 2\n", ":1: the first line is not: usweep-calls 1"),
        ("grpc", "usweep-calls 1\n\nrpc /f.F/Get - any -\n", ":3: 'rpc' is not a kind of request"),
        ("grpc", "usweep-calls 1\ngrpc f.F/Get - any -\n", ":2: the path 'f.F/Get' does not begin with '/'"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get 0x1 any -\n", ":2: the body is not hexadecimal"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get 080 any -\n", ":2: the body is not hexadecimal"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get - any\n", ":2: has 4 words, not 5; write grpc PATH BODY RULE VALUE"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get - is 01\n", ":2: 'is' is not a rule"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get - status 5a\n", ":2: '5a' is not a status"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get - matches 28\n", ":2: the pattern is not an extended regular"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get - json 7b\n", ":2: the expected answer is not JSON"),
        ("grpc", "usweep-calls 1\ngrpc /f.F/Get - any -\nseed 1\n", ":3: 'seed' comes too late"),
        ("grpc", "usweep-calls 1\nseed x\ngrpc /f.F/Get - any -\n", ":2: 'seed' needs one number"),
        ("grpc", "usweep-calls 1\nhttp1 GET / - - any -\n", ":2: the request is by http1, but workload.yaml has"),
        ("http1", "usweep-calls 1\ngrpc /f.F/Get - any -\n", ":2: the request is by grpc, but workload.yaml has"),
        ("http1", "usweep-calls 1\nhttp1 GET /\(String(repeating: "x", count: 4_096)) - - any -\n", ":2: method, path"),
    ])
    func requests(kind: String, calls: String, expected: String) throws {
        let place = try Place(manifest: "protocol: \(kind)\n", calls: calls)
        try place.image().finish()
        let said = place.message()
        #expect(said.hasPrefix("65: \(place.own)/calls\(expected)"), "\(said)")
    }

    @Test("All that the guest reads is taken", arguments: [
        ("grpc", "usweep-calls 1\r\n# one\r\n\r\nseed 7\r\ngrpc  /f.F/Get  - json 7b7d \r\n"),
        ("http2", "usweep-calls 1\nhttp2 POST / text/plain 61 matches 5e61\ngrpc /f.F/Get 0Af0 status +5"),
        ("http1", "usweep-calls 1\nhttp1 GET / - - bytes -\n"),
    ])
    func goodRequests(kind: String, calls: String) throws {
        let place = try Place(manifest: "protocol: \(kind)\n", calls: calls)
        try place.image().finish()
        #expect(place.message() == "added")
        #expect(try place.content("calls") == calls)
    }

    @Test("Requests that are a folder, or a link to what is too large")
    func oddRequests() throws {
        let place = try Place(calls: nil)
        try place.image().finish()
        try Tool.run("mkdir", "\(place.own)/calls")
        #expect(place.message().contains("is not a file; name the file of prepared calls"))
        try Tool.run("rmdir", "\(place.own)/calls")
        try Tool.run("truncate", "-s", "70M", "\(place.path)/large")
        try Tool.run("ln", "-s", "\(place.path)/large", "\(place.own)/calls")
        #expect(place.message().contains("calls has 70 MiB; a file of requests must not be empty"))
    }
}
