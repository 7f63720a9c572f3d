import Foundation
import Model
import Testing

@Suite("What is done about failures")
struct RemedyTests {
    private static let table = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/programs/usweep/Documentation.docc/Gem5.md").standardized

    /// The rows `| classes | how it is told | tried again |`.
    private func rows() throws -> [(classes: [String], rule: String)] {
        try String(contentsOf: Self.table, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, cells[0].hasPrefix("`") else { return nil }
            return (cells[0].split(separator: ",").map { $0.trimmingCharacters(in: ["`", " "]) }, cells[2])
        }
    }

    @Test("The table of the manual has every class, once, and tells the truth")
    func manual() throws {
        let rows = try rows()
        #expect(rows.flatMap(\.classes).sorted() == FailureClass.allCases.map(\.rawValue).sorted())
        for (classes, rule) in rows {
            for name in classes {
                let failure = try #require(FailureClass(rawValue: name))
                let word =
                    switch failure.remedy {
                    case .retryAnywhere: "yes, anywhere"
                    case .retryElsewhere: "yes, elsewhere"
                    case .retryUncounted: "yes, uncounted"
                    case .giveUp: "no"
                    }
                #expect(rule.hasPrefix(word), "\(name)")
            }
        }
    }
}
