public import Model

// The stored inventory: the hosts that a sweep was last launched or resumed with. Its members are those of version 1,
// but for how a host is reached.

extension Inventory {
    /// The inventory as the ledger keeps it.
    public var document: String {
        var writer = DocumentWriter()
        writer.put("version", 2)
        writer.put("hosts", hosts)
        writer.put("sshConfiguration", sshConfiguration)
        writer.put("store", store)
        return writer.json.encoded
    }

    /// - Throws: ``WireError`` for what is not an inventory, or one of a newer program.
    public init(document text: String) throws(WireError) {
        let (_, json) = try DocumentReader.open(text, newest: 2)
        var reader = try DocumentReader(json)
        self.init(
            hosts: try reader.take("hosts"), sshConfiguration: try reader.take(ifAny: "sshConfiguration"))
        store = try reader.take(ifAny: "store")
        try reader.end()
    }
}

extension CommonStore: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("target", target)
        writer.put("folder", folder)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(target: try reader.take("target"), folder: try reader.take("folder"))
        try reader.end()
    }
}

extension Host: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("target", target)
        writer.put("workdir", workdir)
        writer.put("slots", slots)
        writer.put("memoryBytes", memoryBytes)
        writer.put(unlessEmpty: "labels", labels)
        writer.put(unlessEmpty: "engines", engines)
        writer.put("setup", setup)
        writer.put(ifTrue: "usesLoginShell", usesLoginShell)
        writer.put(unlessEmpty: "resources", resources)
        writer.put("sharing", sharing)
        writer.put("cacheBytes", cacheBytes)
        writer.put("pilot", pilot)
        writer.put("hours", hours?.text)
        if nice != 0 { writer.put("nice", nice) }
        if others != .share { writer.put("others", others.rawValue) }
        if binding != .unbound { writer.put("binding", binding.rawValue) }
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            target: try reader.take("target"), workdir: try reader.take("workdir"),
            slots: try reader.take(ifAny: "slots"), memoryBytes: try reader.take(ifAny: "memoryBytes"),
            labels: try reader.take(list: "labels"), engines: try reader.take(list: "engines"),
            setup: try reader.take(ifAny: "setup"))
        usesLoginShell = try reader.take(flag: "usesLoginShell")
        resources = try reader.take(list: "resources")
        sharing = try reader.take(ifAny: "sharing")
        cacheBytes = try reader.take(ifAny: "cacheBytes")
        if let text: String = try reader.take(ifAny: "hours") {
            guard let known = HostHours(text) else {
                throw WireError("the unknown hours '\(Names.shown(text))' of a host", isNews: true)
            }
            hours = known
        }
        nice = try reader.take(ifAny: "nice") ?? 0
        if let word: String = try reader.take(ifAny: "others") {
            guard let known = OtherUsers(rawValue: word) else { throw WireError("an unknown word", isNews: true) }
            others = known
        }
        if let word: String = try reader.take(ifAny: "binding") {
            guard let known = SlotBinding(rawValue: word) else { throw WireError("an unknown word", isNews: true) }
            binding = known
        }
        pilot = try reader.take(ifAny: "pilot")
        try reader.end()
    }
}

extension Pilot: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("number", number)
        writer.put("site", site)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(site: try reader.take("site"), number: try reader.take("number", in: 1...SlurmSite.mostNodes))
        try reader.end()
    }
}

extension SlurmSite: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("time", time)
        writer.put("leastNodes", nodes.lowerBound)
        writer.put("mostNodes", nodes.upperBound)
        writer.put(unlessEmpty: "partitions", partitions)
        writer.put("account", account)
        writer.put("qos", qos)
        writer.put("constraint", constraint)
        writer.put("slots", slots)
        writer.put("backlog", backlog)
        writer.put("idle", idle)
        writer.put("poll", poll)
        // Only where it is not what all inventories had that were written before there was a choice.
        writer.put("bridge", bridge == .srun ? nil : bridge.rawValue)
        writer.put(unlessEmpty: "arguments", arguments)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(name: try reader.take("name"), time: try reader.take("time"))
        let least = try reader.take("leastNodes", in: 0...SlurmSite.mostNodes)
        nodes = least...max(least, try reader.take("mostNodes", in: 1...SlurmSite.mostNodes))
        partitions = try reader.take(list: "partitions")
        account = try reader.take(ifAny: "account")
        qos = try reader.take(ifAny: "qos")
        constraint = try reader.take(ifAny: "constraint")
        slots = try reader.take(ifAny: "slots")
        backlog = try reader.take("backlog", in: 1...SlurmSite.mostNodes)
        idle = try reader.take("idle")
        poll = try reader.take("poll")
        if let name: String = try reader.take(ifAny: "bridge") {
            guard let known = Bridge(rawValue: name) else { throw WireError("a bridge of unknown kind '\(name)'") }
            bridge = known
        }
        arguments = try reader.take(list: "arguments")
        try reader.end()
    }
}

extension HostSharing: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("address", address)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(address: try reader.take(ifAny: "address"))
        try reader.end()
    }
}

extension CountedResource: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("count", count)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(try reader.take("name"), try reader.take("count", in: 0...WireLimits.number))
        try reader.end()
    }
}

extension HostTarget: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("address", address)
        writer.put("transport", transport)
        let pairs = values.sorted { $0.key < $1.key }.map { EnvironmentVariable($0.key, $0.value) }
        writer.put(unlessEmpty: "values", pairs)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(name: try reader.take("name"), address: try reader.take(ifAny: "address"))
        if let method: String = try reader.take(ifAny: "method") {
            // Version 1, whose transports were a closed set with SSH's keys as members. The default was written out,
            // too, so that `libssh2` may mean that none was named.
            transport = method == "libssh2" ? nil : method
            values["port"] = try (reader.take(ifAny: "port") as UInt16?).map { String($0) }
            values["user"] = try reader.take(ifAny: "user")
            values["jump"] = try reader.take(ifAny: "jump")
        } else {
            transport = try reader.take(ifAny: "transport")
            let pairs: [EnvironmentVariable] = try reader.take(list: "values")
            for pair in pairs { values[pair.name] = pair.value }
        }
        try reader.end()
    }
}
