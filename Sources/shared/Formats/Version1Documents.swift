import Model

// Version 1 of the stored specification: as Swift derived it from the declarations of its time, where a case with
// values is an object like `{"named": {"_0": ..., "_1": {...}}}`. Nothing is added to it; the stored inventory was the
// same as in version 2.

extension JSON {
    /// A specification of version 1 as one of version 2. What is not as it should be stays so, to be refused there.
    var sweepOfVersion1: JSON {
        replacing("system", with: \.systemOfVersion1)
            .replacing("checkpoint", with: \.checkpointOfVersion1)
            .replacing("guest", with: \.guestOfVersion1)
    }

    private var systemOfVersion1: JSON {
        if let script = self["script"]?["_0"] { return .object([Member("script", script)]) }
        guard let named = self["named"], let name = named["_0"], case .object(let options)? = named["_1"] else {
            return self
        }
        return .object([Member("name", name)] + options)
    }

    private var checkpointOfVersion1: JSON {
        func from(_ source: String, _ name: String, _ value: JSON) -> JSON {
            .object([Member("from", .string(source)), Member(name, value)])
        }
        if self["setup"] != nil { return .object([Member("from", .string("setup"))]) }
        if let name = self["bundle"]?["_0"] { return from("bundle", "name", name) }
        return self["directory"]?["_0"].map { from("directory", "path", $0) } ?? self
    }

    private var guestOfVersion1: JSON {
        if let folder = self["folder"]?["_0"] { return .object([Member("folder", folder)]) }
        return self["files"] ?? self
    }

    private func replacing(_ name: String, with body: (JSON) -> JSON) -> JSON {
        guard case .object(var members) = self else { return self }
        for index in members.indices where members[index].name == name {
            members[index].value = body(members[index].value)
        }
        return .object(members)
    }
}
