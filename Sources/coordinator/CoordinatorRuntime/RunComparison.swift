package import Model
package import Results
package import Storage

/// What an attempt gave: the accepted result, and the files that it left.
package struct GivenNumbers: Sendable {
    package var result: ResultText
    package var artifacts: [Artifact]

    package init(result: ResultText, artifacts: [Artifact]) {
        self.result = result
        self.artifacts = artifacts
    }
}

/// Two attempts at one run, held against each other: their results, to the last digit, and the statistics of the engine
/// but those of the host (`host*`).
package struct RunComparison: Sendable {
    /// What was compared, and the first thing that is not the same; for people.
    package private(set) var sentences: [String]
    /// Whether all that could be compared is the same.
    package private(set) var isSame: Bool
    /// Whether nothing was lost or damaged that should have been compared.
    package private(set) var isWhole = true
    /// Equal where ``isSame``: what a third attempt is held against.
    package private(set) var digests: AuditComparison

    /// - Parameters:
    ///   - path: of the engine's statistics among the artifacts; nil: it has none.
    ///   - first: what counts.
    ///   - store: has what both left, as far as that is there.
    package init(
        _ first: GivenNumbers, _ second: GivenNumbers, statistics path: String?, in store: ObjectStore
    ) throws {
        isSame = first.result == second.result
        sentences = [
            isSame ? "result: identical" : "result: \(try RunComparison.change(first.result, second.result))",
        ]
        digests = AuditComparison(
            numbers: RunComparison.digest(second.result, nil), counted: RunComparison.digest(first.result, nil))
        guard let path else { return }
        sentences.append("\(path): \(try compareStatistics(path, first, second, store))")
    }

    /// The statistics of both. Where the sweep's `artifacts` leaves them behind, neither has them.
    private mutating func compareStatistics(
        _ path: String, _ first: GivenNumbers, _ second: GivenNumbers, _ store: ObjectStore
    ) throws -> String {
        let files = [first, second].map { given in given.artifacts.first { $0.path == path } }
        guard let one = files[0] else {
            if files[1] == nil { return "not compared, because neither run kept it" }
            isWhole = false
            return "not compared, because the original run did not keep it"
        }
        var (before, after) = (StatisticsRecord(), StatisticsRecord())
        if let problem = try store.scan(statistics: one, &before) {
            isWhole = false
            return "not compared, because the original's is lost or damaged: \(problem)"
        }
        if let other = files[1], let problem = try store.scan(statistics: other, &after) {
            isWhole = false
            return "not compared, because this run's is lost or damaged: \(problem)"
        }
        digests = AuditComparison(
            numbers: RunComparison.digest(second.result, after),
            counted: RunComparison.digest(first.result, before))
        guard files[1] != nil else {
            isSame = false
            return "the run left none this time"
        }
        guard let found = before.difference(from: after) else {
            return "\(before.count) statistics identical (host* left out)"
        }
        isSame = false
        let place = "\(VisibleText.of(found.name, limit: 200)) in block \(found.block)"
        return "\(found.differing) of \(found.count) statistics differ; the first is \(place): "
            + "\(found.first ?? "none"), then \(found.second ?? "none")"
    }

    private static func digest(_ result: ResultText, _ statistics: StatisticsRecord?) -> Digest {
        SHA256.digest("\(result.digest) \(statistics?.digest.hex ?? "")")
    }

    /// How many values are not the same, and the first of them.
    private static func change(_ first: ResultText, _ second: ResultText) throws -> String {
        let before = try JSON(parsing: first.text).leaves
        let after = Dictionary(
            try JSON(parsing: second.text).leaves.map { ($0.path, $0.text) }, uniquingKeysWith: { $1 })
        let changed = before.filter { after[$0.path] != $0.text }
        guard let one = changed.first else {
            return "\(PeopleText.count(before.count, "value")) before, \(after.count) now"
        }
        return "\(changed.count) of \(before.count) values differ; the first is \(one.path): \(one.text), then "
            + (after[one.path] ?? "none")
    }
}

extension ObjectStore {
    /// Gives all statistics of a file to a visitor.
    ///
    /// - Returns: what is wrong with the object, if anything.
    package func scan(statistics artifact: Artifact, _ visitor: inout some StatisticsVisitor) throws -> String? {
        let object = "the object \(artifact.digest)"
        var scanner = StatisticsScanner()
        do {
            guard let size = try size(artifact.digest) else { return "\(object) is missing" }
            guard size == artifact.size else { return "\(object) has \(size) bytes and had \(artifact.size)" }
            let piece = 1 << 20
            for offset in stride(from: 0, to: size, by: piece) {
                let bytes = try read(artifact.digest, at: offset, count: Int(min(Int64(piece), size - offset)))
                scanner.scan(bytes.span.bytes, &visitor)
            }
        } catch {
            return "\(object) cannot be read: \(error)"
        }
        scanner.finish(&visitor)
        return scanner.complaint.map { "\(object) is damaged: \($0)" }
    }
}

extension JSON {
    /// All numbers, texts and the like, each with the way to it: a result is a list with one object an invocation.
    fileprivate var leaves: [(path: String, text: String)] { leaves(at: "") }

    private func leaves(at path: String) -> [(path: String, text: String)] {
        switch self {
        case .object(let members):
            members.flatMap { $0.value.leaves(at: path.isEmpty ? $0.name : "\(path), \($0.name)") }
        case .array(let elements):
            elements.enumerated().flatMap { place, element in
                element.leaves(at: path.isEmpty ? "invocation \(place + 1)" : "\(path), \(place + 1)")
            }
        default: [(path, encoded)]
        }
    }
}
