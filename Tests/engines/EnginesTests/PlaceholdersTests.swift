import Model
import Testing
@testable import Engines

@Suite("Names in braces")
struct PlaceholdersTests {
    private static func sweep(_ change: (inout Sweep) -> Void = { _ in }) -> Sweep {
        var sweep = Sweep(name: "s", engine: "command", settings: settings(#"{"command": ["x"]}"#))
        sweep.workloads = ["aes", "fib"]
        sweep.axes = [Axis(name: "l2.size", values: ["1MiB", "2MiB"])]
        sweep.measure.repeats = 2
        change(&sweep)
        return sweep
    }

    private static func job(_ sweep: Sweep, point: Int = 3, repetition: Int = 2) throws -> Job {
        try CommandEngine(sweep).job(
            for: .evaluation(point: point, repetition: repetition),
            points: try Points(sweep, recipe: try sweep.recipe), checkpoint: [])
    }

    @Test("Everything that a run is has a name; what only its attempt knows, it fills in")
    func command() throws {
        let text = "{workload}/{l2.size} {repeat} {point} {run}-{attempt}.txt {{run}} ${attempt} {a,b} {}"
        let command = #"{"command": ["x", "\#(text)", "{run}", "{{attempt}}", ""]}"#
        let sweep = Self.sweep { $0.settings = settings(command) }
        let job = try Self.job(sweep)
        let point = try Points(sweep, recipe: try sweep.recipe).digest(3).hex
        #expect(job.arguments[2] == .joined([.run]))
        let words = job.filled(run: 17, attempt: 4).arguments.map { argument in
            if case .text(let text) = argument { text } else { "?" }
        }
        #expect(words == [
            "x", "fib/2MiB 2 \(point) 17-4.txt {run} ${attempt} {a,b} {}", "17", "{attempt}", "",
        ])
        // A value is never looked at again.
        let odd = Self.sweep {
            $0.axes = [Axis(name: "l2.size", values: ["{run}", "{{x}}"])]
            $0.settings = settings(#"{"command": ["x", "{l2.size}"]}"#)
        }
        #expect(try Self.job(odd, point: 0).arguments == [.text("x"), .text("{run}")])
    }

    @Test("Variables of the sweep: in every run, filled in, part of what a point is")
    func environment() throws {
        let sweep = Self.sweep {
            $0.environment = [
                EnvironmentVariable("OUT", "{workload}.{attempt}"), EnvironmentVariable("THREADS", "4"),
            ]
        }
        let job = try Self.job(sweep)
        #expect(job.environment.contains(EnvironmentVariable("THREADS", "4")))
        #expect(job.filled(run: 1, attempt: 3).environment.last == EnvironmentVariable("OUT", "fib.3"))
        let recipe = try sweep.recipe
        #expect(try recipe != Self.sweep().recipe)
        #expect(try Self.sweep { $0.environment = sweep.environment.reversed() }.recipe == recipe)
        // A setup is of no point.
        var own = sweep
        own.environment.append(EnvironmentVariable("SIZE", "{l2.size}"))
        let setup = EngineTask.setup(workload: "aes")
        #expect(own.environment(setup) == sweep.environment)
        #expect(own.environment(.evaluation(point: 0, repetition: 1)) == own.environment)
    }

    @Test("An input of some points goes to their runs only, and is part of their digests only")
    func inputs() throws {
        func file(_ path: String, _ text: String, _ only: [Assignment]) -> InputFile {
            InputFile(
                path: path, source: "/lab/\(path)", digest: SHA256.digest(text), size: 1, isExecutable: false,
                only: only)
        }
        func only(_ workload: String) -> [Assignment] { [Assignment(axis: "workload", value: workload)] }
        let both = only("fib") + [Assignment(axis: "l2.size", value: "2MiB")]
        func sweep(fib: String) -> Sweep {
            Self.sweep {
                $0.inputs = [
                    file("all", "all", []), file("aes.trc", "aes", only("aes")), file("fib.trc", fib, only("fib")),
                    file("fib/2MiB", "both", both),
                ]
            }
        }
        let first = sweep(fib: "1")
        let paths = try (0..<4).map { try Self.job(first, point: $0).inputs.map(\.path) }
        #expect(paths == [
            ["all", "aes.trc"], ["all", "aes.trc"], ["all", "fib.trc"], ["all", "fib.trc", "fib/2MiB"],
        ])
        func digests(_ sweep: Sweep) throws -> [Digest] {
            let points = try Points(sweep, recipe: try sweep.recipe)
            return (0..<4).map { points.digest($0) }
        }
        let (before, after) = (try digests(first), try digests(sweep(fib: "2")))
        #expect(zip(before, after).map { $0 == $1 } == [true, true, false, false])
    }

    @Test("Names that are not known here", arguments: [
        (Placeholders.ofRun, "{worklod}", "nothing is called {worklod} here; write {workload}, or {{worklod}}"),
        (.ofRun, "x{l2.sizes}", "write {l2.size}, or"), (.ofRun, "{attempts}", "write {attempt}, or"),
        (.ofSetup, "{l2.size}", "{l2.size} is an axis, and this is the same for all points"),
        (.ofSetup, "{repeat}", "{repeat} cannot be used here, where {workload}, {run} or {attempt} can"),
        (.ofInput, "{run}.txt", "{run} cannot be used here, where {workload} or {l2.size} can; leave it out"),
    ])
    func unknown(_ placeholders: Placeholders, _ text: String, _ part: String) {
        let problem = placeholders.problem(text, Self.sweep()) ?? "none"
        #expect(problem.contains(part), "\(problem)")
    }

    @Test(
        "Braces that are none of ours",
        arguments: ["{1..3}", "{a,b}", "${x}", "{{worklod}}", "{ x }", "{", "{}", "}{", "f\"{i}\""])
    func foreign(_ text: String) {
        #expect(Placeholders.ofRun.problem(text, Self.sweep()) == nil)
    }

    @Test("A workload where the sweep names none")
    func noWorkload() {
        let problem = Placeholders.ofRun.problem("{workload}", Self.sweep { $0.workloads = [] })
        #expect(problem?.contains("the sweep names no workloads") == true)
    }
}
