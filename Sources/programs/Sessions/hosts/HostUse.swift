import CoordinatorRuntime
package import Model
import Ports
import Results

/// What usweep's working folder on a host holds.
package struct HostUse: Sendable {
    /// Files of attempts of one sweep.
    package struct Rest: Sendable {
        package let sweep: String
        package let bytes: Int64

        fileprivate init(_ sweep: String, _ bytes: Int64) {
            self.sweep = sweep
            self.bytes = bytes
        }
    }

    package let host: String
    /// Why nothing is known of the host; nil: all is.
    package private(set) var problem: String?
    /// Where runs and objects are; empty: there is no working folder.
    package private(set) var root = ""
    /// Whether an agent works there, and stays.
    package private(set) var isBusy = false
    package private(set) var agentBytes: Int64 = 0
    /// Of agents that are neither running nor this program's.
    package private(set) var oldAgentBytes: Int64 = 0
    package private(set) var objectBytes: Int64 = 0
    package private(set) var rests: [Rest] = []
    package private(set) var totalBytes: Int64 = 0
    package private(set) var freeBytes: Int64 = 0

    package var attemptBytes: Int64 { rests.reduce(0) { $0.addingCapped($1.bytes) } }

    /// Journals, logs, locks.
    package var otherBytes: Int64 { max(0, totalBytes - agentBytes - objectBytes - attemptBytes) }

    init(host: String, _ answer: HostConnections.Answer) {
        self.host = host
        var isWhole = false
        for (name, value) in answer.said {
            let words = value.split(separator: " ", maxSplits: 1).map(String.init)
            let bytes = HostUse.bytes(words.first ?? "")
            switch name {
            case "root": root = value
            case "busy": isBusy = value == "yes"
            case "agents": agentBytes = bytes
            case "old": oldAgentBytes = bytes
            case "objects": objectBytes = bytes
            case "sweep": if words.count > 1 { rests.append(Rest(VisibleText.of(words[1], limit: 120), bytes)) }
            case "total": totalBytes = bytes
            case "free": freeBytes = bytes
            case "refused": problem = VisibleText.of(value, limit: 400)
            case "end": isWhole = true
            default: break  // Of a login that prints such things.
            }
        }
        if !isWhole { problem = answer.silence }
    }

    /// Of a number of kibibytes that the host wrote.
    private static func bytes(_ kibibytes: String) -> Int64 {
        Int64(kibibytes).map { max(0, min($0, 1 << 50)) << 10 } ?? 0
    }

    package var document: JSON {
        .object([
            JSON.Member("host", .string(host)), JSON.Member("problem", problem.map { .string($0) } ?? .null),
            JSON.Member("busy", .bool(isBusy)), JSON.Member("agents_bytes", .integer(agentBytes)),
            JSON.Member("inputs_bytes", .integer(objectBytes)), JSON.Member("attempts_bytes", .integer(attemptBytes)),
            JSON.Member("other_bytes", .integer(otherBytes)), JSON.Member("total_bytes", .integer(totalBytes)),
            JSON.Member("free_bytes", .integer(freeBytes)),
        ])
    }
}

extension HostUse {
    /// For people, with an empty line before it.
    package static func table(_ hosts: [HostUse]) throws -> String {
        func size(_ bytes: Int64) -> String { PeopleText.size(bytes) }
        let known = hosts.filter { $0.problem == nil }
        return try "\n" + TableWriter.text(
            ["HOST", "AGENTS", "INPUTS", "ATTEMPTS", "OTHER", "ALL", "FREE THERE"],
            known.map { use in
                [
                    use.host, size(use.agentBytes), size(use.objectBytes), size(use.attemptBytes),
                    size(use.otherBytes), size(use.totalBytes), size(use.freeBytes),
                ]
            })
    }

    /// - Throws: ``Failure`` (`noHost`) where some did not answer.
    package static func check(_ hosts: [HostUse]) throws {
        let problems = hosts.compactMap { use in use.problem.map { (host: use.host, reason: $0) } }
        try HostProblems.check(problems)
    }
}

/// Looks at, and empties, the working folders of hosts. What an agent that stays may need is not touched.
///
/// A folder is believed to be a working folder only where an agent has left its mark, and what is deleted in it is
/// named to the letter, belongs to this user, and is not reached over a symbolic link: others may write to `/tmp`, and
/// an inventory may name any folder.
package enum HostCleaning {
    package enum Mode: String, Sendable {
        /// Changes nothing.
        case look
        /// Inputs that are kept for later runs, what the named sweeps left, agents of other versions.
        case clean
        /// The whole folder.
        case all
    }

    /// So many hosts are asked at once.
    private static let mostAtOnce = 64
    private static let patience = Duration.seconds(600)

    /// What is on the hosts afterwards, in their order. Blocks.
    ///
    /// - Parameter sweeps: whose files may go, by their full names.
    package static func run(_ mode: Mode, _ inventory: Inventory, sweeps: [String] = []) -> [HostUse] {
        let transport = HostConnections.transport(for: inventory, keepsConnections: false)
        let agent = AgentBinary.digest
        return HostConnections.waiting {
            await withTaskGroup(of: (Int, HostUse).self) { group in
                let hosts = inventory.logins
                var found = [HostUse?](repeating: nil, count: hosts.count)
                for (index, host) in hosts.enumerated() {
                    if index >= mostAtOnce, let (done, use) = await group.next() { found[done] = use }
                    group.addTask { (index, await ask(host, mode, agent, sweeps, transport)) }
                }
                for await (done, use) in group { found[done] = use }
                return found.compactMap { $0 }
            }
        }
    }

    private static func ask(
        _ host: Model.Host, _ mode: Mode, _ agent: String, _ sweeps: [String], _ transport: any Transport
    ) async -> HostUse {
        let input = ([host.workdir, mode.rawValue, agent] + sweeps + ["end"]).map { "\($0)\n" }.joined()
        let answer = await HostConnections.ask(
            transport, host.target, .clean, input: input, patience: patience)
        return HostUse(host: host.name, answer)
    }
}
