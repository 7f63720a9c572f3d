import Foundation
import Testing
@testable import AgentRuntime


/// What a machine does to processes of users who logged out, by logind.conf(5).
@Suite struct SurvivalTests {
    private func kills(_ files: [String: String], of user: String? = "somebody") throws -> Bool? {
        let scratch = try Scratch()
        for (path, text) in files {
            let file = "\(scratch.path)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        return Survival.killsProcesses(of: user, root: scratch.path)
    }

    @Test("Nothing said, or a comment")
    func unsaid() throws {
        #expect(try kills([:]) == nil)
        let text = "[Login]\n#KillUserProcesses=yes\nKillUserProcesses=perhaps\n"
        #expect(try kills(["etc/systemd/logind.conf": text]) == nil)
    }

    @Test("The last word counts; a drop-in hides those of its name in later folders")
    func order() throws {
        var files = ["usr/lib/systemd/logind.conf": "KillUserProcesses=1", "etc/systemd/logind.conf.d/x": "no\n"]
        #expect(try kills(files) == true)
        files["etc/systemd/logind.conf"] = "[Login]\n KillUserProcesses = no \n"
        #expect(try kills(files) == false, "the first of the main files only")
        files["usr/lib/systemd/logind.conf.d/20-b.conf"] = "KillUserProcesses=on"
        files["etc/systemd/logind.conf.d/10-a.conf"] = "KillUserProcesses=no"
        #expect(try kills(files) == true)
        files["run/systemd/logind.conf.d/20-b.conf"] = "KillUserProcesses=false"
        #expect(try kills(files) == false)
    }

    @Test("Whom it means")
    func users() throws {
        let yes = "KillUserProcesses=yes\n"
        func kills(_ more: String, _ user: String?) throws -> Bool? {
            try self.kills(["etc/systemd/logind.conf": yes + more], of: user)
        }
        #expect(try kills("", "root") == false)
        #expect(try kills("KillExcludeUsers=anna otto\n", "root") == true)
        #expect(try kills("KillExcludeUsers=anna otto\n", "otto") == false)
        #expect(try kills("KillOnlyUsers=anna\n", "otto") == false)
        #expect(try kills("KillOnlyUsers=anna\n", "anna") == true)
        #expect(try kills("KillOnlyUsers=anna\n", nil) == true)
    }
}
