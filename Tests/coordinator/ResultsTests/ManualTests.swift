import Foundation
import Results
import Testing

@Suite("The manual's tables of columns")
struct ManualTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/programs/usweep/Documentation.docc/Tables.md").standardized

    @Test("Each column of runs is there, in its place, with what is in it")
    func runs() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let start = try #require(text.range(of: "| column of `runs` |"))
        let rows = text[start.upperBound...].split(separator: "\n").dropFirst(2).prefix { $0.hasPrefix("| `") }
        #expect(rows.map(String.init) == RunColumn.all.map { "| `\($0.name)` | \($0.meaning) |" })
    }
}
