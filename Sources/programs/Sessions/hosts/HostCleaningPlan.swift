import Ledger
package import Model

/// What `usweep clean` is about to delete on hosts.
package struct HostCleaningPlan {
    /// With the hosts that were named alone.
    private let inventory: Inventory
    private let takesAll: Bool
    /// Sweeps of the artifacts folder whose files on hosts nobody needs, by their full names.
    private let ended: [String]
    /// In the order in which the hosts were named.
    package let uses: [HostUse]

    /// Looks at the hosts; changes nothing.
    ///
    /// - Parameters:
    ///   - names: of hosts, as in an inventory.
    ///   - inventory: nil: that of the last sweep.
    ///   - takesAll: the whole working folder, with what sweeps left that may be resumed.
    package init(_ names: [String], _ inventory: Inventory?, takesAll: Bool, in folder: ArtifactsFolder) throws {
        let inventory = try inventory ?? folder.inventoryOfLastSweep()
        let wanted = try names.flatMap { try HostRange.expand($0) }
        self.takesAll = takesAll
        self.inventory = Inventory(
            hosts: try wanted.map { try HostCleaningPlan.find($0, inventory) },
            sshConfiguration: inventory.sshConfiguration)
        ended = try folder.entries().filter(HostCleaningPlan.hasEnded).map(\.fullName)
        uses = HostCleaning.run(.look, self.inventory)
    }

    private static func find(_ name: String, _ inventory: Inventory) throws -> Host {
        if let host = inventory.logins.first(where: { $0.name == name }) { return host }
        throw Failure(
            .usage, "'\(VisibleText.of(name, limit: 80))' is not a host of the inventory; "
                + Names.suggestion(name, in: inventory.logins.map(\.name)))
    }

    /// Whether no run of it can be at work, or wait on a host to be taken.
    private static func hasEnded(_ entry: ArtifactsFolder.Entry) -> Bool {
        switch Ledger.holder(entry.ledger) {
        case .working, .elsewhere: return false
        case .ended, .vanished, .nobody:
            return (try? Ledger.read(entry.ledger, sweep: entry.name).openRuns().isEmpty) ?? false
        }
    }

    private func goes(_ rest: HostUse.Rest) -> Bool { takesAll || ended.contains(rest.sweep) }

    /// What goes of a host, in bytes; where an agent is there, if that proves idle.
    package func bytes(_ use: HostUse) -> Int64 {
        if takesAll { return use.totalBytes }
        return use.rests.filter(goes).reduce(use.oldAgentBytes + use.objectBytes) { $0.addingCapped($1.bytes) }
    }

    /// Whether anything may go: where an agent is at work now, it may have ended when it is asked to.
    package var mayRemove: Bool { totalBytes > 0 || uses.contains(where: \.isBusy) }

    package var totalBytes: Int64 { uses.reduce(0) { $0.addingCapped(bytes($1)) } }

    /// For people: what goes of each host, and what stays.
    package var lines: [String] { uses.filter { $0.problem == nil }.flatMap(lines) }

    private func lines(_ use: HostUse) -> [String] {
        if use.root.isEmpty { return ["\(use.host): there is no working folder"] }
        var parts: [(what: String, bytes: Int64)] = [
            (takesAll ? "agents" : "agents of other versions", takesAll ? use.agentBytes : use.oldAgentBytes),
            ("cached inputs", use.objectBytes),
        ]
        parts += use.rests.filter(goes).map { ("files of \($0.sweep)", $0.bytes) }
        let shown = parts.filter { $0.bytes > 0 }.map { "\($0.what) (\(PeopleText.size($0.bytes)))" }
        var lines = ["\(use.host): " + (shown.isEmpty ? "nothing to remove" : PeopleText.list(shown, atMost: 6))]
        if use.isBusy {
            lines.append(
                "\(use.host): an agent is running there; if it is working, only agents of other versions are removed")
        }
        let kept = use.rests.filter { !goes($0) }
        if !kept.isEmpty {
            let names = PeopleText.list(kept.map { "\($0.sweep) (\(PeopleText.size($0.bytes)))" }, atMost: 6)
            lines.append(
                "\(use.host): kept the files of \(names), which may still be needed (by resume, or by another "
                    + "artifacts folder); --all removes them as well")
        }
        return lines
    }

    /// Does it. Blocks.
    ///
    /// - Returns: what is there now, in the same order.
    package func run() -> [HostUse] { HostCleaning.run(takesAll ? .all : .clean, inventory, sweeps: ended) }
}

extension ArtifactsFolder {
    /// The hosts that the last sweep was last launched or resumed with.
    package func inventoryOfLastSweep() throws -> Inventory {
        guard let entry = try entries().first else {
            throw Failure(.usage, "there is no sweep in \(path) to take the inventory from; name one with -i FILE")
        }
        return try Document.inventory(of: try Ledger.read(entry.ledger, sweep: entry.name).metadata())
    }
}
