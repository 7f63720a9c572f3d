import Testing
@testable import QEMUDriver


@Suite("What a checkpoint was made of")
struct CheckpointRecordTests {
    private func request(_ changes: [String: String] = [:]) throws -> Request {
        let usual = [
            ("qemu", "q"), ("kernel", "k"), ("initrd", "i"), ("workload", "aes-python"), ("disk", "d"),
            ("memory", "256"), ("warm", "3"),
        ]
        var arguments = ["setup"]
        for (name, value) in usual { arguments += ["--\(name)", changes[name] ?? value] }
        return try Request(arguments)
    }

    private func record(_ changes: [String: String] = [:]) throws -> CheckpointRecord {
        var digests = KnownDigests { "digest-of-\($0)" }
        return try request(changes).record(&digests)
    }

    @Test("The same things fit, however long the function was warmed")
    func fits() throws {
        #expect(try record().differences(from: record(["warm": "9"])).isEmpty)
    }

    @Test("Each thing that differs is named, with both values", arguments: [
        (name: "workload", other: "fibonacci-python", made: "fibonacci-python", wanted: "aes-python"),
        ("kernel", "k2", "digest-of-k2", "digest-of-k"), ("initrd", "i2", "digest-of-i2", "digest-of-i"),
        ("qemu", "q2", "digest-of-q2", "digest-of-q"), ("disk", "d2", "digest-of-d2", "digest-of-d"),
        ("memory", "512", "512M", "256M"),
    ])
    func differs(change: (name: String, other: String, made: String, wanted: String)) throws {
        let found = try record([change.name: change.other])
        #expect(
            try found.differences(from: record())
                == ["it was made with \(change.name) '\(change.made)', this run has '\(change.wanted)'"])
    }

    @Test("The machine is part of it", arguments: ["machine", "processor", "cores", "memory", "kernel-arguments"])
    func machine(field: String) throws {
        var found = try record()
        let index = try #require(found.fields.firstIndex { $0.name == field })
        let value = found.fields.remove(at: index).value
        #expect(try found.differences(from: record()) == ["it does not say its \(field), this run's is '\(value)'"])
    }

    @Test("A booted guest fits any workload, and no other machine or number of disks")
    func booted() throws {
        var digests = KnownDigests { "digest-of-\($0)" }
        func boot(_ memory: String, disks: Int) throws -> CheckpointRecord {
            try Request([
                "boot", "--qemu", "q", "--kernel", "k", "--initrd", "i", "--memory", memory, "--disks", "\(disks)",
            ]).record(&digests)
        }
        let wanted = try request(["workload": "other", "disk": "e"]).bootedRecord(&digests)
        #expect(try boot("256", disks: 1) == wanted)
        #expect(try boot("256", disks: 2).differences(from: wanted).count == 1)
        #expect(try boot("320", disks: 1).differences(from: wanted).count == 1)
        #expect(try !boot("256", disks: 1).differences(from: record()).isEmpty, "it is no workload's checkpoint")
    }

    @Test("It is read back from the start of the file, whatever follows")
    func roundTrip() throws {
        let record = try record()
        #expect(CheckpointRecord(startOf: record.frame) == record)
        #expect(CheckpointRecord(startOf: record.frame + [0x28, 0xb5, 0x2f, 0xfd]) == record)
    }

    @Test("A file without a whole record of this version has none")
    func none() throws {
        let frame = try record().frame
        #expect(CheckpointRecord(startOf: []) == nil)
        #expect(CheckpointRecord(startOf: [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0]) == nil, "what zstd writes")
        #expect(CheckpointRecord(startOf: Array(frame.dropLast())) == nil)
        #expect(CheckpointRecord(startOf: frame[..<4] + [0xff, 0xff, 0xff, 0xff] + frame[8...]) == nil)
        var later = frame
        later["usweep checkpoint ".utf8.count + 8] = UInt8(ascii: "2")
        #expect(CheckpointRecord(startOf: later) == nil)
    }
}
