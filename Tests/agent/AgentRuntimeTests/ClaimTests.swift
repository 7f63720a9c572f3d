import AgentCore
import Foundation
import Model
import Testing
@testable import AgentRuntime


/// What the agents of several users tell each other, in a folder where everybody may write.
@Suite struct ClaimTests {
    private static let alice = SlotClaim(user: "alice", running: 3, wanted: 9)

    /// A folder as `/tmp` is.
    private static func folder(_ scratch: Scratch, mode: Int = 0o1777) throws -> String {
        let folder = "\(scratch.path)/tmp"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(chmod(folder, mode_t(mode)) == 0)
        return folder
    }

    /// The files that this test makes belong to whoever runs it: to the reader that is another user.
    private static func reader(_ folder: String) -> ClaimFolder {
        ClaimFolder(folder: folder, name: "x", user: getuid() + 1)
    }

    @Test("What one tells others see, as long as its process lives")
    func seen() throws {
        let scratch = try Scratch()
        let folder = try Self.folder(scratch)
        let teller = ClaimFolder(folder: folder, name: "a")
        let reader = Self.reader(folder)
        #expect(reader.others().claims.isEmpty)
        teller.tell(Self.alice)
        #expect(reader.others().claims == [Self.alice])
        #expect(reader.others().place == 1)
        #expect(teller.others().claims.isEmpty, "its own are none of others")
        let shorter = SlotClaim(user: "a l\u{1b}i\nce", running: 0, wanted: 1)
        teller.tell(shorter)
        #expect(reader.others().claims == [SlotClaim(user: "alice", running: 0, wanted: 1)])
        // Several agents of one user count together.
        let second = ClaimFolder(folder: folder, name: "b")
        second.tell(Self.alice)
        #expect(reader.others().claims == [SlotClaim(user: "alice", running: 3, wanted: 10)])
        second.leave()
        teller.leave()
        #expect(reader.others().claims.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("A file without its owner's lock, of another owner, behind a link, with two names, or writable, is nothing")
    func mistrusted() throws {
        let scratch = try Scratch()
        let folder = try Self.folder(scratch)
        let reader = Self.reader(folder)
        let teller = ClaimFolder(folder: folder, name: "a")
        teller.tell(Self.alice)
        let file = "\(folder)/usweep-slots-\(getuid())-a"
        let files = FileManager.default
        // Nobody has a lock on a copy.
        try files.copyItem(atPath: file, toPath: "\(folder)/usweep-slots-\(getuid())-copy")
        #expect(reader.others().claims == [Self.alice])
        for name in ["usweep-slots-77777-b", "usweep-slots-\(getuid())-link"] {
            try files.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: file)
        }
        #expect(mkfifo("\(folder)/usweep-slots-\(getuid())-fifo", 0o644) == 0)
        #expect(reader.others().claims == [Self.alice])
        #expect(chmod(file, 0o666) == 0)
        #expect(reader.others().claims.isEmpty)
        #expect(chmod(file, 0o644) == 0 && link(file, "\(folder)/other") == 0)
        #expect(reader.others().claims.isEmpty)
        #expect(unlink("\(folder)/other") == 0)
        #expect(reader.others().claims == [Self.alice])
        // What agents of its own left behind that were killed is removed by the next one.
        _ = teller.others()
        #expect(!files.fileExists(atPath: "\(folder)/usweep-slots-\(getuid())-copy"))
        #expect(files.fileExists(atPath: file))
    }

    @Test("Nothing is told through a link, or in a folder where others may remove it; what was removed is made again")
    func told() throws {
        let scratch = try Scratch()
        let open = try Self.folder(scratch, mode: 0o777)
        let reader = Self.reader(open)
        ClaimFolder(folder: open, name: "a").tell(Self.alice)
        #expect(try FileManager.default.contentsOfDirectory(atPath: open).isEmpty)
        #expect(chmod(open, 0o1777) == 0)
        let (path, target) = ("\(open)/usweep-slots-\(getuid())-a", "\(scratch.path)/precious")
        try Data("precious".utf8).write(to: URL(filePath: target))
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        let teller = ClaimFolder(folder: open, name: "a")
        teller.tell(Self.alice)
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
        #expect(reader.others().claims.isEmpty)
        #expect(unlink(path) == 0)
        teller.tell(Self.alice)
        #expect(reader.others().claims == [Self.alice])
        #expect(unlink(path) == 0)
        teller.tell(Self.alice)
        #expect(reader.others().claims == [Self.alice])
    }

    @Test("Text that makes no sense is nothing; lines that nobody knows are passed over", arguments: [
        ("", nil), ("usweep slots 2\nrunning 1\nwanted 1\nend\n", nil), ("usweep slots 1\nrunning 1\nwanted 1\n", nil),
        ("usweep slots 1\nrunning -1\nwanted 1\nend\n", nil), ("usweep slots 1\nrunning 1\nend\n", nil),
        ("usweep slots 1\nrunning 99999999999\nwanted 1\nend\n", nil),
        ("usweep slots 1\nuser \u{1b}\ncolour red\nrunning 1\nwanted 2\nend\n   ",
            SlotClaim(user: "user 7", running: 1, wanted: 2)),
    ] as [(String, SlotClaim?)])
    func parse(_ text: String, _ claim: SlotClaim?) { #expect(ClaimFolder.parse(text, 7) == claim) }

    @Test("What this user's processes use is not others'; to another user it is")
    func load() {
        var (own, other) = (LoadMeter(), LoadMeter(user: getuid() + 1))
        let begin = Machine.now
        var sum = 0.0
        while Machine.now - begin < 300_000_000 { sum += Double(Machine.now % 7).squareRoot() }
        let (mine, theirs) = (own.look(), other.look())
        #expect(sum > 0 && mine.busyThousandths < theirs.busyThousandths)
        #expect(mine.memoryBytes < theirs.memoryBytes && theirs.memoryBytes < Machine.memoryBytes)
        #expect(Machine.cores.flatMap(\.processors).sorted() == Machine.allowedProcessors)
        #expect(!Machine.processorTimes.isEmpty)
    }
}
