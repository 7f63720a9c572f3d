import Model
import Testing

@Suite("Hours of hosts")
struct HostHoursTests {
    @Test(
        "Within and outside, also across midnight",
        arguments: [
            ("20-8", 19 * 3_600 + 3_599, false, 1), ("20-8", 20 * 3_600, true, 12 * 3_600),
            ("20-8", 0, true, 8 * 3_600), ("20-8", 8 * 3_600, false, 12 * 3_600),
            ("8-20", 8 * 3_600 - 60, false, 60), ("8-20", 86_399, false, 28_801),
            ("8:30-20:15", 8 * 3_600 + 1_800, true, 42_300), ("0-24", 0, nil, 0), ("18-24", 86_399, true, 1),
            ("18-24", 0, false, 18 * 3_600),
        ] as [(String, Int, Bool?, Int)])
    func state(text: String, second: Int, isOpen: Bool?, change: Int) throws {
        guard let isOpen else { return #expect(HostHours(text) == nil) }
        let state = try #require(HostHours(text)).state(second: second)
        #expect(state.isOpen == isOpen && state.change == change)
    }

    @Test(
        "What is not a time from and to is refused",
        arguments: ["", "20", "20-", "25-8", "8-8", "8:60-9", "a-b", "1-2-3", "+8-9"])
    func refused(text: String) { #expect(HostHours(text) == nil) }

    @Test("Written as it is read", arguments: ["20-8", "20:30-7:05", "18-24"])
    func text(text: String) { #expect(HostHours(text)?.text == text) }
}
