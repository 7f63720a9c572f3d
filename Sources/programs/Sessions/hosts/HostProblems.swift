import Model

/// The troubles of many hosts in few lines: those with the same reason together.
package enum HostProblems {
    /// In the order in which the reasons come first.
    ///
    /// - Parameter folder: of the sweep, which advice to type commands may have to name; nil: there is no such advice.
    package static func lines(
        _ problems: [(host: String, reason: String)], in folder: ArtifactsFolder? = nil
    ) -> [String] {
        groups(problems).flatMap { key, names -> [String] in
            let reason = VisibleText.of(key, limit: 600)
            let line = names.count == 1 ? "\(names[0]): \(reason)"
                : "\(PeopleText.count(names.count, "host")): \(reason): \(PeopleText.list(names, atMost: 4))"
            return [line] + (folder.flatMap { advice(key, names, in: $0) }.map { ["  \($0)"] } ?? [])
        }
    }

    /// What to type where a host's disk is full; nil: it is something else that is wrong.
    package static func advice(_ reason: String, _ hosts: [String], in folder: ArtifactsFolder) -> String? {
        // The second is said by the script that brings the agent.
        let marks = ["\(FailureClass.diskFull.rawValue): ", "disk or quota full"]
        guard marks.contains(where: reason.contains) else { return nil }
        let names = hosts.count > 4 ? "HOST..." : hosts.map(ShellWord.of).joined(separator: " ")
        let clean = folder.command("clean \(names)")
        return "to free space there: '\(clean) --dry-run' lists what usweep no longer needs, '\(clean)' removes it "
            + "when no sweep is at work there"
    }

    /// - Throws: ``Failure`` (`noHost`) where there are any.
    static func check(_ problems: [(host: String, reason: String)]) throws {
        guard !problems.isEmpty else { return }
        throw Failure(.noHost, (["not reached:"] + lines(problems).map { "  \($0)" }).joined(separator: "\n"))
    }

    /// Hosts with the same trouble, in the order in which the reasons come first.
    package static func groups(
        _ problems: [(host: String, reason: String)]
    ) -> [(reason: String, hosts: [String])] {
        var order: [String] = []
        var hosts: [String: [String]] = [:]
        for (host, reason) in problems {
            let key = general(reason, of: host)
            if hosts[key] == nil { order.append(key) }
            hosts[key, default: []].append(host)
        }
        return order.map { ($0, hosts[$0] ?? []) }
    }

    /// A reason without the name of the host.
    private static func general(_ reason: String, of host: String) -> String {
        let bare = reason.hasPrefix("\(host): ") ? String(reason.dropFirst(host.count + 2)) : reason
        return bare.isEmpty ? "no reason is known" : unknownName(bare) ?? bare
    }

    /// Of `host root@node01:22: the name node01 cannot be looked up: ...` what is the same for other names.
    private static func unknownName(_ reason: String) -> String? {
        guard reason.hasPrefix("host "), let colon = reason.firstRange(of: ": the name "),
            reason[colon.upperBound...].contains(" cannot be looked up"),
            let at = reason.firstIndex(of: "@"), at < colon.lowerBound,
            let port = reason[at..<colon.lowerBound].split(separator: ":").last
        else { return nil }
        let user = reason[..<at].dropFirst("host ".count)
        return "unknown host name (user \(user), port \(port)); correct it in the inventory, or add 'address'"
    }
}
