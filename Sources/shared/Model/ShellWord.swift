/// Text as one word of a POSIX shell.
public enum ShellWord {
    /// In quotes, whatever it is.
    public static func quoted(_ text: String) -> String {
        var quoted = "'"
        // By scalars: a quote with a combining mark behind it is another character, and to a shell it is a quote.
        for scalar in text.unicodeScalars {
            if scalar == "'" { quoted += #"'\''"# } else { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "'"
    }

    /// As people would type it: in quotes only where it needs them.
    public static func of(_ text: String) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+@%:,=".contains($0)) }
        return isPlain && !text.isEmpty ? text : quoted(text)
    }
}
