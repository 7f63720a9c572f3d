public import Model

// The stored specification: what a user wrote, as the ledger keeps it. Version 1 is what Swift made of the declarations
// of its time; `Version1Documents.swift` turns it into version 2.

extension Sweep {
    /// The specification as the ledger keeps it.
    public var document: String {
        var writer = DocumentWriter()
        writer.put("version", 2)
        writer.put("name", name)
        writer.put("engine", engine)
        writer.put("settings", settings)
        writer.put(unlessEmpty: "workloads", workloads)
        writer.put(unlessEmpty: "images", images)
        writer.put(unlessEmpty: "axes", axes)
        writer.put(unlessEmpty: "zips", zips)
        writer.put(unlessEmpty: "exclude", exclude)
        writer.put(unlessEmpty: "include", include)
        writer.put("measure", measure)
        writer.put("limits", limits)
        writer.put(unlessEmpty: "inputs", inputs)
        writer.put(unlessEmpty: "environment", environment)
        writer.put("attempts", attempts)
        writer.put(unlessEmpty: "metrics", metrics)
        writer.put(unlessEmpty: "definitions", definitions)
        writer.put(unlessEmpty: "hostLabels", hostLabels)
        if needs.cores != 1 { writer.put("cores", needs.cores) }
        writer.put(unlessEmpty: "resources", needs.resources)
        if !artifacts.takesAll { writer.put("artifacts", artifacts) }
        // 0: never.
        if stopAfter != Sweep.usualStopAfter { writer.put("stopAfter", stopAfter ?? 0) }
        if !hasSecondStarts { writer.put("secondStarts", hasSecondStarts) }
        if priority != 0 { writer.put("priority", priority) }
        writer.put(unlessEmpty: "forced", forced)
        return writer.json.encoded
    }

    /// - Throws: ``WireError`` for what is not a specification, or one of a newer program.
    public init(document text: String) throws(WireError) {
        let (version, json) = try DocumentReader.open(text, newest: 2)
        var reader = try DocumentReader(version == 1 ? json.sweepOfVersion1 : json)
        self.init(
            name: try reader.take("name"), engine: try reader.take("engine"), settings: try reader.take("settings"))
        workloads = try reader.take(list: "workloads")
        images = try reader.take(list: "images")
        axes = try reader.take(list: "axes")
        zips = try reader.take(list: "zips")
        exclude = try reader.take(list: "exclude")
        include = try reader.take(list: "include")
        measure = try reader.take("measure")
        limits = try reader.take("limits")
        inputs = try reader.take(list: "inputs")
        environment = try reader.take(list: "environment")
        attempts = try reader.take("attempts", in: 0...WireLimits.attempts)
        metrics = try reader.take(list: "metrics")
        definitions = try reader.take(list: "definitions")
        hostLabels = try reader.take(list: "hostLabels")
        needs.cores = try reader.take(ifAny: "cores") ?? 1
        needs.resources = try reader.take(list: "resources")
        artifacts = try reader.take(ifAny: "artifacts") ?? ArtifactRule()
        if let count: Int = try reader.take(ifAny: "stopAfter") { stopAfter = count > 0 ? count : nil }
        hasSecondStarts = try reader.take(ifAny: "secondStarts") ?? true
        priority = try reader.take(ifAny: "priority") ?? 0
        forced = try reader.take(list: "forced")
        try reader.end()
    }
}

/// What an engine is told: only the engine knows what stands there.
extension JSON: DocumentValue {
    package var json: JSON { self }
    package init(_ json: JSON) throws(WireError) { self = json }
}

extension WorkloadImage: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("workload", workload)
        writer.put("disk", disk)
        writer.put("memoryBytes", memoryBytes)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            workload: try reader.take("workload"), disk: try reader.take("disk"),
            memoryBytes: try reader.take("memoryBytes"))
        try reader.end()
    }
}

extension ForcedCheckpoint: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("workload", workload)
        writer.put("differences", differences)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(workload: try reader.take("workload"), differences: try reader.take("differences"))
        try reader.end()
    }
}

extension CheckpointDifference: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("item", item)
        writer.put("found", found)
        writer.put("expected", expected)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            try reader.take("item"), found: try reader.take("found"), expected: try reader.take("expected"))
        try reader.end()
    }
}

extension Axis: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("values", values)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(name: try reader.take("name"), values: try reader.take("values"))
        try reader.end()
    }
}

extension Assignment: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("axis", axis)
        writer.put("value", value)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(axis: try reader.take("axis"), value: try reader.take("value"))
        try reader.end()
    }
}

extension MetricDefinition: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("name", name)
        writer.put("expression", expression)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(name: try reader.take("name"), expression: try reader.take("expression"))
        try reader.end()
    }
}

extension Measure: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("warm", warm)
        writer.put("invocations", invocations)
        writer.put("repeats", repeats)
        writer.put("setupInvocations", setupInvocations)
        writer.put(unlessEmpty: "checkpoints", checkpoints)
        writer.put("until", until)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            warm: try reader.take("warm", in: 0...WireLimits.number),
            invocations: try reader.take("invocations", in: 0...WireLimits.number),
            repeats: try reader.take("repeats", in: 1...WireLimits.attempts),
            setupInvocations: try reader.take(ifAny: "setupInvocations"), until: try reader.take(ifAny: "until"))
        checkpoints = try reader.take(list: "checkpoints")
        guard checkpoints.count <= Measure.mostCheckpoints, checkpoints.allSatisfy({ 0...WireLimits.number ~= $0 }),
            zip(checkpoints, checkpoints.dropFirst()).allSatisfy(<)
        else { throw WireError("checkpoints that are too many, or not one after the other") }
        try reader.end()
    }
}

extension Precision: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("metric", metric)
        writer.put("interval", interval)
        writer.put("confidence", confidence)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            metric: try reader.take("metric"), interval: try reader.take("interval"),
            confidence: try reader.take("confidence"))
        try reader.end()
    }
}

extension SweepLimits: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("job", job)
        writer.put("sweep", sweep)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(job: try reader.take("job"), sweep: try reader.take(ifAny: "sweep"))
        try reader.end()
    }
}

extension JobLimits: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("time", time)
        writer.put("stall", stall)
        writer.put("memoryBytes", memoryBytes)
        writer.put("output", output)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            time: try reader.take(ifAny: "time"), stall: try reader.take(ifAny: "stall"),
            memoryBytes: try reader.take(ifAny: "memoryBytes"), output: try reader.take(ifAny: "output"))
        try reader.end()
    }
}

extension ArtifactRule: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put(unlessEmpty: "keep", keep)
        writer.put(unlessEmpty: "leave", leave)
        writer.put("most", most)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            keep: try reader.take(list: "keep"), leave: try reader.take(list: "leave"),
            most: try reader.take(ifAny: "most"))
        try reader.end()
    }
}

extension InputFile: DocumentValue {
    package var json: JSON {
        var writer = DocumentWriter()
        writer.put("path", path)
        writer.put("source", source)
        writer.put("digest", digest)
        writer.put("size", size)
        writer.put(ifTrue: "isExecutable", isExecutable)
        writer.put(unlessEmpty: "only", only)
        return writer.json
    }

    package init(_ json: JSON) throws(WireError) {
        var reader = try DocumentReader(json)
        self.init(
            path: try reader.take("path"), source: try reader.take("source"), digest: try reader.take("digest"),
            size: try reader.take("size"), isExecutable: try reader.take(flag: "isExecutable"),
            only: try reader.take(list: "only"))
        try reader.end()
    }
}
