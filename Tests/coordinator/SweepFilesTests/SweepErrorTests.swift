import Foundation
import Model
import SweepFiles
import Testing

/// Each case: the lines after `sweep: t` and `engine: E`, and what the message must begin with and contain.
struct Wrong: Sendable, CustomTestStringConvertible {
    var engine: String
    var lines: String
    var place: String
    var parts: [String]
    var testDescription: String { "\(engine): \(lines)" }

    init(engine: String = "command", _ lines: String, _ place: String, _ parts: String...) {
        (self.engine, self.lines, self.place, self.parts) = (engine, lines, place, parts)
    }
}

struct SweepErrorTests {
    static let command = "command: [x]\n"
    static func until(_ members: String, _ others: String = "") -> String {
        "guest: g\nworkloads: [a]\nmeasure: {\(others)until: {\(members)}}"
    }
    static func gem5(_ measure: String, _ others: String = "") -> String {
        "guest: g\nworkloads: [a]\n\(others)measure: {\(measure)}"
    }
    static let results = command + "results: r.json\n"

    @Test(arguments: [
        Wrong(command + "axis: {x: [1]}", "4:1", "key 'axis': unknown", "did you mean 'axes'?"),
        Wrong(command + "zzzzzzzzz: 1", "4:1", "key 'zzzzzzzzz': unknown", "there are: sweep, engine"),
        Wrong(command + "axes:", "4:6", "key 'axes': a mapping was expected, not nothing"),
        Wrong(command + "axes: {x: 1}", "4:11", "key 'axes.x': a list was expected, not '1'; write [1]"),
        Wrong(command + "axes:\n  x: 16, 32, 64", "5:6", "a list was expected, not '16, 32, 64'; write [16, 32, 64]"),
        Wrong(command + "axes: {x: []}", "4:11", "key 'axes.x': the list is empty"),
        Wrong(command + "axes: {}", "4:7", "key 'axes': has no axis"),
        Wrong(command + "axes: {x: 5..1}", "4:11", "key 'axes.x': the range has no value, as 1 is less than 5"),
        Wrong(command + "axes: {x: [1..9 step 0]}", "4:12", "key 'axes.x': the step is 0"),
        Wrong(command + "axes: {x: 1..99999999999}", "4:11", "the range has more than 10000000 values"),
        Wrong(command + "axes: {x: -9223372036854775808..9223372036854775807}", "4:11", "more than 10000000 values"),
        Wrong(command + "axes: {x: [1..3, 2]}", "4:18", "key 'axes.x': '2' is a duplicate"),
        Wrong(command + "axes: {x: 1..9}\nexclude: [{x: [3, 12]}]", "5:19", "the axis has no value '12'"),
        Wrong(
            command + "axes: {x: 1..999, y: 1..999}\nexclude: [{x: 1..999, y: 1..999}]", "5:11",
            "an entry means more than 100000 combinations"),
        Wrong(command + "axes: {x: [1, 2, 1]}", "4:18", "key 'axes.x': '1' is a duplicate"),
        Wrong(command + "axes: {x: [1, [2]]}", "4:15", "key 'axes.x': text was expected, not a list"),
        Wrong(command + "axes: {x: [1, {y: 2}]}", "4:15", "not a mapping"),
        Wrong(
            command + "axes:\n  x: [1]\n  x: [2]", "6:3",
            "key 'x': is a duplicate: given twice, first in line 5, column 3; remove one"),
        Wrong(command + "axes:\n  x: [1]\n  'x': [2]", "6:3", "duplicate: given twice, first in line 5"),
        Wrong(command + "axes: {x: [1], xx: [2], 'x': [3]}", "4:25", "given twice, first in line 4, column 8"),
        Wrong(
            command + "axes: {x: [1]}\ndefine:\n  m: a\n  n:  axes\nlimits: {time: 1s}\naxes: {y: [2]}", "9:1",
            "key 'axes': is a duplicate: given twice, first in line 4, column 1; remove one"),
        Wrong(command + "axes: {x: [\"a\\u0007\"]}", "4:12", "'a\\u{7}' has an invisible character (U+0007)"),
        Wrong(command + "axes: {x: 1, 2, 3}", "4:11", "key 'axes.x': a list was expected; write [1, 2, 3]"),
        Wrong(command + "axes: {y: [1], x: a, b, z: [2]}", "4:19", "key 'axes.x': a list was expected; write [a, b]"),
        Wrong(command + "zip: [{x: 1, 2, y: [1, 2]}]", "4:11", "key 'zip.x': a list was expected; write [1, 2]"),
        Wrong(command + "axes: {x: [1], 2}", "4:16", "if it is a value, write the values in brackets"),
        Wrong(command + "axes: {1x: [1]}", "4:8", "key 'axes.1x': is not a name for an axis"),
        Wrong(command + "axes: {'$(touch x)': [1]}", "4:8", "key 'axes.$(touch x)': is not a name for an axis"),
        Wrong(command + "axes: {run: [1]}", "4:8", "key 'axes.run': the tables use this name"),
        Wrong(command + "axes: {Point-File: [1]}", "4:8", "the tables use this name"),
        Wrong(
            command + "axes: {l2.size: [1], l2-size: [2]}", "4:22",
            "'l2.size' has the same environment variable, USWEEP_L2_SIZE"),
        Wrong(results + "metrics: [v]\naxes: {v: [1]}", "6:8", "a metric has the same name"),
        Wrong(results + "define: {v: 2 * w}\naxes: {v: [1]}", "6:8", "a metric has the same name"),
        Wrong(results + "define: {a: b + 1, b: c}", "5:13", "uses 'b', which is defined below it"),
        Wrong(results + "define: {a: a + 1}", "5:13", "uses 'a', which is what it defines"),
        Wrong(results + "define: {a: 'c / \"system.*\"'}", "5:13", "names raw statistics"),
        Wrong(
            command + "metrics: [v]", "4:1", "key 'metrics': needs the file with the numbers", "results: results.json"),
        Wrong(command + "define: {v: w + 1}", "4:1", "key 'define': needs the file with the numbers"),
        Wrong(engine: "gem5", gem5("checkpoints: 65"), "5:24", "key 'measure.checkpoints'", "64"),
        Wrong(engine: "qemu", gem5("checkpoints: 0"), "5:24", "key 'measure.checkpoints'"),
        Wrong(engine: "qemu", gem5("checkpoints: 2, apart: 0"), "5:34", "key 'measure.apart'"),
        Wrong(
            engine: "qemu", gem5("apart: 5"), "5:11",
            "key 'measure.apart': is the distance between 'checkpoints', which"),
        Wrong(
            engine: "qemu", gem5("checkpoints: 3, apart: 500000"), "5:24",
            "the last would be taken after 1000020 invocations"),
        Wrong(command + "measure: {checkpoints: 2}", "4:11", "engine 'command' has no such phase; remove it"),
        Wrong(
            engine: "gem5", gem5("checkpoints: 2", "checkpoint: warm\n"), "6:11",
            "key 'measure.checkpoints': this sweep does not make its checkpoints", "remove 'checkpoint'"),
        Wrong(command + "limits: {<<: {time: 1s}}", "4:10", "merge keys are not supported"),
        Wrong(command + "axes: {x: [\u{201c}a\u{201d}]}", "4:12", "typographic quote"),
        Wrong(command + "axes: {x: [a\u{a0}b]}", "4:12", "'a\\u{a0}b' has an invisible character (U+00A0)"),
        Wrong(
            command + "axes: {x: [\u{2764}\u{fe0f}]}", "4:12",
            "'\u{2764}\\u{fe0f}' has an invisible character (U+FE0F); it belongs to an emoji: write a word instead"),
        Wrong(results + "metrics: [ipc\u{200b}]", "5:11", "'ipc\\u{200b}' has an invisible character (U+200B)"),
        Wrong(command + "axes:\n\tx: [1]", "5:1", "indented with a tab; use spaces"),
        Wrong(command + "axes:\n  x: [1]\n \ty: [1]", "6:2", "indented with a tab; use spaces"),
        Wrong(
            command + "axes:\n  x: [1]\n    y: [2]", "6:5", "line 6 is indented by 4 spaces, the line above by 2",
            "alike, without tabs"),
        Wrong(command + "axes:\n  x:\n  - 1\n   - 2", "6:5", "the '-' on the next line is taken for text"),
        Wrong(
            "sweep:\u{a0}s\ncommand: [x]\nlimits:\u{a0}{time: 1s}", "3:7",
            "an invisible character (\\u{a0}); write a space"),
        Wrong(command + "axes: {x: [1]}\nzip: [{x: [1]}]", "5:8", "key 'zip.x': is a duplicate"),
        Wrong(
            command + "zip:\n  - {a: [1, 2], b: [1]}", "5:20",
            "key 'zip.b': 'a' has 2 values but 'b' has 1 value"),
        Wrong(command + "zip:\n  - {a: [1, 1], b: [2, 2]}", "5:5", "{a: 1, b: 2} is a duplicate"),
        Wrong(command + "axes: {x: 0.1..0.5 step 0.1}", "4:11", "'0.1..0.5 step 0.1' is not a range"),
        Wrong(command + "axes: {x: 1...4}", "4:11", "'1...4' is not a range"),
        Wrong(command + "results: 'r{x}.json'\naxes: {x: [1]}", "4:1", "has one name for all points"),
        Wrong(command + "results: point.json\naxes: {x: [1]}", "4:1", "the file that describes the point"),
        Wrong(command + "results: 'r-*.json'\naxes: {x: [1]}", "4:1", "write the name of one file"),
        Wrong(command + "results: 'r.json,'\naxes: {x: [1]}", "4:1", "ends with a comma; write 'r.json'"),
        Wrong(command + "results: R.tsv\naxes: {x: [1]}", "4:1", "results are JSON, or CSV"),
        Wrong(command + "zip: {a: [1]}", "4:6", "key 'zip': a list was expected, not a mapping"),
        Wrong(
            command + "axes: {x: [1]}\nexclude: [{y: 1}]", "5:12", "key 'exclude.y': no axis has this name",
            "there are: x"),
        Wrong(command + "axes: {size: [10, 20]}\nexclude: [{size: 200}]", "5:18", "no value '200'; did you mean '20'?"),
        Wrong(command + "axes: {x: [1]}\nexclude: [{}]", "5:11", "an entry names no axis"),
        Wrong(command + "axes: {x: [1], y: [1]}\ninclude: [{x: 2}]", "5:11", "an entry must name every axis; add y"),
        Wrong(command + "axes: {x: [1]}\ninclude: [{x: 1}]", "5:11", "on the grid already"),
        Wrong(command + "axes: {x: [1]}\ninclude: [{x: 2}, {x: 2}]", "5:19", "included already"),
        Wrong(
            command + "measure: {invocations: 0}", "4:24",
            "key 'measure.invocations': 0 is out of range; write a number from 1"),
        Wrong(command + "measure: {invocations: -3}", "4:24", "-3 is out of range"),
        Wrong(command + "measure: {repeat: 1.5}", "4:19", "'1.5' is not a whole number"),
        Wrong(command + "measure: {repeat: 010}", "4:19", "'010' is not a whole number"),
        Wrong(command + "measure: {warm: 1}", "4:11", "engine 'command' has no such phase"),
        Wrong(command + "measure: {repeats: 1}", "4:11", "key 'measure.repeats': unknown; did you mean 'repeat'?"),
        Wrong(
            command + "measure: {until: {metric: x, interval: 1%, most: 50}}", "4:11",
            "key 'measure.until': engine 'command' runs a program that alone knows what it measures"),
        Wrong(
            engine: "qemu", until("metric: cpi, interval: 1%, most: 50"), "5:27",
            "key 'measure.until.metric': engine 'qemu' has no metric 'cpi'"),
        Wrong(
            engine: "qemu", until("metric: l2.mpki, interval: 1%, most: 10"), "5:56",
            "10 is too few: the interval is first checked after 10 invocations; write more, or in place of 'until' "
                + "write invocations: 10"),
        Wrong(
            engine: "qemu", until("metric: l2.mpki, interval: 1, most: 50"), "5:46",
            "is not a percentage"),
        Wrong(
            engine: "qemu", until("metric: l2.mpki, interval: 1%, confidence: 100%, most: 50"), "5:62",
            "write a percentage from 50% to below 100%"),
        Wrong(
            engine: "qemu", until("metric: l2.mpki"), "5:18",
            "key 'measure.until': has no 'interval' and no 'most'; write until: {metric: cpi, interval: 1%, most: 50}"),
        Wrong(
            engine: "qemu", until("metric: l2.mpki, interval: 1%, most: 50", "invocations: 3, "), "5:11",
            "key 'measure.invocations': cannot be combined with 'until'"),
        Wrong(command + "stop: {after: 0}", "4:15", "key 'stop.after': 0 is out of range; write a number from 1"),
        Wrong(command + "stop: {after: often}", "4:15", "key 'stop.after': 'often' is not a whole number"),
        Wrong(command + "stop: 3", "4:7", "key 'stop': a mapping was expected"),
        Wrong(command + "cores: 0", "4:8", "key 'cores': 0 is out of range; write a number from 1 to 4096"),
        Wrong(command + "resources: {gpu: 0}", "4:18", "key 'resources.gpu': 0 is out of range"),
        Wrong(command + "resources: {'a b': 1}", "4:20", "is not a name for a resource; write at most 100 letters"),
        Wrong(command + "resources: [gpu]", "4:12", "key 'resources': a mapping was expected, not a list"),
        Wrong(command + "artifacts: {keep: '*.txt'}", "4:19", "a list was expected, not '*.txt'; write ['*.txt']"),
        Wrong(command + "artifacts: {keep: [a/]}", "4:20", "'a/' names a folder; write 'a/*' for all files in it"),
        Wrong(command + "artifacts: {leave: [../x]}", "4:21", "'../x' is not a path in a run's folder"),
        Wrong(command + "artifacts: {leave: [/x]}", "4:21", "'/x' is not a path in a run's folder"),
        Wrong(command + "artifacts: {most: 0B}", "4:19", "key 'artifacts.most': 0B is too small"),
        Wrong(command + "artifacts: {drop: [x]}", "4:13", "'artifacts.drop': unknown; there are: keep, leave, most"),
        Wrong(
            results + "artifacts: {leave: ['*.json', r.json]}", "5:31",
            "'r.json' is needed to judge a run, and always comes back; remove it"),
        Wrong(
            command + "artifacts: {leave: [stdout.txt]}", "4:21", "'stdout.txt' is needed to judge a run"),
        Wrong(command + "hosts: {labels: kvm}", "4:17", "key 'hosts.labels': a list was expected, not 'kvm'"),
        Wrong(command + "hosts: {labels: [kvm, kvm]}", "4:23", "'kvm' is a duplicate; remove one"),
        Wrong(command + "hosts: [a]", "4:8", "not a list; write key: value, as in {labels: ...}"),
        Wrong(command + "hosts: {names: [a]}", "4:9", "key 'hosts.names': unknown; there are: labels"),
        Wrong(command + "retry: {attempts: 0}", "4:19", "key 'retry.attempts': 0 is out of range"),
        Wrong(
            command + "retry: {second-starts: maybe}", "4:24",
            "key 'retry.second-starts': 'maybe' is not a truth value", "there are: yes, no, true, false"),
        Wrong(command + "retry: 3", "4:8", "a mapping was expected, not '3'; write key: value, as in {attempts: 3}"),
        Wrong(command + "measure: 3", "4:10", "write key: value, as in {repeat: 3}"),
        Wrong(
            command + "axes: {x: 1-10}", "4:11",
            "'1-10' is not a range; write 1..10, or for this text itself ['1-10']"),
        Wrong(
            command + "limits: {time: 5}", "4:16",
            "key 'limits.time': '5' is not a duration; write a unit too: 5s or 5m"),
        Wrong(command + "limits: {time: 0s}", "4:16", "0s is too small"),
        Wrong(command + "limits: {memory: 4G}", "4:18", "key 'limits.memory': '4G' is not a size; write 4GiB"),
        Wrong(command + "limits: {memory: 99999999999TiB}", "4:18", "fits 64 bits"),
        Wrong(results + "metrics: [a, a]", "5:14", "'a' is a duplicate"),
        Wrong(results + "metrics: [outcome]", "5:11", "'outcome' is not a metric"),
        Wrong(results + "metrics: ['']", "5:11", "'' is not a metric"),
        Wrong(command + "results: ../x", "4:10", "'../x' is not a path below the attempt's folder"),
        Wrong(command + "results: /etc/x", "4:10", "is not a path below"),
        Wrong(command + "workloads: ['$(touch x)']", "4:13", "'$(touch x)' is not a name for a workload"),
        Wrong(command + "workloads: [a, a]", "4:16", "'a' is a duplicate"),
        Wrong(command + "workloads: {files: a}", "4:13", "key 'workloads.files': unknown; did you mean 'file'?"),
        Wrong(command + "guest: ../out", "4:1", "key 'guest': belongs to engine gem5 and qemu, and this is 'command'"),
        Wrong(command + "system: simple", "4:1", "key 'system': belongs to engine gem5"),
        Wrong(command + "checkpoint: setup", "4:1", "key 'checkpoint': belongs to engine gem5 and qemu"),
        Wrong("command: ./run.sh -v {x}", "3:10", "key 'command': a list was expected", "write [./run.sh, -v, '{x}']"),
        Wrong(
            "command: [x, '{size}']\naxes: {x: [1]}", "3:14",
            "key 'command': nothing is called {size} here; there are {repeat}, {run}, {point}, {attempt} or {x}"),
        Wrong("command: [x, '{attemp}']", "3:14", "write {attempt}, or {{attemp}} for the braces themselves"),
        Wrong("command: [x, '{workload}']", "3:14", "{workload} has no value, since the sweep names no workloads"),
        Wrong(command + "env: {A: '{size}'}\naxes: {x: [1]}", "4:10", "key 'env.A': nothing is called {size} here"),
        Wrong(command + "env: {A: '/x:$PATH'}", "4:10", "key 'env.A': $PATH is not expanded", "write the value itself"),
        Wrong(command + "env: {A: '${HOME}/x'}", "4:10", "key 'env.A': $HOME is not expanded"),
        Wrong(command + "env: {A=B: c}", "4:7", "key 'env.A=B': is not a name for a variable"),
        Wrong(command + "env: {USWEEP_X: c}", "4:7", "names that begin with USWEEP_ are set by usweep"),
        Wrong(command + "env: {A: [1]}", "4:10", "key 'env.A': text was expected"),
        Wrong(command + "env: {}", "4:6", "key 'env': has no variable"),
        Wrong(command + "env: {A: 1, A: 2}", "4:13", "key 'A': is a duplicate: given twice, first in line 4"),
        Wrong(command + "inputs: ['{xx}.txt']\naxes: {x: [1]}", "4:10", "key 'inputs': nothing is called {xx} here"),
        Wrong(command + "inputs: ['{run}.txt']", "4:10", "key 'inputs': {run} cannot be used here"),
        Wrong(
            engine: "gem5", "guest: g\nworkloads: [a]\nmeasure: {core: 0}", "5:11",
            "key 'measure.core': has an effect only with a script of your own"),
        Wrong(
            engine: "gem5", until("metric: cpii, interval: 1%, most: 50"), "5:27",
            "key 'measure.until.metric': engine 'gem5' has no metric 'cpii'; did you mean 'cpi'?"),
        Wrong(
            engine: "gem5", "guest: g\nworkloads: [a]\ndefine: {x: cpii * 2}", "5:13", "did you mean 'cpi'?"),
        Wrong(
            engine: "qemu", "guest: g\nworkloads: [a]\nmetrics: ['\"*.cpu1.ipc\"']", "5:11",
            "\"*.cpu1.ipc\" names raw statistics, and engine 'qemu' has none"),
        Wrong(
            engine: "gem5", "guest: g\nworkloads: [a]\nmetrics: [cpii]", "5:11",
            "engine 'gem5' has no metric 'cpii'; did you mean 'cpi'?"),
        Wrong(
            engine: "qemu", "guest: g\nworkloads: [a]\nmetrics: [l2.mpkii]", "5:11",
            "engine 'qemu' has no metric 'l2.mpkii'; did you mean 'l2.mpki'?"),
        Wrong(
            engine: "qemu", "guest: g\nworkloads: [a]\nmetrics: [zzz]", "5:11",
            "engine 'qemu' has no metric 'zzz'; see which there are: usweep metrics --engine qemu"),
        Wrong("command: []", "3:10", "the list is empty"),
        Wrong("command: ['', x]", "3:1", "the program's name is empty"),
        Wrong("command: [./run.sh, x]", "3:1", "'./run.sh' is not among the inputs", "write inputs: [run.sh]"),
        Wrong(
            "command: ['python3 sim.py --size {x}']\naxes: {x: [1]}", "3:1",
            "because no shell splits it; write [python3, sim.py, --size, '{x}']"),
        Wrong("command: [/bin/echo, “--size”]", "3:1", "“--size” is in typographic quotes"),
        Wrong("command: [bin/run]", "3:1", "'bin/run' is not among the inputs", "write inputs: [bin/run]"),
        Wrong("command: [echo, {x}]", "3:17", "put text with { } [ ] in quotes"),
        Wrong("axes: {x: [1]}", "1:1", "key 'command': is missing"),
        Wrong(
            engine: "gem5", "command: [x]\nworkloads: [a]\nguest: g", "3:1",
            "key 'command': belongs to engine command"),
        Wrong(
            engine: "gem5", "system: skylak\nworkloads: [a]\nguest: g", "3:9",
            "'skylak' is not a system; did you mean 'skylake'?"),
        Wrong(
            engine: "gem5", "system: {arguments: [x]}\nworkloads: [a]\nguest: g", "3:9",
            "has no 'name' and no 'script'"),
        Wrong(
            engine: "gem5", "checkpoint: {directory: cpt}\nworkloads: [a, b]\nguest: g", "3:14",
            "all workloads would share one folder"
        ),
        Wrong(
            engine: "gem5", "checkpoint: {directory: cpt/{workload}/x}\nworkloads: [a]\nguest: g", "3:29", "not YAML",
            "in quotes"
        ),
        Wrong(
            engine: "gem5", "workloads: [a]\ncheckpoint: {directory: c}\nmeasure: {setup: 3}\nguest: g", "5:11",
            "key 'measure.setup': has an effect only if"),
        Wrong(engine: "gem5", "axes: {x: [1]}\nguest: g", "1:1", "key 'workloads': is missing"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {state: [warm, cold]}\nguest: g", "4:22",
            "'cold' is not a value for state; write warm, lukewarm, cold-caches or cold-start"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {state: [warm, lukewarm]}\nguest: g", "4:8", "key 'axes.state'",
            "lukewarm needs something that runs between calls; add under 'measure': interleave: {stress: 8MiB}"),
        Wrong(
            engine: "qemu",
            "workloads: [a]\nguest: g\naxes: {state: [lukewarm]}\nmeasure: {interleave: [b, c, b]}", "6:30",
            "'b' is a duplicate; remove one"),
        Wrong(
            engine: "qemu",
            "workloads: [a]\nguest: g\naxes: {state: [lukewarm]}\n"
                + "measure: {interleave: [b, c, d, e, f, g, h, i, j]}", "6:11",
            "key 'measure.interleave': 9 workloads; at most 8 are allowed"),
        Wrong(
            engine: "gem5",
            "workloads: [a]\nguest: g\naxes: {state: [lukewarm]}\nmeasure: {interleave: [b]}", "6:11",
            "key 'measure.interleave': this engine cannot interleave workloads: "),
        Wrong(
            engine: "qemu", "workloads: [a]\nguest: g\nmeasure: {interleave: {stress: 1MiB}}", "5:11",
            "key 'measure.interleave': has an effect only in the state lukewarm"),
        Wrong(
            engine: "qemu",
            "workloads: [a]\nguest: g\naxes: {state: [lukewarm], interleave.stress: [1MiB]}\n"
                + "measure: {interleave: {stress: 1MiB}}", "6:24",
            "key 'measure.interleave.stress': is also an axis; remove the key or the axis"),
        Wrong(
            engine: "qemu", "workloads: [a]\nguest: g\nmeasure: {arrivals: {seed: 1}}", "5:21",
            "has no 'every' and no 'mean'; write {every: ...} or {mean: ...}"),
        Wrong(
            engine: "qemu", "workloads: [a]\nguest: g\naxes: {arrivals.mean: [1ms]}\nmeasure: {arrivals: {every: 1ms}}",
            "5:1", "arrivals.every and arrivals.mean exclude each other"),
        Wrong(
            engine: "qemu", "workloads: [a]\nguest: g\naxes: {arrivals.seed: [1, 2]}", "5:8",
            "has an effect only with arrivals.mean"),
        Wrong(
            engine: "qemu", "workloads: [a]\nguest: g\nlimits: {interference: 0.5}", "5:24",
            "'0.5' is not a percentage; write up to 100%"),
        Wrong(
            engine: "gem5", "workloads: [a]\nguest: g\naxes: {state: [warm, lukewarm]}", "5:8", "key 'axes.state'",
            "lukewarm needs something that runs between calls"),
        Wrong(
            engine: "gem5", "workloads: [a]\nguest: g\naxes: {state: [warm, cold-start]}", "5:8",
            "key 'axes.state': this engine has no cold-start: "),
        Wrong(
            engine: "gem5", "workloads: [a]\nguest: g\nsystem: two-machine\naxes: {state: [cold-caches]}", "6:8",
            "key 'axes.state': cold-caches: with two-machine nothing can run beside the function"),
        Wrong(
            engine: "gem5", "workloads: [a]\nguest: {kernel: k, disk: d}\naxes: {state: [cold-caches]}", "5:8",
            "key 'axes.state': cold-caches: works only with the guest of this project"),
        Wrong(command + "limits: {interference: 1%}", "4:10", "belongs to engine qemu, and this is 'command'"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {l2.sizes: [1KiB]}\nguest: g", "4:8",
            "no such parameter; did you mean 'l2.size'?"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {l2.size: [300KiB]}\nguest: g", "4:8",
            "key 'axes.l2.size': l2.size 307200, l2.ways 16 and line 64 do not give a power of two of sets",
            "zip: [{l2.size"),
        Wrong(
            engine: "qemu", "workloads: [a]\nguest: g\naxes: {l1d.ways: [8, 12]}\ninclude: [{l1d.ways: 6}]", "5:8",
            "key 'axes.l1d.ways': l1d.size 32768, l1d.ways 12"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {l2.size: [1KiB], l2.ways: [32]}\nguest: g", "4:8",
            "key 'axes.l2.size': l2.size 1024"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {l2.size: [1MiB, 1024KiB]}\nguest: g", "4:24",
            "'1024KiB' is the same as '1MiB'"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {branch-predictor: [tage]}\nguest: g", "4:27",
            "write bimodal or gshare"),
        Wrong(
            engine: "qemu", "workloads: [a]\naxes: {l2.size: [1MiB]}\nexclude: [{l2.size: 1024KiB}]\nguest: g", "5:21",
            "as '1MiB'; write it so"),
    ])
    func place(_ wrong: Wrong) {
        let text = "sweep: t\nengine: \(wrong.engine)\n\(wrong.lines)\n"
        let message = message { _ = try parse(text) } ?? "no error"
        #expect(message.hasPrefix("s.yaml:\(wrong.place): "), "\(message)")
        for part in wrong.parts { #expect(message.contains(part), "\(message)") }
        #expect(code { _ = try parse(text) } == .badSpecification)
    }

    @Test(arguments: [
        ("engine: command\ncommand: [x]", "1:1: key 'sweep': is missing"),
        ("sweep: t\ncommand: [x]", "1:1: key 'engine': is missing; write gem5, qemu or command"),
        ("sweep: t\nengine: gem", "2:9: key 'engine': 'gem' is not an engine; did you mean 'gem5'?"),
        ("sweep: ../t\nengine: command\ncommand: [x]", "1:8: key 'sweep': '../t' is not a name for a sweep"),
        ("sweep: .hidden\nengine: command\ncommand: [x]", "1:8: key 'sweep'"),
        ("sweep: -rf\nengine: command\ncommand: [x]", "1:8: key 'sweep'"),
        ("sweep: 'a b'\nengine: command\ncommand: [x]", "1:8: key 'sweep'"),
        ("sweep:\nengine: command\ncommand: [x]", "1:7: key 'sweep': has no value"),
        ("", "1:1: the file is empty"),
        ("# only a comment\n", "1:1: the file is empty"),
        ("- a\n", "1:1: a mapping was expected, not a list"),
        ("sweep: a\n--- \nsweep: b\n", "2:1: not YAML"),
        ("sweep: [a\nengine: b\n", "1:8: not YAML: the '[' that begins here is not closed"),
        ("sweep: t\n\tengine: command\n", "2:1: not YAML: the line is indented with a tab"),
        ("sweep: &a t\nengine: *a\n", "1:8: anchors and aliases"),
        ("sweep: *a\n", "1:8: anchors and aliases"),
        ("# *a\nsweep: &b t\nengine: qemu\n", "2:8: anchors and aliases"),
        ("# &a\n" + String(repeating: "# *a\n", count: 17), "1:3: anchors and aliases"),
        ("sweep: !!int 1\n", "1:8: tags"),
        ("sweep: \"a\u{1}\"\n", "1:10: not YAML"),
        ("? [a, b]\n: x\n", "1:1: a key of this mapping is not plain text"),
    ])
    func document(_ text: String, _ start: String) {
        let message = message { _ = try parse(text) } ?? "no error"
        #expect(message.hasPrefix("s.yaml:" + start), "\(message)")
    }

    @Test func allProblemsInOrder() {
        let message = message {
            _ = try parse("sweep: a b\nengine: command\nretry: {attempts: 0}\naxes: {run: [1]}\nresult: x\n")
        }
        let lines = (message ?? "").split(separator: "\n").map { $0.split(separator: " ")[0] }
        #expect(lines == ["s.yaml:1:1:", "s.yaml:1:8:", "s.yaml:3:19:", "s.yaml:4:8:", "s.yaml:5:1:"])
    }

    @Test func tooManyPoints() {
        let values = (1...300).map(String.init).joined(separator: ", ")
        let text = "sweep: t\nengine: command\ncommand: [x]\naxes: {a: [\(values)], b: [\(values)], c: [\(values)]}\n"
        let message = message { _ = try parse(text) } ?? ""
        #expect(message.hasPrefix("s.yaml:4:1: key 'axes': more than 10000000 runs (27000000)"), "\(message)")
    }

    @Test func deepNestingAndAliasBombsEndAtOnce() {
        for depth in [17, 900, 100_000] {
            let text = "sweep: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect(code { _ = try parse(text) } == .badSpecification)
        }
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...40 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(code { _ = try parse(bomb + "? *a40\n: x\n") } == .badSpecification)
        #expect(code { _ = try parse(bomb) } == .badSpecification)
        #expect(code { _ = try parse(String(repeating: "# x\n", count: 2 << 20)) } == .badSpecification)
    }

    @Test("A program among the inputs has to be executable, and to be named by a path", arguments: [0o644, 0o755])
    func programs(_ mode: Int) throws {
        let scratch = try Scratch()
        try scratch.write("run.sh", "exit 0\n")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(scratch.path)/run.sh")
        func answer(_ program: String) -> String {
            let text = "sweep: t\nengine: command\ncommand: [\(program)]\ninputs: [run.sh]\n"
            return message { _ = try SweepFile.parse(text, file: "s.yaml", folder: scratch.path) } ?? ""
        }
        for program in ["./run.sh", "././run.sh"] {
            #expect(answer(program).contains("chmod +x \(scratch.path)/run.sh") == (mode == 0o644))
            #expect(answer(program).isEmpty == (mode == 0o755))
        }
        #expect(answer("run.sh").contains("for the input write './run.sh'"))
        for program in ["~/bin/run.sh", "$HOME/run.sh"] {
            #expect(answer(program).contains("because no shell reads it; write './run.sh' for the input"))
        }
        #expect(answer("~/sim").contains("write its absolute path on the hosts"))
        #expect(answer("./").contains("'./' is a folder"))
        #expect(answer("/bin/sh").isEmpty && answer("sh").isEmpty && answer("'./{run}'").isEmpty)
    }

    @Test("An element that text over two lines swallows is told from a minus sign")
    func folded() throws {
        let head = "sweep: t\nengine: command\ncommand:\n"
        let swallowed = message { _ = try parse(head + "  - echo a\n    - b\n") } ?? ""
        #expect(swallowed.hasPrefix("s.yaml:4:5: the '-' on the next line is taken for text"), "\(swallowed)")
        let commented = message { _ = try parse(head + "  - echo a\n    - b # c\n") } ?? ""
        #expect(commented.contains("the '-' on the next line"), "\(commented)")
        let sweep = try parse(head + "  - /bin/expr 5 - 3\n    > out\n")
        #expect(sweep.settings["command"]?.elements?.compactMap(\.text) == ["/bin/expr 5 - 3 > out"])
    }

    @Test("Why a file cannot be made is what the system says")
    func reasons() throws {
        func reason(_ path: String) -> String {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                return "made"
            } catch { return SystemReason.of(error) }
        }
        #expect(reason("/etc/passwd/x/y") == "Not a directory")
        #expect(reason("/proc/x/y") == "No such file or directory")
        #expect(SystemReason.ofFiles(CancellationError()) == nil)
        let listed = try #require(throws: (any Error).self) {
            try FileManager.default.contentsOfDirectory(atPath: "/nowhere/at/all")
        }
        #expect(SystemReason.ofFiles(listed) == "/nowhere/at/all: No such file or directory")
    }

    @Test("A size that is no power of two goes with fitting ways")
    func oddSizes() throws {
        let zip = "sweep: t\nengine: qemu\nguest: g\nworkloads: [a]\n"
            + "zip: [{l1d.size: [32KiB, 48KiB], l1d.ways: [8, 12]}]\n"
        let text = message { _ = try parse(zip) } ?? ""
        #expect(!text.contains("l1d"), "\(text)")
    }

    @Test("Names that mean something else to commands", arguments: [("last", "the last sweep"), ("12", "a run by its")])
    func names(_ name: String, _ meaning: String) {
        let text = message { _ = try parse("sweep: \(name)\nengine: command\ncommand: [x]\n") } ?? ""
        #expect(text.contains("'\(name)' means \(meaning)") && text.contains("choose another name"), "\(text)")
    }

    @Test("An inventory where a sweep belongs, and the reverse, is one sentence")
    func exchanged() {
        let inventory = message { _ = try parse("hosts: [a]\n") } ?? ""
        #expect(inventory.hasPrefix("s.yaml is an inventory") && !inventory.contains("\n"), "\(inventory)")
        let sweep = message {
            let text = "sweep: t\nengine: command\ncommand: [x]\n"
            _ = try InventoryFile.parse(text, file: "i.yaml", folder: "/", transports: [])
        } ?? ""
        #expect(sweep.hasPrefix("i.yaml is a sweep file") && !sweep.contains("\n"), "\(sweep)")
    }
}
