import Model
import Results

/// What a gem5 run left, read with its contract in mind.
struct Gem5Evidence {
    let contract: Gem5Contract
    let files: EvidenceFiles
    let events: Result<[(line: Int, event: JSON)], Breach>

    init(contract: Gem5Contract, files: EvidenceFiles) throws {
        self.contract = contract
        self.files = files
        do { events = .success(try Gem5Evidence.events(contract, files)) } catch let breach as Breach {
            events = .failure(breach)
        }
    }

    // MARK: A run that ended by itself

    func checkMessages() throws {
        guard try files.size(contract.messages) != nil else { throw Breach("\(contract.messages) is missing") }
        if let breach = try message(hasFailed: false) { throw breach }
    }

    func checkTerminal() throws {
        if contract.needsTerminal, let missing = try contract.terminals.first(where: { try files.size($0) == nil }) {
            throw Breach("\(missing) is missing")
        }
        if let breach = try panic() { throw breach }
    }

    /// A checkpoint restores without a word under more cores, and a parameter that gem5 did not take is no error
    /// either: only the configuration shows both.
    ///
    /// - Returns: it.
    func checkConfiguration() throws -> Gem5Configuration {
        let path = contract.configuration
        guard let bytes = try files.content(path, limit: EvidenceLimit.document), !bytes.isEmpty else {
            throw Breach("\(path) is missing or empty")
        }
        let configuration = Gem5Configuration(bytes)
        if let cores = contract.cores {
            let found = configuration.paths.count { Gem5Evidence.isCore($0) }
            guard found == cores else {
                throw Breach(
                    .checkpointIncompatible,
                    "\(path): \(PeopleText.count(found, "core")), but the checkpoint was made with \(cores)")
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
        try checkMachine(configuration)
        return configuration
    }

    /// Where the run says that it put the point's parameters. What it does not say is not believed.
    private func setParameters() throws(Breach) -> [Gem5Contract.Parameter] {
        guard !contract.axes.isEmpty, let path = contract.status else { return [] }
        let found = try events.get().filter { $0.event["event"]?.text == "parameters" }
        guard found.count == 1 else {
            throw Breach("\(path): the event 'parameters' is there \(found.count) times, not once")
        }
        let entries = found[0].event["set"]?.elements ?? []
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
        _ contract: Gem5Contract, _ files: EvidenceFiles
    ) throws -> [(line: Int, event: JSON)] {
        guard let path = contract.status else { return [] }
        guard let bytes = try files.content(path, limit: EvidenceLimit.document) else {
            throw Breach("\(path) is missing")
        }
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
        guard let last = events.last else { throw Breach("\(path) has no event") }
        guard last.event["event"]?.text == "end", let cause = last.event["cause"]?.text else {
            throw Breach("\(path), line \(last.line): the last event is not 'end': the run was cut off")
        }
        if let early = events.dropLast().first(where: { $0.event["event"]?.text == "end" }) {
            throw Breach("\(path), line \(early.line): 'end' is not the last event")
        }
        let early = early()
        guard cause == contract.cause || early != nil else {
            let shown = VisibleText.of(cause, limit: 80)
            throw Breach("\(path), line \(last.line): the exit cause is '\(shown)', not '\(contract.cause)'")
        }
        guard let invocations = early ?? contract.invocations else { return }
        for name in ["begun", "ended"] where last.event[name]?.integer != Int64(invocations) {
            let count = last.event[name]?.integer.map(String.init) ?? "nothing"
            throw Breach("\(path), line \(last.line): \(name) is \(count), where \(invocations) was expected")
        }
        try checkOrder(path, events)
        try checkInvocations(path, events, invocations)
        try checkStates(path, events, invocations)
    }

    /// How many invocations a run says that it has measured which ended because they were enough; nil: all.
    private func early() -> Int? {
        guard contract.until != nil, let most = contract.invocations, let last = try? events.get().last?.event,
            last["event"]?.text == "end", last["cause"]?.text == Contract.ExitEvent.early
        else { return nil }
        return max(1, min(Int(clamping: last["ended"]?.integer ?? 0), most))
    }

    private func checkStates(
        _ path: String, _ events: [(line: Int, event: JSON)], _ count: Int
    ) throws(Breach) {
        guard contract.state != "warm" else { return }
        let numbers = events.filter { $0.event["state"]?.text == contract.state }.map { $0.event["number"]?.integer }
        for number in 1...Int64(count) where numbers.count(where: { $0 == number }) != 1 {
            throw Breach("\(path): no event says that invocation \(number) found the state \(contract.state)")
        }
    }

    /// A run that compared less than was asked of it may have started from anything.
    func checkForced() throws(Breach) {
        guard let path = contract.status else { return }
        let found = try events.get().filter { $0.event["event"]?.text == "forced" }
        let items = found.flatMap { $0.event["items"]?.elements ?? [] }.map { $0.text ?? "" }
        guard items != contract.forced else { return }
        let (told, wanted) = (VisibleText.of(items.joined(separator: ", "), limit: 200), contract.forced)
        throw Breach(
            .checkpointIncompatible, "\(path): the checkpoint's \(told.isEmpty ? "parts" : told) "
                + "\(items.isEmpty ? "were all compared" : "was not compared"), where "
                + (wanted.isEmpty ? "nothing is forced" : "\(wanted.joined(separator: ", ")) is forced"))
    }

    private func checkOrder(_ path: String, _ events: [(line: Int, event: JSON)]) throws(Breach) {
        var latest: Int64 = 0
        for (line, event) in events {
            guard let tick = event["tick"]?.integer else { continue }
            guard tick >= latest else { throw Breach("\(path), line \(line): time goes backwards") }
            latest = tick
        }
    }

    /// Each invocation begins and ends, one after the other; first those that only warm, whose number is 0.
    private func checkInvocations(
        _ path: String, _ events: [(line: Int, event: JSON)], _ count: Int
    ) throws(Breach) {
        let numbers = Array(repeating: Int64(0), count: contract.warm ?? 0) + (0..<Int64(count)).map { $0 + 1 }
        var wanted = numbers.flatMap { [("invocation-begin", $0), ("invocation-end", $0)] }[...]
        for (line, event) in events {
            guard let name = event["event"]?.text, name == "invocation-begin" || name == "invocation-end" else {
                continue
            }
            let number = event["number"]?.integer
            if number == 0, contract.warm == nil { continue }
            guard let next = wanted.popFirst(), next == (name, number ?? -1) else {
                let found = "\(name) \(number.map(String.init) ?? "without a number")"
                throw Breach("\(path), line \(line): \(found) is not what should come next")
            }
        }
        if let next = wanted.first { throw Breach("\(path): there is no \(next.0) \(next.1)") }
    }

    /// The statistics, and what is worth knowing of them: which core they are of, where somebody must be told.
    func blocks(_ configuration: Gem5Configuration) throws -> (Blocks, remarks: [String]) {
        guard let most = contract.blocks else { return (Blocks([]), []) }
        let early = early()
        let (path, wanted) = (contract.statistics, early ?? most)
        guard try files.size(path) ?? 0 > 0 else { throw Breach("\(path) is missing or empty") }
        var gathered = Gem5Blocks(contract.core, contract.formulas)
        // So many blocks too many are enough to say so.
        try gathered.read(path, files, most: wanted + 1_000)
        let count = gathered.blocks.count
        guard count == wanted else {
            throw Breach("\(path): \(PeopleText.count(count, "statistics block")), \(wanted) were asked for")
        }
        gathered.addWidth(configuration)
        try checkTicks(gathered, count: early ?? contract.invocations)
        let remarks = try checkNumbers(gathered, configuration)
        var found = gathered.blocks.enumerated().map { FoundBlock(place: "\(path), block \($0 + 1)", block: $1) }
        do {
            try MetricRule(contract.requiredMetrics, MetricFormula.gem5 + contract.formulas).check(found)
        } catch {
            guard contract.saysCore else { throw error }
            throw Breach(error.failure, "\(error.evidence); \(try whichCore(gathered.core))")
        }
        if let until = contract.until { found = try until.counted(found, isEarly: early != nil) }
        return (Blocks(found.map(\.block)), (contract.saysCore ? [try whichCore(gathered.core)] : []) + remarks)
    }

    /// Which core the numbers are of, and where there is none, which there are.
    private func whichCore(_ core: String?) throws -> String {
        if let core { return "the numbers are those of \(VisibleText.of(core, limit: 200)) and its caches" }
        let bytes = try files.content(contract.configuration, limit: EvidenceLimit.document) ?? []
        let cores = Gem5Configuration(bytes).paths.filter(Gem5Evidence.mayBeCore).map { VisibleText.of($0, limit: 80) }
        let missing = "the statistics contain nothing about \(contract.core.text)"
        guard let first = cores.first else { return missing }
        return "\(missing); \(contract.configuration) has \(cores.prefix(8).joined(separator: ", ")): name the one "
            + "under test, as in measure: {core: '\(first)'}"
    }

    // MARK: A run that did not

    /// What the run left may tell more than how its process ended.
    func explain(_ failure: FailureClass, _ evidence: String) throws -> Verdict {
        let better: Breach?
        switch failure {
        case .exitNonzero: better = try ending() ?? message(hasFailed: true) ?? panic()
        case .simulatorCrash: better = try message(hasFailed: true) ?? panic()
        // gem5 goes on for ever with a guest that is dead.
        case .timeout, .stalledGuest: better = try panic()
        case .stalledSimulator: better = try panic() ?? idleness()
        // Of all others gem5's files have nothing to add.
        default: better = nil
        }
        let places = try [.timeout, .stalledGuest, .stalledSimulator].contains(failure) ? whereabouts() : []
        let all = ([evidence] + places).joined(separator: "; ")
        guard let better else { return .broken(failure, evidence: all) }
        return .broken(better.failure, evidence: "\(better.evidence) (\(all))")
    }

    /// How far the run came, and what the guest said last: nobody can ask it any more.
    private func whereabouts() throws -> [String] {
        var parts: [String] = []
        if let path = contract.status, let events = try? events.get(), let last = events.last {
            let phase = events.last { $0.event["event"]?.text == "phase" }?.event["phase"]?.text ?? "start"
            let names = events.filter { $0.event["number"]?.integer != 0 }.map { $0.event["event"]?.text }
            parts.append(
                "\(path), line \(last.line): in phase '\(VisibleText.of(phase, limit: 40))', "
                    + "\(PeopleText.count(names.count { $0 == "invocation-begin" }, "invocation")) begun, "
                    + "\(names.count { $0 == "invocation-end" }) ended")
        }
        for terminal in contract.terminals {
            var last: ArraySlice<UInt8> = []
            try files.forEachLine(terminal) { _, line in
                if let said = line.split(separator: .carriageReturn).last { last = said }
                return true
            }
            if !last.isEmpty { parts.append("\(terminal) ends with: \(Evidence.quote(last))") }
        }
        return parts
    }

    /// A guest that waits for ever says so once, and then nothing more.
    private func idleness() -> Breach? {
        guard let path = contract.status, let last = try? events.get().last, last.event["event"]?.text == "idle" else {
            return nil
        }
        return Breach(
            .stalledGuest,
            "\(path), line \(last.line): the guest was idle: it waits for something that does not happen")
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
        "wrong-engine": .simulatorFatal, "no-kvm": .simulatorFatal,
        "checkpoint-incompatible": .checkpointIncompatible, "guest-panic": .guestPanic,
        "wrong-answer": .contractBroken, "guest-exit": .contractBroken,
    ]

    // MARK: Texts

    private func message(hasFailed: Bool) throws -> Breach? {
        var worst: Breach?
        var isIgnored = false
        try files.forEachLine(contract.messages) { number, line in
            defer { isIgnored = Gem5Message.isIgnored(line) }
            if isIgnored, !hasFailed { return true }
            let meaning = Gem5Message.meaning(of: line, isSetup: contract.isSetup, hasFailed: hasFailed)
            guard let found = meaning else { return true }
            // A cause that has a class of its own says more than that the simulator gave up.
            let saysMore = found != .simulatorFatal && found != .simulatorCrash
            if worst == nil || worst?.failure == .simulatorFatal && saysMore {
                worst = Breach(found, "\(contract.messages), line \(number): \(Evidence.quote(line))")
            }
            return worst?.failure == .simulatorFatal || worst == nil
        }
        return worst
    }

    private func panic() throws -> Breach? {
        for terminal in contract.terminals {
            var breach: Breach?
            try files.forEachLine(terminal) { number, line in
                guard KernelPanic.isIn(line) else { return true }
                breach = Breach(.guestPanic, "\(terminal), line \(number): \(Evidence.quote(line))")
                return false
            }
            if let breach { return breach }
        }
        return nil
    }

    /// `system.cpu1` or `board.processor.cores3.core`, and nothing below it; a driving node's do not count.
    static func isCore(_ path: String) -> Bool {
        // A configuration has thousands of paths: the end of one tells most of them apart.
        let dot = UInt8(ascii: ".")
        guard let end = path.utf8.lastIndex(of: dot), !Gem5Machines.isDriving(path) else { return false }
        let above = path.utf8[..<end]
        let name = path.utf8[end...].dropFirst()
        if isNumbered(name, "cpu") { return !above.contains(dot) }
        let parent = above.lastIndex(of: dot).map { above[$0...].dropFirst() } ?? above
        return name.elementsEqual("core".utf8) && isNumbered(parent, "cores")
    }

    private static func isNumbered(_ part: Substring.UTF8View, _ name: String) -> Bool {
        part.starts(with: name.utf8) && part.dropFirst(name.utf8.count).allSatisfy { 0x30...0x39 ~= $0 }
    }

    /// Also a core that others give way to, as in `system.switch_cpus1`.
    private static func mayBeCore(_ path: String) -> Bool {
        let parts = path.split(separator: ".")
        return isCore(path) || parts.count == 2 && parts[1].hasPrefix("switch_cpus")
    }

    private static func isSame(_ found: String, _ wanted: String) -> Bool {
        if found == wanted { return true }
        if let bytes = try? Quantity.bytes(wanted) { return found == String(bytes) }
        if let left = Int64(found), let right = Int64(wanted) { return left == right }
        if let left = Double(found), let right = Double(wanted) { return left == right }
        return found.lowercased() == wanted.lowercased() && ["true", "false"].contains(wanted.lowercased())
    }
}
