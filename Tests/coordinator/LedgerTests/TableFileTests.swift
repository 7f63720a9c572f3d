import Foundation
import GRDB
import Ledger
import Model
import Testing

@Suite("Tables for others to read")
struct TableFileTests {
    @Test("Numbers are numbers, texts texts, nothing NULL; hostile and colliding names are columns")
    func values() throws {
        let folder = try Folder()
        let path = folder.file("t.sqlite")
        let file = try TableFile(path)
        try file.add("results", columns: ["IPC", "ipc", "a\"b; DROP TABLE x", "ipc.2"]) { add in
            try add([.number("1.50"), .number("9007199254740993"), .text("010"), .null])
            try add([.number("-2"), .number("123456789012345678901"), .text("$(touch x)"), .number("1e3")])
        }
        try file.add("runs", columns: ["run"]) { _ in }
        #expect(folder.read("t.sqlite") == nil, "not before it is complete")
        try file.finish()
        let rows = try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: "SELECT * FROM results") }
        #expect(Array(rows[0].columnNames) == ["IPC", "ipc.2", "a\"b; DROP TABLE x", "ipc.2.2"])
        let first: [any DatabaseValueConvertible] = [1.5, 9_007_199_254_740_993, "010", DatabaseValue.null]
        let second: [any DatabaseValueConvertible] = [-2, 123_456_789_012_345_678_901.0, "$(touch x)", 1_000.0]
        #expect(Array(rows[0].databaseValues) == first.map(\.databaseValue))
        #expect(Array(rows[1].databaseValues) == second.map(\.databaseValue))
    }

    @Test("What fails leaves nothing, and what was there before")
    func failures() throws {
        let folder = try Folder()
        folder.write("t.sqlite", [1, 2, 3])
        let found = #expect(throws: Failure.self) {
            let file = try TableFile(folder.file("t.sqlite"))
            try file.add("results", columns: (0..<2_001).map { "c\($0)" }) { _ in }
        }
        #expect(found?.code == .usage && found?.message.contains("--metric") == true)
        #expect(folder.read("t.sqlite") == [1, 2, 3])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["t.sqlite"])
        #expect(throws: Failure.self) { _ = try TableFile("/proc/none/t.sqlite") }
    }

    @Test("A name as long as names can be")
    func longName() throws {
        let folder = try Folder()
        let name = String(repeating: "n", count: 255)
        let file = try TableFile(folder.file(name))
        try file.add("results", columns: ["value"]) { row in try row([.number("7")]) }
        try file.finish()
        #expect(folder.read(name) != nil)
    }
}
