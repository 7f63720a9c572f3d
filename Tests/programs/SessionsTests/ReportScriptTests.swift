import Figures
import Foundation
import Testing

/// What the script of a report does without a browser.
@Suite struct ReportScriptTests {
    private static let node = "/usr/bin/node"
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Sources/programs/CReport/report.js").standardized

    @Test(
        "A bound in the report's filter is worth what it is on the command line",
        .enabled(if: FileManager.default.isExecutableFile(atPath: node), "there is no node"))
    func amounts() throws {
        let words = [
            "1", "1.5", ".5", "007", "+3", "-2", "1e3", "1e", "0x10", "Infinity", "NaN", "1.2.3", "256KiB", "1.5KiB",
            "256kib", "4GB", "64B", "64", "90s", "2h30m", "30m2h", "2h30", "5ms", "1d", "1m", "plain", "s", "5toString",
        ]
        let text = try String(contentsOf: Self.script, encoding: .utf8)
        let start = try #require(text.range(of: "// MARK: Amounts"))
        let end = try #require(text.range(of: "// MARK: Text"))
        let code = text[start.lowerBound..<end.lowerBound]
            + "console.log(JSON.stringify(process.argv.slice(1).map(amount)))"
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: Self.node)
        process.arguments = ["-e", String(code), "--"] + words
        process.standardOutput = output
        try process.run()
        let found = try JSONDecoder().decode([Double?].self, from: output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        try #require(found.count == words.count)
        for (word, value) in zip(words, found) { #expect(value == AxisOrder.amount(of: word), "\(word)") }
        #expect(found.contains(9_000e9) && found.contains(nil))
    }
}
