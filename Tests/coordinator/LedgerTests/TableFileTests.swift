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
            try add([.number("-2"), .number("12345678901234567"), .text("$(touch x)"), .number("1e3")])
        }
        try file.add("runs", columns: ["run"]) { _ in }
        #expect(folder.read("t.sqlite") == nil, "not before it is complete")
        try file.finish()
        let rows = try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: "SELECT * FROM results") }
        #expect(Array(rows[0].columnNames) == ["IPC", "ipc.2", "a\"b; DROP TABLE x", "ipc.2.2"])
        let first: [any DatabaseValueConvertible] = [1.5, 9_007_199_254_740_993, "010", DatabaseValue.null]
        let second: [any DatabaseValueConvertible] = [-2.0, 12_345_678_901_234_567, "$(touch x)", 1_000.0]
        #expect(Array(rows[0].databaseValues) == first.map(\.databaseValue))
        #expect(Array(rows[1].databaseValues) == second.map(\.databaseValue))
    }

    @Test("Columns have the type that keeps every digit, and tell other programs what is in them")
    func types() throws {
        let folder = try Folder()
        let file = try TableFile(folder.file("t.sqlite"))
        typealias Column = (
            name: String, type: String, values: [TableFile.Value], stored: [any DatabaseValueConvertible]
        )
        let columns: [Column] = [
            ("i", "INTEGER", [.number("3"), .number("-9223372036854775808")], [3, Int64.min]),
            ("r", "REAL", [.number("3"), .number("0.25")], [3.0, 0.25]),
            ("n", "NUMERIC", [.number("9007199254740993"), .number("0.5")], [9_007_199_254_740_993, 0.5]),
            ("u", "TEXT", [.number("18446744073709551615"), .number("1")], ["18446744073709551615", "1"]),
            ("e", "TEXT", [.null, .null], [DatabaseValue.null, DatabaseValue.null]),
            ("x", "INTEGER", [.setting("4"), .setting("16")], [4, 16]),
            ("y", "REAL", [.setting("0.50"), .setting("16")], [0.5, 16.0]),
            ("size", "TEXT", [.setting("64KiB"), .setting("16")], ["64KiB", "16"]),
            ("zeros", "TEXT", [.setting("010"), .setting("1")], ["010", "1"]),
            ("words", "TEXT", [.setting("on"), .setting("1e3")], ["on", "1e3"]),
        ]
        try file.add("t", columns: columns.map(\.name)) { add in
            for row in 0..<2 { try add(columns.map { $0.values[row] }) }
        }
        try file.finish()
        try DatabaseQueue(path: folder.file("t.sqlite")).read { db in
            let types = try String.fetchAll(db, sql: "SELECT type FROM pragma_table_info('t')")
            #expect(types == columns.map(\.type))
            let rows = try Row.fetchAll(db, sql: "SELECT * FROM t")
            for row in 0..<2 {
                #expect(Array(rows[row].databaseValues) == columns.map { $0.stored[row].databaseValue })
            }
        }
    }

    @Test("A value of another type that comes between the passes changes the type, and loses nothing")
    func race() throws {
        let folder = try Folder()
        let file = try TableFile(folder.file("t.sqlite"))
        var passes = 0
        try file.add("t", columns: ["v"]) { add in
            passes += 1
            try add([.number("1")])
            if passes > 1 { try add([.number("18446744073709551615")]) }
        }
        try file.finish()
        #expect(passes == 3)
        let queue = try DatabaseQueue(path: folder.file("t.sqlite"))
        let values = try queue.read { try String.fetchAll($0, sql: "SELECT v FROM t") }
        #expect(values == ["1", "18446744073709551615"])
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
