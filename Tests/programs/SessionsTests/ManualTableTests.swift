import Engines
import Figures
import Foundation
import Model
import Results
import Sessions
@testable import SweepFiles
import Testing
import Transports

@testable import usweep

/// Whatever can be named is in exactly one table of the manual, and the tables name nothing else.
@Suite("The manual's tables are the code's")
struct ManualTableTests {
    /// A table with the page that it is on.
    private struct PageTable {
        var page: String
        var header: [String]
        var rows: [[String]]
    }

    private static let tables: [PageTable] = Manual.pages.flatMap { page in
        page.blocks.compactMap { block in
            guard case .table(let rows) = block, let header = rows.first else { return nil }
            return PageTable(
                page: page.name, header: header.map(ManualSpan.plain),
                rows: rows.dropFirst().map { $0.map(ManualSpan.plain) })
        }
    }

    /// The first cells of the tables whose first column has some header, on some pages.
    private static func names(_ header: String, on pages: [String]? = nil) -> [String] {
        tables.filter { $0.header.first == header && pages?.contains($0.page) ?? true }.flatMap { table in
            table.rows.flatMap { $0[0].components(separatedBy: ", ") }
        }
    }

    @Test("Each page of the catalogue is in the program, with a title, a question and a topic")
    func pages() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/programs/usweep/Documentation.docc").standardized
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(Manual.pages.map { "\($0.name).md" }) == Set(files).subtracting(["Documentation.md"]))
        #expect(Set(Manual.pages.map(\.topic)).count == Manual.pages.count)
        for page in Manual.pages {
            #expect(page.title != page.topic && !page.abstract.isEmpty, "\(page.name)")
            #expect(page.markup.utf8.elementsEqual(try Data(contentsOf: folder.appending(path: "\(page.name).md"))))
            // `usweep help COMMAND` is the command's help.
            #expect(Commands.find([page.topic]) == nil, "\(page.topic)")
        }
    }

    @Test("Keys of a sweep file: those of all engines on one page, those of each on another")
    func sweepKeys() {
        let groups = SweepReader.groups.flatMap { group, keys in keys.map { "\(group).\($0)" } }
        let listed = Self.names("key", on: ["SweepFile"])
        #expect(listed.sorted() == (SweepReader.common + groups).sorted())
        let own = EngineRegistry.all.flatMap(\.keys).map(\.name)
        #expect(Set(own).isDisjoint(with: listed))
        // Every other key that is a sweep's is in the chapters of the engines: see ReferenceTests.
        #expect(Set(own).isSubset(of: Self.names("key", on: ["Reference"])))
    }

    @Test("Keys of an inventory: those of all hosts on one page, those of transports on another")
    func inventoryKeys() {
        let own = InventoryReader.ofInventories + InventoryReader.ofDefaults.map { "defaults.\($0)" }
        let listed = Self.names("key", on: ["InventoryFile"])
        #expect(listed.sorted() == (own + InventoryReader.ofHosts + InventoryReader.common).sorted())
        let ofTransports = Set(TransportRegistry.formats.flatMap(\.keys).map(\.name))
        #expect(Self.names("key", on: ["Reaching"]).sorted() == ofTransports.sorted())
    }

    @Test("Keys of a workload's manifest")
    func manifestKeys() {
        #expect(Self.names("key of workload.yaml").sorted() == ManifestReader.keys.sorted())
    }

    @Test("Keys of a cluster")
    func clusterKeys() { #expect(Self.names("key of slurm").sorted() == SlurmReader.keys.sorted()) }

    @Test("No other table has keys")
    func keyTables() {
        let pages = Set(Self.tables.filter { $0.header.first == "key" }.map(\.page))
        #expect(pages == ["SweepFile", "InventoryFile", "Reference", "Reaching"])
    }

    @Test("Axes and metrics: in the chapters of the engines only, which ReferenceTests compares with the descriptors")
    func axesAndMetrics() {
        for header in ["axis", "metric"] {
            let pages = Set(Self.tables.filter { $0.header.first == header }.map(\.page))
            #expect(pages == ["Reference"], "\(header)")
        }
        let metrics = EngineRegistry.all.flatMap { $0.metrics(.object([])) ?? [] }.map(\.name)
        #expect(Self.names("metric").sorted() == metrics.sorted())
        let axes = EngineRegistry.all.flatMap { $0.parameters(.object([])).known }.map(\.name)
        #expect(Self.names("axis").sorted() == axes.sorted())
    }

    @Test("A page that is looked up begins with an example, and then has its tables")
    func order() {
        // These explain, and have their examples where they belong.
        let others: Set = ["Hosts", "Resuming", "Architecture", "Formats", "Extending"]
        for page in Manual.pages where !others.contains(page.name) {
            let first = page.blocks.first { block in
                switch block {
                case .code, .table: true
                default: false
                }
            }
            guard case .code = first else {
                Issue.record("\(page.name) begins with a table")
                continue
            }
        }
    }

    @Test("Failure classes")
    func classes() { #expect(Self.names("class").sorted() == FailureClass.allCases.map(\.rawValue).sorted()) }

    @Test("Kinds of figures, with what they show")
    func figureKinds() {
        let rows = Self.tables.filter { $0.page == "Figures" && $0.header.first == "kind" }.flatMap(\.rows)
        #expect(rows == FigureKind.allCases.map { [$0.rawValue, $0.meaning] })
    }

    @Test("Columns of all tables")
    func columns() {
        #expect(Self.names("column").sorted() == Table.fixedColumns.sorted())
        #expect(Self.names("column of runs") == RunColumn.all.map(\.name))
        #expect(Self.names("column of summary") == SummaryColumns.all.map(\.name))
        #expect(Self.names("column of comparison") == ComparisonColumns.all.map(\.name))
    }

    @Test("Commands, each with what it takes")
    func commands() {
        let named = Self.names("command").compactMap { text -> String? in
            let words = text.split(separator: " ").dropFirst().prefix { $0.allSatisfy(\.isLowercase) }
            return words.joined(separator: " ")
        }
        #expect(named.sorted() == Commands.leaves.sorted())
    }

    @Test("Exit codes")
    func exitCodes() {
        let codes: [Failure.Code] = [
            .internalError, .usage, .badSpecification, .missingFile, .storage, .noHost, .heldElsewhere, .badMessage,
            .badArchive, .badData, .refused,
        ]
        let known = [0, ExitStatus.someRunsFailed, ExitStatus.differs, ExitStatus.outOfTime, ExitStatus.interrupted]
            + codes.map(\.exitStatus)
        #expect(Self.names("exit status") == Set(known).sorted().map(String.init))
    }

    @Test("Variables that the sources read or set")
    func variables() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Sources")
            .standardized
        var found: Set<String> = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: sources.path) where path.hasSuffix(".swift") {
            let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
            guard !path.hasSuffix("Templates.swift") else { continue }
            for match in text.matches(of: /"(USWEEP_[A-Z0-9_]*[A-Z0-9])[="]/) { found.insert(String(match.1)) }
        }
        #expect(found.count > 10)
        let listed = Self.names("variable").filter { $0.wholeMatch(of: /USWEEP_[A-Z0-9_]*[A-Z0-9]/) != nil }
        #expect(listed.sorted() == found.sorted())
    }
}
