import Engines
import Foundation
package import Model
import Results
import SweepFiles

/// One workload, booted and called on this machine, for whoever writes a function.
package struct WorkloadTrial {
    private let tries: any WorkloadTries
    private let tried: TriedWorkload
    private let requests: TriedRequests
    private let agent: String
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
        var counts: TriedCounts
        /// The request and its answer, as in the file of calls.
        var request: String?
    }

    /// The engines by which workloads are tried, of which the first is the usual one.
    package static var engines: [String] { EngineRegistry.offers(\.workloadTries).map(\.engine) }

    /// - Parameters:
    ///   - engine: by its name; nil: the usual one.
    ///   - guest: the folder of another guest than the engine's usual one.
    /// - Throws: ``Failure`` for an engine that does not try workloads, and for a workload, a guest or an agent that is
    ///   not here.
    package init(
        _ name: String, _ store: WorkloadStore, engine: String? = nil, guest: String?, warm: Int, invocations: Int
    ) throws {
        let used = try WorkloadTrial.tries(engine)
        tries = used.offer
        let image = try store.shelf.image(of: name)
        let calls = "\(store.shelf.folder(of: name))/\(WorkloadMaker.requestsName)"
        let text = try LocalInput.contents(calls, atMost: RequestsFile.mostBytes) ?? []
        requests = TriedRequests(String(decoding: text, as: UTF8.self))
        let places = guest.map { [$0] } ?? Installation.guestPlaces(used.offer.guest.variable, used.offer.guest.folder)
        let builder = Installation.guestBuilder == nil ? "ops/guest/build" : "usweep-guest"
        let found = try WorkloadTrial.first(
            places, "manifest.json", "the guest is not in",
            "make it with '\(builder) \(used.engine)', and name its folder by --guest")
        agent = try WorkloadTrial.first(AgentBinary.places, nil, "the agent's binary is not at", "build it: ops/build")
        tried = TriedWorkload(image: image, guest: found, warm: warm, invocations: invocations)
    }

    private static func tries(_ name: String?) throws -> (engine: String, offer: any WorkloadTries) {
        let offers = EngineRegistry.offers(\.workloadTries)
        let wanted = try name.map { try EngineRegistry.find($0).name }
        guard let found = offers.first(where: { wanted == nil || $0.engine == wanted }) else {
            throw Failure(
                .usage, "the engine '\(wanted ?? "")' cannot try workloads on this machine; choose one that can: "
                    + "--engine \(engines.joined(separator: " or "))")
        }
        return found
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
        let image = tried.image
        say("booting \(image.workload) with \(PeopleText.size(image.memoryBytes)) of memory, and "
            + PeopleText.count(tried.warm, "call"))
        let booted = try Program(path: agent).run(tries.boot(tried), folder: folder)
        var log = try containerLog(folder)
        guard booted.status == 0 else {
            return Said(calls: nil, log: log.isEmpty ? try lastLines(folder) : log, problem: booted.reason)
        }
        say("measuring \(PeopleText.count(tried.invocations, "call"))")
        let measured = try Program(path: agent).run(tries.measure(tried), folder: folder)
        log += try lines(folder)
        return Said(calls: try calls(folder), log: log, problem: measured.status == 0 ? nil : measured.reason)
    }

    // MARK: What it left

    private func calls(_ folder: String) throws -> [Call] {
        tries.counts(try content(tries.statistics, folder)).enumerated().map { number, counts in
            Call(number: number + 1, counts: counts, request: requests[number])
        }
    }

    private func lines(_ folder: String) throws -> [String] {
        String(decoding: try content(tries.terminal, folder), as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { VisibleText.of($0, limit: 400) }
    }

    /// Empty where there is none.
    private func content(_ name: String, _ folder: String) throws -> [UInt8] {
        try LocalInput.contents("\(folder)/\(name)", atMost: WorkloadTrial.longestOutput, shown: name) ?? []
    }

    /// What the terminal shows once the containers are started.
    private func containerLog(_ folder: String) throws -> [String] {
        let all = try lines(folder)
        guard let start = all.firstIndex(where: { $0.contains(tries.logTitle) }) else { return [] }
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
                    let counts = call.counts
                    let numbers = [counts.instructions, counts.userInstructions, counts.kernelInstructions]
                    return ["\(call.number)"] + numbers.map { $0.map(String.init) ?? "" }
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
                JSON.Member("instructions", number(call.counts.instructions)),
                JSON.Member("user_instructions", number(call.counts.userInstructions)),
                JSON.Member("kernel_instructions", number(call.counts.kernelInstructions)),
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
