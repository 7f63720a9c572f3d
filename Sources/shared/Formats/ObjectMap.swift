public import Model

/// How a large object is put together: its content is stretches of zeros and of *packs*, which are objects of their
/// own, so that what several objects have in common is stored and sent once.
///
/// A map is text, so that `cat` shows it, and an object like any other:
///
///     usweep map 1
///     object SHA256 SIZE        what comes out
///     form plain                the content is the object; or: form gzip LEVEL (it is what gzip makes of the content)
///     content SIZE
///     pack SHA256 SIZE CONTENT  one a pack, in the order of their numbers from 0: its bytes, and those within it
///     zero LENGTH               the content from its beginning to its end
///     copy PACK OFFSET LENGTH
///
/// A pack is one frame of Zstandard (RFC 8878). All sizes are in bytes.
public struct ObjectMap: Sendable, Hashable {
    /// How the content becomes the object.
    public enum Form: Sendable, Hashable {
        case plain
        /// By zlib's `deflate` of this level (1 to 9), with gzip's header (RFC 1952) as gzopen(3) writes it.
        case gzip(level: Int)
    }

    public struct Pack: Sendable, Hashable {
        public var digest: Digest
        public var size: Int64
        /// What it unpacks to.
        public var contentSize: Int64

        public init(digest: Digest, size: Int64, contentSize: Int64) {
            self.digest = digest
            self.size = size
            self.contentSize = contentSize
        }
    }

    public enum Stretch: Sendable, Hashable {
        case zero(Int64)
        case copy(pack: Int, offset: Int64, length: Int64)

        public var length: Int64 {
            switch self {
            case .zero(let length), .copy(_, _, let length): length
            }
        }
    }

    /// No map is longer, nor is what a pack unpacks to, nor is an object (1 TiB) or its content.
    public static let longest: Int64 = 16 << 20
    public static let longestPack: Int64 = 4 << 20
    private static let longestObject: Int64 = 1 << 40

    public var object: Digest
    public var size: Int64
    public var form: Form
    public var contentSize: Int64
    public var packs: [Pack]
    public var stretches: [Stretch]

    public init(
        object: Digest, size: Int64, form: Form, contentSize: Int64, packs: [Pack], stretches: [Stretch]
    ) {
        self.object = object
        self.size = size
        self.form = form
        self.contentSize = contentSize
        self.packs = packs
        self.stretches = stretches
    }

    // MARK: As text

    public var encoded: [UInt8] {
        var text = "usweep map 1\nobject \(object.hex) \(size)\n"
        switch form {
        case .plain: text += "form plain\n"
        case .gzip(let level): text += "form gzip \(level)\n"
        }
        text += "content \(contentSize)\n"
        for pack in packs { text += "pack \(pack.digest.hex) \(pack.size) \(pack.contentSize)\n" }
        for stretch in stretches {
            switch stretch {
            case .zero(let length): text += "zero \(length)\n"
            case .copy(let pack, let offset, let length): text += "copy \(pack) \(offset) \(length)\n"
            }
        }
        return Array(text.utf8)
    }

