import Foundation
import Model
import SweepFiles
import Testing
import Transports

/// The message of the failure that reading gives; nil: it succeeds.
func message(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch { return (error as? Failure)?.message ?? "no Failure: \(error)" }
}

func code(_ body: () throws -> Void) -> Failure.Code? {
    do {
        try body()
        return nil
    } catch { return (error as? Failure)?.code }
}

func parse(_ text: String, folder: String = "/tmp") throws -> Sweep {
    try SweepFile.parse(text, file: "s.yaml", folder: folder)
}

func parseHosts(_ text: String, folder: String = "/tmp") throws -> Inventory {
    try InventoryFile.parse(text, file: "i.yaml", folder: folder, transports: TransportRegistry.formats)
}

/// The package's own folder.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

/// A folder that is removed with its owner.
final class Scratch {
    let path: String

    init() throws {
        path = "/tmp/sweep-files-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { _ = try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let full = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: full))
        return full
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
    }
}
