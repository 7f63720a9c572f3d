import Foundation
import Model
import Results
import SweepFiles

/// One workload, booted and called on this machine, for whoever writes a function.
package struct WorkloadTrial {
    private let image: WorkloadImage
    private let requests: [Substring]
    private let guest: String
    private let agent: String
    private let warm: Int
    private let invocations: Int

    /// What it came to.
    package struct Said {
        package var lines: [String]
        /// What went wrong; nil: nothing.
        package var problem: String?
    }

    /// - Throws: ``Failure`` for a workload, a guest or an agent that is not here.
    package init(_ name: String, _ store: WorkloadStore, guest: String?, warm: Int, invocations: Int) throws {
        image = try store.shelf.image(of: name)
        let calls = "\(store.shelf.folder(of: name))/\(WorkloadMaker.requestsName)"
        let text = FileManager.default.contents(atPath: calls).map { String(decoding: $0, as: UTF8.self) } ?? ""
        requests = text.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("usweep-calls ") }
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
        var log = containerLog(folder)
        guard booted.status == 0 else {
            return Said(lines: logLines(log.isEmpty ? lastLines(folder) : log), problem: booted.reason)
        }
        say("measuring \(PeopleText.count(invocations, "call"))")
        let measured = try drive(
            ["evaluate"] + machine + [
                "--warm", "0", "--plugin", "\(guest)/model.so", "--checkpoint", "checkpoint.zst", "--invocations",
                String(invocations),
            ], in: folder)
        log += lines(folder)
        return Said(
            lines: try calls(folder) + logLines(log), problem: measured.status == 0 ? nil : measured.reason)
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

    /// A line a call: its instructions on the function's core, and the request.
    private func calls(_ folder: String) throws -> [String] {
        let data = FileManager.default.contents(atPath: "\(folder)/stats.jsonl") ?? Data()
        let blocks = String(decoding: data, as: UTF8.self).split(separator: "\n")
            .compactMap { try? JSON(parsing: Array($0.utf8)) }
        let rows = blocks.enumerated().map { number, block in
            let counts = ["instructions", "user.instructions", "kernel.instructions"].map { name in
                block[name]?.integer.map(String.init) ?? ""
            }
            let request = requests.isEmpty ? "" : VisibleText.of(requests[number % requests.count], limit: 100)
            return ["\(number + 1)"] + counts + [request]
        }
        let table = try TableWriter.text(["CALL", "INSTRUCTIONS", "USER", "KERNEL", "REQUEST AND ANSWER"], rows)
        return table.split(separator: "\n").map(String.init)
    }

    private func lines(_ folder: String) -> [String] {
        let data = FileManager.default.contents(atPath: "\(folder)/terminal.log") ?? Data()
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { VisibleText.of($0, limit: 400) }
    }

    /// What the terminal shows once the containers are started.
    private func containerLog(_ folder: String) -> [String] {
        let all = lines(folder)
        guard let start = all.firstIndex(where: { $0.contains("usweep: what the containers say") }) else { return [] }
        return Array(all[(start + 1)...])
    }

    private func lastLines(_ folder: String) -> [String] { Array(lines(folder).suffix(10)) }

    private func logLines(_ log: [String]) -> [String] {
        log.isEmpty ? ["the containers printed nothing"] : ["what the containers said:"] + log.map { "  \($0)" }
    }
}
