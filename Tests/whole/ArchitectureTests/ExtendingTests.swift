import Foundation
import Testing

@Suite("How many files an addition touches")
struct ExtendingTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private struct Patch {
        var created: [String] = []
        var changed: [String] = []
        /// Lines that are added to sources that were there.
        var addedLines = 0

        init(_ text: String) {
            var isCounted = false
            var isNew = false
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("diff --git ") { isNew = false }
                if line.hasPrefix("new file") { isNew = true }
                if line.hasPrefix("+++ b/") {
                    let path = String(line.dropFirst(6))
                    if isNew { created.append(path) } else { changed.append(path) }
                    isCounted = !isNew && !path.hasSuffix(".md")
                } else if line.hasPrefix("+"), isCounted {
                    addedLines += 1
                }
            }
        }
    }

    private static func patch(_ name: String) throws -> Patch {
        Patch(try String(contentsOf: root.appending(path: "ops/extending/\(name).patch"), encoding: .utf8))
    }

    @Test(
        "The manual's table is what the patches do",
        arguments: [
            ("an engine", "engine"), ("a transport", "transport"), ("a failure class", "failure-class"),
            ("a column", "column"), ("a command", "command"),
        ])
    func table(row: String, name: String) throws {
        let page = Self.root.appending(path: "Sources/programs/usweep/Documentation.docc/Extending.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("| \(row) |") })
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        let patch = try Self.patch(name)
        let pages = patch.changed.filter { $0.hasSuffix(".md") }
        #expect(cells[1] == "\(patch.created.count)", "\(patch)")
        #expect(cells[2] == "\(patch.changed.count - pages.count) + \(pages.count)", "\(patch)")
        for path in patch.changed {
            let file = String(path.split(separator: "/").last ?? "")
            #expect(cells[3].contains(path) || path.hasSuffix(".md") && cells[3].contains(file), "\(path)")
            let isThere = FileManager.default.fileExists(atPath: Self.root.appending(path: path).path)
            #expect(isThere, "\(path)")
        }
        for path in patch.created {
            #expect(cells[3].contains(path.split(separator: "/").prefix(2).joined(separator: "/")), "\(path)")
        }
    }

    @Test(
        "An engine, a transport and a command are registered by one line",
        arguments: ["engine", "transport", "command"])
    func oneLine(name: String) throws { #expect(try Self.patch(name).addedLines == 1) }

    @Test("The patches still fit", arguments: ["engine", "transport", "failure-class", "column", "command"])
    func fit(name: String) throws {
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.currentDirectoryURL = Self.root
        git.arguments = ["git", "apply", "--check", "ops/extending/\(name).patch"]
        let errors = Pipe()
        git.standardError = errors
        try git.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        git.waitUntilExit()
        #expect(git.terminationStatus == 0, "\(text)")
    }
}
