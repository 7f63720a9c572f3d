/// What documents say of files.
enum Documents {
    /// The files that a Markdown text links to, in their order, without what is elsewhere or on the page itself.
    static func links(_ text: String) -> [String] {
        text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
            .filter { !$0.contains("://") && !$0.hasPrefix("#") && !$0.hasPrefix("mailto:") }
            .map { String($0.prefix { $0 != "#" }) }
    }
}
