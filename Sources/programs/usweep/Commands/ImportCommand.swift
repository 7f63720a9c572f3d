import ArgumentParser
import Engines
import Foundation
import Model
import Results
import Sessions
import SweepFiles

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take over what another tool left.",
        subcommands: [ImportVSwarmCommand.self])
}

struct ImportVSwarmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vswarm",
        abstract: "Turn a working folder of vSwarm-u into a sweep file and checkpoint bundles.",
        discussion: """
            Reads functions.list, kernel, disk.img and the checkpoints below DIR, and writes sweep.yaml and \
            checkpoints/<function>/cpt.warm/ with a record of what each checkpoint was made of. Files are linked \
            where that is possible, else copied; DIR is not changed.

            EXAMPLES
              usweep import vswarm ~/vSwarm-u/wkdir --to study
            """)

    @Argument(help: ArgumentHelp("vSwarm-u's working folder.", valueName: "dir"), completion: .directory)
    var folder: String

    @Option(name: .long, help: ArgumentHelp("Where to write; made if it is missing.", valueName: "dir"))
    var to = "vswarm"

    @OptionGroup var common: CommonOptions

    func run() throws {
        let working = VSwarmFolder(path: Paths.absolute(folder))
        let target = Paths.absolute(to)
        let functions = try working.functions()
        let kernel = try LocalInput.file("\(working.path)/kernel", at: "kernel")
        let disk = try LocalInput.file("\(working.path)/disk.img", at: "disk.img")
        guard !FileManager.default.fileExists(atPath: "\(target)/sweep.yaml") else {
            throw Failure(.storage, "\(target)/sweep.yaml exists already; nothing was written")
        }
        let bundler = Bundler(kernel: kernel.digest, disk: disk.digest)
        var taken: [String] = []
        var left: [String] = []
        var machines: [String] = []
        for function in functions {
            guard let source = working.checkpoint(of: function) else {
                left.append("there is no checkpoint cpt.warm of \(function)")
                continue
            }
            let place = "\(target)/checkpoints/\(function)/cpt.warm"
            switch try bundler.write(function, from: source, to: place) {
            case .failure(let problem): left.append("\(source)/m5.cpt of \(function): \(problem.why)")
            case .success(let facts):
                machines += facts.machines
                taken.append(function)
            }
        }
        let system = machines.contains(Gem5Machines.driver) ? "two-machine" : "skylake"
        let text = sweep(functions, taken, system, kernel: kernel.source, disk: disk.source)
        try Bundler.makeFolder(target)
        try AtomicFile.write("\(target)/sweep.yaml") { try $0(Array(text.utf8)) }
        report(functions, taken, left, working)
    }

    private func sweep(
        _ functions: [String], _ taken: [String], _ system: String, kernel: String, disk: String
    ) -> String {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        let isWhole = taken.count == functions.count
        let checkpoint = isWhole ? "{directory: 'checkpoints/{workload}/cpt.warm'}" : "setup"
        return """
            # Taken over from a working folder of vSwarm-u. Add axes, then: usweep plan sweep.yaml
            sweep: vswarm
            engine: gem5
            system: \(system)          # simple | skylake | two-machine
            guest: {kernel: \(quoted(kernel)), disk: \(quoted(disk))}
            workloads: [\(functions.joined(separator: ", "))]
            checkpoint: \(checkpoint)
            axes:
              l2.size: [1MiB]
            measure: {warm: 10, invocations: 10}
            metrics: [cpi, l1i.mpki, l1d.mpki, l2.mpki]

            """
    }

    private func report(_ functions: [String], _ taken: [String], _ left: [String], _ working: VSwarmFolder) {
        let console = common.console
        console.say("\(to)/sweep.yaml: \(functions.count) functions, \(taken.count) checkpoints")
        for problem in left { console.say("not taken over: \(problem)") }
        if !left.isEmpty { console.say("the sweep makes all checkpoints itself") }
        for name in ["run_sim.py", "vswarm_simple.py"]
        where FileManager.default.fileExists(atPath: "\(working.path)/\(name)") {
            console.say(
                "not taken over: \(name); to run it unchanged, write system: {script: ..., arguments: [...]}, and name "
                    + "the modules that it imports in 'inputs'")
        }
        if !taken.isEmpty {
            console.say(
                "warning: gem5 restores a checkpoint only into a machine with the same devices under the same names; a "
                    + "checkpoint taken with KVM may not restore at all. Try one run first: usweep plan, then launch")
        }
    }
}

