import Foundation
import Model
import Sessions
import SweepFiles
import Testing
@testable import usweep

@Suite("What follows from a sweep file alone")
struct SpecificationTests {
    private let settings = JSON.object([JSON.Member("command", .array([.string("./run"), .string("{x0}")]))])

    private func sweep(_ values: [String], axes: Int = 1) -> Sweep {
        var sweep = Sweep(name: "s", engine: "command", settings: settings)
        sweep.axes = (0..<axes).map { Axis(name: "x\($0)", values: values) }
        return sweep
    }

    @Test("A run whose description no message holds is refused before anything is launched, with its size")
    func tooLong() throws {
        let long = String(repeating: "a", count: 90_000)
        for sweep in [sweep(["1", long, "2"]), sweep(["1"], axes: 20_000)] {
            let failure = #expect(throws: Failure.self) { try Specification(sweep) }
            #expect(failure?.code == .badSpecification && failure?.code.exitStatus == 65)
            #expect(failure?.message.contains("80 KiB can be sent") == true)
        }
        #expect(throws: Never.self) { try Specification(sweep(["1", String(long.prefix(20_000))])) }
    }

    // MARK: Hosts

    private let inventory = Inventory(
        hosts: [("a", []), ("b", ["kvm"]), ("c", ["kvm", "big"])].map { name, labels in
            Host(target: HostTarget(name: name), labels: labels)
        })

    private func outline(_ labels: [String], _ inventory: Inventory) throws -> SweepOutline {
        var sweep = sweep(["1"])
        sweep.hostLabels = labels
        return try SweepOutline(sweep, inventory, in: ArtifactsFolder(path: "/nonexistent"))
    }

    @Test("Hosts that have all labels are used, in their order", arguments: [
        ([], ["a", "b", "c"]), (["kvm"], ["b", "c"]), (["big", "kvm"], ["c"]),
    ])
    func labels(_ labels: [String], _ hosts: [String]) throws {
        #expect(try outline(labels, inventory).hostNames == hosts)
    }

    @Test("Where no host has the labels, the sweep is refused with those that there are and what to write")
    func noLabels() {
        let none = #expect(throws: Failure.self) { try outline(["kvm", "gpu"], inventory) }
        #expect(none?.code.exitStatus == 65)
        #expect(
            none?.message == "hosts.labels: no host of the inventory has all of the labels kvm, gpu (its hosts have "
                + "'kvm' and 'big'); write 'labels: [kvm, gpu]' for a host of the inventory, or remove 'hosts' from "
                + "the sweep file")
        let bare = #expect(throws: Failure.self) {
            try outline(["kvm"], Inventory(hosts: [Host(target: HostTarget(name: "a"))]))
        }
        #expect(bare?.message.contains("has the label 'kvm' (none of its hosts has a label); write") == true)
    }

    @Test("Hosts that have what a run takes are used; where none has, the sweep is refused before anything starts")
    func needs() throws {
        var inventory = inventory
        inventory.hosts[1].resources = [CountedResource("gpu", 1)]
        inventory.hosts[2].resources = [CountedResource("gpu", 2)]
        func outline(_ gpus: Int, cores: Int = 1) throws -> SweepOutline {
            var sweep = sweep(["1"])
            sweep.needs = RunNeeds(cores: cores, resources: [CountedResource("gpu", gpus)])
            return try SweepOutline(sweep, inventory, in: ArtifactsFolder(path: "/nonexistent"))
        }
        #expect(try outline(1).hostNames == ["b", "c"])
        #expect(try outline(2).hostNames == ["c"])
        let none = #expect(throws: Failure.self) { try outline(3) }
        #expect(
            none?.message == "resources: a run takes {gpu: 3}, but no host of the inventory has that many (b has "
                + "{gpu: 1} and c has {gpu: 2}); add 'resources: {gpu: 3}' to a host that has it, or lower it in the "
                + "sweep file")
        #expect(try outline(1, cores: 64).hostNames == ["b", "c"], "nobody knows how many slots they have")
        for index in inventory.hosts.indices { inventory.hosts[index].slots = 8 * (index + 1) }
        let few = #expect(throws: Failure.self) { try outline(1, cores: 25) }
        #expect(few?.message.contains("takes 25 slots") == true && few?.message.contains("host, c, has 24") == true)
    }

    @Test("Runs that may take longer than any job are refused, with both times; beside a machine they are not")
    func jobTime() throws {
        var inventory = inventory
        for index in inventory.hosts.indices {
            let hours = Int64(index + 1) * 12
            let site = SlurmSite(name: "hpc\(index)", time: hours * 3_600 * 1_000_000_000, nodes: 1...1)
            inventory.hosts[index].pilot = Pilot(site: site, number: 1)
        }
        var sweep = sweep(["1"])
        sweep.limits.job.time = 36 * 3_600 * 1_000_000_000
        let folder = ArtifactsFolder(path: "/nonexistent")
        _ = try SweepOutline(sweep, inventory, in: folder)
        sweep.limits.job.time = 48 * 3_600 * 1_000_000_000
        let failure = #expect(throws: Failure.self) { try SweepOutline(sweep, inventory, in: folder) }
        #expect(
            failure?.message == "limits.time: a run may take 2 d 0 h, but the longest job of the inventory, on hpc2, "
                + "ends after 1 d 12 h; lower 'limits.time', or raise 'time' of the cluster")
        inventory.hosts[0].pilot = nil
        _ = try SweepOutline(sweep, inventory, in: folder)
    }

    @Test("A host without the labels lends its memory to no sweep")
    func memory() {
        var inventory = inventory
        for (index, memory) in [Int64(64) << 30, 1 << 30, 2 << 30].enumerated() {
            inventory.hosts[index].memoryBytes = memory
        }
        var sweep = sweep(["1"])
        sweep.hostLabels = ["kvm"]
        sweep.limits.job.memoryBytes = 4 << 30
        let failure = #expect(throws: Failure.self) {
            try SweepOutline(sweep, inventory, in: ArtifactsFolder(path: "/nonexistent"))
        }
        #expect(failure?.message.contains("the largest is c with 2 GiB") == true)
    }
}

