import Engines
import Model
import Results
import Testing
@testable import QEMUDriver


@Suite("The driver's command line")
struct RequestTests {
    private let machine = [
        "--qemu", "/usr/bin/qemu-system-x86_64", "--kernel", "vmlinuz", "--initrd", "initrd.img",
        "--workload", "aes-python", "--disk", "a,b/workload.squashfs", "--memory", "320", "--warm", "3",
    ]
    private var evaluation: [String] {
        ["evaluate"] + machine + ["--plugin", "a,b/model.so", "--checkpoint", "$(x) '\".zst", "--invocations", "5"]
    }

    @Test("A setup boots without counting instructions, with all lines on inherited sockets")
    func setup() throws {
        let arguments = try Request(["setup"] + machine).commandLine()
        #expect(arguments.first == "/usr/bin/qemu-system-x86_64")
        #expect(!arguments.contains("-icount") && !arguments.contains("-plugin"))
        #expect(arguments.contains("tcg,thread=multi"))
        #expect(arguments.contains { $0.hasSuffix(" usweep.warm=3") })
        #expect(arguments.contains { $0.hasSuffix(",readonly=on,file=a,,b/workload.squashfs") })
        #expect(arguments.contains("320M"))
        #expect(arguments.filter { $0.hasPrefix("socket,id=") }.allSatisfy { $0.contains(",fd=") })
    }

    @Test("A boot has empty places for disks; a setup from it puts disks there, and tells the guest by its plan")
    func boot() throws {
        let boot = try Request([
            "boot", "--qemu", "/q", "--kernel", "k", "--initrd", "i", "--memory", "320", "--disks", "2",
        ])
        let arguments = boot.commandLine()
        #expect(arguments.filter { $0.contains("driver=null-co") }.count == 2)
        #expect(arguments.contains { $0.hasSuffix(" usweep.boot") })
        #expect(!arguments.contains("-incoming") && boot.plan().hasPrefix("B "))
        let setup = try Request(["setup"] + machine + ["--other", "o", "--booted", "b.zst"])
        #expect(setup.commandLine().contains("-incoming"))
        #expect(setup.commandLine().filter { $0 == "-drive" }.count == 2)
        #expect(setup.plan().hasPrefix("S 3 "))
        #expect(try Request(["setup"] + machine + ["--log"]).plan().hasPrefix("S 3 shown "))
    }

