import Foundation
package import Model
import Results
import SweepFiles

/// One workload, booted and called on this machine, for whoever writes a function.
package struct WorkloadTrial {
    private let image: WorkloadImage
    private let requests: TriedRequests
    private let guest: String
    private let agent: String
    private let warm: Int
    private let invocations: Int
    /// Of what is looked at of a trial: what a guest prints is its own business.
    private static let longestOutput: Int64 = 64 << 20

    /// What it came to.
    package struct Said {
        /// Those that were measured; nil: none was tried, as it did not boot.
        var calls: [Call]?
        /// What the containers said, a line each.
        var log: [String]
        /// What went wrong; nil: nothing.
        package var problem: String?
    }

    struct Call {
        /// From 1.
        var number: Int
        /// On the function's core; nil: not known.
        var instructions: Int64?
        var userInstructions: Int64?
        var kernelInstructions: Int64?
        /// The request and its answer, as in the file of calls.
        var request: String?
    }

    /// - Throws: ``Failure`` for a workload, a guest or an agent that is not here.
    package init(_ name: String, _ store: WorkloadStore, guest: String?, warm: Int, invocations: Int) throws {
        image = try store.shelf.image(of: name)
        let calls = "\(store.shelf.folder(of: name))/\(WorkloadMaker.requestsName)"
        let text = try LocalInput.contents(calls, atMost: RequestsFile.mostBytes) ?? []
        requests = TriedRequests(String(decoding: text, as: UTF8.self))
        let places = guest.map { [$0] } ?? Installation.guestPlaces
        let builder = Installation.guestBuilder == nil ? "ops/guest/build" : "usweep-guest"
        self.guest = try WorkloadTrial.first(
            places, "manifest.json", "the guest is not in", "make it with '\(builder)', and name its folder by --guest")
        agent = try WorkloadTrial.first(AgentBinary.places, nil, "the agent's binary is not at", "build it: ops/build")
        self.warm = warm
        self.invocations = invocations
    }

    private static func first(_ places: [String], _ name: String?, _ what: String, _ advice: String) throws -> String {
        let found = places.first { place in
            FileManager.default.fileExists(atPath: name.map { "\(place)/\($0)" } ?? place)
        }
        guard let found else {
            throw Failure(.missingFile, "\(what) \(places.joined(separator: " or ")); \(advice)")
        }
        return found
    }

    /// - Parameter say: hears of each step.
    package func run(_ say: (String) -> Void) throws -> Said {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usweep-try-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        say("booting \(image.workload) with \(PeopleText.size(image.memoryBytes)) of memory, and "
            + PeopleText.count(warm, "call"))
        let booted = try drive(["setup"] + machine + ["--warm", String(warm), "--log"], in: folder)
        var log = try containerLog(folder)
        guard booted.status == 0 else {
            return Said(calls: nil, log: log.isEmpty ? try lastLines(folder) : log, problem: booted.reason)
        }
        say("measuring \(PeopleText.count(invocations, "call"))")
        let measured = try drive(
            ["evaluate"] + machine + [
                "--warm", "0", "--plugin", "\(guest)/model.so", "--checkpoint", "checkpoint.zst", "--invocations",
                String(invocations),
            ], in: folder)
        log += try lines(folder)
        return Said(calls: try calls(folder), log: log, problem: measured.status == 0 ? nil : measured.reason)
    }

    private var machine: [String] {
        [
            "--qemu", "qemu-system-x86_64", "--kernel", "\(guest)/vmlinuz", "--initrd", "\(guest)/initrd.img",
            "--workload", image.workload, "--disk", image.disk.source, "--memory", String(image.memoryBytes >> 20),
        ]
    }

    private func drive(_ arguments: [String], in folder: String) throws -> Program.Ended {
        try Program(path: agent).run(["qemu"] + arguments, folder: folder)
    }

    // MARK: What it left

    private func calls(_ folder: String) throws -> [Call] {
        let path = "\(folder)/stats.jsonl"
        let data = try LocalInput.contents(path, atMost: WorkloadTrial.longestOutput, shown: "stats.jsonl") ?? []
        let blocks = String(decoding: data, as: UTF8.self).split(separator: "\n")
            .compactMap { try? JSON(parsing: Array($0.utf8)) }
        return blocks.enumerated().map { number, block in
            Call(
                number: number + 1, instructions: block["instructions"]?.integer,
                userInstructions: block["user.instructions"]?.integer,
                kernelInstructions: block["kernel.instructions"]?.integer, request: requests[number])
        }
    }

    private func lines(_ folder: String) throws -> [String] {
        let path = "\(folder)/terminal.log"
        let data = try LocalInput.contents(path, atMost: WorkloadTrial.longestOutput, shown: "terminal.log") ?? []
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { VisibleText.of($0, limit: 400) }
    }

    /// What the terminal shows once the containers are started.
    private func containerLog(_ folder: String) throws -> [String] {
        let all = try lines(folder)
        guard let start = all.firstIndex(where: { $0.contains("usweep: what the containers say") }) else { return [] }
        return Array(all[(start + 1)...])
    }

    private func lastLines(_ folder: String) throws -> [String] { Array(try lines(folder).suffix(10)) }
}

