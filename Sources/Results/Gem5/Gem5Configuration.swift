/// The configuration that gem5 wrote about itself (`config.ini`): what was really simulated.
///
/// Sections are SimObjects by their path, `[board.processor.cores1.core]`; lines are `parameter=value`, sizes in
/// bytes.
struct Gem5Configuration: Sendable {
    private var sections: [String: [String: String]] = [:]
    private(set) var paths: [String] = []

    init(_ bytes: [UInt8]) {
        var section = ""
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
                sections[section] = [:]
                paths.append(section)
            } else if let equals = line.firstIndex(of: "=") {
                sections[section]?[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
        }
    }

    func contains(_ path: String) -> Bool { sections[path] != nil }

    /// nil: there is no such SimObject or parameter.
    subscript(path: String, parameter: String) -> String? { sections[path]?[parameter] }
}
