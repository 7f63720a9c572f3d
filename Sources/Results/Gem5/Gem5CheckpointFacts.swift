/// What gem5's own checkpoint file (`m5.cpt`, INI text) tells of the machine that it was taken of.
public struct Gem5CheckpointFacts: Sendable, Hashable {
    /// In bytes, all memories together.
    public var memoryBytes: Int64 = 0
    /// Thread contexts, one a core.
    public var cores = 0

    public init(_ bytes: [UInt8]) {
        var isStore = false
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "[") {
                isStore = line.contains("physmem.store") && line.last == UInt8(ascii: "]")
                if line.suffix(6).elementsEqual(".xc.0]".utf8) { cores += 1 }
            } else if isStore, line.starts(with: "range_size=".utf8) {
                memoryBytes += Int64(String(decoding: line.dropFirst(11), as: UTF8.self)) ?? 0
            }
        }
    }
}