/// vSwarm-u's working folder, as its Makefile and scripts lay it out.
private struct VSwarmFolder {
    /// Absolute.
    let path: String

    /// One function a line; `#` begins a comment.
    func functions() throws -> [String] {
        guard let data = FileManager.default.contents(atPath: "\(path)/functions.list") else {
            throw Failure(.missingFile, "there is no functions.list in \(path): it is no working folder of vSwarm-u")
        }
        let names = WorkloadList.entries(String(decoding: data, as: UTF8.self)).map(\.name)
        guard !names.isEmpty else {
            throw Failure(.badData, "\(path)/functions.list names no function; remove the '#' before one")
        }
        if let bad = names.first(where: { !Names.isPlain($0) }) {
            throw Failure(.badData, "\(path)/functions.list: '\(Names.shown(bad))' is not a name of a function")
        }
        return names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// In the folder that `--checkpoint-dir` named; its default changed over time.
    func checkpoint(of function: String) -> String? {
        let places = ["cpt_1m", "cpt_2m", "checkpoints", "cpt", "."].flatMap { folder in
            ["\(path)/\(folder)/\(function)/cpt.warm", "\(path)/\(folder)/\(function)"]
        }
        return places.first { FileManager.default.fileExists(atPath: "\($0)/m5.cpt") }
    }
}

/// Makes bundles: checkpoints of gem5 with the record of what they were made of.
private struct Bundler {
    let kernel: Digest
    let disk: Digest

    struct Problem: Error {
        var why: String
    }

    /// - Returns: what the checkpoint is of, or why it is no good.
    func write(
        _ workload: String, from source: String, to target: String
    ) throws -> Result<Gem5CheckpointFacts, Problem> {
        let files = try LocalInput.folder(source, at: "") { $0 != Gem5CheckpointRecord.name }
        let manager = FileManager.default
        guard let state = manager.contents(atPath: "\(source)/m5.cpt") else {
            throw Failure(.storage, "\(source)/m5.cpt cannot be read")
        }
        let facts = Gem5CheckpointFacts(Array(state))
        if let why = facts.problem(files: files.map(\.path)) { return .failure(Problem(why: why)) }
        guard ["skylake", "two-machine"].contains(where: { Gem5Machines.of($0).sorted() == facts.machines }) else {
            let names = VisibleText.of(facts.machines.joined(separator: ", "), limit: 80)
            return .failure(Problem(why: "it is of \(names), which only the script that made it can restore"))
        }
        try Bundler.makeFolder(target)
        do {
            for file in files {
                // What an import that was broken off left there may be half a file.
                let place = "\(target)/\(file.path)"
                if manager.fileExists(atPath: place) { try manager.removeItem(atPath: place) }
                let real = URL(fileURLWithPath: file.source).resolvingSymlinksInPath().path
                if link(real, place) != 0 { try manager.copyItem(atPath: real, toPath: place) }
            }
        } catch {
            throw Failure(.storage, "\(target) cannot be written", cause: error.localizedDescription)
        }
        let record = Gem5CheckpointRecord(
            origin: .init(
                kernel: kernel, disk: disk, workload: workload, machines: facts.machines,
                memoryBytes: facts.memoryBytes, cores: facts.cores),
            files: files.map { .init(path: $0.path, digest: $0.digest, size: $0.size) })
        try AtomicFile.write("\(target)/\(Gem5CheckpointRecord.name)") {
            try $0(Array((record.document.encoded + "\n").utf8))
        }
        return .success(facts)
    }

    static func makeFolder(_ path: String) throws {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw Failure(.storage, "\(path) cannot be made", cause: error.localizedDescription)
        }
    }
}
