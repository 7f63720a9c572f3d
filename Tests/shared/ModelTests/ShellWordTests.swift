import Foundation
import Model
import Testing

/// What a shell makes of it is the text again.
@Suite struct ShellWordTests {
    @Test(
        "Quotes, also with a mark above them, spaces, dollars and nothing at all",
        arguments: ["plain/a-b_c.d", "two words", "it's", "'\u{308}'; exit 3 #", "$HOME `x` \\ \"", "", "*"])
    func shell(_ text: String) throws {
        for word in [ShellWord.of(text), ShellWord.quoted(text)] {
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "printf %s \(word)"]
            process.standardOutput = output
            try process.run()
            let bytes = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0 && Array(bytes) == Array(text.utf8), "\(word)")
        }
    }

    @Test("Quotes only where they are needed")
    func plain() {
        #expect(ShellWord.of("/a/b-1.c") == "/a/b-1.c")
        #expect(ShellWord.of("a b") == "'a b'")
    }
}
