import Model

/// The troubles of many hosts in few lines: those with the same reason together.
package enum HostProblems {
    /// In the order in which the reasons come first.
    package static func lines(_ problems: [(host: String, reason: String)]) -> [String] {
        var order: [String] = []
        var hosts: [String: [String]] = [:]
        for (host, reason) in problems {
            let key = general(reason, of: host)
            if hosts[key] == nil { order.append(key) }
            hosts[key, default: []].append(host)
        }
        return order.map { key in
            let names = hosts[key] ?? []
            let reason = VisibleText.of(key, limit: 600)
            return names.count == 1 ? "\(names[0]): \(reason)"
                : "\(PeopleText.count(names.count, "host")): \(reason): \(PeopleText.list(names, atMost: 4))"
        }
    }

    /// A reason without the name of the host.
    private static func general(_ reason: String, of host: String) -> String {
        let bare = reason.hasPrefix("\(host): ") ? String(reason.dropFirst(host.count + 2)) : reason
        return bare.isEmpty ? "no reason is known" : bare
    }
}
