extension Sweep {
    /// Everything that can change a result and is the same for all points, as canonical text: the part of a
    /// point's identity that ``Points`` needs beside workload and parameters.
    ///
    /// One item a line, `NAME LENGTH:TEXT` with the length in bytes, so that no two recipes run together; lists
    /// are preceded by their count. It grows with a number in its first line. Left out on purpose: the sweep's
    /// name, limits, retries, metrics and axes, since they change no result of a point; the number of repeats,
    /// which counts runs; what is pinned at launch (engine binary, guest, checkpoint) and recorded there.
    public var recipe: String {
        var text = "usweep recipe 1\n"
        func item(_ name: String, _ value: String) { text += "\(name) \(value.utf8.count):\(value)\n" }
        func list(_ name: String, _ values: [String]) {
            text += "\(name)s \(values.count)\n"
            for value in values { item(name, value) }
        }
        item("engine", engine.rawValue)
        if engine == .gem5 {
            switch system {
            case .named(let name, let options):
                item("system", name)
                if let memory = options.memoryBytes { item("memory", String(memory)) }
                if let cores = options.cores { item("cores", String(cores)) }
                if options.usesKVM { item("kvm", "true") }
            case .script(let script):
                item("script", script.path)
                list("script-argument", script.arguments)
                if let arguments = script.setupArguments { list("script-setup", arguments) }
            }
        }
        list("argument", command)
        if let results { item("results", results) }
        switch checkpoint {
        case .setup: item("checkpoint", "setup")
        case .bundle: item("checkpoint", "bundle")
        case .directory: item("checkpoint", "directory")
        }
        item("warm", String(measure.warm))
        item("invocations", String(measure.invocations))
        if let setup = measure.setupInvocations { item("setup", String(setup)) }
        let files = inputs.sorted { Array($0.path.utf8).lexicographicallyPrecedes(Array($1.path.utf8)) }
        text += "inputs \(files.count)\n"
        for file in files {
            item(file.isExecutable ? "program" : "file", file.path)
            item("digest", file.digest.hex)
        }
        return text
    }
}
