import Formats

/// Cuts a content into pieces of which others may have the same: memory images by page, everything else where the
/// content itself says, so that what is inserted in one place moves no other cut.
///
/// Where it cuts is no part of any format: whoever cuts otherwise finds less in common.
enum Cutter {
    case pages
    case content

    static let page = 4_096
    private static let shortest = 2_048
    private static let longest = 64 * 1_024
    /// A cut where so many bits of the rolling hash are zero: every 8 KiB, on random bytes, beyond the shortest piece.
    private static let mask: UInt64 = 0x1fff << 48

    /// What gzip made is taken for gem5's memory images; a plain one has whole mebibytes.
    init(_ form: ObjectMap.Form, contentSize: Int64) {
        switch form {
        case .gzip: self = .pages
        case .plain: self = contentSize > 0 && contentSize % (1 << 20) == 0 ? .pages : .content
        }
    }

    /// The length of the first piece.
    ///
    /// - Returns: nil: more bytes are needed to tell.
    func cut(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> Int? {
        guard !bytes.isEmpty else { return nil }
        switch self {
        case .pages:
            if bytes.count >= Cutter.page { return Cutter.page }
        case .content:
            if let end = Cutter.end(bytes) { return end }
        }
        return isLast ? bytes.count : nil
    }

    /// By a rolling hash that forgets a byte after 64 others (the gear hash of Xia et al., "FastCDC", USENIX ATC 2016).
    private static func end(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count > shortest else { return nil }
        let end = min(bytes.count, longest)
        var hash: UInt64 = 0
        return gears.withUnsafeBufferPointer { gears in
            for index in shortest - 64..<end {
                hash = hash << 1 &+ gears[Int(bytes[index])]
                if index >= shortest, hash & mask == 0 { return index + 1 }
            }
            return end == longest ? longest : nil
        }
    }

    /// A number for each byte, as splitmix64 makes them (Steele et al., OOPSLA 2014).
    private static let gears: [UInt64] = (1...256).map { index in
        var value = UInt64(index) &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
