package import Model
package import Ports

/// Streams to `/bin/sh` on this machine, without SSH.
package final class LocalTransport: Transport {
    private let environment: [String: String]
    private let children = Children()

    package init(environment: [String: String]) { self.environment = environment }

    package func open(
        _ target: HostTarget, command: String, observer: @escaping @Sendable (StreamEvent) -> Void
    ) -> any Connection {
        let label = "host \(target.name)"
        let task = ChildTask(
            program: "/bin/sh", arguments: ["sh", "-c", command], environment: environment, label: label,
            explain: { ending in
                switch ending.cause {
                case .ended(let exit): StreamEnd.command(exit, label: label)
                case .late: StreamEnd(kind: .unreachable, message: "\(label): /bin/sh took too long.")
                case .notStarted(let code):
                    StreamEnd(
                        kind: .misconfigured, message: "\(label): /bin/sh cannot be started: \(errorText(code)).")
                }
            })
        return children.start(task, observer: observer)
    }
}

extension TransportDescriptor {
    static let local = TransportDescriptor(
        TransportFormat(
            name: "local", meaning: "child processes on this machine, without SSH", address: "local")
    ) { LocalTransport(environment: $0.environment) }
}
