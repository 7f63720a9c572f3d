import Engines
import Model

/// Reads which files of a run come back from its host.
struct ArtifactsReader {
    static let keys = ["keep", "leave", "most"]

    let read: FieldReader

    /// - Parameter always: the files that come back whatever is said here.
    func rule(_ field: Field, always: [String]) -> ArtifactRule {
        var rule = ArtifactRule()
        for member in read.members(field.value, path: field.path, known: ArtifactsReader.keys) ?? [] {
            switch member.name {
            case "keep": rule.keep = patterns(member, refused: [])
            case "leave": rule.leave = patterns(member, refused: always)
            case "most": rule.most = read.bytes(member)
            default: break  // Noted already.
            }
        }
        return rule
    }

    private func patterns(_ field: Field, refused: [String]) -> [String] {
        var patterns: [String] = []
        for element in read.list(field) ?? [] {
            guard let text = read.text(element), isUsable(text, element) else { continue }
            let isName = !text.contains("*") && !text.contains("?")
            if isName, let needed = refused.first(where: { ArtifactRule.pattern(text, means: $0) }) {
                read.fail(element, "'\(needed)' is needed to judge a run, and always comes back; remove it")
            } else {
                patterns.append(text)
            }
        }
        return patterns
    }

    private func isUsable(_ text: String, _ element: Field) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = parts.last, !parts.contains(".."), !parts.contains("."), !parts.dropLast().contains("") else {
            read.fail(
                element, "'\(Names.shown(text))' is not a path in a run's folder; write one like 'traces/*.bin', "
                    + "without a leading / or ./")
            return false
        }
        guard !last.isEmpty else {
            let folder = Names.shown(text)
            read.fail(
                element, text.isEmpty ? "a pattern is empty; write one like '*.txt'"
                    : "'\(folder)' names a folder; write '\(folder)*' for all files in it")
            return false
        }
        return true
    }
}
