import Foundation
import Model
import Sessions
import Testing

@Suite("What people call sweeps and runs")
struct NamingTests {
    /// A folder with sweeps of these names and identifiers, the first one taken up last.
    private static func folder(_ sweeps: [String]) throws -> ArtifactsFolder {
        let path = "\(NSTemporaryDirectory())/usweep-naming-\(UUID().uuidString)"
        for sweep in sweeps {
            try FileManager.default.createDirectory(atPath: "\(path)/\(sweep)", withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: "\(path)/\(sweep)/ledger.sqlite"))
        }
        try sweeps.joined(separator: "\n").write(toFile: "\(path)/recent", atomically: true, encoding: .utf8)
        return ArtifactsFolder(path: path)
    }

    private static func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "accepted"
        } catch {
            return "\((error as? Failure)?.code.exitStatus ?? 0): \(error)"
        }
    }

    private static let sweeps = ["study-habcdefg", "study-kold0000", "other-3bcdefgh", "2024-mzzzzzzz", "h-nnnnnnnn"]

    @Test(
        "A sweep is its newest of that name, the beginning of its identifier, both, or the last one",
        arguments: [
            ("last", "study-habcdefg"), ("study", "study-habcdefg"), ("ko", "study-kold0000"),
            ("study-kold0000", "study-kold0000"), ("3b", "other-3bcdefgh"), ("2024-mzzzzzzz", "2024-mzzzzzzz"),
            ("ha", "study-habcdefg"),
        ])
    func sweeps(_ text: String, _ name: String) throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        #expect(try folder.find(text).fullName == name)
        #expect(try folder.findTarget(text).run == nil)
    }

    @Test("What is removed is named in full where several have the name")
    func removal() throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let refused = Self.message { _ = try folder.findToRemove("study") }
        #expect(refused.hasPrefix("64: 2 sweeps are called 'study'"))
        #expect(refused.contains("study-habcdefg") && refused.contains("study-kold0000"))
        for (text, name) in [("study-kold0000", "study-kold0000"), ("other", "other-3bcdefgh")] {
            #expect(try folder.findToRemove(text).fullName == name)
        }
    }

    @Test("A bare number is a run of the last sweep, whatever identifiers begin with it")
    func numbers() throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        for text in ["3", "2024"] {
            let found = try folder.findTarget(text)
            #expect(found.entry.fullName == "study-habcdefg" && found.run == Int(text))
        }
        #expect(try folder.findTarget("other/3").entry.name == "other")
        #expect(try RunChoice(["3", "7", "3"], in: folder).runs == [3, 7])
        #expect(try RunChoice(["study", "7"], in: folder).runs == [7])
        #expect(try RunChoice(["study"], in: folder).runs == nil)
        #expect(try RunChoice([], in: folder).entry.fullName == "study-habcdefg")
        let refused = Self.message { _ = try folder.find("2024") }
        #expect(refused.hasPrefix("64: ") && refused.contains("number of a run"))
        #expect(refused.contains("COMMAND 2024-mzzzzzzz"), "the way out is named: \(refused)")
    }

    @Test(
        "Nine hexadecimal digits or more are the digest of a point, unless a sweep has that name",
        arguments: [
            ("ABCDEF012", "study-habcdefg"), ("123456789", "study-habcdefg"), ("other/abcdef0123", "other-3bcdefgh"),
        ])
    func digests(_ text: String, _ name: String) throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let found = try folder.findTarget(text)
        #expect(found.entry.fullName == name && found.run == nil)
        #expect(found.point == text.lowercased().split(separator: "/").last.map(String.init))
        let named = try Self.folder(["abcdef012-habcdefg"])
        defer { try? FileManager.default.removeItem(atPath: named.path) }
        #expect(try named.findTarget("abcdef012").point == nil)
    }

    @Test(
        "A name and the beginning of an identifier are enough",
        arguments: ["study-h", "study-habc", "study-habcdefg"])
    func beginnings(_ text: String) throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        #expect(try folder.find(text).fullName == "study-habcdefg")
        #expect(Self.message { _ = try folder.find("study-") }.hasPrefix("66: "))
        #expect(Self.message { _ = try folder.find("nothing") }.contains("; there are "))
    }

    @Test(
        "What could mean two things is refused with both",
        arguments: [("h", ["h-nnnnnnnn (by its name)", "study-habcdefg (by its identifier)"])])
    func ambiguous(_ text: String, _ readings: [String]) throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let refused = Self.message { _ = try folder.find(text) }
        #expect(refused.hasPrefix("64: ") && readings.allSatisfy(refused.contains), "\(refused)")
        let mixed = Self.message { _ = try RunChoice(["other/3", "7"], in: folder) }
        #expect(mixed.hasPrefix("64: ") && mixed.contains("'7' of study-habcdefg"), "\(mixed)")
    }

    @Test(
        "What is neither is refused with what there is",
        arguments: [
            ("nothing", "66: there is no sweep 'nothing'"), ("", "66: there is no sweep ''"),
            ("study/x", "64: 'study/x' is not a run"), ("study/0", "64: 'study/0' is not a run"),
            ("a/b/3", "64: 'a/b/3' is not a run"), ("study/abcdef12", "64: 'study/abcdef12' is not a run"),
        ])
    func wrong(_ text: String, _ expected: String) throws {
        let folder = try Self.folder(Self.sweeps)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let refused = Self.message { _ = try folder.findTarget(text) }
        #expect(refused.hasPrefix(expected), "\(refused)")
    }

    @Test("Commands can be typed as they are printed")
    func commands() {
        #expect(ArtifactsFolder(path: "/a").command("resume x") == "usweep resume x")
        #expect(ArtifactsFolder(path: "/a b", isNamed: true).command("retry") == "usweep retry --artifacts '/a b'")
        #expect(ArtifactsFolder(path: "/a", isNamed: true).command("retry") == "usweep retry --artifacts /a")
    }
}
