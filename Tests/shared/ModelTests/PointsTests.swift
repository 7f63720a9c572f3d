import Model
import Testing

/// A sweep with engine `command` and these axes, names and values separated by spaces.
func sweep(_ axes: String..., zips: [[String]] = [], workloads: [String] = []) -> Sweep {
    var sweep = Sweep(name: "t", engine: "command")
    sweep.axes = axes.map(axis)
    sweep.zips = zips.map { $0.map(axis) }
    sweep.workloads = workloads
    return sweep
}

private func axis(_ text: String) -> Axis {
    let words = text.split(separator: " ").map(String.init)
    return Axis(name: words[0], values: Array(words.dropFirst()))
}

func entry(_ text: String) -> [Assignment] {
    text.split(separator: " ").map { part in
        let sides = part.split(separator: "=").map(String.init)
        return Assignment(axis: sides[0], value: sides[1])
    }
}

/// All points as text: workload and values.
func lines(_ points: Points) -> [String] {
    (0..<points.count).map { ([points.workload($0)].compactMap { $0 } + points.values($0)).joined(separator: " ") }
}

func points(_ sweep: Sweep, recipe: String = "r") throws -> Points { try Points(sweep, recipe: recipe) }

struct PointsTests {
    @Test func orderIsThatOfTheFile() throws {
        let sweep = sweep("a 1 2", "b x y", workloads: ["w", "v"])
        #expect(
            try lines(points(sweep))
                == ["w 1 x", "w 1 y", "w 2 x", "w 2 y", "v 1 x", "v 1 y", "v 2 x", "v 2 y"])
    }

    @Test("Another image of one workload makes other points of it, and of no other")
    func images() throws {
        var one = sweep("a 1 2", workloads: ["v", "w"])
        func image(_ workload: String, _ content: String, memory: Int64 = 1 << 28) -> WorkloadImage {
            let disk = InputFile(path: "d", source: "/d", digest: SHA256.digest(content), size: 1, isExecutable: false)
            return WorkloadImage(workload: workload, disk: disk, memoryBytes: memory)
        }
        func digests(_ sweep: Sweep) throws -> [Digest] {
            let points = try points(sweep)
            return (0..<points.count).map(points.digest)
        }
        let named = try digests(one)
        one.images = [image("v", "x"), image("w", "y")]
        let first = try digests(one)
        #expect(Set(named).isDisjoint(with: first))
        for changed in [image("w", "z"), image("w", "y", memory: 1 << 29)] {
            var other = one
            other.images[1] = changed
            let second = try digests(other)
            #expect(first[..<2] == second[..<2] && first[2] != second[2] && first[3] != second[3])
        }
    }

    @Test("A checkpoint that is forced makes other points of its workload, by what does not fit, and of no other")
    func forced() throws {
        func digests(_ forced: [CheckpointDifference]) throws -> [Digest] {
            var sweep = sweep("a 1 2", workloads: ["v", "w"])
            if !forced.isEmpty { sweep.forced = [ForcedCheckpoint(workload: "w", differences: forced)] }
            let points = try points(sweep)
            return (0..<points.count).map(points.digest)
        }
        let kernel = CheckpointDifference("kernel", found: "a", expected: "b")
        let all = try [[], [kernel], [CheckpointDifference("kernel", found: "a", expected: "c")], [kernel, kernel]]
            .map(digests)
        for digests in all { #expect(digests[..<2] == all[0][..<2]) }
        #expect(Set(all.flatMap { $0[2...] }).count == 8)
    }

    @Test func zipsTurnTogether() throws {
        let sweep = sweep("a 1 2", zips: [["b x y z", "c x x q"]])
        #expect(try points(sweep).axes == ["a", "b", "c"])
        #expect(try lines(points(sweep)) == ["1 x x", "1 y x", "1 z q", "2 x x", "2 y x", "2 z q"])
    }

    @Test func excludeLeavesOutAndIncludeAdds() throws {
        var sweep = sweep("a 1 2", "b x y", workloads: ["w", "v"])
        sweep.exclude = [entry("a=1 b=y"), entry("a=2 b=x")]
        sweep.include = [entry("b=new a=1"), entry("a=1 b=y")]
        #expect(
            try lines(points(sweep)) == ["w 1 x", "w 2 y", "w 1 new", "w 1 y", "v 1 x", "v 2 y", "v 1 new", "v 1 y"])
    }

    @Test func noAxesIsOnePoint() throws {
        #expect(try lines(points(sweep())) == [""])
        #expect(try lines(points(sweep(workloads: ["w", "v"]))) == ["w", "v"])
        #expect(try points(sweep()).document(0).encoded.hasSuffix(#""workload":null,"parameters":{}}"#))
    }

    @Test func wrongSweepsAreRefusedAndNeverTrap() {
        var cases: [(Sweep, String)] = [
            (sweep("a 1 1"), "duplicate"), (sweep("a"), "no value"), (sweep("a 1", "a 2"), "duplicate"),
            (sweep(zips: [["a 1 2", "b 1"]]), "differ in length"), (sweep(zips: [[]]), "no axis"),
            (sweep(zips: [["a 1 1", "b 1 1"]]), "duplicate"), (sweep(workloads: ["w", "w"]), "duplicate"),
        ]
        for (exclude, include, text) in [
            ("a=1", "", "leaves none"), ("a=9", "", "no axis has"), ("c=1", "", "no axis has"),
            ("", "a=1", "every axis"), ("", "a=1 b=1", "same"), ("", "a=1 c=1", "no axis has"),
        ] {
            var sweep = sweep("a 1", "b 1 2")
            if !exclude.isEmpty { sweep.exclude = [entry(exclude)] }
            if !include.isEmpty { sweep.include = [entry(include)] }
            cases.append((sweep, text))
        }
        var twice = sweep("a 1")
        twice.include = [entry("a=2"), entry("a=2")]
        cases.append((twice, "same"))
        var huge = sweep()
        huge.axes = (0..<9).map { axis in Axis(name: "a\(axis)", values: (0..<200).map(String.init)) }
        cases.append((huge, "more than"))
        for (sweep, text) in cases {
            do {
                _ = try points(sweep)
                Issue.record("accepted, but \(text) was expected")
            } catch {
                #expect((error as? Failure)?.code == .badSpecification)
                #expect((error as? Failure)?.message.contains(text) == true, "\(error)")
            }
        }
    }
}

