/// What gem5's own checkpoint file (`m5.cpt`, INI text) tells of the machine that it was taken of.
public struct Gem5CheckpointFacts: Sendable, Hashable {
    /// In bytes, all memories together.
    public private(set) var memoryBytes: Int64 = 0
    /// Thread contexts, one a core.
    public private(set) var cores = 0
    /// The files that hold the memories, beside it.
    private var memories: [String] = []
    /// gem5 writes the time last, in a section of its own.
    private var hasEnd = false

    public init(_ bytes: [UInt8]) {
        var isStore = false
        var isGlobals = false
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "[") {
                isStore = line.contains("physmem.store") && line.last == UInt8(ascii: "]")
                isGlobals = line.suffix(7).elementsEqual("lobals]".utf8)
                if line.suffix(6).elementsEqual(".xc.0]".utf8) { cores += 1 }
            } else if isStore, line.starts(with: "range_size=".utf8) {
                memoryBytes += Int64(String(decoding: line.dropFirst(11), as: UTF8.self)) ?? 0
            } else if isStore, line.starts(with: "filename=".utf8) {
                memories.append(String(decoding: line.dropFirst(9), as: UTF8.self))
            } else if isGlobals, line.starts(with: "curTick=".utf8) {
                hasEnd = bytes.last == UInt8(ascii: "\n")
            }
        }
    }

    /// Why nothing can be restored from it, in a few words; nil: nothing is known against it.
    ///
    /// - Parameter files: the names of all files of the checkpoint.
    public func problem(files: [String]) -> String? {
        guard memoryBytes > 0, cores > 0, hasEnd else { return "it is cut short" }
        return memories.first { !files.contains($0) }.map { "its memory \(VisibleText.of($0, limit: 80)) is missing" }
    }
}
