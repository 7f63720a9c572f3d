import Formats
import Foundation
import Model
import Ports
import Storage
import Testing

@Suite struct AgentJournalTests {
    private let files = LocalFiles()

    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "usweep-journal-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private let frames = (0..<4).map {
        Frame(kind: UInt8($0 + 1), payload: [UInt8](repeating: UInt8($0 + 65), count: 5 + $0))
    }

    /// - Parameter durable: how many of the frames are made durable before the others are written.
    private func written(_ folder: String, durable: Int = 0) throws -> [UInt8] {
        var journal = try AgentJournal.open(folder: folder, name: "j", files: files).journal
        for part in [frames[..<durable], frames[durable...]] {
            try journal.append(Array(part))
            try journal.sync()
        }
        journal.close()
        return Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/j")))
    }

    @Test func everyCutLeavesWholeFrames() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = try written(folder)
        for length in 0...bytes.count {
            try Data(bytes[..<length]).write(to: URL(fileURLWithPath: "\(folder)/j"))
            let opened = try AgentJournal.open(folder: folder, name: "j", files: files)
            opened.journal.close()
            #expect(Array(frames.prefix(opened.frames.count)) == opened.frames)
            #expect(opened.frames.count == frames.count || length < bytes.count)
            #expect(Int64(length) == opened.tornBytes + (length < 12 ? 0 : opened.journal.size))
        }
    }

    @Test func everyFlippedByteIsNoticed() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = try written(folder, durable: 3)
        let durable = 12 + frames.prefix(3).reduce(0) { $0 + Frame.headerLength + 1 + $1.payload.count }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x55
            try Data(damaged).write(to: URL(fileURLWithPath: "\(folder)/j"))
            // Who only asks is told the same, and nothing is changed.
            let asked = Result { try AgentJournal.examine(folder: folder, name: "j", files: files) }
            #expect(Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/j"))) == damaged)
            do {
                let opened = try AgentJournal.open(folder: folder, name: "j", files: files)
                opened.journal.close()
                // Only what was not yet known to be durable can look unfinished.
                #expect(index >= durable, "byte \(index)")
                #expect(opened.tornBytes > 0)
                #expect(opened.frames == Array(frames.prefix(3)))
                #expect(throws: Never.self) { try asked.get() }
            } catch let failure as Failure {
                #expect((#expect(throws: Failure.self) { try asked.get() })?.message == failure.message)
                #expect(failure.code == .badArchive)
                #expect(Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/j"))) == damaged)
            }
        }
    }

    /// A disk that lost a page of what was not durable, and kept a later one.
    @Test func aGapInWhatWasNotDurableIsCutOffAndACopyKept() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var journal = try AgentJournal.open(folder: folder, name: "j", files: files).journal
        try journal.append([frames[0]])
        try journal.sync()
        try journal.append([frames[1]])
        let start = Int(journal.size)
        try journal.append([frames[2]])
        try journal.append([frames[3]])
        journal.close()
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/j")))
        for index in start..<start + 12 { bytes[index] = 0 }
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/j"))
        let opened = try AgentJournal.open(folder: folder, name: "j", files: files)
        opened.journal.close()
        #expect(opened.frames == Array(frames.prefix(2)))
        #expect(opened.tornBytes == Int64(bytes.count - start))
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/j.torn"))) == bytes)
    }

    @Test func rewritingKeepsWhatIsGiven() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try written(folder)
        var opened = try AgentJournal.open(folder: folder, name: "j", files: files)
        try opened.journal.rewrite([frames[2]])
        try opened.journal.append([frames[0]])
        opened.journal.close()
        #expect(try AgentJournal.open(folder: folder, name: "j", files: files).frames == [frames[2], frames[0]])
    }
}
