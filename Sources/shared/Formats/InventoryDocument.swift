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
        return writer.json.encoded
    }

    /// - Throws: ``WireError`` for what is not an inventory, or one of a newer program.
    public init(document text: String) throws(WireError) {
        let (_, json) = try DocumentReader.open(text, newest: 2)
        var reader = try DocumentReader(json)
        self.init(
            hosts: try reader.take("hosts"), sshConfiguration: try reader.take(ifAny: "sshConfiguration"))
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
