import Model
import Testing

@testable import Results

@Suite("Rows in an order that somebody asked for")
struct RowOrderTests {
    private let columns = ["run", "size", "-x", "cpi"]

    /// The runs' numbers in the order that comes out.
    private func runs(_ sort: [String], _ rows: [[Cell]]) throws -> [String] {
        let order = try RowOrder(sort, columns: columns)
        var all = rows.map { (keys: order.keys(of: $0), row: $0) }
        order.sort(&all)
        return all.map { $0.row[0].text }
    }

    private func row(_ run: Int, _ size: String, _ cpi: Cell, _ x: Cell = .empty) -> [Cell] {
        [.integer(run), .text(size), x, cpi]
    }

    private var rows: [[Cell]] {
        [
            row(1, "1MiB", .number("10")), row(2, "256KiB", .number("9.5")), row(3, "none", .empty),
            row(4, "0", .number("-1e3")), row(5, "1024KiB", .number("9.50")), row(6, "node10", .empty),
            row(7, "node2", .number("9007199254740993")), row(8, "2ms", .number("9007199254740992")),
        ]
    }

    @Test("Numbers go by value, to the last digit; rows without one are last in both directions")
    func numbers() throws {
        #expect(try runs(["cpi"], rows) == ["4", "2", "5", "1", "8", "7", "3", "6"])
        #expect(try runs(["-cpi"], rows) == ["7", "8", "1", "2", "5", "4", "3", "6"])
    }

    @Test("Sizes and times go by value, words behind them by the numbers in them")
    func sizes() throws {
        #expect(try runs(["size"], rows) == ["4", "2", "1", "5", "8", "7", "6", "3"])
        #expect(try runs(["-size"], rows) == ["3", "6", "7", "8", "1", "5", "2", "4"])
    }

    @Test("Among equal rows the next column decides, and at last the order of the runs")
    func several() throws {
        #expect(try runs(["size,-run"], rows).prefix(4) == ["4", "2", "5", "1"])
        #expect(try runs(["size", "-run"], rows).prefix(4) == ["4", "2", "5", "1"])
        #expect(try runs([], rows) == (1...8).map { "\($0)" })
    }

    @Test("A column whose name begins with '-' is meant as it is")
    func hyphen() throws {
        let rows = [row(1, "", .empty, .number("2")), row(2, "", .empty, .number("1"))]
        #expect(try runs(["-x"], rows) == ["2", "1"])
        #expect(try runs(["--x"], rows) == ["1", "2"])
    }

    @Test("Zeros before a number, and one text that is the beginning of another", arguments: [
        (["a10", "a9", "a"], ["a", "a9", "a10"]), (["a01", "a1", "a001"], ["a1", "a01", "a001"]),
        (["b1c2", "b1c10", "b1b9"], ["b1b9", "b1c2", "b1c10"]), (["x-2", "x-10"], ["x-2", "x-10"]),
    ])
    func natural(_ words: [String], _ sorted: [String]) throws {
        let order = try RowOrder(["w"], columns: ["w"])
        var all = words.map { (keys: order.keys(of: [.text($0)]), row: $0) }
        order.sort(&all)
        #expect(all.map(\.row) == sorted)
    }

    @Test("An unknown column is refused with the nearest one")
    func unknown() {
        let one = #expect(throws: Failure.self) { try RowOrder(["-cpii"], columns: columns) }
        #expect(one?.code == .usage && one?.message == "--sort -cpii: no such column; did you mean 'cpi'?")
        let quotes = #expect(throws: Failure.self) { try RowOrder(["a\"b"], columns: columns) }
        #expect(quotes?.message.hasPrefix("--sort a\"b: ") == true)
    }
}
