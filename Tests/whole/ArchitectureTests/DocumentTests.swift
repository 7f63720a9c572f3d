import Foundation
import Testing

@Suite("Documents say what is so")
struct DocumentTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let manual = "Sources/programs/usweep/Documentation.docc"
    private static let decisions = "ops/adr"

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// The manual, and what is beside the package.
    private static func documents() throws -> [String] {
        try Layers.documents.sorted().filter { $0.hasSuffix(".md") } + names(in: manual).map { "\(manual)/\($0)" }
    }

    @Test("They link to files that exist")
    func links() throws {
        for path in try Self.documents() {
            let folder = Self.root.appending(path: path).deletingLastPathComponent()
            for link in Documents.links(try Self.text(path)) {
                let isThere = FileManager.default.fileExists(atPath: folder.appending(path: link).path)
                #expect(isThere, "\(path) links to \(link)")
            }
        }
    }

    @Test("They are plain technical English, as far as a machine can tell")
    func wording() throws {
        for path in try Self.documents() where path != "CHANGELOG.md" {
            for violation in Wording.violations(document: SourceFile(path, try Self.text(path))) {
                Issue.record("\(violation)")
            }
        }
    }

    @Test("Every page of the manual is in its table of contents, and every page that is named is there")
    func pages() throws {
        let pages = try Self.names(in: Self.manual).map { $0.replacing(".md", with: "") }
        let contents = Documents.pages(try Self.text("\(Self.manual)/Documentation.md"))
        #expect(contents.sorted() == pages.filter { $0 != "Documentation" })
        for page in pages {
            let named = Documents.pages(try Self.text("\(Self.manual)/\(page).md"))
            #expect(named.allSatisfy(pages.contains), "\(page): \(named)")
        }
    }

    /// The cells of the rows of a table of the page Architecture, by its first column.
    private static func rows(_ header: String) throws -> [(key: String, cells: [String])] {
        let lines = try text("\(manual)/Architecture.md").split(separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { !$0.hasPrefix("| \(header) |") }.dropFirst(2).prefix { $0.hasPrefix("|") }.map { row in
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: [" ", "`"]) }
            return (cells[0], Array(cells.dropFirst()))
        }
    }

    @Test("The manual's wings and layers are those of the sources")
    func architecture() throws {
        let wings = try Self.rows("wing")
        #expect(wings.map(\.key).sorted() == Layers.wings.sorted())
        let targets = wings.flatMap { $0.cells[1].split(separator: ", ").map(String.init) }
        #expect(targets.sorted() == Layers.table.keys.sorted())
        let layers = try Self.rows("layer").flatMap { row in
            row.cells[0].split(separator: ", ").map { (String($0), Int(row.key) ?? -1) }
        }
        #expect(Dictionary(uniqueKeysWithValues: layers) == Layers.table)
        let library = Self.root.appending(path: "Sources/programs/Sessions")
        let inLibrary = try FileManager.default.contentsOfDirectory(atPath: library.path)
        #expect(try Self.rows("folder").map(\.key).sorted() == inLibrary.filter { !$0.hasSuffix(".swift") }.sorted())
    }

    @Test("Records of decisions have a number each, and what refers to one refers to one that is there")
    func records() throws {
        let names = try Self.names(in: Self.decisions)
        let titles = try names.map { name in
            (name, String(try Self.text("\(Self.decisions)/\(name)").prefix { $0 != "\n" }))
        }
        #expect(Documents.problems(ofRecords: Dictionary(uniqueKeysWithValues: titles)) == [])
        let sources = try ["Sources", "Tests"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path)
                .filter { path in [".swift", ".md", ".c"].contains(where: path.hasSuffix) }
                .map { "\(folder)/\($0)" }
        }
        for path in sources + (try Self.documents()) where !path.hasSuffix("DocumentTests.swift") {
            for record in Documents.records(try Self.text(path)) {
                #expect(names.contains { $0 == record || $0.hasPrefix("\(record)-") }, "\(path): \(record)")
            }
        }
    }

    @Test("Each promise of the README names a test that is there")
    func promises() throws {
        let promises = Documents.promises(try Self.text("README.md"))
        #expect(promises.count > 30)
        for (promise, links) in promises {
            let tests = links.filter { $0.hasPrefix("Tests/") || $0.hasPrefix("ops/") }
            #expect(!tests.isEmpty && tests.allSatisfy(Self.exists), "\(promise): \(links)")
        }
    }

    @Test("Links, pages, records and promises are found")
    func found() {
        #expect(
            Documents.links("[a](Sources/a.md#part) [b](https://x.org/b) [c](#here) `[d](no)` [e](e.md)")
                == ["Sources/a.md", "no", "e.md"])
        #expect(Documents.pages("see <doc:Metrics>, <doc:Limits>") == ["Metrics", "Limits"])
        #expect(Documents.records("in ops/adr/0002 and ops/adr/0003-a-b.md.") == ["0002", "0003-a-b.md"])
        let promises = Documents.promises(
            "x\n| promise | test |\n|---|---|\n| one | [t](Tests/t) |\n| two | none |\n\ny")
        #expect(promises.map(\.promise) == ["one", "two"] && promises.map(\.links) == [["Tests/t"], []])
        let titles = ["0001-a.md": "# A", "0001-b.md": "# B", "2-c.md": "# C", "0003-d.md": "# 3. D"]
        #expect(
            Documents.problems(ofRecords: titles).map { $0.prefix { $0 != ":" } }
                == ["0001-b.md has the number of 0001-a.md", "0003-d.md", "2-c.md"])
    }
}
