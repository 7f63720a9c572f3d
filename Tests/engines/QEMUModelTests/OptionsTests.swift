import QEMUModel
import Testing

@Suite("Settings and instructions")
struct OptionsTests {
    private func configure(_ settings: [(String, String)]) -> String? {
        var options = QEMUModel.options()
        options_default(&options)
        var error = [CChar](repeating: 0, count: 256)
        for (name, value) in settings where !options_set(&options, name, value, &error, error.count) {
            return text(error)
        }
        return options_check(&options, &error, error.count) ? nil : text(error)
    }

    private func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test("What can be built is taken", arguments: [
        [("l1d.size", "65536")], [("l1d.size", "64KiB")], [("llc.size", "12MiB"), ("llc.ways", "12")],
        [("line", "128")], [("branch-predictor", "gshare"), ("branch-predictor.bits", "24")],
        [("itlb.entries", "4096"), ("dtlb.entries", "1")], [("state", "cold-caches")], [("state", "lukewarm")],
        [("state", "cold-start")],
    ])
    func possible(settings: [(String, String)]) { #expect(configure(settings) == nil) }

    @Test("What cannot be built is refused by name", arguments: [
        (name: "l1d.size", value: "48KiB"), ("l1d.size", "0"), ("l1d.size", "64KB"), ("l1d.size", "-1"),
        ("l1d.size", "99999999999999999999"), ("l2.ways", "0"), ("l2.ways", "3"), ("llc.ways", "4KiB"),
        ("line", "48"), ("line", "8"), ("itlb.entries", "0"), ("dtlb.entries", "5000"), ("branch-predictor", "oracle"),
        ("branch-predictor.bits", "25"), ("colour", "red"), ("state", "cold"), ("l1i.size", ""),
    ])
    func impossible(setting: (name: String, value: String)) throws {
        let message = try #require(configure([(setting.name, setting.value)]))
        let subject = setting.name.hasSuffix(".ways") ? String(setting.name.prefix { $0 != "." }) : setting.name
        #expect(message.contains(subject), "\(message)")
    }

    struct Known: Sendable {
        var bytes: [UInt8]
        var kind: instruction_kind
        var distance: Int64 = 0
    }

    static let known: [Known] = [
        Known(bytes: [0x74, 0xfe], kind: INSTRUCTION_BRANCH, distance: -2),
        Known(bytes: [0x0f, 0x85, 0x00, 0x01, 0x00, 0x00], kind: INSTRUCTION_BRANCH, distance: 256),
        Known(bytes: [0xe2, 0x10], kind: INSTRUCTION_BRANCH, distance: 16),
        Known(bytes: [0x3e, 0x75, 0x05], kind: INSTRUCTION_BRANCH, distance: 5),
        Known(bytes: [0xeb, 0x05], kind: INSTRUCTION_PLAIN),
        Known(bytes: [0xe8, 0, 0, 0, 0], kind: INSTRUCTION_PLAIN),
        Known(bytes: [0x0f, 0x22, 0xd8], kind: INSTRUCTION_FLUSH_USER),
        Known(bytes: [0x0f, 0x22, 0xe0], kind: INSTRUCTION_FLUSH_ALL),
        Known(bytes: [0x0f, 0x22, 0xc0], kind: INSTRUCTION_PLAIN),
        Known(bytes: [0x0f, 0x01, 0x38], kind: INSTRUCTION_FLUSH_USER),
        Known(bytes: [0x0f, 0x01, 0xf8], kind: INSTRUCTION_CROSSING),
        Known(bytes: [0x0f, 0x01, 0xf9], kind: INSTRUCTION_PLAIN),  // rdtscp
        Known(bytes: [0x0f, 0x05], kind: INSTRUCTION_SYSTEM_CALL),
        Known(bytes: [0x0f, 0x20, 0xd7], kind: INSTRUCTION_FAULT),
        Known(bytes: [0x0f, 0x20, 0xdf], kind: INSTRUCTION_PLAIN),  // mov from cr3
        Known(bytes: [0xf4], kind: INSTRUCTION_HALT),
        Known(bytes: [0x48, 0x8b, 0xa6, 0x58, 0x1b, 0, 0], kind: INSTRUCTION_SWITCH),
        Known(bytes: [0x48, 0x8b, 0x66, 0x10], kind: INSTRUCTION_SWITCH),
        Known(bytes: [0x48, 0x89, 0xa7, 0x58, 0x1b, 0, 0], kind: INSTRUCTION_PLAIN),  // the store before it
        Known(bytes: [0x4c, 0x8b, 0xa6, 0x58, 0x1b, 0, 0], kind: INSTRUCTION_PLAIN),  // into r12
        Known(bytes: [0x49, 0x8b, 0xa6, 0x58, 0x1b, 0, 0], kind: INSTRUCTION_PLAIN),  // from r14
        Known(bytes: [0x48, 0x8b, 0xe6], kind: INSTRUCTION_PLAIN),  // from a register
        Known(bytes: [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], kind: INSTRUCTION_PLAIN),
    ]

    @Test("Instructions that matter are known from their bytes", arguments: known)
    func instructions(known: Known) {
        let found = decode(known.bytes, known.bytes.count)
        #expect(found.kind == known.kind)
        #expect(found.distance == known.distance)
    }

    @Test("A mark carries its number")
    func marks() {
        let begin = decode([0x0f, 0x1f, 0x84, 0x00, 0x01, 0x55, 0x53, 0x57], 8)
        #expect(begin.kind == INSTRUCTION_MARK)
        #expect(begin.mark == 1)
    }
}
