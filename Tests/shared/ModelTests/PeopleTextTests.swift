import Model
import Testing

@Suite("Numbers for people")
struct PeopleTextTests {
    @Test(
        "Sizes",
        arguments: [
            (0, "0 B"), (812, "812 B"), (1_024, "1 KiB"), (1_536, "1.5 KiB"), (1_048_575, "1 MiB"),
            (78_070_272 << 10, "74.5 GiB"), (3 << 40, "3 TiB"), (5_000 << 40, "5000 TiB"), (-2_048, "-2 KiB"),
            (.max, "8388608 TiB"), (.min, "-8388608 TiB"),
        ] as [(Int64, String)])
    func sizes(_ bytes: Int64, _ text: String) { #expect(PeopleText.size(bytes) == text) }

    @Test(
        "Spans of time",
        arguments: [
            (0, "0 s"), (-5, "0 s"), (1, "0.01 s"), (65_398_567, "0.07 s"), (500_000_000, "0.5 s"),
            (994_000_000, "0.99 s"), (999_000_000, "1 s"), (2_500_000_000, "2.5 s"), (9_990_000_000, "10 s"),
            (59_400_000_000, "59 s"), (59_600_000_000, "1 m 0 s"), (192_000_000_000, "3 m 12 s"),
            (7_500_000_000_000, "2 h 5 m"), (273_600_000_000_000, "3 d 4 h"), (.max, "106751 d 23 h"),
        ] as [(Int64, String)])
    func spans(_ span: Int64, _ text: String) { #expect(PeopleText.span(span) == text) }

    @Test("Counts agree with their nouns")
    func counts() {
        #expect([0, 1, 2].map { PeopleText.count($0, "slot") } == ["0 slots", "1 slot", "2 slots"])
        #expect(PeopleText.count(2, "more host", "more hosts") == "2 more hosts")
    }

    @Test("Some of many")
    func lists() {
        #expect(PeopleText.list([]) == "")
        #expect(PeopleText.list(["a"]) == "a")
        #expect(PeopleText.list(["a", "b"]) == "a and b")
        #expect(PeopleText.list(["a", "b", "c", "d"], atMost: 2) == "a, b and 2 more")
    }
}
