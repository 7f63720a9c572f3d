import Foundation

/// What documents say of files.
enum Documents {
    /// The files that a Markdown text links to, in their order, without what is elsewhere or on the page itself.
    static func links(_ text: String) -> [String] {
        text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
            .filter { !$0.contains("://") && !$0.hasPrefix("#") && !$0.hasPrefix("mailto:") }
            .map { String($0.prefix { $0 != "#" }) }
    }

    /// The pages of the manual that a page refers to, in their order.
    static func pages(_ text: String) -> [String] { text.matches(of: /<doc:([^>]+)>/).map { String($0.1) } }

    /// The records of decisions that a text refers to, as `ops/adr/0002` or with the file's whole name.
    static func records(_ text: String) -> [String] {
        text.matches(of: /ops\/adr\/([0-9][0-9a-z-]*(\.md)?)/).map { String($0.1) }
    }

    /// What is wrong with the names of the records of decisions.
    ///
    /// - Parameter titles: the first line of each, by the file's name.
    static func problems(ofRecords titles: [String: String]) -> [String] {
        var problems: [String] = []
        var first: [Substring: String] = [:]
        for (name, title) in titles.sorted(by: { $0.key < $1.key }) {
            guard name.wholeMatch(of: /[0-9]{4}(-[a-z0-9]+)+\.md/) != nil else {
                problems.append("\(name): write a number of four digits and words, as in 0042-what-was-decided.md")
                continue
            }
            if let other = first.updateValue(name, forKey: name.prefix(4)) {
                problems.append("\(name) has the number of \(other)")
            }
            if title.wholeMatch(of: /# [A-Za-z].*/) == nil {
                problems.append("\(name): its title is '\(title)'; write it without a number")
            }
        }
        return problems
    }

    /// The rows of README's table of promises: what is promised, and the files behind it.
    static func promises(_ readme: String) -> [(promise: String, links: [String])] {
        let lines = readme.split(separator: "\n", omittingEmptySubsequences: false)
        let rows = lines.drop { $0 != "| promise | test |" }.dropFirst(2).prefix { $0.hasPrefix("|") }
        return rows.map { row in
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return (cells.first ?? "", cells.count == 2 ? links(cells[1]) : [])
        }
    }
}
