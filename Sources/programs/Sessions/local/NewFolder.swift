import Foundation
import Model
import SweepFiles

/// Folders that people's files go to.
package enum NewFolder {
    /// Makes a folder, and those above it; one that is there is as good.
    ///
    /// - Throws: ``Failure`` (`storage`).
    package static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.storage, "\(path) cannot be created", cause: SystemReason.of(error))
        }
    }
}
