import Engines
import Foundation
import Model
import SweepFiles
import TestKit
import Testing
import Transports

struct SweepFileTests {
    @Test func everything() throws {
        let scratch = try Scratch()
        try scratch.write("my.py", "print()\n")
        try scratch.write("tables/b.csv", "b")
        try scratch.write("tables/a/z.csv", "z")
        let sweep = try parse(
            """
            sweep: branch-predictor-and-l2
            engine: gem5
            system: {script: ./my.py, arguments: [--cores, 2, '{checkpoint}']}
            guest: out
            workloads: [fibonacci-go, aes-python]
            checkpoint: {directory: 'cpt/{workload}/cpt.warm'}
            axes:
              l2.size: [256KiB, 1MiB]
              prefetch: [on, off, yes, ~, 010, 1e3, 0x10, 2020-01-01, '', "two words", 'é']
            zip:
              - {core.width: [4, 4, 6], core.rob: [224, 352, 352]}
            exclude: [{l2.size: 256KiB, prefetch: on}]
            include: [{l2.size: 2MiB, prefetch: on, core.width: 6, core.rob: 224}]
            measure: {warm: 2, invocations: 5, repeat: 3}
            limits: {time: 2h30m, memory: 4GiB, stall: 90s, sweep: 3d}
            inputs: [my.py, tables/]
            retry: {attempts: 5, second-starts: no}
            hosts: {labels: [kvm, big]}
            stop: {after: 25}
            cores: 4
            priority: -5
            resources: {tpu: 2, gpu: 1}
            artifacts: {keep: ['*.txt', stats*], leave: [traces/*.bin], most: 1GiB}
            metrics: [cpi, l1i.mpki]
            """, folder: scratch.path)
        #expect(sweep.name == "branch-predictor-and-l2")
        #expect(sweep.engine == "gem5")
        #expect(
            sweep.settings.encoded
                == #"{"system":{"script":"my.py","arguments":["--cores","2","{checkpoint}"]},"#
                + #""guest":"\#(scratch.path)/out","#
                + #""checkpoint":{"directory":"\#(scratch.path)/cpt/{workload}/cpt.warm"}}"#)
        #expect(sweep.workloads == ["fibonacci-go", "aes-python"])
        #expect(
            sweep.axes[1].values
                == ["on", "off", "yes", "~", "010", "1e3", "0x10", "2020-01-01", "", "two words", "é"])
        #expect(sweep.zips[0].map(\.values) == [["4", "4", "6"], ["224", "352", "352"]])
        #expect(sweep.measure == Measure(warm: 2, invocations: 5, repeats: 3))
        #expect(sweep.limits.job == JobLimits(time: 9_000_000_000_000, stall: 90_000_000_000, memoryBytes: 4 << 30))
        #expect(sweep.limits.sweep == 259_200_000_000_000)
        #expect(sweep.attempts == 5)
        #expect(!sweep.hasSecondStarts)
        #expect(sweep.hostLabels == ["kvm", "big"])
        #expect(sweep.stopAfter == 25)
        #expect(sweep.priority == -5)
        #expect(
            sweep.needs == RunNeeds(cores: 4, resources: [CountedResource("gpu", 1), CountedResource("tpu", 2)]))
        #expect(
            sweep.artifacts == ArtifactRule(keep: ["*.txt", "stats*"], leave: ["traces/*.bin"], most: 1 << 30))
        #expect(sweep.metrics == ["cpi", "l1i.mpki"])
        #expect(sweep.inputs.map(\.path) == ["my.py", "tables/a/z.csv", "tables/b.csv"])
        #expect(sweep.inputs[0].digest == SHA256.digest("print()\n"))
        #expect(sweep.inputs[0].size == 8)
        #expect(sweep.inputs[2].source == scratch.path + "/tables/b.csv")
        let points = try Points(sweep, recipe: sweep.recipe)
        #expect(points.count == 2 * (2 * 11 * 3 - 3 + 1))
    }

    @Test("What ends a run early: the metric must be there, also without being asked for")
    func until() throws {
        let before = "sweep: u\nengine: gem5\nguest: g\nworkloads: [a]\ndefine: {slow: cpi * 2}\n"
        let sweep = try parse(
            before + "measure: {warm: 1, until: {metric: slow, interval: 0.5%, confidence: 99%, most: 40}}")
        let until = Precision(metric: "slow", interval: 5_000, confidence: 990_000)
        #expect(sweep.measure == Measure(warm: 1, invocations: 40, until: until))
        #expect(sweep.requiredMetrics == ["slow"] && sweep.metrics.isEmpty)
        let usual = try parse(
            before + "measure: {until: {most: 11, interval: 1%, metric: cpi}}\nmetrics: [l2.mpki]")
        #expect(usual.measure == Measure(invocations: 11, until: Precision(metric: "cpi", interval: 10_000)))
        #expect(usual.requiredMetrics == ["l2.mpki", "slow", "cpi"])
    }

    @Test("Checkpoints along the guest's life: as far apart as the first is from the beginning, or as is said")
    func checkpoints() throws {
        func measure(_ text: String) throws -> Measure {
            try parse("sweep: u\nengine: gem5\nguest: g\nworkloads: [a]\nmeasure: {\(text)}").measure
        }
        #expect(try measure("checkpoints: 3").checkpoints == [20, 40, 60])
        #expect(try measure("checkpoints: 3, setup: 7").checkpoints == [7, 14, 21])
        #expect(try measure("apart: 5, checkpoints: 3, setup: 7").checkpoints == [7, 12, 17])
        #expect(try measure("checkpoints: 64").checkpoints.count == 64)
        #expect(try measure("checkpoints: 1, apart: 5, warm: 2") == Measure(warm: 2))
    }

    @Test func guestIsRelativeToTheFile() throws {
        let sweep = try parse(
            "sweep: q\nengine: qemu\nguest: ../ops/guest/out\nmeasure: {setup: 7}\nworkloads: [a]\n"
                + "axes: {l2.size: [256KiB]}\n",
            folder: "/lab/sweeps")
        #expect(sweep.settings["guest"] == .string("/lab/ops/guest/out"))
        #expect(sweep.measure == Measure(setupInvocations: 7))
    }

    @Test("What happens between calls changes points; what is accepted of a run does not")
    func betweenCalls() throws {
        func sweep(_ lines: String) throws -> Sweep {
            try parse("sweep: q\nengine: qemu\nguest: g\nworkloads: [a]\n\(lines)", folder: "/lab")
        }
        let states = "axes: {state: [warm, lukewarm, cold-caches]}\n"
        let short = try sweep(states + "measure: {interleave: {stress: 1MiB}, arrivals: {mean: 2ms, seed: 7}}\n")
        #expect(short.settings["measure.interleave"]?["stress"]?.integer == 1 << 20)
        #expect(short.settings["measure.arrivals"]?["mean"]?.integer == 2_000_000)
        #expect(short.settings["measure.arrivals"]?["seed"]?.integer == 7)
        let long = try sweep(states + "measure: {interleave: {stress: 2MiB}, arrivals: {mean: 2ms, seed: 7}}\n")
        #expect(try short.recipe != long.recipe)
        let plain = try sweep("axes: {state: [warm]}\n")
        let bounded = try sweep("axes: {state: [warm]}\nlimits: {interference: 0.5%, time: 1h}\n")
        #expect(bounded.settings["limits.interference"]?.integer == 5_000)
        #expect(bounded.limits.job.time == 3_600_000_000_000)
        #expect(try plain.recipe == bounded.recipe)
        let axes = try sweep(
            "axes: {state: [lukewarm], interleave.stress: [1MiB, 8MiB], arrivals.every: [5ms, 20ms]}\n")
        #expect(try Points(axes, recipe: axes.recipe).count == 4)
    }

    @Test func commandKeepsItsText() throws {
        let sweep = try parse(
            "sweep: c\nengine: command\ncommand:\n  - sh\n  - |\n    a\n      b {{x}}\n  - '*x &y'\n  - 010\n")
        #expect(sweep.settings["command"]?.elements?.map(\.text) == ["sh", "a\n  b {{x}}\n", "*x &y", "010"])
        #expect(sweep.settings["results"] == nil)
        #expect(try Points(sweep, recipe: sweep.recipe).count == 1)
    }

    @Test func listOfWorkloads() throws {
        let scratch = try Scratch()
        try scratch.write("functions.list", "# all\nfibonacci-go\n  aes-python  # slow\n\n#auth-go\n")
        let text = "sweep: w\nengine: gem5\nguest: out\nworkloads: {file: functions.list}\n"
        #expect(try parse(text, folder: scratch.path).workloads == ["fibonacci-go", "aes-python"])
        try scratch.write("functions.list", "fibonacci-go\r\naes-python\r\n")
        #expect(try parse(text, folder: scratch.path).workloads == ["fibonacci-go", "aes-python"])
        try scratch.write("functions.list", "a\n  b c\na\n")
        let lines = message { _ = try parse(text, folder: scratch.path) }?.split(separator: "\n") ?? []
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("functions.list:2:3: 'b c' is not a name") == true)
        #expect(lines.last == "functions.list:3:1: 'a' is a duplicate; remove one")
        try scratch.write("functions.list", "# none\n")
        #expect(message { _ = try parse(text, folder: scratch.path) }?.contains("names no workload") == true)
    }

    @Test func missingFiles() throws {
        let scratch = try Scratch()
        #expect(code { _ = try SweepFile.read(path: scratch.path + "/none.yaml") } == .missingFile)
        #expect(code { _ = try SweepFile.read(path: scratch.path) } == .missingFile)
        let text = "sweep: m\nengine: command\ncommand: [x]\ninputs: [a,\n  b/]\n"
        let path = try scratch.write("s.yaml", text)
        #expect(code { _ = try SweepFile.read(path: path) } == .missingFile)
        let lines = message { _ = try SweepFile.read(path: path) }?.split(separator: "\n") ?? []
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("\(path):4:10: key 'inputs': 'a' does not exist") == true)
        #expect(lines.last?.hasPrefix("\(path):5:3: key 'inputs': 'b/' does not exist") == true)
        // A wrong key beside it is a wrong specification.
        let both = try scratch.write("t.yaml", text + "nonsense: 1\n")
        #expect(code { _ = try SweepFile.read(path: both) } == .badSpecification)
    }

    @Test func windowsFilesRead() throws {
        let scratch = try Scratch()
        let path = try scratch.write(
            "w.yaml", "\u{feff}sweep: w\r\nengine: command\r\ncommand: [x]\r\naxes: {a: [1]}\r\n")
        #expect(try SweepFile.read(path: path).axes == [Axis(name: "a", values: ["1"])])
        let wrong = try scratch.write("v.yaml", "\u{feff}sweep: w\r\nengin: command\r\n")
        #expect(message { _ = try SweepFile.read(path: wrong) }?.contains("\(wrong):2:1: key 'engin'") == true)
    }

    @Test func notUTF8() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s.yaml"
        try Data("sweep: a\nengine: ".utf8 + [0xff, 0xfe, 0x0a]).write(to: URL(filePath: path))
        #expect(message { _ = try SweepFile.read(path: path) }?.hasPrefix("\(path):2:9: not UTF-8") == true)
    }

    @Test func everyExampleOfTheProject() throws {
        for folder in ["sweeps", "inventory"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")
                .filter { $0.hasSuffix(".yaml") }.sorted()
            #expect(!names.isEmpty)
            for name in names {
                let path = "\(root)/\(folder)/\(name)"
                if folder == "sweeps" {
                    let sweep = try SweepFile.read(path: path)
                    #expect(try Points(sweep, recipe: sweep.recipe).count > 0, "\(name)")
                } else {
                    let inventory = try InventoryFile.read(path: path, transports: TransportRegistry.formats)
                    #expect(!inventory.hosts.isEmpty, "\(name)")
                }
            }
        }
        let quickstart = try SweepFile.read(path: "\(root)/sweeps/quickstart.yaml")
        #expect(try Points(quickstart, recipe: quickstart.recipe).count == 12)
    }

    @Test func theListOfFunctionsIsTheCatalogue() throws {
        let functions = "\(root)/ops/guest/functions"
        let built = try FileManager.default.contentsOfDirectory(atPath: functions).filter { name in
            let manifest = FileManager.default.contents(atPath: "\(functions)/\(name)/workload.yaml") ?? Data()
            return String(decoding: manifest, as: UTF8.self).contains("\nrequests:")
        }
        #expect(built.count >= 25)
        let sweep = try SweepFile.read(path: "\(root)/sweeps/functions.yaml")
        #expect(sweep.workloads.sorted() == built.sorted())
    }

    @Test func templates() throws {
        let text = Templates.sweep(file: "study/sweep.yaml", inventory: "study/inventory.yaml")
        #expect(text.contains("usweep launch study/sweep.yaml -i study/inventory.yaml\n"))
        let sweep = try parse(text)
        #expect(sweep.engine == "command")
        #expect(try Points(sweep, recipe: sweep.recipe).count == 6)
        let scratch = try Scratch()
        let process = Process()
        let command = try #require(sweep.settings["command"]?.elements).compactMap(\.text)
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(filePath: scratch.path)
        process.environment = ["PATH": "/usr/bin:/bin", "USWEEP_SIZE": "16", "USWEEP_POLICY": "random"]
        try process.run()
        process.waitUntilExit()
        let place = try #require(sweep.settings["results"]?.text)
        let results = try String(contentsOfFile: "\(scratch.path)/\(place)", encoding: .utf8)
        #expect(try JSON(parsing: results)["misses"]?.integer == 7_500)
        let hosts = try parseHosts(Templates.inventory).hosts
        #expect(hosts.map(\.target.transport) == ["local"])
    }
}

