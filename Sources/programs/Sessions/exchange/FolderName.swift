import Ledger
import Model

/// Names of folders that say what is in them.
enum FolderName {
    /// The text with `_` for whatever a shell or a file system could take for something else.
    static func plain(_ text: String) -> String {
        String(
            text.map { character in
                character.isASCII && (character.isLetter || character.isNumber || "=,._+-".contains(character))
                    ? character : "_"
            })
    }

    /// A run's: its number and what it is, as `3-aes-python-l2.size=1MiB`. What would make it too long is left out.
    static func of(_ plan: PlannedRun, _ view: SweepView) -> String {
        var name = "\(plan.run)"
        for word in view.words(of: plan) {
            let longer = "\(name)-\(plain(word))"
            if longer.count <= longest { name = longer }
        }
        return name
    }

    /// File systems take 255 bytes, and people read less.
    private static let longest = 120
}
