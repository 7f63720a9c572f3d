import Foundation
import Model
import Testing

@Suite("What is done about failures")
struct RemedyTests {
    private static let table = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/programs/usweep/Documentation.docc/FailureClasses.md").standardized

    /// The rows `| class | how it is told | tried again | the run is then | what to do |`.
    private func rows() throws -> [[String]] {
        try String(contentsOf: Self.table, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: [" ", "`"]) }
            return cells.count == 5 && line.hasPrefix("| `") ? cells : nil
        }
    }

    @Test("The table of the manual has every class, once, and tells the truth")
    func manual() throws {
        let rows = try rows()
        #expect(rows.map { $0[0] }.sorted() == FailureClass.allCases.map(\.rawValue).sorted())
        for row in rows {
            let failure = try #require(FailureClass(rawValue: row[0]))
            let word =
                switch failure.remedy {
                case .retryAnywhere: "yes, anywhere"
                case .retryElsewhere: "yes, elsewhere"
                case .retryUncounted: "yes, uncounted"
                case .giveUp: "no"
                }
            #expect(Array(row[2...]) == [word, failure.finalState.rawValue, failure.advice])
        }
    }
}
