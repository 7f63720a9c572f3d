import Glibc
import Model
import Results

/// Reads a statistics file once and says what was in it, so that nothing can be left out.
enum StatisticsBench {
    private struct Tally: StatisticsVisitor {
        var statistics = 0
        var sum = 0.0

        mutating func begin(block: Int) {}
        mutating func statistic(_ name: RawSpan, _ text: RawSpan, _ value: Double) {
            statistics += 1
            if value.isFinite { sum += value }
        }
        mutating func end(block: Int) {}
    }

    static func run(_ path: String) throws {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw Failure(.missingFile, "\(path) cannot be opened") }
        defer { close(descriptor) }
        var scanner = StatisticsScanner()
        var tally = Tally()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { break }
            scanner.scan(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes, &tally)
        }
        scanner.finish(&tally)
        let fields = [
            "\"blocks\": \(scanner.completeBlocks)", "\"statistics\": \(tally.statistics)", "\"sum\": \(tally.sum)",
            "\"peak_kib\": \(peakKiB)",
        ]
        print("{\(fields.joined(separator: ", "))}")
    }

    /// The largest resident set since this program was started (a parent's would count in `getrusage`).
    private static var peakKiB: Int {
        guard let file = fopen("/proc/self/status", "r") else { return -1 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard text.hasPrefix("VmHWM:") else { continue }
            return Int(text.filter(\.isNumber)) ?? -1
        }
        return -1
    }
}
