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

/// Small, fast and the same everywhere: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
