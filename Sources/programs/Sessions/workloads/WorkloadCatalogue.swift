import Foundation
import Model
package import SweepFiles

/// The functions whose sources are part of this project, and the script that makes images of them.
package struct WorkloadCatalogue {
    /// The folder `ops/guest`.
    private let sources: String

    /// - Throws: ``Failure`` (`missingFile`) where this program was installed without them.
    package init() throws {
        let places = try WorkloadCatalogue.places()
        let found = places.first { FileManager.default.isExecutableFile(atPath: "\($0)/functions/build") }
        guard let found else {
            throw Failure(
                .missingFile, "the catalogue is not in \(places.joined(separator: " or ")): it is part of usweep's "
                    + "source tree; name its folder ops/guest in USWEEP_GUEST_SOURCES")
        }
        sources = found
    }

    /// Where the folder `ops/guest` is. What is built lies beside the sources, and those of an installation are not
    /// written to: there it is a copy of them.
    private static func places() throws -> [String] {
        let isNamed = ProcessInfo.processInfo.environment["USWEEP_GUEST_SOURCES"]?.isEmpty == false
        guard !isNamed, let builder = Installation.guestBuilder else {
            return Installation.places(
                "USWEEP_GUEST_SOURCES", beside: "share/usweep/ops/guest", inRepository: "ops/guest")
        }
        let ended = try Program.bash.run([builder, "--sources"])
        guard ended.status == 0 else {
            throw Failure(.storage, "the guest builder cannot create its working folder", cause: ended.reason)
        }
        return [String(ended.output.prefix { $0 != "\n" })]
    }

    /// Sorted by name, without those that are services of others only.
    package func manifests() throws -> [WorkloadManifest] {
        let functions = "\(sources)/functions"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: functions)) ?? []
        return try names.sorted().map { "\(functions)/\($0)" }.filter { folder in
            let manifest = try LocalInput.contents("\(folder)/\(WorkloadManifest.fileName)", atMost: 4 << 20)
            return manifest.map { String(decoding: $0, as: UTF8.self).contains("\nrequests:") } ?? false
        }.map(WorkloadManifest.read(inFolder:))
    }

    package func names() throws -> [String] { try manifests().map(\.name) }

    /// - Returns: a folder with workload.yaml and image/.
    package func build(_ name: String) throws -> String {
        let ended = try Program.bash.run(["\(sources)/functions/build", name])
        guard ended.status == 0 else { throw Failure(.storage, "'\(name)' was not built", cause: ended.reason) }
        return "\(sources)/out-workloads/\(name)"
    }
}