@Suite("Files that a command names and the inputs do not")
struct MissingInputsTests {
    @Test("An argument that is a file beside the sweep file is pointed out, unless it is an input or the results")
    func remark() throws {
        let folder = "\(NSTemporaryDirectory())/usweep-missing-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/data", withIntermediateDirectories: true)
        for name in ["sim.py", "r.json"] {
            try "x".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        func remark(_ more: String = "") throws -> String? {
            let file = "\(folder)/sweep.yaml"
            let text = "sweep: s\nengine: command\nresults: r.json\n"
                + "command: [python3, sim.py, data, other.py, r.json]\n"
            return MissingInputs.remark(
                try SweepFile.parse(text + more, file: file, folder: folder), file: file)
        }
        #expect(try remark()?.hasSuffix("so runs will not have it; write inputs: [sim.py]") == true)
        #expect(try remark("inputs: [sim.py]\n") == nil)
    }

    @Test("A path that names an input here is pointed out where a run has it under another name")
    func renamed() throws {
        let folder = "\(NSTemporaryDirectory())usweep-renamed-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/study", withIntermediateDirectories: true)
        for name in ["run.sh", "study/own.sh"] {
            try "x".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        func remark(_ word: String, _ input: String) throws -> String? {
            let text = "sweep: s\nengine: command\ncommand: [/bin/sh, '\(word)']\ninputs: ['\(input)']\n"
            let file = "\(folder)/study/sweep.yaml"
            return RenamedInputs.remark(try SweepFile.parse(text, file: file, folder: "\(folder)/study"), file: file)
        }
        for word in ["../run.sh", "\(folder)/run.sh"] {
            #expect(try remark(word, "../run.sh")?.hasSuffix("which a run has as ./run.sh; write that") == true)
        }
        #expect(try remark("run.sh", "../run.sh") == nil)
        #expect(try remark("./own.sh", "own.sh") == nil)
    }

    @Test("A word that only a shell would replace is pointed out; a shell's own script is not")
    func variables() throws {
        func remark(_ command: String) throws -> String? {
            let text = "sweep: s\nengine: command\ncommand: \(command)\naxes: {x: [1], xy: [2]}\n"
            return UnreadVariables.remark(try SweepFile.parse(text, file: "/s.yaml", folder: "/"))
        }
        for word in ["$USWEEP_X", "--x=${USWEEP_X}", "$USWEEP_X/a"] {
            let expected = "no shell replaces $USWEEP_X in '\(word)'; write {x} in its place"
            #expect(try remark("[/bin/echo, '\(word)']") == expected)
        }
        for word in ["$HOME/x", "--out=${HOME}/x", "$TMPDIR"] {
            let name = word.contains("HOME") ? "HOME" : "TMPDIR"
            let told = try remark("[/bin/echo, '\(word)']") ?? ""
            #expect(told.hasPrefix("no shell replaces $\(name) in '\(word)'; write its value on the hosts"), "\(told)")
        }
        #expect(try remark("[/bin/sh, -c, 'echo $HOME']") == nil && remark("[/bin/echo, $HOMER]") == nil)
        #expect(try remark("[/bin/echo, $USWEEP_XY]")?.hasSuffix("write {xy} in its place") == true)
        for words in ["/bin/sh, -c, 'echo $USWEEP_X'", "/bin/bash, -lc, $USWEEP_X", "/bin/echo, $USWEEP_Z, '{x}'"] {
            #expect(try remark("[\(words)]") == nil)
        }
    }

    @Test("A command without results is told of in one line, which refuses nothing")
    func numberless() throws {
        func lines(_ more: String) throws -> [String] {
            let text = "sweep: s\nengine: command\ncommand: [/bin/true]\naxes: {x: [1]}\n\(more)"
            return SweepRemarks.lines(try SweepFile.parse(text, file: "/s.yaml", folder: "/"), file: "/s.yaml")
        }
        let told = try lines("")
        #expect(told.count == 1 && told[0].hasPrefix("note: the sweep has no 'results', so its table will have"))
        #expect(told[0].hasSuffix(": results: results.json"))
        #expect(try lines("results: results.json\n").isEmpty)
        // What was advised, together with what else is missing.
        #expect(try lines("env: {A: b}\n") == told)
    }

    @Test("Values of an axis that would look like several are in quotes; of very many the first and the last are shown")
    func shownValues() {
        #expect(PlanCommand.shown(["a", "b"]) == "a, b")
        #expect(PlanCommand.shown(["a,b", "c d", "e"]) == "'a,b', 'c d', e")
        let many = (1...99).map { "\($0) x" }
        let first = "'1 x', '2 x', '3 x', '4 x', '5 x', '6 x', '7 x', '8 x'"
        #expect(PlanCommand.shown(many) == "\(first), ..., '99 x' (99 values)")
    }
}
