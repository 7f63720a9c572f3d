package import Model
import Ports

extension HostExamination {
    /// Examines all hosts of an inventory at once: one that does not answer delays nobody.
    ///
    /// - Parameter report: is given each as soon as all is known of the host.
    /// - Returns: all of them, in the order of the inventory.
    package static func all(
        _ inventory: Inventory, report: @escaping @Sendable (HostExamination) -> Void
    ) -> [HostExamination] {
        let transport = HostConnections.transport(for: inventory, keepsConnections: false)
        return HostConnections.waiting { await all(inventory.hosts, transport, report) }
    }

    private static func all(
        _ hosts: [Model.Host], _ transport: any Transport, _ report: (HostExamination) -> Void
    ) async -> [HostExamination] {
        await withTaskGroup(of: (Int, HostExamination).self) { group in
            var found = [HostExamination?](repeating: nil, count: hosts.count)
            var next = 0
            func begin() {
                guard next < hosts.count else { return }
                let (index, host) = (next, hosts[next])
                next += 1
                group.addTask { (index, await HostExamination.of(host, transport)) }
            }
            for _ in 0..<min(mostAtOnce, hosts.count) { begin() }
            while let (index, examination) = await group.next() {
                found[index] = examination
                report(examination)
                begin()
            }
            return found.compactMap { $0 }
        }
    }

    /// Nearly all of the time passes in waiting, for dead hosts until a deadline.
    private static let mostAtOnce = 512
}
