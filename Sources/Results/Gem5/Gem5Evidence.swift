import Model

/// What a gem5 run left, read with its contract in mind.
struct Gem5Evidence {
    let contract: Gem5Contract
    let files: [String: [UInt8]]
    private let events: Result<[(line: Int, event: JSON)], Breach>

    init(contract: Gem5Contract, files: [String: [UInt8]]) {
        self.contract = contract
        self.files = files
        events = Result { () throws(Breach) in try Gem5Evidence.events(contract, files) }
    }

    /// Lines of gem5 (and of the C++ library under it) that end a run, and what they mean; the first that fits counts.
    private static let messages: [(text: String, failure: FailureClass)] = [
        ("std::bad_alloc", .outOfMemory),
        ("Cannot allocate memory", .outOfMemory),
        ("No space left on device", .diskFull),
        ("Disk quota exceeded", .diskFull),
        ("fatal: Memory range size has changed", .checkpointIncompatible),
        ("fatal: Close failed on physical memory checkpoint file", .checkpointIncompatible),
        ("fatal: Insufficient memory to allocate compression state", .outOfMemory),
        ("fatal: Can't open checkpoint file", .checkpointIncompatible),
        ("fatal: Can't open physical memory checkpoint file", .checkpointIncompatible),
        ("fatal: Read failed on physical memory checkpoint file", .checkpointIncompatible),
        ("fatal: Can't unserialize", .checkpointIncompatible),
        ("panic: ", .simulatorFatal),
        ("fatal: ", .simulatorFatal),
        ("panic condition ", .simulatorFatal),
        ("fatal condition ", .simulatorFatal),
        ("Assertion `", .simulatorFatal),
        ("Traceback (most recent call last)", .simulatorFatal),
        ("RuntimeError: ", .simulatorFatal),
        ("ValueError: ", .simulatorFatal),
        ("AttributeError: ", .simulatorFatal),
        ("TypeError: ", .simulatorFatal),
        ("KeyError: ", .simulatorFatal),
        ("ModuleNotFoundError: ", .simulatorFatal),
    ]

    private static let panics = ["Kernel panic - not syncing", "BUG: unable to handle", "Oops: "]

    // MARK: A run that ended by itself

    func checkMessages() throws(Breach) {
        if let breach = message() { throw breach }
    }

    func checkTerminal() throws(Breach) {
        if contract.needsTerminal, let missing = contract.terminals.first(where: { files[$0] == nil }) {
            throw Breach("\(missing) is missing")
        }
        if let breach = panic() { throw breach }
    }

    /// A checkpoint restores without a word under more cores, and a parameter that gem5 did not take is no error
    /// either: only the configuration shows both.
    func checkConfiguration() throws(Breach) {
        let path = contract.configuration
        guard let bytes = files[path], !bytes.isEmpty else { throw Breach("\(path) is missing or empty") }
        let configuration = Gem5Configuration(bytes)
        if let cores = contract.cores {
            let found = configuration.paths.count { Gem5Evidence.isCore($0) }
            guard found == cores else {
                throw Breach(
                    .checkpointIncompatible, "\(path): \(found) cores, but the checkpoint was made with \(cores)")
            }
        }
        for parameter in try contract.parameters + setParameters() {
            let name = "\(parameter.path).\(parameter.name)"
            guard let value = configuration[parameter.path, parameter.name] else {
                throw Breach("\(path): there is no \(name), which the point sets to \(parameter.value)")
            }
            guard Gem5Evidence.isSame(value, parameter.value) else {
                throw Breach("\(path): \(name) is \(VisibleText.of(value, limit: 80)), not \(parameter.value)")
            }
        }
    }

    /// Where the run says that it put the point's parameters. What it does not say is not believed.
    private func setParameters() throws(Breach) -> [Gem5Contract.Parameter] {
        guard !contract.axes.isEmpty, let path = contract.status else { return [] }
        let event = try events.get().first { $0.event["event"]?.text == "parameters" }
        let entries = event?.event["set"]?.elements ?? []
        for axis in contract.axes {
            let given = entries.filter { $0["axis"]?.text == axis.axis }.map { $0["given"]?.text ?? "" }
            guard !given.isEmpty, given.allSatisfy({ $0 == axis.value }) else {
                throw Breach("\(path): no event says that \(axis.axis) was set to \(axis.value)")
            }
        }
        return try entries.map { entry throws(Breach) in
            guard let object = entry["path"]?.text, let name = entry["name"]?.text, let value = entry["value"]?.text
            else { throw Breach("\(path): the event 'parameters' is damaged") }
            return Gem5Contract.Parameter(object, name, value)
        }
    }

