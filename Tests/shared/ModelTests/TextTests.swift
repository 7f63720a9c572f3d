import Model
import Testing

struct QuantityTests {
    @Test(
        arguments: [
            ("0B", 0), ("64B", 64), ("256KiB", 262_144), ("1MiB", 1 << 20), ("4GiB", 4 << 30), ("2TiB", 2 << 40),
            ("3KB", 3_000), ("5MB", 5_000_000), ("4GB", 4_000_000_000), ("1TB", 1_000_000_000_000), ("010KiB", 10_240),
        ] as [(String, Int64)])
    func sizes(_ text: String, _ bytes: Int64) throws { #expect(try Quantity.bytes(text) == bytes) }

    @Test(
        arguments: [
            ("1ms", 1_000_000), ("90s", 90_000_000_000), ("2h", 7_200_000_000_000), ("2h30m", 9_000_000_000_000),
            ("3d", 259_200_000_000_000), ("1d1h1m1s1ms", 90_061_001_000_000),
        ] as [(String, Int64)])
    func durations(_ text: String, _ nanoseconds: Int64) throws {
        #expect(try Quantity.duration(text) == nanoseconds)
    }

    @Test(arguments: [
        ("4G", "write 4GiB"), ("4gib", "write 4GiB"), ("12", "a unit too"), ("KiB", "a whole number"),
        ("", "a whole number"),
        ("1.5GiB", "write 1536MiB"), ("-1KiB", "a whole number"), ("1 KiB", "write 1KiB"),
        ("4 gigabytes", "write 4GB"), ("0.5 TB", "write 500GB"), ("0.1B", "a whole number"),
        ("1KiB ", "a whole number"),
        ("9999999999TiB", "64 bits"), ("99999999999999999999B", "a whole number"), ("1XiB", "a unit too"),
        ("٣KiB", "a whole number"),
    ])
    func wrongSizes(_ text: String, _ hint: String) { check(hint) { _ = try Quantity.bytes(text) } }

    @Test(arguments: [
        ("5", "5s or 5m"), ("", "as in 90s"), ("h", "as in 90s"), ("5min", "write 5m"),
        ("1 h", "write 1h"), ("2 days", "write 2d"),
        ("1m1h", "from long to short"),
        ("1s1s", "from long to short"), ("1h ", "as in 90s"), ("-1s", "as in 90s"), ("1.5h", "write 1h30m"),
        ("9999999999d", "292 years"),
        ("106751d106751h9999999999999m", "292 years"),
    ])
    func wrongDurations(_ text: String, _ hint: String) { check(hint) { _ = try Quantity.duration(text) } }

    @Test(
        arguments: [
            ("1%", 10_000, "1%"), ("0.5%", 5_000, "0.5%"), ("100%", 1_000_000, "100%"), ("0.0001%", 1, "0.0001%"),
            ("12.25%", 122_500, "12.25%"), ("0%", 0, "0%"), ("05.0%", 50_000, "5%"),
        ] as [(String, Int64, String)])
    func percentages(_ text: String, _ millionths: Int64, _ shown: String) throws {
        #expect(try Quantity.millionths(text) == millionths)
        #expect(PeopleText.percentage(millionths: millionths) == shown)
    }

    @Test(arguments: ["", "%", "1", "1.%", ".5%", "101%", "-1%", "1.00001%", "1 %", "1,5%", "1e1%", "٣%", "1.2.3%"])
    func wrongPercentages(_ text: String) { check("as in 0.5%") { _ = try Quantity.millionths(text) } }

    private func check(_ hint: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("accepted")
        } catch {
            #expect((error as? Failure)?.code == .badSpecification)
            #expect((error as? Failure)?.message.contains(hint) == true, "\(error)")
        }
    }
}

