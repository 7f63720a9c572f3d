import Engines
import Model

/// Reads `env`: variables for the programs of all runs.
struct EnvironmentReader {
    private let read: FieldReader
    /// Values with their places, to be looked at when all axes are known.
    private var values: [(field: Field, text: String)] = []

    init(read: FieldReader) { self.read = read }

    mutating func variables(_ field: Field) -> [EnvironmentVariable] {
        guard let members = read.members(field.value, path: field.path) else { return [] }
        if members.isEmpty { read.fail(field, "has no variable; write one, as in env: {OMP_NUM_THREADS: 1}") }
        return members.compactMap { member in
            guard EnvironmentReader.isName(member.name) else {
                read.problems.add(
                    member.keyMark, key: member.path,
                    "is not a name for a variable; write letters, digits and '_', beginning with a letter or '_'")
                return nil
            }
            guard !member.name.hasPrefix("USWEEP_"), !member.name.hasPrefix("_USWEEP_") else {
                read.problems.add(
                    member.keyMark, key: member.path, "names that begin with USWEEP_ are set by usweep; write another")
                return nil
            }
            guard let text = read.argument(member) else { return nil }
            if let reference = EnvironmentReader.reference(in: text) {
                read.fail(
                    member, "\(reference) is not expanded: programs would get it literally; write the value "
                        + "itself, or export the variable in 'setup' of the hosts, which a shell runs")
                return nil
            }
            values.append((member, text))
            return EnvironmentVariable(member.name, text)
        }
    }

    func check(_ sweep: Sweep) {
        for (field, text) in values {
            if let problem = Placeholders.ofRun.problem(text, sweep) { read.fail(field, problem) }
        }
    }

    /// The first `$NAME` or `${NAME}` of a text, which only a shell would replace; nil: there is none.
    static func reference(in text: String) -> String? {
        for piece in text.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
            let name = piece.drop { $0 == "{" }.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            if isName(String(name)) { return "$\(name)" }
        }
        return nil
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39 ~= first), name.utf8.count <= 100 else { return false }
        return name.utf8.allSatisfy {
            0x30...0x39 ~= $0 || 0x41...0x5a ~= $0 || 0x61...0x7a ~= $0 || $0 == 0x5f
        }
    }
}
