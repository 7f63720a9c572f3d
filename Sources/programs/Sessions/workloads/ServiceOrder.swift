import Foundation
import Model
import SweepFiles

/// Services may need services of their own (the `workload.yaml` beside their image says so): a workload has to name all
/// of them, each before those that need it.
struct ServiceOrder {
    private let manifest: WorkloadManifest
    private let folder: String

    /// - Parameter folder: of the workload's manifest, absolute.
    init(_ manifest: WorkloadManifest, in folder: String) {
        self.manifest = manifest
        self.folder = ServiceOrder.standard(folder)
    }

    /// - Throws: ``Failure`` (`badData`) for a circle, and for a service that is not named, or too late.
    func check() throws {
        try checkCircle(of: folder, named: manifest.name, services: manifest.services, after: [])
        for (place, service) in manifest.services.enumerated() {
            let before = manifest.services[..<place].map(\.name)
            for needed in try WorkloadManifest.services(inFolder: path(of: service, from: folder))
            where !before.contains(needed.name) {
                throw Failure(
                    .badData, "\(manifest.name): the service '\(service.name)' needs '\(needed.name)' (port "
                        + "\(needed.port)) to be started before it; write that before it in 'services' of "
                        + "\(folder)/\(WorkloadManifest.fileName)")
            }
        }
    }

    private func checkCircle(
        of folder: String, named name: String, services: [WorkloadManifest.Service],
        after chain: [(folder: String, name: String)]
    ) throws {
        if let start = chain.firstIndex(where: { $0.folder == folder }) {
            let names = chain[start...].map(\.name) + [name]
            throw Failure(
                .badData, "\(manifest.name): the services depend on each other in a circle "
                    + "(\(names.joined(separator: " -> "))), so that none can be "
                    + "started first; remove one of them from 'services' of another")
        }
        for service in services {
            let next = path(of: service, from: folder)
            try checkCircle(
                of: next, named: service.name, services: WorkloadManifest.services(inFolder: next),
                after: chain + [(folder, name)])
        }
    }

    private func path(of service: WorkloadManifest.Service, from folder: String) -> String {
        ServiceOrder.standard("\(folder)/\(service.image)")
    }

    private static func standard(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
}
