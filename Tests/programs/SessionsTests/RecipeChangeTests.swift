import Engines
import Model
import Testing
@testable import Sessions

@Suite("Why runs are done again")
struct RecipeChangeTests {
    private func sweep(_ change: (inout Sweep) -> Void = { _ in }) -> Sweep {
        var sweep = Sweep(
            name: "t", engine: "command",
            settings: .object([
                JSON.Member("command", .array([.string("./run")])), JSON.Member("results", .string("r.json")),
            ]))
        sweep.axes = [Axis(name: "x", values: ["1", "2"]), Axis(name: "y", values: ["a"])]
        sweep.inputs = [input("run", "1", isExecutable: true), input("data", "2")]
        sweep.environment = [EnvironmentVariable("A", "1")]
        change(&sweep)
        return sweep
    }

    private func input(_ path: String, _ text: String, isExecutable: Bool = false) -> InputFile {
        InputFile(path: path, source: "/\(path)", digest: SHA256.digest(text), size: 1, isExecutable: isExecutable)
    }

    private func change(_ change: (inout Sweep) -> Void) throws -> RecipeChange {
        let after = sweep(change)
        return try RecipeChange(before: sweep(), after: after, try Points(after, recipe: after.recipe))
    }

    @Test("What changed is named, with how many runs it costs")
    func named() throws {
        let changes: [(String, (inout Sweep) -> Void)] = [
            ("input data changed", { $0.inputs[1].digest = SHA256.digest("other") }),
            ("input more was added", { $0.inputs.append(self.input("more", "3")) }),
            ("input data was removed", { $0.inputs.remove(at: 1) }),
            ("input run is no longer executable", { $0.inputs[0].isExecutable = false }),
            ("variable A of env changed", { $0.environment = [EnvironmentVariable("A", "2")] }),
            ("variable A of env was removed", { $0.environment = [] }),
            ("measure.warm was 0 and is 3", { $0.measure.warm = 3 }),
            (
                "measure.until was not set and is m ±0.5% (95%)",
                { $0.measure.until = Precision(metric: "m", interval: 5_000) }
            ),
            ("'command' changed", { $0.settings = .object([
                JSON.Member("command", .array([.string("./other")])), JSON.Member("results", .string("r.json")),
            ]) }),
        ]
        for (reason, edit) in changes {
            let change = try change(edit)
            #expect(change.reasons == [reason])
            #expect(
                change.line(repeats: 3) == "6 runs with the same parameters will run again, because \(reason)",
                "\(reason)")
        }
    }

    @Test("A definition counts where it says how much is measured, and nowhere else")
    func definition() throws {
        func with(_ expression: String, _ metric: String) -> Sweep {
            sweep {
                $0.definitions = [MetricDefinition(name: "m", expression: expression)]
                $0.measure.until = Precision(metric: metric, interval: 5_000)
            }
        }
        let reason = "the definition of 'm' changed, which determines how much is measured"
        for (metric, reasons) in [("m", [reason]), ("v", [])] {
            let (before, after) = (with("v * 2", metric), with("v * 3", metric))
            let change = try RecipeChange(before: before, after: after, try Points(after, recipe: after.recipe))
            #expect(change.reasons == reasons)
        }
    }

    @Test("What changes no result costs nothing, and points that were not there before are new")
    func nothing() throws {
        let edits: [(inout Sweep) -> Void] = [
            { $0.limits.job.time = 1 }, { $0.metrics = ["m"] }, { $0.artifacts = ArtifactRule(keep: ["*"]) },
            { $0.needs = RunNeeds(cores: 2) }, { $0.axes.reverse() }, { $0.axes[0].values.append("3") },
            { sweep in
                sweep.axes[0].values = ["7"]
                sweep.inputs[1].digest = SHA256.digest("other")
            },
        ]
        for edit in edits { #expect(try change(edit).line(repeats: 1) == nil) }
        let both = try change { sweep in
            sweep.axes[0].values = ["2", "3"]
            sweep.inputs[1].digest = SHA256.digest("other")
        }
        #expect(both.line(repeats: 1) == "1 run with the same parameters will run again, because input data changed")
    }
}
