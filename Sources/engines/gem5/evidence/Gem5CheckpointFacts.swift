import Model
import Results

/// What gem5's own checkpoint file (`m5.cpt`, INI text) tells of the machines that it was taken of.
struct Gem5CheckpointFacts: Sendable, Hashable {
    /// Names of the machines, sorted.
    var machines: [String] { sizes.keys.sorted() }
    /// In bytes, all memories of the system under test together.
    var memoryBytes: Int64 { tested.memoryBytes }
    /// Thread contexts of the system under test, one a core.
    var cores: Int { tested.cores }

    private struct Size: Hashable {
        var memoryBytes: Int64 = 0
        var cores = 0
    }

    /// The files that hold the memories, beside it.
    private var memories: [String] = []
    /// gem5 writes the time last, in a section of its own.
    private var hasEnd = false

    private var sizes: [String: Size] = [:]

    private var tested: Size {
        let name = machines.last { $0 != Gem5Machines.driver }
        return name.flatMap { sizes[$0] } ?? Size()
    }

    init(_ bytes: [UInt8]) {
        self = (try? Gem5CheckpointFacts(EvidenceFiles { _ in bytes }, "m5.cpt")) ?? Gem5CheckpointFacts()
    }

    private init() {}

    /// Reads it line by line: with the state of caches it can be long. nil: there is no such file.
    init?(_ files: EvidenceFiles, _ path: String) throws {
        var store: String?
        var isGlobals = false
        var hasTime = false
        var last: UInt8?
        try files.forEachPiece(path) { piece in
            last = piece.last
            return true
        }
        let isThere = try files.forEachLine(path) { _, line in
            if line.first == UInt8(ascii: "[") {
                let machine = String(decoding: line.dropFirst().prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
                let isStore = line.contains("physmem.store") && line.last == UInt8(ascii: "]")
                store = isStore ? machine : nil
                isGlobals = line.suffix(7).elementsEqual("lobals]".utf8)
                if line.suffix(6).elementsEqual(".xc.0]".utf8) { sizes[machine, default: Size()].cores += 1 }
            } else if let store, line.starts(with: "range_size=".utf8) {
                let size = Int64(String(decoding: line.dropFirst(11), as: UTF8.self)) ?? 0
                // It may be anybody's file: no size there is one that sums cannot hold.
                sizes[store, default: Size()].memoryBytes &+= min(max(0, size), 1 << 50)
            } else if store != nil, line.starts(with: "filename=".utf8) {
                memories.append(String(decoding: line.dropFirst(9), as: UTF8.self))
            } else if isGlobals, line.starts(with: "curTick=".utf8) {
                hasTime = true
            }
            return true
        }
        guard isThere else { return nil }
        hasEnd = hasTime && last == .newline
    }

    /// Why nothing can be restored from it, in a few words; nil: nothing is known against it.
    ///
    /// - Parameter files: the names of all files of the checkpoint.
    func problem(files: [String]) -> String? {
        guard memoryBytes > 0, cores > 0, hasEnd else { return "it is cut short" }
        return memories.first { !files.contains($0) }.map { "its memory \(VisibleText.of($0, limit: 80)) is missing" }
    }
}
