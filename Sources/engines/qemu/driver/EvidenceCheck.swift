import Glibc

/// Looks at what a run has left: its own word that it went well is not enough.
struct EvidenceCheck {
    private let request: Request
    private static let mostMarks = 64

    init(_ request: Request) { self.request = request }

    func judge(_ ending: DriverEnding) throws(SystemError) -> DriverEnding {
        switch (ending, request) {
        case (.checkpointed, _): return try keepCheckpoint()
        case (.measured, .evaluate(let evaluation)): return try countInvocations(evaluation.invocations)
        case (.tight(let count), _):
            try EvidenceCheck.cut(RunFiles.statistics, afterLine: count)
            return ending
        default:
            unlink(RunFiles.partialCheckpoint)
            return ending
        }
    }

    /// The checkpoint gets its name only after zstd has read all of it back.
    private func keepCheckpoint() throws(SystemError) -> DriverEnding {
        guard let zstd = EvidenceCheck.find("zstd") else { return .checkpointUnwritten("there is no program zstd") }
        let tester = try start(
            [zstd, "-t", "-q", RunFiles.partialCheckpoint], environment: ["LC_ALL=C"], descriptors: [])
        guard collect(tester, waiting: true) == 0 else {
            unlink(RunFiles.partialCheckpoint)
            return .checkpointUnwritten("it is not complete; is the disk full?")
        }
        let name = request.workload == nil ? RunFiles.booted : RunFiles.checkpoint
        guard rename(RunFiles.partialCheckpoint, name) == 0 else {
            throw SystemError("cannot rename \(RunFiles.partialCheckpoint)")
        }
        return .checkpointed
    }

    private func countInvocations(_ wanted: Int) throws(SystemError) -> DriverEnding {
        let lines = try EvidenceCheck.lines(of: RunFiles.statistics)
        return EvidenceCheck.ending(wanted, EvidenceCheck.marks(), blocks: lines.isCut ? nil : lines.count)
    }

    /// The model may have gone on until QEMU was gone: what nobody waited for would differ from run to run.
    private static func cut(_ path: String, afterLine count: Int) throws(SystemError) {
        let size = try lines(of: path, most: count).size
        guard truncate(path, off_t(size)) == 0 else { throw SystemError("cannot cut \(path)") }
    }

    /// - Parameters:
    ///   - marks: nil: the model could not say.
    ///   - blocks: how many are on file; nil: the last one is cut.
    static func ending(_ wanted: Int, _ marks: (begun: Int, ended: Int)?, blocks: Int?) -> DriverEnding {
        let found = "\(blocks.map { "\($0) are" } ?? "a cut line is") on file"
        guard let marks else {
            return .statisticsUnwritten("the model did not say what it saw, and \(found); is the disk full?")
        }
        let text = "invocations: \(wanted) were asked for, \(marks.begun) began, \(marks.ended) ended, \(found)"
        guard marks.begun == wanted, marks.ended == wanted else { return .statisticsIncomplete(text) }
        return blocks == wanted ? .measured : .statisticsUnwritten("\(text); is the disk full?")
    }

    /// How many invocations the model saw begin and end; nil: it did not say.
    static func marks() -> (begun: Int, ended: Int)? {
        let words = (try? read(RunFiles.marks, most: mostMarks)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let numbers = words.split(whereSeparator: \.isWhitespace).map { Int($0) }
        guard numbers.count == 2, let begun = numbers[0], let ended = numbers[1] else { return nil }
        return (begun, ended)
    }

    /// The lines of a file, which may be too long to be held in memory.
    ///
    /// - Parameter most: how many are looked at.
    /// - Returns: how many have an end, up to where they reach, in bytes, and whether more follows that has none.
    static func lines(of path: String, most: Int = .max) throws(SystemError) -> (count: Int, size: Int, isCut: Bool) {
        var (count, size, position) = (0, 0, 0)
        try forEachPart(of: path) { part in
            for byte in part where count < most {
                position += 1
                if byte == UInt8(ascii: "\n") { (count, size) = (count + 1, position) }
            }
            return count < most
        }
        return (count, size, position > size)
    }

    static func read(_ path: String, most: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        try forEachPart(of: path) { part in
            content += part.prefix(most - content.count)
            return content.count < most
        }
        return content
    }

    /// - Parameter body: whether it wants more.
    private static func forEachPart(of path: String, _ body: (ArraySlice<UInt8>) -> Bool) throws(SystemError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("cannot read \(path)") }
        defer { close(descriptor) }
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = part.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("cannot read \(path)") }
            guard count > 0, body(part[..<count]) else { return }
        }
    }

    /// PATH, or where programs usually lie.
    static func searchPath() -> String {
        getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    }

    static func find(_ program: String) -> String? {
        searchPath().split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}
