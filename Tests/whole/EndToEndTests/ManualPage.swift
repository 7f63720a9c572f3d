import Foundation

/// A page of the manual, or the README, as far as what it shows can be tried.
struct ManualPage {
    struct Block {
        var language: String
        var text: String
    }

    let name: String
    let text: String
    /// What stands between lines of three backquotes.
    let blocks: [Block]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardized
    private static let manual = "Sources/programs/usweep/Documentation.docc"

    /// - Parameter path: in the repository.
    init(path: String) throws {
        let file = ManualPage.root.appending(path: path)
        name = file.deletingPathExtension().lastPathComponent
        text = try String(contentsOf: file, encoding: .utf8)
        blocks = text.matches(of: /(?ms)^```([a-z]*)\n(.*?)^```$/).map {
            Block(language: String($0.1), text: String($0.2))
        }
    }

    init(_ name: String) throws { try self.init(path: "\(ManualPage.manual)/\(name).md") }

    /// The manual in the order of its names, and the README.
    static func all() throws -> [ManualPage] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: manual).path).sorted()
        return try names.map { try ManualPage(path: "\(manual)/\($0)") } + [ManualPage(path: "README.md")]
    }

    /// What a shell is given: blocks of its language, and in the README indented lines of the program.
    var commands: [String] {
        let indented = name == "README" ? text.matches(of: /(?m)(?:^    usweep .*\n)+/).map { String($0.0) } : []
        return blocks.filter { $0.language == "sh" }.map(\.text) + indented
    }

    /// Blocks of no language: what the program prints, mostly.
    var shown: [String] { blocks.filter(\.language.isEmpty).map(\.text) }

    /// Sweep files that the page shows, by the sweep's name.
    var sweeps: [(name: String, text: String)] {
        blocks.filter { $0.language == "yaml" }.compactMap { block in
            block.text.firstMatch(of: /(?m)^sweep: (\S+)/).map { (String($0.1), block.text) }
        }
    }
}

/// Output without what differs from one time to the next: numbers, identifiers, processes.
enum Shape {
    /// Line by line.
    static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { line in
            String(line).replacing(/; others: .*/, with: "")
                .replacing(/\b[a-z]+-[a-z][a-z0-9]{7}\b/, with: "SWEEP").replacing(/\b[0-9]+(\.[0-9]+)?\b/, with: "N")
        }
    }

    /// Of text that is broken into lines anywhere.
    static func words(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return lines(line.replacing(/\S+ \([0-9]+\) sleeps( in \w+)?( \(system call [0-9]+\))?/, with: "PROCESS"))
            .joined()
    }
}
