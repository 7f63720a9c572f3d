package import Model

extension Int: FieldValue {
    package static var isBytes: Bool { false }
    package func put(to writer: inout ByteWriter) { writer.put(self) }
    package init(_ reader: inout ByteReader) throws(WireError) { self = try reader.integer() }
}

extension Int64: FieldValue {
    package static var isBytes: Bool { false }
    package func put(to writer: inout ByteWriter) { writer.put(self) }
    package init(_ reader: inout ByteReader) throws(WireError) { self = try reader.signed() }
}

extension Bool: FieldValue {
    package static var isBytes: Bool { false }
    package func put(to writer: inout ByteWriter) { writer.put(self ? 1 : 0) }
    package init(_ reader: inout ByteReader) throws(WireError) {
        switch try reader.integer() {
        case 0: self = false
        case 1: self = true
        default: throw WireError("a truth value is neither 0 nor 1")
        }
    }
}

extension String: FieldValue {
    package static var isBytes: Bool { true }
    package func put(to writer: inout ByteWriter) { writer.put(self) }
    package init(_ reader: inout ByteReader) throws(WireError) { self = try reader.string() }
}

extension [UInt8]: FieldValue {
    package static var isBytes: Bool { true }
    package func put(to writer: inout ByteWriter) { writer.put(self) }
    package init(_ reader: inout ByteReader) throws(WireError) { self = try reader.data() }
}

extension Digest: FieldValue {
    package static var isBytes: Bool { true }
    package func put(to writer: inout ByteWriter) { writer.put(bytes) }
    package init(_ reader: inout ByteReader) throws(WireError) {
        guard let digest = Digest(bytes: try reader.slice()) else { throw WireError("a digest is not of 32 bytes") }
        self = digest
    }
}

/// Packed: how many ranges, and for each its first run and how many there are.
extension RunList: FieldValue {
    package static var isBytes: Bool { true }

    package func put(to writer: inout ByteWriter) { writer.put(packed) }

    package init(_ reader: inout ByteReader) throws(WireError) { self = try RunList(packed: try reader.slice()) }

    /// Also a column of the ledger's table of revisions.
    package var packed: [UInt8] {
        var writer = ByteWriter()
        writer.put(list: ranges) {
            $0.put($1.lowerBound)
            $0.put($1.count)
        }
        return writer.bytes
    }

    package init(packed: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(packed)
        self = try reader.runList()
        try reader.end()
    }
}

extension ByteReader {
    mutating func runList() throws(WireError) -> RunList {
        let ranges = try list { reader throws(WireError) in
            let (first, count) = (try reader.integer(), try reader.integer())
            guard first > 0, count > 0, first <= Int.max - count else { throw WireError("a range that is not valid") }
            return first..<first + count
        }
        guard let runs = RunList(ranges: ranges) else { throw WireError("a list that names a run twice") }
        return runs
    }
}

/// What numbers from a peer may be at most. Far above what anybody needs, far below where sums overflow.
package enum WireLimits {
    /// Of runs, leases and attempts.
    package static let number = 1 << 40
    /// Of attempts that one lease gives a run, and of repeats: some things are done for each.
    package static let attempts = 1 << 20
    /// Of slots, processors and programs on one host.
    package static let slots = 1 << 20
}

extension FieldDecoder {
    /// A number that others are added to or taken from: within bounds, so that no sum of a few can overflow.
    package mutating func take(_ number: Int, in bounds: ClosedRange<Int>) throws(WireError) -> Int {
        guard let value = try take(ifAny: number, in: bounds) else { throw WireError("field \(number) is missing") }
        return value
    }

    package mutating func take(ifAny number: Int, in bounds: ClosedRange<Int>) throws(WireError) -> Int? {
        guard let value: Int = try take(ifAny: number) else { return nil }
        guard bounds.contains(value) else { throw WireError("the number \(value) where one of \(bounds) belongs") }
        return value
    }

    package mutating func run(_ number: Int) throws(WireError) -> RunNumber {
        try take(number, in: 1...WireLimits.number)
    }

    package mutating func runs(_ number: Int) throws(WireError) -> [RunNumber] {
        let runs: [RunNumber] = try take(all: number)
        guard runs.allSatisfy((1...WireLimits.number).contains) else { throw WireError("a number that no run has") }
        return runs
    }

    package mutating func lease(_ number: Int) throws(WireError) -> LeaseNumber {
        try take(number, in: 0...WireLimits.number)
    }

    package mutating func leases(_ number: Int) throws(WireError) -> [LeaseNumber] {
        let leases: [LeaseNumber] = try take(all: number)
        guard leases.allSatisfy((0...WireLimits.number).contains) else { throw WireError("a number that no lease has") }
        return leases
    }

    /// 0 where it stands for none.
    package mutating func attempt(_ number: Int) throws(WireError) -> AttemptNumber {
        try take(number, in: 0...WireLimits.number)
    }

    /// An amount that cannot be negative: bytes, nanoseconds.
    package mutating func amount(_ number: Int) throws(WireError) -> Int64 {
        guard let amount = try amount(ifAny: number) else { throw WireError("field \(number) is missing") }
        return amount
    }

    package mutating func amount(ifAny number: Int) throws(WireError) -> Int64? {
        let value: Int64? = try take(ifAny: number)
        guard value ?? 0 >= 0 else { throw WireError("the negative amount \(value ?? 0)") }
        return value
    }

    /// A path that leads nowhere but into the folder that it is taken from.
    package mutating func path(_ number: Int) throws(WireError) -> String {
        let path: String = try take(number)
        guard RelativePath.isSafe(path) else { throw WireError("a path that leads elsewhere") }
        return path
    }

    package mutating func failureClass(_ number: Int) throws(WireError) -> FailureClass? {
        guard let word: String = try take(ifAny: number) else { return nil }
        guard let known = FailureClass(rawValue: word) else {
            throw WireError("the unknown failure class '\(Names.shown(word))'", isNews: true)
        }
        return known
    }

    package mutating func runState(_ number: Int) throws(WireError) -> RunState {
        let word: String = try take(number)
        guard let known = RunState(rawValue: word) else {
            throw WireError("the unknown state '\(Names.shown(word))' of a run", isNews: true)
        }
        return known
    }
}
