import Engines
import Foundation
import Model
import Sessions
@testable import SweepFiles
import Testing
import Transports

@testable import usweep

/// What can be pasted from the manual is right: commands parse, files are read.
@Suite("The manual's examples")
struct ManualExampleTests {
    /// A page, and a block of code on it.
    struct Example: Sendable, CustomTestStringConvertible {
        var page: String
        var language: String
        var lines: [String]
        var testDescription: String { "\(page): \(lines.first ?? "")" }
        var text: String { lines.joined(separator: "\n") + "\n" }
    }

    static let examples: [Example] = Manual.pages.flatMap { page in
        page.blocks.compactMap { block in
            guard case .code(let language, let lines) = block else { return nil }
            return Example(page: page.name, language: language, lines: lines)
        }
    }

    static func examples(_ language: String) -> [Example] { examples.filter { $0.language == language } }

    // MARK: Commands

    @Test(
        "Blocks of commands name commands that the program takes",
        arguments: examples.filter { $0.language != "yaml" })
    func blocks(_ example: Example) {
        for line in example.lines { Self.check(line, on: example.page) }
    }

    @Test("So do commands within sentences", arguments: Manual.pages.map(\.name))
    func sentences(page: String) throws {
        let markup = try Manual.page(page, commands: []).markup.replacing("\\|", with: "|")
        for match in markup.matches(of: /`(usweep [a-z][^`]*)`/) {
            let text = String(match.1)
            // Shapes, as of the table of commands: `usweep status [ID]`.
            if text.contains("[") || text.contains("...") || text.contains("|") { continue }
            Self.check(text, on: page, isWhole: false)
        }
    }

    /// - Parameter isWhole: whether nothing may be missing.
    private static func check(_ line: String, on page: String, isWhole: Bool = true) {
        for words in ShellLine(line).commands where words.first == "usweep" {
            if let problem = Commands.problem(Array(words.dropFirst())) {
                let isMissing = ["Missing expected", "Name an inventory"].contains(where: problem.hasPrefix)
                if !isWhole, isMissing { continue }
                Issue.record("\(page): '\(line)': \(problem)")
            }
        }
    }

    @Test("A line of a shell is taken apart")
    func shellLines() {
        #expect(ShellLine("a 'b c'  # d").commands == [["a", "b c"]])
        #expect(ShellLine("a | b \"c|d\" > e; f && g").commands == [["a"], ["b", "c|d"], ["f"], ["g"]])
        #expect(ShellLine("0) usweep x ;;").commands == [["usweep", "x"]])
        #expect(ShellLine("zcat a | usweep b -").commands.last == ["usweep", "b", "-"])
    }

    @Test(
        "A command that does not parse is found",
        arguments: ["usweep launch a.yaml -i b.yaml --detatch", "usweep lanch", "usweep results --table run"])
    func wrong(line: String) throws {
        let words = try #require(ShellLine(line).commands.first)
        #expect(Commands.problem(Array(words.dropFirst())) != nil)
    }

    // MARK: On a terminal

    @Test("A page fits 80 columns, but for words that are longer", arguments: Manual.pages.map(\.name))
    func width(page: String) throws {
        for line in TerminalPage.lines(of: try Manual.page(page, commands: [])) where line.count > 80 {
            let words = line.split(separator: " ")
            // Sources and formats are for developers.
            #expect(words.count == 1 || ["Formats", "Extending", "Architecture"].contains(page), "\(line)")
        }
    }

    @Test("Tables, lists and code are laid out", arguments: [false, true])
    func layout(isBold: Bool) {
        let markup = """
            # A page

            The key `a` of **it**, see <doc:Limits>.

            - one

            2. two

            | name | what it is |
            |---|---|
            | `x` | a `y\\|z` |

            """
        let lines = TerminalPage.lines(
            of: ManualPage(topic: "t", name: "T", markup: markup), width: 40, isBold: isBold)
        let plain = [
            "A PAGE", "", "  The key 'a' of it, see 'usweep help", "  limits'.", "", "  - one", "", "  1. two", "",
            "  name  what it is", "  x     a 'y|z'",
        ]
        if !isBold { #expect(lines == plain) }
        let bare = lines.map { $0.replacing("\u{1b}[1m", with: "").replacing("\u{1b}[0m", with: "") }
        if isBold { #expect(bare.map { $0.replacing("'", with: "") } == plain.map { $0.replacing("'", with: "") }) }
        #expect(lines.contains { $0.contains("\u{1b}[1ma") } == isBold)
    }

    // MARK: Files

    @Test("Sweep files and inventories are read; parts of them have keys that there are", arguments: examples("yaml"))
    func files(_ example: Example) throws {
        let keys = example.text.matches(of: /(?m)^([a-z_]+):/).map { String($0.1) }
        try #require(!keys.isEmpty)
        let folder = try Self.fixtures()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if keys.contains("sweep") {
            _ = try SweepFile.parse(example.text, file: example.page, folder: folder)
        } else if keys.contains("defaults") || keys.contains("store")
            || keys == ["hosts"] && !example.text.contains("hosts: {")
        {
            let whole = keys.contains("hosts") ? example.text : example.text + "hosts: [node1]\n"
            _ = try InventoryFile.parse(
                whole, file: example.page, folder: folder, transports: TransportRegistry.formats)
        } else {
            let known = SweepReader.keys + ManifestReader.keys
            #expect(keys.allSatisfy(known.contains), "\(keys)")
        }
    }

    @Test("There are examples in each of these languages", arguments: ["yaml", "json", "sh"])
    func languages(_ language: String) { #expect(!Self.examples(language).isEmpty) }

    @Test("JSON is JSON", arguments: examples("json"))
    func json(_ example: Example) throws {
        _ = try JSON(parsing: Array(example.text.utf8), file: example.page)
    }

    @Test("The first example of the page about sweep files has as many runs as the page says")
    func count() throws {
        let folder = try Self.fixtures()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let example = try #require(Self.examples("yaml").first { $0.page == "SweepFile" })
        let sweep = try SweepFile.parse(example.text, file: "example", folder: folder)
        let points = try Points(sweep, recipe: "")
        let page = try Manual.page("sweep-file", commands: []).markup
        #expect(page.contains("\(points.count * sweep.measure.repeats) runs"), "\(points.count)")
    }

    /// The files that the examples name.
    private static func fixtures() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usweep-manual-\(UUID())").path
        let files = [
            "simulate", "run.sh", "my.py", "functions.list", "traces/fibonacci.trc", "traces/aes.trc", "tables/a",
            "guest/vmlinux", "guest/disk.img",
        ]
        for file in files {
            let path = URL(filePath: "\(folder)/\(file)")
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            let text = file == "functions.list" ? "fibonacci\naes\n" : "x\n"
            try text.write(to: path, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path.path)
        }
        return folder
    }
}

/// As much of a shell's grammar as the manual's lines need.
struct ShellLine {
    /// The words of each command, without what it reads from and writes to.
    private(set) var commands: [[String]] = []
    private var words: [String] = []
    private var word: String?
    private var skips = false

    init(_ line: String) {
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
                continue
            }
            switch character {
            case "'", "\"":
                quote = character
                word = word ?? ""
            case "#" where word == nil:
                endCommand()
                return
            case " ": endWord()
            case "|", ";", "&": endCommand()
            case ">", "<":
                endWord()
                skips = true
            case ")":
                // A case of `case`.
                word = nil
                words = []
            default: word = (word ?? "") + String(character)
            }
        }
        endCommand()
    }

    private mutating func endWord() {
        if let word, !skips { words.append(word) }
        if word != nil { skips = false }
        word = nil
    }

    private mutating func endCommand() {
        endWord()
        if !words.isEmpty { commands.append(words) }
        words = []
    }
}