    @Test("An evaluation counts instructions, escapes commas and keeps hostile names out of the shell's lines")
    func evaluate() throws {
        let request = try Request(evaluation + ["--set", "l1d.size=64KiB", "--set", "branch-predictor=gshare"])
        let arguments = request.commandLine()
        #expect(arguments.contains("shift=0,sleep=off"))
        #expect(
            arguments.last
                == "file=a,,b/model.so,out=stats.jsonl,marks=marks.txt,l1d.size=64KiB,branch-predictor=gshare")
        #expect(!arguments.contains { $0.contains("$(x)") })
        #expect(!Request.restoreURI.contains("$(x)"))
        #expect(request.plan().utf8.count == 128)
        #expect(request.plan().hasPrefix("E 3 5 "))
    }

    @Test("The guest is told what happens between calls, the model only the state", arguments: [
        (
            settings: ["state=lukewarm", "interleave.stress=8388608"], plan: "E 3 5 stress=8388608 ",
            model: ["state=lukewarm"]
        ),
        (["state=warm", "interleave.stress=8388608"], "E 3 5  ", ["state=warm"]),
        (["state=cold-caches", "arrivals.every=10000000"], "E 3 5 every=10000000 ", ["state=cold-caches"]),
        (["state=cold-start"], "E 3 5 cold=1 ", ["state=cold-start"]),
        (["arrivals.mean=5000000", "line=32"], "E 3 5 mean=5000000 seed=1 ", ["line=32"]),
        (["arrivals.mean=5000000", "arrivals.seed=9"], "E 3 5 mean=5000000 seed=9 ", []),
    ])
    func driving(given: (settings: [String], plan: String, model: [String])) throws {
        let request = try Request(evaluation + given.settings.flatMap { ["--set", $0] })
        #expect(request.plan().hasPrefix(given.plan))
        #expect(request.plan().utf8.count == 128)
        let plugin = try #require(request.commandLine().last)
        let files = ["file=a,,b/model.so", "out=stats.jsonl", "marks=marks.txt"]
        #expect(plugin == (files + given.model).joined(separator: ","))
    }

    @Test("Workloads beside the function have disks of their own, and are called in the state lukewarm only")
    func others() throws {
        let others = ["--other", "b.squashfs", "--other", "c,d.squashfs"]
        let lukewarm = try Request(evaluation + others + ["--set", "state=lukewarm"])
        #expect(lukewarm.plan().hasPrefix("E 3 5 others=1 "))
        #expect(try Request(evaluation + others).plan().hasPrefix("E 3 5  "))
        let line = lukewarm.commandLine()
        let drives = zip(line, line.dropFirst()).filter { $0.0 == "-drive" }.map { $0.1.split(separator: "file=")[1] }
        #expect(drives.dropFirst() == ["b.squashfs", "c,,d.squashfs"])
        var digests = KnownDigests { $0 }
        let record = try lukewarm.record(&digests)
        #expect(record.fields.suffix(2).map(\.value) == ["b.squashfs", "c,d.squashfs"])
        let alone = try Request(evaluation).record(&digests)
        #expect(record.differences(from: alone).count == 2 && alone.differences(from: record).count == 2)
    }

    @Test("A rule by which it may end early comes as it was sent; one that is not known is refused")
    func until() throws {
        let rule = StoppingRule(Precision(metric: "l2.mpki", interval: 10_000), MetricFormula.qemu)
        let request = try Request(evaluation + ["--until", rule.document.encoded])
        guard case .evaluate(let found) = request else {
            Issue.record("it is no evaluation")
            return
        }
        #expect(found.until?.document == rule.document && found.invocations == 5)
        // QEMU and the guest know nothing of it.
        #expect(request.commandLine() == (try Request(evaluation)).commandLine())
        let error = #expect(throws: UsageError.self) { try Request(evaluation + ["--until", "{}"]) }
        #expect(error?.message.contains("--until is not a rule that this agent knows") == true)
    }

    @Test("The longest plan has room")
    func longestPlan() throws {
        let settings = [
            "state=lukewarm", "interleave.stress=1073741824", "arrivals.mean=100000000000", "arrivals.seed=1000000000",
        ]
        var arguments = evaluation + settings.flatMap { ["--set", $0] }
        for option in ["--warm", "--invocations"] {
            let index = try #require(arguments.firstIndex(of: option))
            arguments[index + 1] = "1000000"
        }
        #expect(try Request(arguments).plan().utf8.count == 128)
    }

    @Test("What cannot happen between calls is refused", arguments: [
        (["state=lukewarm"], "needs interleave.stress or --other"),
        (["interleave.stress=1"], "interleave.stress is a whole number"),
        (["arrivals.every=1", "arrivals.mean=1"], "exclude each other"), (["arrivals.every=10ms"], "\"10ms\""),
        (["arrivals.seed=-1", "arrivals.mean=1"], "arrivals.seed"),
    ])
    func wrongDriving(settings: [String], subject: String) {
        let error = #expect(throws: UsageError.self) {
            try Request(evaluation + settings.flatMap { ["--set", $0] })
        }
        #expect(error?.message.contains(subject) == true, "\(error?.message ?? "")")
    }

    @Test("Only a setup shows the containers' log, and only where it is asked for")
    func log() throws {
        let arguments = try Request(["setup"] + machine + ["--log"]).commandLine()
        #expect(arguments.contains { $0.hasSuffix(" usweep.log=shown") })
        #expect(throws: UsageError.self) { try Request(evaluation + ["--log"]) }
    }

    @Test("What is wrong is named", arguments: [
        (arguments: [String](), subject: "verb"), (["start"], "'start'"), (["setup"], "--qemu is missing"),
        (["setup", "--qemu"], "--qemu needs a value"), (["setup", "qemu"], "\"qemu\""),
    ])
    func incomplete(call: (arguments: [String], subject: String)) {
        let error = #expect(throws: UsageError.self) { try Request(call.arguments) }
        #expect(error?.message.contains(call.subject) == true, "\(error?.message ?? "")")
    }

    @Test("Values that cannot be meant are refused", arguments: [
        (option: "--set", value: "out=/etc/passwd"), ("--set", "marks=x"), ("--set", "file=/tmp/other.so"),
        ("--set", "arg=out=x"), ("--set", "l1d.size"), ("--set", "l1d.size="), ("--set", "=1"), ("--set", "line=6 4"),
        ("--set", "a,file=1"), ("--set", "Line=64"), ("--warm", "1"), ("--colour", "red"),
    ])
    func refused(extra: (option: String, value: String)) {
        #expect(throws: UsageError.self) { try Request(evaluation + [extra.option, extra.value]) }
    }

    @Test("Numbers and names are checked", arguments: [
        ("--warm", "-1"), ("--warm", "many"), ("--workload", "$(touch x)"), ("--workload", "a b"), ("--workload", ""),
        ("--workload", "../x"), ("--memory", "32"), ("--memory", "much"), ("--disk", ""),
    ])
    func values(option: String, value: String) throws {
        var arguments = ["setup"] + machine
        let index = try #require(arguments.firstIndex(of: option))
        arguments[index + 1] = value
        #expect(throws: UsageError.self) { try Request(arguments) }
    }
}
