import Model
import Results

/// The configuration that gem5 wrote about itself (`config.ini`): what was really simulated.
///
/// Sections are SimObjects by their path, `[board.processor.cores1.core]`; lines are `parameter=value`, sizes in
/// bytes. Of thousands of lines few are asked for, so only the sections are looked up at once.
struct Gem5Configuration: Sendable {
    private let bytes: [UInt8]
    /// Where the lines of a section begin; of one that stands twice, the last time.
    private var starts: [String: Int] = [:]
    private(set) var paths: [String] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var position = 0
        while let line = nextLine(&position) {
            guard let path = Gem5Configuration.section(line) else { continue }
            starts[path] = position
            paths.append(path)
        }
    }

    /// nil: there is no such SimObject or parameter.
    subscript(path: String, parameter: String) -> String? {
        guard var position = starts[path] else { return nil }
        let start = Array("\(parameter)=".utf8)
        var value: ArraySlice<UInt8>?
        while let line = nextLine(&position), Gem5Configuration.section(line) == nil {
            if line.starts(with: start) { value = line.dropFirst(start.count) }
        }
        return value.map { String(decoding: $0, as: UTF8.self) }
    }

    private func nextLine(_ position: inout Int) -> ArraySlice<UInt8>? {
        guard position < bytes.count else { return nil }
        let end = bytes.span.bytes.offset(of: .newline, from: position)
        let line = bytes[position..<end]
        position = end + 1
        return line.last == .carriageReturn ? line.dropLast() : line
    }

    private static func section(_ line: ArraySlice<UInt8>) -> String? {
        guard line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "]") else { return nil }
        return String(decoding: line.dropFirst().dropLast(), as: UTF8.self)
    }
}
