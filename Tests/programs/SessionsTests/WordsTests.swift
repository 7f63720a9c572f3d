import Foundation
import Model
import Sessions
import SweepCore
import Testing

/// The page of words: each is used by another page, and the states are the code's.
@Suite("Words")
struct WordsTests {
    private static let page = Manual.pages.first { $0.name == "Words" }

    private static func rows(_ header: String) -> [[String]] {
        (page?.blocks ?? []).flatMap { block -> [[String]] in
            guard case .table(let rows) = block, rows.first?.first.map(ManualSpan.plain) == header else { return [] }
            return rows.dropFirst().map { $0.map(ManualSpan.plain) }
        }
    }

    /// Letters only, one space between words, and one at either end.
    private static func words(_ text: String) -> String {
        let parts = text.lowercased().split { !$0.isLetter }
        return " " + parts.joined(separator: " ") + " "
    }

    @Test("Each stands there once, in the order of the alphabet, with its meaning and a page that says more")
    func order() throws {
        let rows = Self.rows("word")
        #expect(rows.count > 40)
        #expect(rows.map { $0[0] } == Set(rows.map { $0[0] }).sorted())
        for row in rows { #expect(row.count == 3 && row[1].count > 20 && !row[2].isEmpty, "\(row)") }
    }

    @Test("Each is used by another page of the manual")
    func used() {
        let others = Manual.pages.filter { $0.name != "Words" }.map { Self.words($0.markup) }
        for word in Self.rows("word").map({ $0[0] }) {
            let isUsed = others.contains { $0.contains(" \(word) ") || $0.contains(" \(word)s ") }
            #expect(isUsed, "no page uses '\(word)'")
        }
    }

    @Test("The states of runs and hosts are those of the program, in its order")
    func states() {
        #expect(Self.rows("state of a run").map { $0[0] } == RunState.allCases.map(\.rawValue))
        #expect(Self.rows("state of a host").map { $0[0] } == HostView.Standing.allCases.map(\.word))
    }
}
