public import Model

/// What the run contract says of an attempt that ended with status 0.
public enum Verdict: Sendable, Hashable {
    case accepted(Blocks)
    /// The evidence names the file, and the line or block where there is one.
    case broken(FailureClass, evidence: String)
}

/// The judgement of an attempt by what it left.
public enum Judgement {
    /// - Throws: what reading the files throws; what is wrong with them is part of the verdict.
    public static func judge(contract: Contract, files: EvidenceFiles) throws -> Verdict {
        let evidence = Evidence(contract: contract, files: files)
        do {
            try evidence.checkGuest()
            let early = try evidence.checkExit()
            try evidence.checkFiles()
            let found = try evidence.blocks(early)
            try evidence.checkMetrics(of: found)
            let blocks = try contract.until?.counted(found, isEarly: early != nil) ?? found
            try evidence.checkBounds(of: blocks)
            return .accepted(Blocks(blocks.map(\.block)))
        } catch let breach as Breach {
            return .broken(breach.failure, evidence: breach.evidence)
        }
    }
}

/// The contract does not hold.
package struct Breach: Error {
    package var failure: FailureClass
    package var evidence: String

    package init(_ failure: FailureClass, _ evidence: String) {
        self.failure = failure
        self.evidence = evidence
    }

    package init(_ evidence: String) { self.init(.contractBroken, evidence) }
}

/// What an attempt left, read with the contract in mind.
package struct Evidence {
    package let contract: Contract
    package let files: EvidenceFiles

    /// A panic comes first: it explains everything that is missing.
    package func checkGuest() throws {
        guard let path = contract.terminal else { return }
        let isThere = try files.forEachLine(path) { number, line in
            guard line.contains("Kernel panic") else { return true }
            throw Breach(.guestPanic, "\(path):\(number): \(Evidence.quote(line))")
        }
        guard isThere else { throw missing(path) }
    }

    /// - Returns: how many invocations a run says that it has measured which ended early; nil: all.
    package func checkExit() throws -> Int? {
        guard let exit = contract.exitEvent else { return nil }
        let lines = try lines(exit.path, limit: EvidenceLimit.document)
        let place = "\(exit.path):\(lines.count)"
        guard let last = lines.last else { throw Breach("\(exit.path) is empty") }
        let event = try Evidence.parse(last, place)
        guard event["event"]?.text == "exit" else {
            throw Breach("\(place): the last event is not 'exit': \(Evidence.quote(last))")
        }
        let isEarly = contract.until != nil && event["cause"]?.text == Contract.ExitEvent.early
        guard isEarly || event["cause"]?.text == exit.cause else {
            let failure: FailureClass = event["cause"]?.text == "guest-panic" ? .guestPanic : .contractBroken
            throw Breach(failure, "\(place): the cause is not '\(exit.cause)': \(Evidence.quote(last))")
        }
        guard let most = exit.invocations else { return nil }
        let told = event["ended"]?.integer.flatMap { Int(exactly: $0) } ?? 0
        let wanted = isEarly ? max(1, min(told, most)) : most
        for name in ["begun", "ended"] where event[name]?.integer != Int64(wanted) {
            throw Breach("\(place): '\(name)' is not the expected \(wanted): \(Evidence.quote(last))")
        }
        return isEarly ? wanted : nil
    }

    package func checkFiles() throws {
        for path in contract.requiredFiles {
            guard let size = try files.size(path) else { throw missing(path) }
            guard size > 0 else { throw Breach("\(path) is empty") }
        }
    }

    /// - Parameter early: how many there are of a run that ended early; nil: all.
    package func blocks(_ early: Int? = nil) throws -> [FoundBlock] {
        switch contract.format {
        case .none: return []
        case .json(let path): return try jsonBlocks(path)
        case .csv(let path): return try csvBlocks(path)
        case .jsonLines(let path, let count): return try lineBlocks(path, early ?? count)
        }
    }

    func checkMetrics(of blocks: [FoundBlock]) throws(Breach) {
        try MetricRule(contract.requiredMetrics, contract.formulas, columns: contract.columns).check(blocks)
    }

    func checkBounds(of blocks: [FoundBlock]) throws(Breach) {
        for bound in contract.bounds {
            for found in blocks {
                func count(_ name: String) throws(Breach) -> Int64 {
                    if let count = found.block[name].flatMap({ Int64($0) }) { return count }
                    throw Breach("\(found.place): \(bound.name) has a limit, but \(name) is missing")
                }
                let (part, whole) = (try count(bound.dividend), try count(bound.divisor))
                guard part.multipliedFullWidth(by: 1_000_000) > whole.multipliedFullWidth(by: bound.millionths) else {
                    continue
                }
                throw Breach(
                    "\(found.place): \(bound.name) is above its limit: \(part) of \(whole) \(bound.divisor), where "
                        + "\(PeopleText.percentage(millionths: bound.millionths)) is the most")
            }
        }
    }

    // MARK: Files

    private func missing(_ path: String) -> Breach {
        files.omissions.holds("\"\(path)\" (")
            ? Breach("\(path) cannot be read") : Breach("\(path) is missing: the run ended without leaving it")
    }

    /// The whole of a file, which must not be empty.
    package func content(_ path: String, limit: Int64 = EvidenceLimit.results) throws -> [UInt8] {
        guard let bytes = try files.content(path, limit: limit) else { throw missing(path) }
        guard !bytes.isEmpty else { throw Breach("\(path) is empty") }
        return bytes
    }

    /// The lines of a file, every one of which has to be ended.
    package func lines(_ path: String, limit: Int64 = EvidenceLimit.results) throws -> [ArraySlice<UInt8>] {
        let bytes = try content(path, limit: limit)
        let newline = UInt8(ascii: "\n")
        let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
        guard bytes.last == newline else {
            let rest = Evidence.quote(lines[lines.count - 1])
            throw Breach("\(path):\(lines.count): the last line is cut short: \(rest)")
        }
        return Array(lines.dropLast())
    }

    package static func parse(_ line: ArraySlice<UInt8>, _ place: String) throws(Breach) -> JSON {
        do {
            return try JSON(parsing: Array(line))
        } catch {
            throw Breach("\(place): not a complete JSON object: \(quote(line))")
        }
    }

    // MARK: Text

    /// A line as it can be shown: control characters made visible, at most 200 bytes of it.
    package static func quote(_ line: ArraySlice<UInt8>) -> String {
        let shown = String(decoding: line.prefix(200), as: UTF8.self)
        return VisibleText.of(shown) + (line.count > 200 ? "..." : "")
    }
}

extension ArraySlice<UInt8> {
    /// Whether a text is somewhere in these bytes.
    package func contains(_ text: String) -> Bool { firstIndex(of: text) != nil }

    /// Where a text begins in these bytes; nil: it is not there.
    package func firstIndex(of text: String) -> Int? {
        let wanted = Array(text.utf8)
        guard let first = wanted.first else { return startIndex }
        let bytes = span.bytes
        var place = bytes.offset(of: first, from: 0)
        while place + wanted.count <= bytes.byteCount {
            if wanted.withUnsafeBytes({ bytes.starts(with: $0.bytes, at: place) }) { return startIndex + place }
            place = bytes.offset(of: first, from: place + 1)
        }
        return nil
    }
}
