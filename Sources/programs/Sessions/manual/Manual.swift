import CManual
import Model

/// A page of the manual, which the program has within it.
package struct ManualPage: Sendable {
    /// What people type after `usweep help`.
    package let topic: String
    /// By which other pages refer to it.
    package let name: String
    /// As it is in the catalogue.
    package let markup: String

    package init(topic: String, name: String, markup: String) {
        self.topic = topic
        self.name = name
        self.markup = markup
    }

    package var blocks: [ManualBlock] { ManualBlock.parse(markup) }

    /// The heading at the top.
    package var title: String {
        for case .heading(1, let spans) in blocks { return ManualSpan.plain(spans) }
        return topic
    }

    /// The question that the page answers: its first sentences.
    package var abstract: String {
        for case .paragraph(let spans) in blocks { return ManualSpan.plain(spans) }
        return ""
    }
}

/// The manual: one text for the terminal, for `man`, and for browsers.
package enum Manual {
    package static let pages: [ManualPage] = (0..<usweep_page_count()).map { index in
        let page = usweep_page(index)
        let bytes = UnsafeBufferPointer(start: page.text, count: page.size)
        return ManualPage(
            topic: String(cString: page.topic), name: String(cString: page.name),
            markup: String(decoding: bytes, as: UTF8.self))
    }

    /// The topic of a page that another refers to.
    static func topic(ofPage name: String) -> String { pages.first { $0.name == name }?.topic ?? name }

    /// A page by its topic or its name.
    ///
    /// - Parameter commands: what else can follow `usweep help`.
    /// - Throws: ``Failure`` (`usage`) where there is none, with the nearest.
    package static func page(_ topic: String, commands: [String]) throws -> ManualPage {
        if let page = pages.first(where: { $0.topic == topic || $0.name == topic }) { return page }
        let known = pages.map(\.topic) + commands
        let hint = Names.nearest(to: topic, in: known).map { "did you mean '\($0)'?" } ?? "see all: usweep help"
        throw Failure(.usage, "there is no command or page '\(Names.shown(topic))'; \(hint)")
    }

    /// The list of pages, a line each.
    package static var contents: String {
        let width = pages.reduce(0) { max($0, $1.topic.count) }
        return pages.map { page in
            let name = page.topic + String(repeating: " ", count: width - page.topic.count)
            return "  \(name)  \(page.title)"
        }.joined(separator: "\n")
    }
}