    /// - Throws: ``WireError`` for anything that is no such map: stretches that do not make up the content, that lie
    ///   outside their packs, packs of impossible sizes.
    public init(_ bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= ObjectMap.longest else { throw ObjectMap.damaged("it has \(bytes.count) bytes") }
        guard bytes.last == UInt8(ascii: "\n") else { throw ObjectMap.damaged("it breaks off") }
        var lines = bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) }[...]
        let first = ObjectMap.words(lines.popFirst())
        guard first.count == 3, first[0] == "usweep", first[1] == "map" else {
            throw ObjectMap.damaged("it does not begin as a map")
        }
        guard first[2] == "1" else {
            throw WireError("a map of version \(VisibleText.of(first[2], limit: 20))", isNews: true)
        }
        let header = (lines.popFirst(), lines.popFirst(), lines.popFirst())
        let (named, form, content) = (
            ObjectMap.words(header.0), ObjectMap.words(header.1), ObjectMap.words(header.2)
        )
        guard named.count == 3, named[0] == "object", let object = Digest(hex: named[1]),
            let size = ObjectMap.number(named[2], atMost: ObjectMap.longestObject),
            content.count == 2, content[0] == "content",
            let contentSize = ObjectMap.number(content[1], atMost: ObjectMap.longestObject)
        else { throw ObjectMap.damaged("its beginning is wrong") }
        self.object = object
        self.size = size
        self.contentSize = contentSize
        self.form = try ObjectMap.form(form)
        packs = []
        stretches = []
        try read(lines)
        guard self.form != .plain || size == contentSize else { throw ObjectMap.damaged("its sizes disagree") }
    }

    private static func form(_ words: [String]) throws(WireError) -> Form {
        if words == ["form", "plain"] { return .plain }
        guard words.count == 3, words[0] == "form", words[1] == "gzip", let level = number(words[2], atMost: 9),
            level > 0
        else { throw damaged("its form is not known") }
        return .gzip(level: Int(level))
    }

    private mutating func read(_ lines: ArraySlice<[ArraySlice<UInt8>]>) throws(WireError) {
        var sum: Int64 = 0
        for words in lines {
            switch words.first?.first {
            case UInt8(ascii: "p") where stretches.isEmpty: packs.append(try ObjectMap.pack(words))
            case UInt8(ascii: "z"), UInt8(ascii: "c"):
                let stretch = try stretch(words)
                stretches.append(stretch)
                sum += stretch.length
                guard sum <= contentSize else { throw ObjectMap.damaged("its stretches are longer than its content") }
            default: throw ObjectMap.damaged("a line is wrong")
            }
        }
        guard sum == contentSize else { throw ObjectMap.damaged("its stretches are shorter than its content") }
    }

    private static func pack(_ line: [ArraySlice<UInt8>]) throws(WireError) -> Pack {
        let words = words(line)
        // What cannot be made smaller becomes a little larger.
        guard words.count == 4, words[0] == "pack", let digest = Digest(hex: words[1]),
            let size = number(words[2], atMost: longestPack + longestPack / 64),
            let contentSize = number(words[3], atMost: longestPack), size > 0, contentSize > 0
        else { throw damaged("a pack is wrong") }
        return Pack(digest: digest, size: size, contentSize: contentSize)
    }

    private func stretch(_ words: [ArraySlice<UInt8>]) throws(WireError) -> Stretch {
        if words.count == 2, words[0].elementsEqual("zero".utf8),
            let length = ObjectMap.number(words[1], atMost: contentSize), length > 0
        {
            return .zero(length)
        }
        guard words.count == 4, words[0].elementsEqual("copy".utf8),
            let pack = ObjectMap.number(words[1], atMost: Int64(packs.count) - 1),
            let offset = ObjectMap.number(words[2], atMost: packs[Int(pack)].contentSize),
            let length = ObjectMap.number(words[3], atMost: packs[Int(pack)].contentSize - offset), length > 0
        else { throw ObjectMap.damaged("a stretch is wrong") }
        return .copy(pack: Int(pack), offset: offset, length: length)
    }

    private static func words(_ line: [ArraySlice<UInt8>]?) -> [String] {
        (line ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func number(_ word: String, atMost limit: Int64) -> Int64? {
        number(Array(word.utf8)[...], atMost: limit)
    }

    /// Digits alone, none of them a needless zero.
    private static func number(_ word: ArraySlice<UInt8>, atMost limit: Int64) -> Int64? {
        guard 1...15 ~= word.count, word.count == 1 || word.first != UInt8(ascii: "0") else { return nil }
        var value: Int64 = 0
        for digit in word {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value <= limit ? value : nil
    }

    private static func damaged(_ why: String) -> WireError { WireError("a map cannot be used: \(why)") }
}