struct NamesTests {
    @Test(arguments: ["a", "0", "a.b_c-d", "A1", String(repeating: "x", count: 100)])
    func plain(_ name: String) { #expect(Names.isPlain(name)) }

    @Test(arguments: [
        "", ".", "..", ".a", "-a", "_a", "a b", "a/b", "$(x)", "a\n", "é", "a\u{0}",
        String(repeating: "x", count: 101),
    ])
    func notPlain(_ name: String) { #expect(!Names.isPlain(name)) }

    @Test func axesAndVariables() {
        #expect(Names.isAxis("l2.size") && !Names.isAxis("2l") && !Names.isAxis("-x"))
        #expect(Names.variable(axis: "l2.size") == "USWEEP_L2_SIZE")
        #expect(Names.variable(axis: "branch-predictor") == "USWEEP_BRANCH_PREDICTOR")
        for name in ["run", "Host", "point-file", "wall.s", "attempt", "workload"] { #expect(Names.isReserved(name)) }
        for name in ["runs", "x", "l2.size"] { #expect(!Names.isReserved(name)) }
        #expect(Names.isAddress("fe80::1%eth0") && !Names.isAddress("h%eth0") && !Names.isAddress("fe80::1%"))
        #expect(Names.isHost("::1") && Names.isHost("node-1.lab") && !Names.isHost("-x") && !Names.isHost("a b"))
    }

    @Test func nearest() {
        #expect(Names.nearest(to: "axis", in: ["axes", "zip"]) == "axes")
        #expect(Names.nearest(to: "repaet", in: ["repeat", "warm"]) == "repeat")
        #expect(Names.nearest(to: "L2.SIZE", in: ["l1.size", "l2.size"]) == "l2.size")
        #expect(Names.nearest(to: "zzzz", in: ["axes", "zip"]) == nil)
        #expect(Names.nearest(to: "x", in: ["y"]) == nil)
        #expect(Names.nearest(to: "", in: ["y"]) == nil)
        #expect(Names.nearest(to: "x", in: []) == nil)
    }

    @Test func shown() {
        #expect(Names.shown("a\u{1b}[2J\u{202e}é") == "a\\u{1b}[2J\\u{202e}é")
        #expect(Names.shown(String(repeating: "x", count: 300)).count == 203)
    }

    @Test(arguments: ["a", "a/b", "$(touch x); 'a b'", "a/..b", "...", "é", String(repeating: "x", count: 255)])
    func safePaths(_ path: String) { #expect(RelativePath.isSafe(path)) }

    @Test(arguments: [
        "", "/", "/a", "..", "a/..", "../a", "a/../b", ".", "a/./b", "a//b", "a/", "a\u{0}b", "a\nb", "\u{7f}",
        String(repeating: "x", count: 256), String(repeating: "x/", count: 600) + "x",
    ])
    func hostilePaths(_ path: String) { #expect(!RelativePath.isSafe(path)) }
}

struct HostRangeTests {
    @Test(arguments: [
        ("node", ["node"]), ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[08-11].lab", ["n08.lab", "n09.lab", "n10.lab", "n11.lab"]),
        ("n[1,3,5-6]", ["n1", "n3", "n5", "n6"]), ("r[1-2]n[01-02]", ["r1n01", "r1n02", "r2n01", "r2n02"]),
        ("n[0-1]", ["n0", "n1"]),
        ("n[8-11]", ["n8", "n9", "n10", "n11"]), ("n[007]", ["n007"]),
    ])
    func expands(_ pattern: String, _ names: [String]) throws { #expect(try HostRange.expand(pattern) == names) }

    @Test(arguments: [
        "n[", "n]", "n[]", "n[1-]", "n[-1]", "n[1-2-3]", "n[2-1]", "n[1,]", "n[a]", "n[1-08]", "n]1[", "n[[1]]",
        "n[1-999999999]",
        "n[0-9999]m[0-9999]", "n[9999999999]", "n[١]",
    ])
    func refuses(_ pattern: String) { #expect(throws: Failure.self) { _ = try HostRange.expand(pattern) } }
}
