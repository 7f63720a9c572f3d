import Foundation
import Model
import Testing
import Transports

@Suite("The manual's page on transports")
struct TransportTableTests {
    @Test("has every transport and every key in one table, and no other")
    func tables() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        let page = "\(root)/../../../Sources/programs/usweep/Documentation.docc/Reaching.md"
        let lines = try String(contentsOfFile: page, encoding: .utf8).split(separator: "\n")
        let rows = lines.filter { $0.hasPrefix("| `") && !$0.hasPrefix("| `transport`") }
        let cells = rows.map { row in
            row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let formats = TransportRegistry.formats
        #expect(cells.filter { $0.count == 2 }.map { $0[0] } == formats.map { "`\($0.name)`" })
        let keys = formats.flatMap(\.keys).reduce(into: [TransportFormat.Key]()) { keys, key in
            if !keys.contains(key) { keys.append(key) }
        }
        let expected = keys.map { key in
            let users = formats.filter { $0.keys.contains(key) }.map { "`\($0.name)`" }.joined(separator: ", ")
            return ["`\(key.name)`", users, key.meaning]
        }
        #expect(cells.filter { $0.count == 3 } == expected)
    }
}
