import Engines
import Foundation
import Model
import Results
import TestKit
import Testing

@Suite("Real boots", .serialized, .enabled(if: Guest.isBuilt, Comment(rawValue: Guest.missing)))
struct GuestTests {
    @Test("The same point twice gives the same bytes")
    func sameTwice() throws {
        let checkpoint = try Guest.checkpoint.get()
        let first = try Guest.evaluate(checkpoint)
        let second = try Guest.evaluate(checkpoint)
        #expect(first.status == 0, "\(first.errors)")
        #expect(second.status == 0, "\(second.errors)")
        #expect(first.text("stats.jsonl") == second.text("stats.jsonl"))
        let blocks = try first.blocks()
        #expect(blocks.map { $0["invocation"] } == [0, 1, 2])
        #expect(first.lastEvent.contains(#""cause":"measured","begun":3,"ended":3"#))
        for block in blocks {
            #expect(block["user.instructions", default: 0] + block["kernel.instructions", default: 0]
                == block["instructions"])
            #expect(block["user.instructions", default: 0] > 100_000)
            #expect(block["kernel.instructions", default: 0] > 10_000)
        }
    }

    @Test("Four at a time give the same bytes as one alone")
    func sameUnderLoad() throws {
        let checkpoint = try Guest.checkpoint.get()
        let alone = try Guest.evaluate(checkpoint)
        for ended in try Guest.evaluateTogether(4, checkpoint) + Guest.evaluateTogether(4, checkpoint) {
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(ended.text("stats.jsonl") == alone.text("stats.jsonl"))
        }
    }

    @Test("Misses fall where a cache, a buffer or a predictor grows; what the program does stays", arguments: [
        (counter: "l1d.misses", small: ["l1d.size=8KiB"], large: ["l1d.size=64KiB"]),
        ("l1i.misses", ["l1i.size=8KiB"], ["l1i.size=128KiB"]),
        ("l2.misses", ["l2.size=128KiB"], ["l2.size=2MiB"]),
        ("dtlb.misses", ["dtlb.entries=16"], ["dtlb.entries=256"]),
        ("itlb.misses", ["itlb.entries=16"], ["itlb.entries=256"]),
        ("branch.misses", ["branch-predictor.bits=6"], ["branch-predictor.bits=16"]),
    ])
    func growth(axis: (counter: String, small: [String], large: [String])) throws {
        let checkpoint = try Guest.checkpoint.get()
        let small = try Guest.evaluate(checkpoint, settings: axis.small)
        let large = try Guest.evaluate(checkpoint, settings: axis.large)
        #expect(small.status == 0 && large.status == 0, "\(small.errors)\(large.errors)")
        let (before, after) = (try small.blocks(), try large.blocks())
        #expect(before.count == 3 && after.count == 3)
        for (one, other) in zip(before, after) {
            #expect(one["instructions"] == other["instructions"])
            #expect(try #require(one[axis.counter]) > #require(other[axis.counter]))
        }
    }

    @Test("One that ends early has the beginning of what one that measures all has, byte for byte")
    func early() throws {
        let checkpoint = try Guest.checkpoint.get()
        let whole = try Guest.evaluate(checkpoint, invocations: 40)
        let lines = whole.text("stats.jsonl").split(separator: "\n")
        #expect(lines.count == 40, "\(whole.errors)")
        let blocks = try whole.blocks().map { block in Block(block.map { Metric($0.key, "\($0.value)") }) }
        // As wide as the interval is after so many, so that the run ends there or before.
        let narrow = StoppingRule(Precision(metric: "l1i.mpki", interval: 1), MetricFormula.qemu)
        let reach = try #require(narrow.reach(of: blocks.prefix(16)))
        let rule = StoppingRule(
            Precision(metric: "l1i.mpki", interval: Int64(reach * 1_000_000) + 1), MetricFormula.qemu)
        let end = try #require(rule.end(of: blocks))
        #expect(end <= 16)
        for _ in 0..<2 {
            let early = try Guest.evaluate(checkpoint, invocations: 40, until: rule.document.encoded)
            #expect(early.status == 0, "\(early.errors)")
            #expect(early.text("stats.jsonl") == lines.prefix(end).map { "\($0)\n" }.joined())
            #expect(early.lastEvent.contains(#""cause":"tight","begun":\#(end),"ended":\#(end)"#), "\(early.lastEvent)")
            #expect(early.text("status.jsonl").contains(#""event":"interval","number":10,"#))
        }
    }

    @Test("A wrong answer is found while measuring")
    func wrongAnswer() throws {
        let folder = try Guest.folder()
        let calls = Guest.calls("3135 bytes 0a03363130", "3135 bytes 0a03363131")
        let disk = try Guest.disk("fibonacci-python", calls: calls)
        let setup = try Guest.run(["setup"] + Guest.machine("fibonacci-python", warm: 1, disk: disk), in: folder)
        #expect(setup.status == 0, "\(setup.errors)")
        let ended = try Guest.evaluate(folder.appending(path: "checkpoint.zst"), warm: 0, disk: disk)
        #expect(ended.status == 4)
        #expect(ended.errors.contains("gave '610', not '611'"), "\(ended.errors)")
        #expect(ended.lastEvent.contains(#""cause":"wrong-answer""#))
    }

    @Test("A panic of the guest's kernel is seen")
    func panic() throws {
        let folder = try Guest.folder()
        let initrd = try Guest.initrd(replacing: "init", with: "#!/bin/sh\nexit 1\n", mode: 0o100755, in: folder)
        let ended = try Guest.run(["setup"] + Guest.machine("aes-python", warm: 1, initrd: initrd), in: folder)
        #expect(ended.status == 3, "\(ended.errors)")
        #expect(ended.lastEvent.contains(#""cause":"guest-panic""#))
        #expect(ended.text("terminal.log").contains("Kernel panic"))
        #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "checkpoint.zst").path))
    }

    @Test("A disk that is not a workload's")
    func foreignDisk() throws {
        let folder = try Guest.folder()
        let disk = folder.appending(path: "foreign")
        try Data(count: 1 << 20).write(to: disk)
        let ended = try Guest.run(["setup"] + Guest.machine("foreign", warm: 1, disk: disk), in: folder)
        #expect(ended.status == 5)
        #expect(ended.errors.contains("the workload's disk cannot be mounted"), "\(ended.errors)")
    }

    @Test("A cache that cannot be built is refused by the model, with its reason")
    func impossibleCache() throws {
        let ended = try Guest.evaluate(Guest.checkpoint.get(), settings: ["l1d.size=48KiB"])
        #expect(ended.status == 6)
        #expect(ended.errors.contains("l1d.size is 49152 bytes, but must be"), "\(ended.errors)")
    }

    @Test("A parameter that the model does not know is refused by its name")
    func unknownSetting() throws {
        let ended = try Guest.evaluate(Guest.checkpoint.get(), settings: ["l4.size=64MiB"])
        #expect(ended.status == 6)
        #expect(ended.errors.contains("the model has no setting 'l4.size'"), "\(ended.errors)")
        #expect(ended.lastEvent.contains(#""cause":"emulator-failed""#) && ended.lastEvent.contains("'l4.size'"))
    }

    @Test("Another function's checkpoint is refused before anything starts")
    func otherWorkload() throws {
        let ended = try Guest.evaluate(Guest.checkpoint.get(), workload: "aes-python")
        #expect(ended.status == 9)
        #expect(
            ended.errors.contains("it was made with workload 'fibonacci-python', this run has 'aes-python'"),
            "\(ended.errors)")
        #expect(ended.lastEvent.contains(#""cause":"checkpoint-incompatible""#))
        #expect(!ended.text("status.jsonl").contains("restore"))
        #expect(ended.text("stats.jsonl").isEmpty)
    }

    @Test("A checkpoint with another initrd is refused, with both digests")
    func otherInitrd() throws {
        let initrd = try Guest.initrd(replacing: "etc/note", with: "other", mode: 0o100644, in: Guest.folder())
        let ended = try Guest.evaluate(Guest.checkpoint.get(), initrd: initrd)
        #expect(ended.status == 9)
        let both = #"made with initrd '[0-9a-f]{64}', this run has '[0-9a-f]{64}'"#
        #expect(ended.errors.range(of: both, options: .regularExpression) != nil, "\(ended.errors)")
    }

    @Test("A checkpoint with another disk of the workload is refused, with both digests")
    func otherDisk() throws {
        let disk = try Guest.disk("fibonacci-python", calls: Guest.calls("3134 bytes 0a03333737"))
        let ended = try Guest.evaluate(Guest.checkpoint.get(), disk: disk)
        #expect(ended.status == 9)
        let both = #"made with disk '[0-9a-f]{64}', this run has '[0-9a-f]{64}'"#
        #expect(ended.errors.range(of: both, options: .regularExpression) != nil, "\(ended.errors)")
    }

    @Test("A checkpoint that is cut short")
    func cutCheckpoint() throws {
        let whole = try Data(contentsOf: Guest.checkpoint.get())
        let cut = try Guest.folder().appending(path: "cut $(touch x).zst")
        try whole.prefix(whole.count / 2).write(to: cut)
        let ended = try Guest.evaluate(cut)
        #expect(ended.status == 7, "\(ended.errors)")
        #expect(ended.text("stats.jsonl").isEmpty)
    }

    @Test("QEMU goes with its driver", arguments: [SIGKILL, SIGTERM])
    func dies(signal: Int32) throws {
        let folder = try Guest.folder()
        let arguments = try ["setup"] + Guest.machine("aes-python", warm: 1_000_000)
        let (driver, _) = try Guest.start(arguments, in: folder)
        let emulator = try #require(child(of: driver.processIdentifier, in: folder))
        kill(driver.processIdentifier, signal)
        driver.waitUntilExit()
        #expect(driver.terminationStatus == (signal == SIGKILL ? SIGKILL : 128 + SIGTERM))
        #expect(Outside.eventually(in: folder.path, within: 20) { !isRunning(emulator) })
    }

    /// QEMU, once it is one: the driver's child executes it a moment after it was made.
    private func child(of process: Int32, in folder: URL) -> Int32? {
        var found: Int32?
        _ = Outside.eventually(in: folder.path, within: 20) {
            let path = "/proc/\(process)/task/\(process)/children"
            let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            guard let child = children.split(separator: " ").first.flatMap({ Int32($0) }) else { return false }
            let name = (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) ?? ""
            found = name.hasPrefix("qemu") ? child : nil
            return found != nil
        }
        return found
    }

    private func isRunning(_ process: Int32) -> Bool {
        let state = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return !state.isEmpty && !state.contains(") Z ")
    }
}
