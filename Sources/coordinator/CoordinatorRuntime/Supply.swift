import DequeModule
import Formats
import Model

/// The pieces of objects that hosts have asked for and have not been sent: they are read no faster than the streams
/// take them, so that a thousand slow hosts cost no more memory than a few.
struct Supply {
    /// Bytes that may be on their way to one host, and to all together: being read, or waiting in a stream.
    static let mostToHost = 2 << 20
    static let mostInAll = 32 << 20

    private struct Line {
        var ranges: Deque<ObjectRange> = []
        /// Bytes that are being read for it.
        var reading = 0
    }

    private var lines: [Int: Line] = [:]
    /// Hosts that wait, in the order in which they are served.
    private var order: Deque<Int> = []

    /// Whether anything waits until streams have taken what they have.
    var isWaiting: Bool { !order.isEmpty }

    /// - Throws: ``Failure`` (`badMessage`) where that is more than any agent of ours asks for at a time.
    mutating func ask(_ range: ObjectRange, for host: Int) throws(Failure) {
        guard lines[host]?.ranges.count ?? 0 < HostLimits.reads else { throw HostLimits.tooManyReads }
        lines[host, default: Line()].ranges.append(range)
        if !order.contains(host) { order.append(host) }
    }

    /// What is to be read now: a piece for each host in turn.
    ///
    /// - Parameter unsent: the bytes that wait in a host's stream.
    mutating func next(unsent: (_ host: Int) -> Int) -> [(host: Int, range: ObjectRange)] {
        guard isWaiting else { return [] }
        var under = Dictionary(uniqueKeysWithValues: lines.map { ($0.key, $0.value.reading + unsent($0.key)) })
        var total = under.values.reduce(0, +)
        var taken: [(host: Int, range: ObjectRange)] = []
        var passed = 0
        while passed < order.count, total < Supply.mostInAll {
            let host = order.removeFirst()
            guard let range = lines[host]?.ranges.first else { continue }
            order.append(host)
            guard under[host, default: 0] < Supply.mostToHost else {
                passed += 1
                continue
            }
            passed = 0
            lines[host]?.ranges.removeFirst()
            lines[host]?.reading += range.length
            if lines[host]?.ranges.isEmpty ?? true { order.removeLast() }
            under[host, default: 0] += range.length
            total += range.length
            taken.append((host, range))
        }
        return taken
    }

    /// A host is told once what an object is made of, in however many pieces it asked for it.
    mutating func drop(_ object: Digest, for host: Int) {
        lines[host]?.ranges.removeAll { $0.digest == object }
        if lines[host]?.ranges.isEmpty ?? true { order.removeAll { $0 == host } }
    }

    /// A piece was read: from now on it is in the stream.
    mutating func wasRead(_ length: Int, for host: Int) { lines[host]?.reading -= length }

    /// The stream to the host is no more.
    mutating func forget(_ host: Int) {
        lines[host] = nil
        order.removeAll { $0 == host }
    }
}
