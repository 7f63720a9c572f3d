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
        var (taken, left, bundles): ([String], [String], [Gem5Import.Bundle]) = ([], [], [])
        for function in functions {
            guard let checkpoint = working.checkpoint(of: function) else {
                left.append("there is no checkpoint cpt.warm of \(function)")
                continue
            }
            let place = "\(target)/checkpoints/\(function)/cpt.warm"
            do {
                bundles.append(try bundler.write(function, from: checkpoint, to: place))
                taken.append(function)
            } catch let misfit as Gem5Import.Misfit {
                left.append("\(checkpoint)/m5.cpt of \(function): \(misfit.why)")
            }
        }
        let text = Gem5Import.sweep(
            functions, bundles, isWhole: taken.count == functions.count, kernel: kernel.source, disk: disk.source)
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