/// What may be shipped to hosts, and what may not.
struct InputsTests {
    func inputs(_ list: String, _ scratch: Scratch, more: String = "") throws -> [InputFile] {
        try parse("sweep: i\nengine: command\ncommand: [x]\ninputs: \(list)\n\(more)", folder: scratch.path + "/sweeps")
            .inputs
    }

    @Test func places() throws {
        let scratch = try Scratch()
        try scratch.write("sweeps/deep/x.sh", "x")
        try scratch.write("tools/run.sh", "run")
        try scratch.write("data/a", "a")
        try scratch.write("data/$(touch x); 'a b'", "hostile")
        chmod(scratch.path + "/tools/run.sh", 0o755)
        let files = try inputs("[./deep/x.sh, ../tools/run.sh, ../data/, '\(scratch.path)/data/a']", scratch)
        #expect(files.map(\.path) == ["a", "data/$(touch x); 'a b'", "data/a", "deep/x.sh", "run.sh"])
        #expect(files.map(\.isExecutable) == [false, false, false, false, true])
    }

    @Test func refused() throws {
        let scratch = try Scratch()
        try scratch.write("sweeps/a", "a")
        for name in ["point.json", "stdout.txt", "stderr.txt"] { try scratch.write("sweeps/\(name)", "{}") }
        let latin: [CChar] = Array("\(scratch.path)/latin/caf".utf8CString.dropLast()) + [-23, 0]
        try FileManager.default.createDirectory(atPath: scratch.path + "/latin", withIntermediateDirectories: true)
        close(open(latin, O_CREAT | O_WRONLY, 0o600))
        try scratch.write("sweeps/d/a", "a")
        try scratch.write("a", "other")
        try scratch.write("secret", "s")
        try scratch.write("out/f", "f")
        try scratch.link("out/leak", to: "../secret")
        try scratch.write("in/f", "f")
        try scratch.link("in/g", to: "f")
        try scratch.write("loop/f", "f")
        try scratch.link("loop/again", to: ".")
        try FileManager.default.createDirectory(atPath: scratch.path + "/empty", withIntermediateDirectories: true)
        mkfifo(scratch.path + "/sweeps/pipe", 0o600)
        for (list, part) in [
            ("[d]", "'d' is a folder; write 'd/'"), ("[a/]", "'a/' "), ("[a, ./a]", "'./a' is a duplicate"),
            ("[a, ../a]", "would have the same place as"), ("[point.json]", "rename the input"),
            ("[stdout.txt]", "takes the program's standard output; rename"), ("[stderr.txt]", "standard error; rename"),
            ("[../latin/]", "the name is not UTF-8; rename the file, as in convmv -f latin1"),
            ("[./]", "the sweep's own folder"),
            ("[../sweeps/]", "the sweep's own folder"), ("[../out/]", "'out/leak' is a link"),
            ("[../loop/]", "'loop/again' is a link"), ("[../empty/]", "has no file"), ("[pipe]", "neither a file"),
        ] {
            let message = message { _ = try inputs(list, scratch) } ?? "no error"
            #expect(message.hasPrefix("s.yaml:4:") && message.contains(part), "\(list): \(message)")
        }
        #expect(try inputs("[../in/]", scratch).map(\.path) == ["in/f", "in/g"])
        // Signs of YAML within quotes and comments are text.
        #expect(try inputs("[a] # &co, see *important*", scratch, more: "env: {E: '&x *y'}\n").map(\.path) == ["a"])
        let clash = message { _ = try inputs("[a]", scratch, more: "results: a\n") }
        #expect(clash?.contains("'a' is what 'results' names") == true)
    }
}

