import Foundation
import Model
import Testing

@Suite("How a host's setup is tried")
struct HostSetupTests {
    /// The status of a trial in this machine's shell.
    private func status(_ text: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", HostSetup.trial(variable: "TRIED")]
        process.environment = ["PATH": "/usr/bin:/bin", "TRIED": text]
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test("It must come to its end", arguments: [
        ("export A=1", nil), ("cd /", nil), ("true\n", nil), ("exit 0", "ends the shell, so that no run would begin: "
            + "remove exit, exec or return from it"),
        ("exec true", "ends the shell, so that no run would begin: remove exit, exec or return from it"),
        ("false", "ends with status 1"), ("exit 7", "ends with status 7"),
    ])
    func trial(_ text: String, _ problem: String?) throws {
        #expect(HostSetup.problem(text, status: try status(text)) == problem)
    }

    @Test("In the login shell it says by status 0 that it did, as there the end of the text is checked within")
    func login() throws {
        let text = try #require(HostSetup.text("true", isLogin: true))
        #expect(HostSetup.problem(text, status: 0) == nil)
        #expect(HostSetup.problem(text, status: 3) == "ends with status 3")
    }
}