/// The requests of a file of calls (`ops/guest/calls.c`), in the order in which a guest makes them.
struct TriedRequests {
    private var requests: [String] = []
    private var seed: UInt64?

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case nil, "usweep-calls": break
            case let word? where word.hasPrefix("#"): break
            case "seed": seed = words.dropFirst().first.flatMap { UInt64($0) }
            default: requests.append(String(line))
            }
        }
    }

    /// The request of a call, from 0; nil: there is none.
    subscript(call: Int) -> String? {
        guard !requests.isEmpty else { return nil }
        guard let seed else { return requests[call % requests.count] }
        var random = SplitMix64(seed: seed)
        for _ in 0..<call { _ = random.next() }
        return requests[Int(random.next() % UInt64(requests.count))]
    }

    /// A request for people: what is called, with which bytes as text, and what is expected.
    static func shown(_ request: String) -> String {
        let words = request.split(separator: " ").map(String.init)
        let isKnown = words.count == (words.first == "grpc" ? 5 : 7)
        guard isKnown, let body = RequestsFile.bytes(words[words.count - 3]) else {
            return VisibleText.of(request, limit: longestShown)
        }
        let method = words.dropFirst().prefix(words.count == 5 ? 1 : 2).joined(separator: " ")
        let (rule, value) = (words[words.count - 2], words[words.count - 1])
        let sent = body.isEmpty ? "" : " \(text(body))"
        let expected = RequestsFile.bytes(value).map(text) ?? ""
        let answer = switch rule {
        case "bytes": expected
        case "status": "status \(value)"
        case "any": "any answer"
        default: "\(rule) \(expected)"
        }
        return "\(VisibleText.of(method, limit: longestShown))\(sent), \(answer)"
    }

    private static let longestShown = 60

    /// Of a message of gRPC that has one text, as most have, that text.
    private static func text(_ bytes: [UInt8]) -> String {
        let isText = bytes.count > 1 && bytes[0] == 0x0a && Int(bytes[1]) == bytes.count - 2
        let text = String(decoding: bytes.dropFirst(isText ? 2 : 0), as: UTF8.self)
        return "'\(VisibleText.of(text, limit: longestShown))'"
    }
}

extension WorkloadTrial.Said {
    /// For people: a line a call, and the log.
    package var lines: [String] {
        get throws {
            var lines: [String] = []
            if let calls {
                let rows = calls.map { call in
                    let counts = [call.instructions, call.userInstructions, call.kernelInstructions]
                    return ["\(call.number)"] + counts.map { $0.map(String.init) ?? "" }
                        + [call.request.map(TriedRequests.shown) ?? ""]
                }
                let table = try TableWriter.text(
                    ["CALL", "INSTRUCTIONS", "USER", "KERNEL", "REQUEST, EXPECTED ANSWER"], rows)
                lines = table.split(separator: "\n").map(String.init)
            }
            return lines
                + (log.isEmpty
                    ? ["the containers printed nothing"] : ["what the containers said:"] + log.map { "  \($0)" })
        }
    }

    package var document: JSON {
        func number(_ value: Int64?) -> JSON { value.map { .integer($0) } ?? .null }
        let list = (calls ?? []).map { call in
            JSON.object([
                JSON.Member("call", .integer(call.number)),
                JSON.Member("instructions", number(call.instructions)),
                JSON.Member("user_instructions", number(call.userInstructions)),
                JSON.Member("kernel_instructions", number(call.kernelInstructions)),
                JSON.Member("request", call.request.map { .string($0) } ?? .null),
            ])
        }
        return .object([
            JSON.Member("version", .integer(1)), JSON.Member("calls", .array(list)),
            JSON.Member("log", .array(log.map { .string($0) })),
            JSON.Member("problem", problem.map { .string($0) } ?? .null),
        ])
    }
}
