package import Engines
import Foundation
package import Model
import SweepFiles

/// The machine that this program runs on, as engines see it.
package struct ThisMachine: LaunchingMachine {
    package init() {}

    package func contents(_ path: String, atMost limit: Int64) throws -> [UInt8]? {
        try LocalInput.contents(path, atMost: limit)
    }

    package func size(_ path: String) -> Int64? {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int64
    }

    package func input(_ path: String, at place: String) throws -> InputFile { try LocalInput.file(path, at: place) }

    package func inputs(
        inFolder path: String, at place: String, where isWanted: (String) -> Bool
    ) throws -> [InputFile] {
        try LocalInput.folder(path, at: place, where: isWanted)
    }

    package func checkpoint(_ name: String, of workload: String) throws -> StoredCheckpoint {
        try CheckpointChoice().stored(name, of: workload)
    }

    package func places(_ variable: String, beside: String, inRepository: String) -> [String] {
        Installation.places(variable, beside: beside, inRepository: inRepository)
    }
}