    /// The events of the status file with their lines.
    private static func events(
        _ contract: Gem5Contract, _ files: [String: [UInt8]]
    ) throws(Breach) -> [(line: Int, event: JSON)] {
        guard let path = contract.status else { return [] }
        guard let bytes = files[path] else { throw Breach("\(path) is missing") }
        let prefix = Array(contract.statusPrefix.utf8)
        var events: [(line: Int, event: JSON)] = []
        for (index, line) in bytes.split(separator: .newline, omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty && line.starts(with: prefix) {
            events.append((index + 1, try Evidence.parse(line.dropFirst(prefix.count), "\(path), line \(index + 1)")))
        }
        return events
    }

    func checkStatus() throws(Breach) {
        guard let path = contract.status else { return }
        let events = try events.get()
        guard let last = events.last else { throw Breach("\(path) tells of no event") }
        guard last.event["event"]?.text == "end", let cause = last.event["cause"]?.text else {
            throw Breach("\(path), line \(last.line): the last event is not 'end': the run broke off")
        }
        guard cause == contract.cause else {
            let shown = VisibleText.of(cause, limit: 80)
            throw Breach("\(path), line \(last.line): the exit cause is '\(shown)', not '\(contract.cause)'")
        }
        guard let invocations = contract.invocations else { return }
        // What is numbered 0 only warmed.
        let measured = events.lazy.filter { $0.event["number"]?.integer != 0 }.compactMap { $0.event["event"]?.text }
        let counts = [
            ("begun", last.event["begun"]?.integer ?? -1), ("ended", last.event["ended"]?.integer ?? -1),
            ("invocation-begin events", Int64(measured.count { $0 == "invocation-begin" })),
            ("invocation-end events", Int64(measured.count { $0 == "invocation-end" })),
        ]
        for (name, count) in counts where count != invocations {
            throw Breach("\(path), line \(last.line): \(count) \(name), \(invocations) were asked for")
        }
    }

    func checkOutput() throws(Breach) {
        guard let wanted = contract.line else { return }
        let lines = files[contract.output]?.split(separator: .newline) ?? []
        guard lines.contains(where: { $0.contains(wanted) }) else {
            throw Breach("\(contract.output): no line has '\(VisibleText.of(wanted, limit: 200))'")
        }
    }

    func blocks() throws(Breach) -> Blocks {
        guard let wanted = contract.blocks else { return Blocks([]) }
        let path = contract.statistics
        guard let bytes = files[path], !bytes.isEmpty else { throw Breach("\(path) is missing or empty") }
        var scanner = StatisticsScanner()
        let own = Gem5Counter.patterns(of: contract.formulas)
        var gathered = Gem5Blocks(Gem5Counter.library(core: contract.core) + own)
        scanner.scan(bytes.span.bytes, &gathered)
        scanner.finish(&gathered)
        if let complaint = scanner.complaint { throw Breach("\(path): \(complaint)") }
        let count = gathered.blocks.count
        guard count == wanted else {
            throw Breach("\(path): \(count) statistics blocks, \(wanted) were asked for")
        }
        let blocks = Blocks(gathered.blocks)
        for index in 0..<count {
            let names = blocks.metrics(ofBlock: index, MetricFormula.gem5 + contract.formulas).map(\.name)
            for metric in contract.requiredMetrics where !names.contains(metric) {
                throw Breach("\(path), block \(index + 1): the metric '\(metric)' is missing or not finite")
            }
        }
        return blocks
    }

    // MARK: A run that did not

    /// What the run left may tell more than how its process ended.
    func explain(_ failure: FailureClass, _ evidence: String) -> Verdict {
        let better: Breach?
        switch failure {
        case .exitNonzero: better = ending() ?? message() ?? panic()
        case .simulatorCrash: better = message() ?? panic()
        // gem5 goes on for ever with a guest that is dead.
        case .timeout, .stalledGuest: better = panic()
        case .stalledSimulator: better = panic() ?? idleness()
        case .spawn, .hostLost, .supervisorLost, .outOfMemory, .diskFull, .simulatorFatal, .guestPanic,
            .checkpointIncompatible, .contractBroken, .cancelled, .preempted:
            better = nil
        }
        guard let better else { return .broken(failure, evidence: evidence) }
        return .broken(better.failure, evidence: "\(better.evidence) (\(evidence))")
    }

    /// A guest that waits for ever says so once, and then nothing more.
    private func idleness() -> Breach? {
        guard let path = contract.status, let last = try? events.get().last, last.event["event"]?.text == "idle" else {
            return nil
        }
        return Breach(.stalledGuest, "\(path), line \(last.line): the guest was idle: it waits for what never comes")
    }

    /// What the run itself says of its end, where it says why.
    private func ending() -> Breach? {
        guard let path = contract.status, let last = try? events.get().last, last.event["event"]?.text == "end",
            let cause = last.event["cause"]?.text, let failure = Gem5Evidence.causes[cause]
        else { return nil }
        let message = last.event["message"]?.text.map { ": \(VisibleText.of($0, limit: 500))" } ?? ""
        return Breach(failure, "\(path), line \(last.line): the cause is '\(cause)'\(message)")
    }

    /// The causes with which the package `ops/gem5` ends by itself.
    private static let causes: [String: FailureClass] = [
        "unknown-parameter": .simulatorFatal, "bad-value": .simulatorFatal, "missing-file": .simulatorFatal,
        "checkpoint-incompatible": .checkpointIncompatible, "guest-panic": .guestPanic,
        "wrong-answer": .contractBroken, "guest-exit": .contractBroken,
    ]

    // MARK: Texts

    private func message() -> Breach? {
        guard let bytes = files[contract.messages] else { return nil }
        var worst: Breach?
        for (index, line) in bytes.split(separator: .newline, omittingEmptySubsequences: false).enumerated() {
            guard let found = Gem5Evidence.messages.first(where: { line.contains($0.text) }) else { continue }
            let breach = Breach(found.failure, "\(contract.messages), line \(index + 1): \(Evidence.quote(line))")
            // A cause that has a class of its own says more than that the simulator gave up.
            if worst == nil || worst?.failure == .simulatorFatal && found.failure != .simulatorFatal { worst = breach }
        }
        return worst
    }

    private func panic() -> Breach? {
        for terminal in contract.terminals {
            let lines = files[terminal]?.split(separator: .newline, omittingEmptySubsequences: false) ?? []
            for (index, line) in lines.enumerated() where Gem5Evidence.panics.contains(where: { line.contains($0) }) {
                return Breach(.guestPanic, "\(terminal), line \(index + 1): \(Evidence.quote(line))")
            }
        }
        return nil
    }

    /// `system.cpu1` or `board.processor.cores3.core`, and nothing below it; a driving node's do not count.
    private static func isCore(_ path: String) -> Bool {
        if Gem5Machines.isDriving(path) { return false }
        let parts = path.split(separator: ".")
        if parts.count == 2, parts[1].hasPrefix("cpu") { return parts[1].dropFirst(3).allSatisfy(\.isNumber) }
        guard parts.count >= 2, parts.last == "core" else { return false }
        let vector = parts[parts.count - 2]
        return vector.hasPrefix("cores") && vector.dropFirst(5).allSatisfy(\.isNumber)
    }

    private static func isSame(_ found: String, _ wanted: String) -> Bool {
        if found == wanted { return true }
        if let bytes = try? Quantity.bytes(wanted) { return found == String(bytes) }
        if let left = Double(found), let right = Double(wanted) { return left == right }
        return found.lowercased() == wanted.lowercased() && ["true", "false"].contains(wanted.lowercased())
    }
}

extension ArraySlice<UInt8> {
    func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard let first = wanted.first, count >= wanted.count else { return wanted.isEmpty }
        return (startIndex...endIndex - wanted.count).contains { self[$0] == first && self[$0...].starts(with: wanted) }
    }
}
