package import Model

/// Words of a command that name a variable, of an axis or of every account, as in a shell, where no shell reads them.
package enum UnreadVariables {
    /// - Returns: what to write; nil: there are none. The program may read such a word itself, so nothing is refused.
    package static func remark(_ sweep: Sweep) -> String? {
        let words = sweep.settings["command"]?.elements?.compactMap(\.text) ?? []
        for (index, word) in words.enumerated() {
            // A script behind -c is a shell's own.
            guard index == 0 || !isScriptOption(words[index - 1]), !word.contains(where: \.isWhitespace) else {
                continue
            }
            if let axis = sweep.allAxes.first(where: { isVariable(Names.variable(axis: $0.name), of: word) })?.name {
                let name = Names.variable(axis: axis)
                return "no shell replaces $\(name) in '\(Names.shown(word))'; write {\(axis)} in its place"
            }
            if let name = usual.first(where: { isVariable($0, of: word) }) {
                return "no shell replaces $\(name) in '\(Names.shown(word))'; write its value on the hosts, or let a "
                    + "shell run the command: [/bin/sh, -c, '...']"
            }
        }
        return nil
    }

    /// Those that people expect everywhere.
    private static let usual = ["HOME", "USER", "PWD", "TMPDIR", "PATH"]

    private static func isScriptOption(_ word: String) -> Bool { word.hasPrefix("-") && word.hasSuffix("c") }

    private static func isVariable(_ name: String, of word: String) -> Bool {
        if word.contains("${\(name)}") { return true }
        guard let found = word.firstRange(of: "$\(name)") else { return false }
        return word[found.upperBound...].first.map { $0.isLetter || $0.isNumber || $0 == "_" } != true
    }
}