struct PointDigestTests {
    private func digests(_ sweep: Sweep, recipe: String = "r") throws -> [String: Digest] {
        let points = try points(sweep, recipe: recipe)
        return Dictionary(
            uniqueKeysWithValues: (0..<points.count).map { index in
                let names = points.assignments(index).map { "\($0.axis)=\($0.value)" }.sorted()
                return (
                    ([points.workload(index)].compactMap { $0 } + names).joined(separator: " "), points.digest(index)
                )
            })
    }

    @Test func digestsNameWhatAPointIsAndNotWhereItStands() throws {
        let before = try digests(sweep("a 1 2", "b x y", workloads: ["w"]))
        #expect(Set(before.values).count == 4)
        for other in [
            sweep("a 1 3 2", "b x y", workloads: ["w"]), sweep("b y x", "a 2 1", workloads: ["v", "w"]),
            sweep(zips: [["a 1 1 2 2", "b x y x y"]], workloads: ["w"]),
        ] {
            let after = try digests(other)
            for (point, digest) in before { #expect(after[point] == digest, "\(point)") }
        }
    }

    @Test func everythingThatMayChangeAResultCounts() throws {
        let base = try digests(sweep("a 1", workloads: ["w"]))
        for other in [
            try digests(sweep("a 1", workloads: ["v"])), try digests(sweep("a 1")), try digests(sweep("a 01")),
            try digests(sweep("b 1", workloads: ["w"])), try digests(sweep("a 1", "b 1", workloads: ["w"])),
            try digests(sweep("a 1", workloads: ["w"]), recipe: "other"),
        ] {
            #expect(Set(other.values).isDisjoint(with: base.values))
        }
    }

    @Test func textsDoNotRunTogether() throws {
        let tricky = ["1\nb=1:2", "1", "=", "1:1=1"]
        var sweep = sweep()
        sweep.axes = [Axis(name: "a", values: tricky), Axis(name: "b", values: tricky)]
        #expect(try Set(digests(sweep).values).count == 16)
    }

    @Test("Points from several checkpoints are others, but for those of the checkpoint that there was before")
    func checkpoints() throws {
        var one = sweep("a 1 2", workloads: ["v", "w"])
        one.measure.setupInvocations = 10
        let before = try points(one)
        var several = one
        several.measure.checkpoints = [10, 30, 50]
        let points = try points(several)
        #expect(points.axes == ["a", "checkpoint"] && points.valuesOfAxes == [["1", "2"], ["10", "30", "50"]])
        #expect(lines(points).prefix(7) == ["v 1 10", "v 2 10", "v 1 30", "v 2 30", "v 1 50", "v 2 50", "w 1 10"])
        #expect((0..<12).map(points.checkpoint) == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
        #expect((0..<12).map { points.level($0, axis: 1) } == (0..<12).map(points.checkpoint))
        let digests = (0..<12).map(points.digest)
        #expect(Set(digests).count == 12)
        #expect([0, 1, 6, 7].map { digests[$0] } == (0..<4).map(before.digest))
        #expect(before.axes == ["a"] && before.document(0)["checkpoint"] == nil)
        #expect(points.document(2)["checkpoint"] == .integer(30))
        #expect(points.document(2)["parameters"]?.encoded == #"{"a":"1"}"#)
        #expect(points.parameters(2) == entry("a=1") && points.assignments(2) == entry("a=1 checkpoint=30"))
        // What is done again alone is the same point, also without the others.
        var alone = several
        (alone.axes, alone.workloads) = ([Axis(name: "a", values: ["2"])], ["w"])
        for (age, place) in [(10, 7), (30, 9), (50, 11)] {
            alone.measure.checkpoints = [age]
            #expect(try ModelTests.points(alone).digest(0) == digests[place])
        }
    }

    /// The definition, written out once more, and a digest computed by another implementation (Python's hashlib).
    @Test func definition() throws {
        let sweep = sweep("l2.size 1MiB", "b on", workloads: ["w"])
        let digest = try points(sweep, recipe: "r").digest(0)
        let bytes = Array("usweep point 1\n".utf8) + SHA256.digest("r").bytes + SHA256.digest("workload w").bytes
        let expected = SHA256.digest(bytes + Array("1:b=2:on\n7:l2.size=4:1MiB\n".utf8))
        #expect(digest == expected)
        #expect(digest.hex == "82f5c7df56048f56dc4d87536f2683d9a5c63f8995bb2633260c1ea4e7b113f3")
    }
}
