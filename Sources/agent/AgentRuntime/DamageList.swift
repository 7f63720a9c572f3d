import Model
import Ports
import Storage

/// Objects that were found damaged on this host's disk. They outlive the agent, because a coordinator that is away now
/// is to be told, too: it alone knows which runs had them.
///
/// A file with a line each: the digest, when it was last whole and when it was found, in nanoseconds since 1970.
struct DamageList {
    /// The last so many are kept.
    static let most = 256

    private let file: WordLines
    private(set) var all: [ObjectDamage] = []

    init(_ store: ObjectStore, _ files: any Files) {
        file = WordLines(path: "\(store.root)/damaged", files: files)
        for words in file.read(atMost: DamageList.most * 128) {
            guard words.count == 3, let digest = Digest(hex: words[0]), let whole = Nanoseconds(words[1]),
                let found = Nanoseconds(words[2])
            else { continue }
            all.append(ObjectDamage(digest: digest, wholeAt: whole, foundAt: found))
        }
    }

    /// Durable before the object goes: who is killed in between finds it damaged once more.
    mutating func add(_ damage: ObjectDamage) throws(FilesError) {
        all = (all + [damage]).suffix(DamageList.most)
        try file.replace(with: all.map { [$0.digest.hex, String($0.wholeAt), String($0.foundAt)] })
    }
}
