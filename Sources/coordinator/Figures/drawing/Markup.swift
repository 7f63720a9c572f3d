/// Text from anywhere as a part of a page.
public enum Markup {
    /// As the content of an element or the value of an attribute. Characters that turn the direction of writing, or
    /// that cannot be seen, are shown as escapes.
    public static func escaped(_ text: String) -> String { SVGText.escaped(text) }

    /// As ``escaped(_:)``, with its lines kept.
    public static func escaped(lines text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { SVGText.escaped(String($0)) }
            .joined(separator: "\n")
    }
}
