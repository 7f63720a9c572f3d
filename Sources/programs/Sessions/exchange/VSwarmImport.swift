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
    /// What people should know who start from what was taken over; nil: nothing was.
    package let caution: String?

    /// - Parameters:
    ///   - source: vSwarm-u's folder, absolute; it is not changed.
    ///   - target: where to write, absolute; made if it is missing.
    package init(_ source: String, to target: String) throws {
        guard let study = EngineRegistry.offers(\.studyImport).first?.offer else {
            throw Failure(.usage, "no engine of this program takes over working folders of vSwarm-u")
        }
        let working = VSwarmFolder(path: source)
        functions = try working.functions()
        let kernel = try LocalInput.file("\(source)/kernel", at: "kernel")
        let disk = try LocalInput.file("\(source)/disk.img", at: "disk.img")
        guard !FileManager.default.fileExists(atPath: "\(target)/sweep.yaml") else {
            throw Failure(.storage, "\(target)/sweep.yaml exists already; nothing was written")
        }
        let bundler = VSwarmBundler(study: study, kernel: kernel.digest, disk: disk.digest)
        var (taken, left, bundles): ([String], [String], [ImportedCheckpoint]) = ([], [], [])
        for function in functions {
            let found = working.checkpoints(of: function)
            guard let checkpoint = found.first, found.count == 1 else {
                left.append(working.choice(of: function, found))
                continue
            }
            let others = working.passedOver(checkpoint, of: function)
            if !others.isEmpty {
                left.append(
                    "\(PeopleText.list(others, atMost: 5)): \(function) starts from \(checkpoint); to start from "
                        + "another one, move that one away and import into another folder")
            }
            let place = "\(target)/checkpoints/\(function)/cpt.warm"
            do {
                bundles.append(try bundler.write(function, from: checkpoint, to: place))
                taken.append(function)
            } catch let unusable as UnusableCheckpoint {
                left.append("\(checkpoint)/\(study.folders.state.name) of \(function): \(unusable.why)")
            }
        }
        let text = study.sweep(
            functions, bundles, isWhole: taken.count == functions.count, kernel: kernel.source, disk: disk.source)
        try NewFolder.make(target)
        try AtomicFile.write("\(target)/sweep.yaml") { try $0(Array(text.utf8)) }
        for name in ["run_sim.py", "vswarm_simple.py"]
        where FileManager.default.fileExists(atPath: "\(source)/\(name)") {
            left.append(
                "\(name); to run it unchanged, write system: {script: ..., arguments: [...]}, and name the modules "
                    + "that it imports in 'inputs'")
        }
        (self.taken, self.left) = (taken, left)
        caution = taken.isEmpty ? nil : study.caution
    }
}

/// vSwarm-u's working folder, as its Makefile and scripts lay it out.
private struct VSwarmFolder {
    private static let longestList: Int64 = 4 << 20

    /// Absolute.
    let path: String

    /// One function a line; `#` begins a comment.
    func functions() throws -> [String] {
        guard let data = try LocalInput.contents("\(path)/functions.list", atMost: VSwarmFolder.longestList) else {
            throw Failure(.missingFile, "there is no functions.list in \(path): it is not a working folder of vSwarm-u")
        }
        guard !data.contains(0), let text = String(validating: data, as: UTF8.self) else {
            throw Failure(.badData, "\(path)/functions.list is not a text in UTF-8; save it as UTF-8")
        }
        let entries = WorkloadList.entries(text)
        guard !entries.isEmpty else {
            throw Failure(.badData, "\(path)/functions.list names no function; remove the '#' before one")
        }
        if let bad = entries.first(where: { !Names.isPlain($0.name) }) {
            throw Failure(
                .badData, "\(path)/functions.list:\(bad.line):\(bad.column): '\(Names.shown(bad.name))' is not a "
                    + "function's name; write letters, digits, '.', '_' and '-' only, or remove the line")
        }
        return entries.reduce(into: []) { if !$0.contains($1.name) { $0.append($1.name) } }
    }

    /// Names that vSwarm-u's scripts had for `--checkpoint-dir` over time.
    private static let usual = ["cpt_1m", "cpt_2m", "checkpoints", "cpt", "."]

    /// In the folder that `--checkpoint-dir` named, whatever that was; called `cpt.warm`, or as gem5 calls them.
    ///
    /// - Returns: one, or all of which none is a likelier one than the others.
    func checkpoints(of function: String) -> [String] {
        let (usual, others) = folders(of: function)
        if let first = warm(in: usual).first { return [first] }
        let warm = warm(in: others)
        if !warm.isEmpty { return warm }
        return (usual + others).flatMap { folder in
            names(in: folder).filter { VSwarmFolder.isTime($0) }.map { "\(folder)/\($0)" }
        }.filter(isCheckpoint)
    }

    /// Other checkpoints of a warmed function than the one that is taken. Links to that one are not.
    func passedOver(_ taken: String, of function: String) -> [String] {
        func place(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let (usual, others) = folders(of: function)
        return warm(in: usual + others).filter { place($0) != place(taken) }
    }

    private func folders(of function: String) -> (usual: [String], others: [String]) {
        let others = names(in: path).filter { !VSwarmFolder.usual.contains($0) }
        return (
            VSwarmFolder.usual.map { "\(path)/\($0)/\(function)" }, others.map { "\(path)/\($0)/\(function)" }
        )
    }

    private func warm(in folders: [String]) -> [String] {
        folders.flatMap { ["\($0)/cpt.warm", $0] }.filter(isCheckpoint)
    }

    /// Why none of them was taken over.
    func choice(of function: String, _ found: [String]) -> String {
        guard !found.isEmpty else {
            return "there is no checkpoint cpt.warm of \(function): no folder \(path)/*/\(function) has a file "
                + "cpt.warm/m5.cpt, m5.cpt or cpt.NUMBER/m5.cpt"
        }
        return "\(function) has several checkpoints, \(PeopleText.list(found, atMost: 5)); leave one of them in "
            + "\(path), and import into another folder"
    }

    private func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    }

    private func isCheckpoint(_ folder: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/m5.cpt") }

    /// `cpt.` and the simulated time, as gem5 calls a checkpoint.
    private static func isTime(_ name: String) -> Bool {
        name.hasPrefix("cpt.") && name.utf8.count > 4 && name.utf8.dropFirst(4).allSatisfy { 0x30...0x39 ~= $0 }
    }
}
