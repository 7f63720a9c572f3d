import Engines
import Foundation
import Model
import SweepFiles

/// A working folder of vSwarm-u, taken over as a sweep file and checkpoint bundles.
package struct VSwarmImport {
    package let functions: [String]
    /// Functions whose checkpoint was taken over.
    package let taken: [String]
    /// What was not taken over, and why.
    package let left: [String]

    /// - Parameters:
    ///   - source: vSwarm-u's folder, absolute; it is not changed.
    ///   - target: where to write, absolute; made if it is missing.
    package init(_ source: String, to target: String) throws {
        let working = VSwarmFolder(path: source)
        functions = try working.functions()
        let kernel = try LocalInput.file("\(source)/kernel", at: "kernel")
        let disk = try LocalInput.file("\(source)/disk.img", at: "disk.img")
        guard !FileManager.default.fileExists(atPath: "\(target)/sweep.yaml") else {
            throw Failure(.storage, "\(target)/sweep.yaml exists already; nothing was written")
        }
        let bundler = VSwarmBundler(kernel: kernel.digest, disk: disk.digest)
        var (taken, left, machines): ([String], [String], [String]) = ([], [], [])
        for function in functions {
            guard let checkpoint = working.checkpoint(of: function) else {
                left.append("there is no checkpoint cpt.warm of \(function)")
                continue
            }
            let place = "\(target)/checkpoints/\(function)/cpt.warm"
            switch try bundler.write(function, from: checkpoint, to: place) {
            case .failure(let problem): left.append("\(checkpoint)/m5.cpt of \(function): \(problem.why)")
            case .success(let facts):
                machines += facts.machines
                taken.append(function)
            }
        }
        let system = machines.contains(Gem5Machines.driver) ? "two-machine" : "skylake"
        let isWhole = taken.count == functions.count
        let text = VSwarmImport.sweep(functions, system, isWhole, kernel: kernel.source, disk: disk.source)
        try VSwarmBundler.makeFolder(target)
        try AtomicFile.write("\(target)/sweep.yaml") { try $0(Array(text.utf8)) }
        for name in ["run_sim.py", "vswarm_simple.py"]
        where FileManager.default.fileExists(atPath: "\(source)/\(name)") {
            left.append(
                "\(name); to run it unchanged, write system: {script: ..., arguments: [...]}, and name the modules "
                    + "that it imports in 'inputs'")
        }
        (self.taken, self.left) = (taken, left)
    }

    /// - Parameter isWhole: whether every function has its checkpoint.
    private static func sweep(
        _ functions: [String], _ system: String, _ isWhole: Bool, kernel: String, disk: String
    ) -> String {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
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
}

/// vSwarm-u's working folder, as its Makefile and scripts lay it out.
private struct VSwarmFolder {
    /// Absolute.
    let path: String

    /// One function a line; `#` begins a comment.
    func functions() throws -> [String] {
        guard let data = FileManager.default.contents(atPath: "\(path)/functions.list") else {
            throw Failure(.missingFile, "there is no functions.list in \(path): it is not a working folder of vSwarm-u")
        }
        let names = WorkloadList.entries(String(decoding: data, as: UTF8.self)).map(\.name)
        guard !names.isEmpty else {
            throw Failure(.badData, "\(path)/functions.list names no function; remove the '#' before one")
        }
        if let bad = names.first(where: { !Names.isPlain($0) }) {
            throw Failure(
                .badData, "\(path)/functions.list: '\(Names.shown(bad))' is not a function's name; write letters, "
                    + "digits, '.', '_' and '-' only, or remove the line")
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
