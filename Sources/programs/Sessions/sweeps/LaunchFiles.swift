import Formats
import Foundation
import Ledger
import Model
import SweepFiles

/// The files that a sweep was last launched with: what is run is what the ledger keeps of them, and advice names them.
package struct LaunchFiles: Sendable, Hashable {
    /// Absolute; nil: nobody said where it is.
    package var sweep: String?
    package var inventory: String?

    private static let sweepNote = "sweep-file"
    private static let inventoryNote = "inventory-file"

    package init(sweep: String? = nil, inventory: String? = nil) {
        self.sweep = sweep
        self.inventory = inventory
    }

    init(_ metadata: LedgerMetadata) {
        func path(_ note: String) -> String? { metadata.notes.first { $0.name == note }?.value }
        self.init(sweep: path(LaunchFiles.sweepNote), inventory: path(LaunchFiles.inventoryNote))
    }

    /// As a ledger keeps them beside what they said.
    var notes: [EnvironmentVariable] {
        [(LaunchFiles.sweepNote, sweep), (LaunchFiles.inventoryNote, inventory)].compactMap { name, path in
            path.map { EnvironmentVariable(name, $0) }
        }
    }

    /// What launches the sweep again with the files as they are now; words in capitals stand for what nobody said.
    package func launch(_ options: String = "", in folder: ArtifactsFolder) -> String {
        folder.command(
            "launch \(sweep.map(LaunchFiles.shown) ?? "SWEEP") -i \(inventory.map(LaunchFiles.shown) ?? "INVENTORY")"
                + options)
    }

    /// What launches a sweep again with the files as they are now; nil: nobody said where they are.
    package static func again(_ entry: ArtifactsFolder.Entry) -> String? {
        guard let files = (try? Ledger.read(entry.ledger).metadata()).map(LaunchFiles.init), files.sweep != nil,
            files.inventory != nil
        else { return nil }
        return files.launch(in: entry.artifacts)
    }

    /// - Throws: ``Failure`` (`usage`) where another file of the same name for its sweep has nothing of that sweep.
    func check(_ now: LaunchFiles, _ change: SpecificationChange, _ entry: ArtifactsFolder.Entry) throws {
        guard let before = sweep, let path = now.sweep, before != path, change.kept == 0, change.back == 0,
            change.gone > 0, FileManager.default.fileExists(atPath: before)
        else { return }
        let (file, inventory) = (LaunchFiles.shown(path), now.inventory.map(LaunchFiles.shown) ?? "INVENTORY")
        throw Failure(
            .usage, "\(file) has no point in common with \(LaunchFiles.shown(before)), from which the sweep "
                + "\(entry.fullName) was launched. If it is another sweep, change 'sweep: \(entry.name)' in it; a "
                + "second sweep of this name: \(now.launch(" --new", in: entry.artifacts)); the same sweep: "
                + entry.artifacts.command("resume \(entry.identifier) --sweep \(file) -i \(inventory)"))
    }

    /// From the working folder where it is below that, as a word of a shell.
    private static func shown(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath + "/"
        return ShellWord.of(path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path)
    }

    // MARK: What changed since

    /// What of the files is not as it was launched, and what to type to use it: `resume` and `retry` go on with what
    /// was launched. Files that cannot be read now say nothing.
    ///
    /// - Parameters:
    ///   - options: of the launch that is advised.
    ///   - namesSweep: whether the command reads a sweep file itself; namesInventory: an inventory.
    package static func changes(
        of entry: ArtifactsFolder.Entry, options: String = "", namesSweep: Bool = false, namesInventory: Bool = false
    ) throws -> [String] {
        let metadata = try Ledger.read(entry.ledger).metadata()
        let files = LaunchFiles(metadata)
        var changed: [String] = []
        if !namesSweep, let path = files.sweep { changed += sweepChanges(path, metadata, entry) }
        if !namesInventory, let path = files.inventory, hasOtherInventory(path, metadata) {
            changed.append(shown(path))
        }
        guard !changed.isEmpty else { return [] }
        let (has, it) = changed.count == 1 ? ("has", "it") : ("have", "them")
        return [
            "\(PeopleText.list(changed)) \(has) changed since the last launch; this command continues with what was "
                + "launched. To use \(it) as \(changed.count == 1 ? "it is" : "they are") now: "
                + files.launch(options, in: entry.artifacts)
        ]
    }

    /// The inputs that are not as they were, or else the sweep file where it says something else.
    private static func sweepChanges(
        _ path: String, _ metadata: LedgerMetadata, _ entry: ArtifactsFolder.Entry
    ) -> [String] {
        let shelf = WorkloadStore(in: entry.artifacts).shelf
        guard let read = try? SweepFile.read(path: path, shelf: shelf), read.name == entry.name,
            // What the ledger cannot keep differs in nothing.
            let now = try? Document.sweep(read.document),
            var before = try? Document.sweep(metadata.specification)
        else { return [] }
        before.forced = []
        if now == before { return [] }
        let inputs = now.inputs.filter { input in
            before.inputs.contains { $0.path == input.path && $0.digest != input.digest }
        }
        var rest = now
        rest.inputs = before.inputs
        let isEdited = rest != before || now.inputs.map(\.path) != before.inputs.map(\.path)
        return (isEdited ? [shown(path)] : []) + inputs.map { shown($0.source) }
    }

    private static func hasOtherInventory(_ path: String, _ metadata: LedgerMetadata) -> Bool {
        guard let read = try? HostConnections.inventory(path: path), let now = try? Document.inventory(read.document),
            let before = try? Document.inventory(of: metadata)
        else { return false }
        return now != before
    }
}
