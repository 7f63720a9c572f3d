/// What a checkpoint was made of, at the start of its file. QEMU restores another kernel's or function's state without
/// a word, and then the wrong thing is measured: so a restore is compared with the record before anything starts.
///
/// In the file it is a skippable frame of the Zstandard format (RFC 8878, 3.1.2): four bytes of magic number, four of
/// length, and text, one field a line. Decompressing passes over it.
struct CheckpointRecord: Equatable {
    struct Field: Equatable {
        var name: String
        var value: String
    }

    /// In a fixed order.
    var fields: [Field]

    private static let magic: [UInt8] = [0x5c, 0x2a, 0x4d, 0x18]
    private static let title = "usweep checkpoint 1"
    private static let headerBytes = 8
    private static let mostBytes = 65_536

    init(fields: [Field]) { self.fields = fields }

    /// The frame: what a checkpoint's file starts with.
    var frame: [UInt8] {
        let text = ([CheckpointRecord.title] + fields.map { "\($0.name) \($0.value)" }).map { "\($0)\n" }.joined()
        let count = UInt32(text.utf8.count)
        return CheckpointRecord.magic + (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(text.utf8)
    }

    /// - Parameter file: at least as much of the file's start as ``mostRead``, or all of it.
    /// - Returns: `nil` where the file does not start with a record of this version.
    init?(startOf file: [UInt8]) {
        guard file.count >= CheckpointRecord.headerBytes, file.starts(with: CheckpointRecord.magic) else { return nil }
        let count = (0..<4).reduce(0) { $0 | Int(file[4 + $1]) << (8 * $1) }
        let content = file[CheckpointRecord.headerBytes...]
        guard count <= CheckpointRecord.mostBytes, content.count >= count else { return nil }
        let lines = String(decoding: content.prefix(count), as: UTF8.self).split(separator: "\n")
        guard lines.first.map(String.init) == CheckpointRecord.title else { return nil }
        fields = lines.dropFirst().map { line in
            let name = line.prefix { $0 != " " }
            return Field(name: String(name), value: String(line.dropFirst(name.count + 1)))
        }
    }

    static let mostRead = headerBytes + mostBytes

    /// Holds what this checkpoint was made of against what a run has.
    ///
    /// - Returns: one sentence a field that differs; empty where all fit.
    func differences(from wanted: CheckpointRecord) -> [String] {
        let more = fields.filter { field in !wanted.fields.contains { $0.name == field.name } }
        return more.map { "it was made with \($0.name) '\($0.value)', this run has none" } + wanted.fields.compactMap {
            field in
            let mine = fields.first { $0.name == field.name }?.value
            guard mine != field.value else { return nil }
            guard let mine else { return "it does not say its \(field.name), this run's is '\(field.value)'" }
            return "it was made with \(field.name) '\(mine)', this run has '\(field.value)'"
        }
    }
}

/// The files of a run with their digests, each read once: a run may write one record and compare another.
struct KnownDigests {
    private let digest: (String) throws(SystemError) -> String
    private var known: [String: String] = [:]

    /// - Parameter digest: a file's SHA-256, as text.
    init(_ digest: @escaping (String) throws(SystemError) -> String) { self.digest = digest }

    mutating func of(_ path: String) throws(SystemError) -> String {
        if let known = known[path] { return known }
        let found = try digest(path)
        known[path] = found
        return found
    }
}

extension Request {
    /// What this request's checkpoint is made of, or what that of an evaluation must have been made of.
    func record(_ digests: inout KnownDigests) throws(SystemError) -> CheckpointRecord {
        guard let workload else { return try bootedRecord(&digests) }
        var record = CheckpointRecord(fields: [
            .init(name: "workload", value: workload.name),
            .init(name: "kernel", value: try digests.of(machine.kernel)),
            .init(name: "initrd", value: try digests.of(machine.initrd)),
            .init(name: "disk", value: try digests.of(workload.disk)),
        ])
        record.fields += try machineFields(&digests)
        for (number, disk) in workload.others.enumerated() {
            record.fields.append(.init(name: "other-\(number + 1)", value: try digests.of(disk)))
        }
        return record
    }

    /// What the checkpoint of a booted guest is made of, or that of a setup must have been made of.
    func bootedRecord(_ digests: inout KnownDigests) throws(SystemError) -> CheckpointRecord {
        let disks =
            switch self {
            case .boot(let boot): boot.disks
            case .setup, .evaluate: 1 + (workload?.others.count ?? 0)
            }
        return CheckpointRecord(fields: [
            .init(name: "booted-for-disks", value: "\(disks)"),
            .init(name: "kernel", value: try digests.of(machine.kernel)),
            .init(name: "initrd", value: try digests.of(machine.initrd)),
        ] + (try machineFields(&digests)))
    }

    private func machineFields(_ digests: inout KnownDigests) throws(SystemError) -> [CheckpointRecord.Field] {
        [
            .init(name: "qemu", value: try digests.of(machine.qemu)),
            .init(name: "machine", value: Request.machineType),
            .init(name: "processor", value: Request.processor),
            .init(name: "cores", value: "\(Request.cores)"),
            .init(name: "memory", value: memory),
            .init(name: "kernel-arguments", value: Request.kernelArguments),
        ]
    }
}