struct MutationTests {
    /// Whatever is done to a valid file, reading ends with a value or a failure of its own kind.
    @Test(arguments: 0..<8) func mutatedFilesNeverCrash(_ seed: Int) throws {
        var generator = Chance(seed: UInt64(seed))
        let sweeps = try ["hello", "quickstart"].map {
            try String(contentsOfFile: "\(root)/sweeps/\($0).yaml", encoding: .utf8)
        }
        let hosts = try String(contentsOfFile: "\(root)/inventory/example.yaml", encoding: .utf8)
        let pieces = [
            "&a ", "*a", "[", "]", "{", "}", ": ", "- ", "\n", "\"", "'", "#", "!!x ", "|", "%", "\u{0}", "? ",
            "999999999999999999999", "\u{feff}", "é",
        ]
        for round in 0..<250 {
            let isSweep = round % 2 == 0
            var bytes = Array((isSweep ? sweeps[round / 2 % 2] : hosts).utf8)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: 0...127, using: &generator)
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...20, using: &generator)))
                case 2: bytes.insert(contentsOf: Array(pieces.randomElement(using: &generator)!.utf8), at: at)
                default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 30)], at: at)
                }
                if bytes.isEmpty { bytes = [0x0a] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                if isSweep { _ = try parse(text, folder: "/nonexistent") } else { _ = try parseHosts(text) }
            } catch {
                let failure = try #require(error as? Failure, "\(error)")
                #expect([.badSpecification, .missingFile].contains(failure.code), "\(failure)")
                #expect(failure.message.hasPrefix(isSweep ? "s.yaml:" : "i.yaml:"), "\(failure)")
            }
        }
    }

    @Test func rangesAndListsOfValues() throws {
        let sweep = try parse(
            """
            sweep: t
            engine: command
            command: [x]
            axes:
              a: 1..10 step 4
              b: [08..11, -1..1, '1..3', 1.5]
            zip:
              - {c: 1..2, d: [x, y]}
            exclude:
              - {a: [1, 5], b: 08..10}
            include:
              - {a: 20..21, b: 08, c: [1], d: [x, y]}
            """)
        #expect(sweep.axes[0].values == ["1", "5", "9"])
        #expect(sweep.axes[1].values == ["08", "09", "10", "11", "-1", "0", "1", "1..3", "1.5"])
        #expect(sweep.zips[0].map(\.values) == [["1", "2"], ["x", "y"]])
        #expect(sweep.exclude.map { $0.map(\.value) } == [
            ["1", "08"], ["1", "09"], ["1", "10"], ["5", "08"], ["5", "09"], ["5", "10"],
        ])
        #expect(sweep.include.map { $0.map(\.value).joined(separator: " ") } == [
            "20 08 1 x", "20 08 1 y", "21 08 1 x", "21 08 1 y",
        ])
    }
}
