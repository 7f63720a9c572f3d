import Model

// Version 1 of the stored specification: as Swift derived it from the declarations of its time, where a case with
// values is an object like `{"named": {"_0": ..., "_1": {...}}}`. Nothing is added to it; the stored inventory was the
// same as in version 2.

extension JSON {
    /// A specification of version 1 as one of version 2. What is not as it should be stays so, to be refused there.
    ///
    /// Then the keys of all engines stood among the others, each with a value. Those whose value is what holds without
    /// them are left out.
    var sweepOfVersion1: JSON {
        guard case .object(var members) = self else { return self }
        var settings: [Member] = []
        for (name, setting) in [
            ("system", \JSON.systemOfVersion1), ("guest", \.guestOfVersion1), ("checkpoint", \.checkpointOfVersion1),
            ("command", \.commandOfVersion1), ("results", \.resultsOfVersion1),
        ] {
            if let value = (self[name] ?? .null)[keyPath: setting], value != .null {
                settings.append(Member(name, value))
            }
            members.removeAll { $0.name == name }
        }
        return .object(members + [Member("settings", .object(settings))])
    }

    private var systemOfVersion1: JSON? {
        let (named, script) = (self["named"], self["script"])
        guard let values = named?["_1"] ?? script?["_0"] else { return nil }
        var members: [Member] = (named?["_0"]).map { [Member("name", $0)] } ?? []
        for (name, old) in [
            ("memory", "memoryBytes"), ("cores", "cores"), ("kvm", "usesKVM"), ("script", "path"),
            ("arguments", "arguments"), ("setup", "setupArguments"), ("blocks", "blocks"), ("line", "line"),
        ] {
            if let value = values[old], value != .bool(false) { members.append(Member(name, value)) }
        }
        if values["fixesAddresses"] == .bool(true) { members.append(Member("aslr", .bool(false))) }
        guard members.count == 1, let name = members[0].value.text, named != nil else { return .object(members) }
        return name == "simple" ? nil : .string(name)
    }

    private var checkpointOfVersion1: JSON? {
        (self["directory"]?["_0"]).map { .object([Member("directory", $0)]) } ?? self["bundle"]?["_0"]
    }

    private var guestOfVersion1: JSON? { self["folder"]?["_0"] ?? self["files"] }

    private var resultsOfVersion1: JSON? { text == nil ? nil : self }

    private var commandOfVersion1: JSON? { elements?.isEmpty == false ? self : nil }
}
